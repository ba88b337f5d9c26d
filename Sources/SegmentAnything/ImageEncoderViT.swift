import Tensors

/// SAM's image encoder: patch embedding, absolute position, blocks with local and global attention.
///
/// *Source*: segment_anything/modeling/image_encoder.py; LoRA and Q prompts §3.2, §3.3.
struct ImageEncoderViT {
    enum Stem {
        case patch(PatchEmbed)
        case conv(ConvStem)
    }

    let stem: Stem
    let position: Tensor
    let blocks: [Later<Block>]
    /// Whether every block can work on a part of the grid.
    let isFused: Bool

    init(_ configuration: Configuration, _ scope: ParameterScope, mergeLoRA: Bool) {
        let (dim, grid) = (configuration.embedDim, configuration.grid)
        let embed = scope.scope("patch_embed")
        switch configuration.stem {
        case .patch: stem = .patch(PatchEmbed(embed, patch: configuration.patch, dim))
        case .conv: stem = .conv(ConvStem(embed, dim))
        }
        position = scope("pos_embed", [1, grid, grid, dim], .absolutePosition, .zeros)
        let windows = (0..<configuration.depth).map {
            configuration.globalBlocks.contains($0) ? 0 : configuration.window
        }
        blocks = windows.enumerated().map { index, window in
            scope.later {
                Block(configuration, scope.scope("blocks.\(index)"), window: window, mergeLoRA: mergeLoRA)
            }
        }
        isFused =
            scope.packing != nil
            && windows.allSatisfy {
                packedAttentionFits(side: $0 > 0 ? $0 : grid, channels: dim / configuration.heads)
            }
    }

    /// image `[B, S, S, 3]` normalised → tokens `[B, g, g, D]` with their position; fewer where the cover cuts.
    func embed(_ image: Tensor, _ cover: TokenCover, _ tape: Tape?) -> Tensor {
        positioned(tokens(image, cover, tape), cover, tape)
    }

    /// image `[B, S, S, 3]` normalised → what the stem makes of it, `[B, g, g, D]`; fewer where the cover cuts.
    func tokens(_ image: Tensor, _ cover: TokenCover, _ tape: Tape?) -> Tensor {
        let image = cover.cutting(image, grid: position.shape[1])
        return switch stem {
        case .patch(let embed): embed(image, tape)
        case .conv(let stem): stem(image, cover, tape)
        }
    }

    /// Tokens with their position. *Shape*: those of `tokens`.
    func positioned(_ tokens: Tensor, _ cover: TokenCover, _ tape: Tape?) -> Tensor {
        addRepeated(tokens, cover.cutting(position, grid: position.shape[1]), tape: tape)
    }
}

/// One convolution, 16 × 16 with stride 16.
struct PatchEmbed {
    let proj: Conv2d

    init(_ scope: ParameterScope, patch: Int, _ dim: Int) {
        proj = Conv2d(scope.scope("proj"), 3, dim, kernel: patch, stride: patch)
    }

    func callAsFunction(_ x: Tensor, _ tape: Tape?) -> Tensor { proj(x, tape) }
}

/// Four 3 × 3 convolutions of stride 2 with LayerNorm over channels and GELU, then 1 × 1 (ours, for models from nothing).
struct ConvStem {
    let layers: [(conv: Conv2d, norm: LayerNorm2d)]
    let proj: Conv2d

    init(_ scope: ParameterScope, _ dim: Int) {
        let widths = [3, dim / 8, dim / 4, dim / 2, dim]
        layers = (0..<4).map {
            (
                Conv2d(scope.scope("convs.\($0)"), widths[$0], widths[$0 + 1], kernel: 3, stride: 2, padding: 1),
                LayerNorm2d(scope.scope("norms.\($0)"), widths[$0 + 1])
            )
        }
        proj = Conv2d(scope.scope("proj"), dim, dim, kernel: 1)
    }

    func callAsFunction(_ x: Tensor, _ cover: TokenCover, _ tape: Tape?) -> Tensor {
        var x = x
        for layer in layers { x = cover.masking(layer.conv(x, layer.norm, active: true, tape), tape) }
        return proj(x, tape)
    }
}
