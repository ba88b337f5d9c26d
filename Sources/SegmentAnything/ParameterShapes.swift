package import Tensors

/// One tensor of a model: its name in `weights.safetensors` and its shape.
package struct Parameter: Sendable, Equatable {
    package let name: String
    package let shape: Shape
    /// The optimiser changes it: everything outside a frozen encoder, LoRA inside it, never the Fourier matrix.
    package let trains: Bool
    /// A constant of the model rather than a parameter: the Fourier matrix.
    package var isBuffer: Bool { name == ParameterShapes.fourierMatrix }

    /// Weight decay acts on it: not on norms, biases, tokens, prompts, position tables.
    package var decays: Bool {
        shape.rank >= 2
            && !["q_prompts", "mask_tokens", "iou_token", "pos_embed", "rel_pos_"].contains { name.contains($0) }
    }
}

/// The names and shapes of all tensors of a model, in the order in which the model uses them.
package enum ParameterShapes {
    package static let fourierMatrix = "positional_encoding_gaussian_matrix"

    /// Every tensor that `configuration` asks for; the names are those of the reference implementation's `state_dict`.
    package static func of(_ configuration: Configuration) -> [Parameter] {
        var list = ParameterList(frozenEncoder: configuration.freezeEncoder)
        encoder(configuration, &list)
        let levels = configuration.levels.count
        for level in 0..<levels {
            self.level(configuration, hasHead: level == 0 || configuration.deepSupervision, "levels.\(level)", &list)
        }
        list.add(fourierMatrix, [2, configuration.decoderDim / 2])
        return list.parameters
    }

    private static func encoder(_ c: Configuration, _ list: inout ParameterList) {
        let prefix = "image_encoder"
        switch c.stem {
        case .patch: list.layer("\(prefix).patch_embed.proj", [c.embedDim, 3, c.patch, c.patch], bias: c.embedDim)
        case .conv:
            let widths = [3, c.embedDim / 8, c.embedDim / 4, c.embedDim / 2, c.embedDim]
            for i in 0..<4 {
                list.layer("\(prefix).patch_embed.convs.\(i)", [widths[i + 1], widths[i], 3, 3], bias: widths[i + 1])
                list.norm("\(prefix).patch_embed.norms.\(i)", widths[i + 1])
            }
            list.layer("\(prefix).patch_embed.proj", [c.embedDim, c.embedDim, 1, 1], bias: c.embedDim)
        }
        list.add("\(prefix).pos_embed", [1, c.grid, c.grid, c.embedDim])
        for block in 0..<c.depth { encoderBlock(c, block, "\(prefix).blocks.\(block)", &list) }
    }

    private static func encoderBlock(_ c: Configuration, _ index: Int, _ name: String, _ list: inout ParameterList) {
        let d = c.embedDim
        let side = c.globalBlocks.contains(index) ? c.grid : c.window
        list.norm("\(name).norm1", d)
        for axis in ["h", "w"] { list.add("\(name).attn.rel_pos_\(axis)", [2 * side - 1, d / c.heads]) }
        if c.loraRank > 0 {
            for part in ["q", "v"] {
                list.add("\(name).attn.lora_\(part)_a", [c.loraRank, d])
                list.add("\(name).attn.lora_\(part)_b", [d, c.loraRank])
            }
        }
        list.linear("\(name).attn.qkv", from: d, to: 3 * d)
        list.linear("\(name).attn.proj", from: d, to: d)
        list.norm("\(name).norm2", d)
        list.linear("\(name).mlp.lin1", from: d, to: 4 * d)
        list.linear("\(name).mlp.lin2", from: 4 * d, to: d)
    }

    private static func level(_ c: Configuration, hasHead: Bool, _ name: String, _ list: inout ParameterList) {
        let (d, e) = (c.embedDim, c.decoderDim)
        if c.prompts > 0 {
            list.add("\(name).q_prompts", [c.prompts, d])
            list.linear("\(name).f", from: d, to: e)
            for prompt in 0..<c.prompts {
                list.linear("\(name).mlps.\(prompt).0", from: e, to: e)
                list.linear("\(name).mlps.\(prompt).2", from: e, to: e)
            }
        }
        list.add("\(name).neck.0.weight", [e, d, 1, 1])
        list.norm("\(name).neck.1", e)
        list.add("\(name).neck.2.weight", [e, e, 3, 3])
        list.norm("\(name).neck.3", e)
        list.add("\(name).no_mask_embed", [e])
        list.add("\(name).mask_tokens", [c.outputs, e])
        let iou = c.iouHead && hasHead
        if iou { list.add("\(name).iou_token", [1, e]) }
        transformer(e, "\(name).transformer", &list)
        if hasHead { head(c, iou: iou, "\(name).head", &list) }
    }

    private static func transformer(_ e: Int, _ name: String, _ list: inout ParameterList) {
        for layer in 0..<2 {
            let name = "\(name).layers.\(layer)"
            attention("\(name).self_attn", e, inner: e, &list)
            list.norm("\(name).norm1", e)
            attention("\(name).cross_attn_token_to_image", e, inner: e / 2, &list)
            list.norm("\(name).norm2", e)
            list.linear("\(name).mlp.lin1", from: e, to: 8 * e)
            list.linear("\(name).mlp.lin2", from: 8 * e, to: e)
            list.norm("\(name).norm3", e)
            attention("\(name).cross_attn_image_to_token", e, inner: e / 2, &list)
            list.norm("\(name).norm4", e)
        }
        attention("\(name).final_attn_token_to_image", e, inner: e / 2, &list)
        list.norm("\(name).norm_final_attn", e)
    }

    private static func attention(_ name: String, _ width: Int, inner: Int, _ list: inout ParameterList) {
        for projection in ["q_proj", "k_proj", "v_proj"] {
            list.linear("\(name).\(projection)", from: width, to: inner)
        }
        list.linear("\(name).out_proj", from: inner, to: width)
    }

    private static func head(_ c: Configuration, iou: Bool, _ name: String, _ list: inout ParameterList) {
        let e = c.decoderDim
        list.layer("\(name).output_upscaling.0", [e, e / 4, 2, 2], bias: e / 4)
        list.norm("\(name).output_upscaling.1", e / 4)
        list.layer("\(name).output_upscaling.3", [e / 4, e / 8, 2, 2], bias: e / 8)
        for output in 0..<c.outputs {
            list.mlp("\(name).output_hypernetworks_mlps.\(output)", [e, e, e, e / 8])
        }
        if iou { list.mlp("\(name).iou_prediction_head", [e, e, e, c.outputs]) }
    }
}

/// A list that grows layer by layer.
private struct ParameterList {
    let frozenEncoder: Bool
    var parameters: [Parameter] = []

    init(frozenEncoder: Bool) { self.frozenEncoder = frozenEncoder }

    mutating func add(_ name: String, _ shape: Shape) {
        let frozen = frozenEncoder && name.hasPrefix("image_encoder.") && !name.contains("lora_")
        parameters.append(Parameter(name: name, shape: shape, trains: !frozen && name != ParameterShapes.fourierMatrix))
    }

    mutating func layer(_ name: String, _ shape: Shape, bias: Int) {
        add("\(name).weight", shape)
        add("\(name).bias", [bias])
    }

    mutating func linear(_ name: String, from input: Int, to output: Int) {
        layer(name, [output, input], bias: output)
    }
    mutating func norm(_ name: String, _ width: Int) { layer(name, [width], bias: width) }

    mutating func mlp(_ name: String, _ widths: [Int]) {
        for (i, (input, output)) in zip(widths, widths.dropFirst()).enumerated() {
            linear("\(name).layers.\(i)", from: input, to: output)
        }
    }
}
