import Tensors

/// From image tokens and mask tokens to mask logits (SAM's upscaling and hypernetworks).
///
/// *Source*: segment_anything/modeling/mask_decoder.py.
struct MaskHead {
    let up1, up2: (weight: Tensor, bias: Tensor)
    let norm: LayerNorm
    let hypernetworks: [MLP]
    let iou: MLP?

    init(_ configuration: Configuration, _ scope: ParameterScope) {
        let upscaling = scope.scope("output_upscaling")
        up1 = (upscaling["0.weight"], upscaling["0.bias"])
        norm = LayerNorm(upscaling.scope("1"), epsilon: 1e-6)
        up2 = (upscaling["3.weight"], upscaling["3.bias"])
        hypernetworks = (0..<configuration.outputs).map { MLP(scope.scope("output_hypernetworks_mlps.\($0)")) }
        iou = configuration.iouHead ? MLP(scope.scope("iou_prediction_head")) : nil
    }

    /// image `[B, g, g, E]`, mask tokens `[B, M, E]` → logits `[B, M, 4·g, 4·g]`
    func callAsFunction(_ image: Tensor, _ maskTokens: Tensor, _ tape: Tape?) -> Tensor {
        var up = transposedConvolution(image, up1.weight, up1.bias, tape: tape)
        up = gelu(norm(up, tape), tape: tape)
        up = gelu(transposedConvolution(up, up2.weight, up2.bias, tape: tape), tape: tape)
        let weights = hypernetworks.enumerated().map { m, network in
            network(sliceTokens(maskTokens, m..<m + 1, tape: tape), tape)
        }
        return maskProduct(up, stackTokens(weights, tape: tape), tape: tape)
    }
}
