/// How far we are from a recorded reference, group by group.
package struct GoldenReport: Sendable {
    /// One group of tensors: outputs, losses, gradients, …
    package struct Group: Sendable {
        package let name: String
        /// The largest difference, in the unit of the tolerance, and where.
        package private(set) var worst = 0.0
        package private(set) var worstTensor = ""
        package private(set) var tensors = 0
        package let tolerance: Double

        init(_ name: String, tolerance: Double) {
            self.name = name
            self.tolerance = tolerance
        }

        mutating func add(_ tensor: String, _ difference: Double) {
            tensors += 1
            // NaN is never within a tolerance.
            if !(difference <= worst) || worstTensor.isEmpty {
                worst = difference.isNaN ? .infinity : difference
                worstTensor = tensor
            }
        }

        package var passes: Bool { tensors > 0 && worst <= tolerance }
    }

    package internal(set) var groups: [Group] = []

    package var passes: Bool { !groups.isEmpty && groups.allSatisfy(\.passes) }
}
