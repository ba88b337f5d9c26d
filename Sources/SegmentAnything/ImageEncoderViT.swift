import Tensors

/// SAM's image encoder: patch embedding, absolute position, blocks with local and global attention.
///
/// *Source*: segment_anything/modeling/image_encoder.py; LoRA and Q prompts §3.2, §3.3.
struct ImageEncoderViT {
    enum Stem {
        case patch(PatchEmbed)
        case convolutional(ConvStem)
    }

    let stem: Stem
    let position: Tensor
    let blocks: [EncoderBlock]

    init(_ configuration: Configuration, _ scope: ParameterScope, mergeLoRA: Bool) {
        let embed = scope.scope("patch_embed")
        stem =
            configuration.stem == .conv
            ? .convolutional(ConvStem(embed)) : .patch(PatchEmbed(embed, patch: configuration.patch))
        position = scope["pos_embed"]
        blocks = (0..<configuration.depth).map {
            EncoderBlock(
                configuration, scope.scope("blocks.\($0)"),
                window: configuration.globalBlocks.contains($0) ? 0 : configuration.window, mergeLoRA: mergeLoRA)
        }
    }

    /// image `[B, S, S, 3]` normalised → tokens `[B, g, g, D]` with their position.
    func embed(_ image: Tensor, _ tape: Tape?) -> Tensor {
        let tokens =
            switch stem {
            case .patch(let embed): embed(image, tape)
            case .convolutional(let stem): stem(image, tape)
            }
        return addRepeated(tokens, position, tape: tape)
    }
}

/// One convolution, 16 × 16 with stride 16.
struct PatchEmbed {
    let weight, bias: Tensor
    let patch: Int

    init(_ scope: ParameterScope, patch: Int) {
        weight = scope["proj.weight"]
        bias = scope["proj.bias"]
        self.patch = patch
    }

    func callAsFunction(_ x: Tensor, _ tape: Tape?) -> Tensor {
        convolution(x, weight, bias, stride: patch, padding: 0, tape: tape)
    }
}

/// Four 3 × 3 convolutions of stride 2 with LayerNorm over channels and GELU, then 1 × 1 (ours, for models from nothing).
struct ConvStem {
    let convolutions: [(weight: Tensor, bias: Tensor)]
    let norms: [LayerNorm]
    let projection: (weight: Tensor, bias: Tensor)

    init(_ scope: ParameterScope) {
        convolutions = (0..<4).map { (scope["convs.\($0).weight"], scope["convs.\($0).bias"]) }
        norms = (0..<4).map { LayerNorm(scope.scope("norms.\($0)"), epsilon: 1e-6) }
        projection = (scope["proj.weight"], scope["proj.bias"])
    }

    func callAsFunction(_ x: Tensor, _ tape: Tape?) -> Tensor {
        var x = x
        for (layer, norm) in zip(convolutions, norms) {
            x = gelu(
                norm(convolution(x, layer.weight, layer.bias, stride: 2, padding: 1, tape: tape), tape), tape: tape)
        }
        return convolution(x, projection.weight, projection.bias, stride: 1, padding: 0, tape: tape)
    }
}
