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
        let matrices = Set(Quantisation.weights(configuration))
        let scales = ParameterShapes.of(configuration).filter { matrices.contains($0.name) }.map {
            ($0.name, [Float](repeating: 1, count: $0.shape[1]))
        }
        return Packing(precision, inputScales: Dictionary(scales) { first, _ in first })
    }

    /// The matrix of the weight called `name`.
    func matrix(_ weight: Tensor, _ name: String) -> PackedMatrix {
        guard precision == .int8 else { return PackedMatrix(weight, precision) }
        guard let scale = inputScales[name] else { return PackedMatrix(weight, .bf16) }
        return PackedMatrix(weight, .int8, inputScale: scale)
    }
}
