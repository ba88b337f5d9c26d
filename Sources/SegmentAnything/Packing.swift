package import Tensors

/// How a network's weights are packed for inference.
package struct Packing: Sendable {
    package let precision: Precision
    /// For 8 bits: what the inputs of a layer are multiplied by, by the name of its weight; other layers are bfloat16.
    private let inputScales: [String: [Float]]

    package init(_ precision: Precision, inputScales: [String: [Float]] = [:]) {
        self.precision = precision
        self.inputScales = inputScales
    }

    /// For weights that nothing was calibrated for: all layers of the encoder in 8 bits with their inputs as they are.
    package static func uncalibrated(_ precision: Precision, _ configuration: Configuration) -> Packing {
        let scales = Quantisation.layers(configuration).map { ($0.weight, [Float](repeating: 1, count: $0.inputs)) }
        return Packing(precision, inputScales: Dictionary(uniqueKeysWithValues: scales))
    }

    /// The matrix of the weight called `name`.
    func matrix(_ weight: Tensor, _ name: String) -> PackedMatrix {
        guard precision == .int8 else { return PackedMatrix(weight, precision) }
        guard let scale = inputScales[name] else { return PackedMatrix(weight, .bf16) }
        return PackedMatrix(weight, .int8, inputScale: scale)
    }
}
