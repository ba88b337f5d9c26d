package import SegmentAnything
import Tensors

extension Parameters {
    /// Fresh weights, drawn as PyTorch draws them for the reference implementation.
    ///
    /// Linear and convolution weights and biases uniform in ±1/√fan-in (Kaiming-uniform with a = √5), norms 1 and 0, position
    /// tables and LoRA B zero, prompts and tokens normal with deviation 0.02, the Fourier matrix normal with deviation 1.
    package static func initial(_ configuration: Configuration, seed: UInt64) -> Parameters {
        var random = RandomSource(seed: seed)
        var tensors: [String: Tensor] = [:]
        var bound = 0.0
        for parameter in ParameterShapes.of(configuration) {
            let (name, shape) = (parameter.name, parameter.shape)
            func has(_ parts: String...) -> Bool { parts.contains { name.contains($0) } }
            if parameter.isBuffer {
                tensors[name] = .normal(shape, deviation: 1, &random)
            } else if has("pos_embed", "rel_pos_") || name.hasSuffix("_b") && has("lora_") {
                tensors[name] = Tensor(zeros: shape)
            } else if has("q_prompts", "mask_tokens", "iou_token", "no_mask_embed") {
                tensors[name] = .normal(shape, deviation: 0.02, &random)
            } else if shape.rank >= 2 {
                bound = 1 / Double(shape.count / shape[0]).squareRoot()
                tensors[name] = .uniform(shape, bound: bound, &random)
            } else if isNorm(name) {
                tensors[name] = Tensor(shape, repeating: name.hasSuffix("weight") ? 1 : 0)
            } else {
                // The bias of the layer whose weight came just before.
                tensors[name] = .uniform(shape, bound: bound, &random)
            }
        }
        return Parameters(tensors)
    }

    private static func isNorm(_ name: String) -> Bool {
        name.contains("norm") || name.contains("neck.1.") || name.contains("neck.3.")
            || name.contains("output_upscaling.1.")
    }
}
