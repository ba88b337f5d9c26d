internal import CKernels
package import Numbers

extension SplitMix64 {
    /// Normal with mean 0 and deviation 1 (Box and Muller).
    package mutating func normal() -> Double {
        (-2 * ck_log_d(1 - uniform())).squareRoot() * ck_cos(2 * .pi * uniform())
    }
}

extension Tensor {
    /// Normal with mean 0.
    package static func normal(_ shape: Shape, deviation: Double, _ random: inout SplitMix64) -> Tensor {
        let tensor = Tensor(uninitialised: shape)
        for i in 0..<shape.count { tensor.pointer[i] = Float(random.normal() * deviation) }
        return tensor
    }

    /// Uniform in [−bound, bound].
    package static func uniform(_ shape: Shape, bound: Double, _ random: inout SplitMix64) -> Tensor {
        let tensor = Tensor(uninitialised: shape)
        for i in 0..<shape.count { tensor.pointer[i] = Float(random.uniform(-bound...bound)) }
        return tensor
    }
}
