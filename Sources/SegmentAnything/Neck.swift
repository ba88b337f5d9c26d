import Tensors

/// 1 × 1 convolution D → E, norm, 3 × 3 convolution E → E, norm; one a level.
///
/// *Source*: segment_anything/modeling/image_encoder.py, `ImageEncoderViT.neck`.
struct Neck {
    let conv1, conv2: Conv2d
    let norm1, norm2: LayerNorm2d

    init(_ configuration: Configuration, _ scope: ParameterScope) {
        let (dim, width) = (configuration.embedDim, configuration.decoderDim)
        conv1 = Conv2d(scope.scope("0"), dim, width, kernel: 1, hasBias: false)
        norm1 = LayerNorm2d(scope.scope("1"), width)
        conv2 = Conv2d(scope.scope("2"), width, width, kernel: 3, padding: 1, hasBias: false)
        norm2 = LayerNorm2d(scope.scope("3"), width)
    }

    /// x `[B, g, g, D]` → `[B, g, g, E]`
    func callAsFunction(_ x: Tensor, _ cover: TokenCover, _ tape: Tape?) -> Tensor {
        conv2(cover.masking(conv1(x, norm1, tape), tape), norm2, tape)
    }
}
