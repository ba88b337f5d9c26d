import Tensors

/// SAM's mask decoder with the A prompts of its level instead of SAM's prompts; a head where masks are made.
///
/// *Source*: segment_anything/modeling/mask_decoder.py; §3.3, §3.4.
struct MaskDecoder {
    let noMaskEmbed, maskTokens: Tensor
    let iouToken: Tensor?
    let transformer: TwoWayTransformer
    let head: MaskHead?

    init(_ configuration: Configuration, _ scope: ParameterScope, hasHead: Bool) {
        let (outputs, width) = (configuration.outputs, configuration.decoderDim)
        let token = Parameter.Initialisation.normal(deviation: 0.02)
        noMaskEmbed = scope("no_mask_embed", [width], .token, token, sam: ("prompt_encoder.no_mask_embed.weight", .row))
        maskTokens = scope(
            "mask_tokens", [outputs, width], .token, token, sam: ("mask_decoder.mask_tokens.weight", .rowsModulo4))
        iouToken =
            configuration.iouHead && hasHead
            ? scope("iou_token", [1, width], .token, token, sam: ("mask_decoder.iou_token.weight", .whole)) : nil
        transformer = TwoWayTransformer(
            configuration, scope.scope("transformer").upstream("mask_decoder.transformer"))
        head = hasHead ? MaskHead(configuration, scope.scope("head")) : nil
    }

    struct Result {
        /// `[B, g, g, E]`
        var image: Tensor
        /// `[B, M, 4·g, 4·g]`
        var logits: Tensor?
        /// `[B, M]`
        var iou: Tensor?
        /// What the answers look at, `[B, c, g²]`.
        var heat: Tensor?
    }

    /// x `[B, g, g, E]`, position `[g², E]`, answers `[c, E]`; less of both where the cover cuts.
    ///
    /// - Parameter imageKeys: what is added to the logits of image tokens as keys.
    func callAsFunction(
        _ x: Tensor, position: Tensor, answers: Tensor?, imageKeys: Tensor?, wantsHeat: Bool, _ tape: Tape?
    ) -> Result {
        let (batch, tokenCount, dim) = (x.shape[0], x.shape[1] * x.shape[2], x.shape[3])
        let first = iouToken == nil ? 0 : 1
        let outputs = maskTokens.shape[0]
        let tokens = concatenateRows([iouToken, maskTokens, answers].compactMap { $0 }, tape: tape)
        let image = addRepeated(x, noMaskEmbed.reshaped([1, dim]), tape: tape).reshaped([batch, tokenCount, dim])
        var heat: Tensor?
        let keepHeat = { (weights: Tensor) in
            heat = sliceTokens(weights, first + outputs..<weights.shape[1], tape: nil)
        }
        let decoded = transformer(
            image: image, position: position, tokens: repeated(tokens, batch: batch, tape: tape), imageKeys: imageKeys,
            heat: wantsHeat && answers != nil ? keepHeat : nil, tape)
        var result = Result(image: decoded.image.reshaped(x.shape), heat: heat)
        if let head {
            result.logits = head(result.image, sliceTokens(decoded.tokens, first..<first + outputs, tape: tape), tape)
            if first == 1 {
                result.iou = head.iou?(sliceTokens(decoded.tokens, 0..<1, tape: tape), tape).reshaped([batch, outputs])
            }
        }
        return result
    }
}

/// From image tokens and mask tokens to mask logits: SAM's upscaling and hypernetworks.
struct MaskHead {
    let up1, up2: ConvTranspose2d
    let norm: LayerNorm2d
    let hypernetworks: [MLP]
    let iou: MLP?

    init(_ configuration: Configuration, _ scope: ParameterScope) {
        let width = configuration.decoderDim
        let upscaling = scope.scope("output_upscaling").upstream("mask_decoder.output_upscaling")
        up1 = ConvTranspose2d(upscaling.scope("0"), width, width / 4)
        norm = LayerNorm2d(upscaling.scope("1"), width / 4)
        up2 = ConvTranspose2d(upscaling.scope("3"), width / 4, width / 8)
        hypernetworks = (0..<configuration.outputs).map {
            let own = scope.scope("output_hypernetworks_mlps.\($0)")
            return MLP(
                own.upstream("mask_decoder.output_hypernetworks_mlps.\($0 % 4)"), width, hidden: width, width / 8)
        }
        let quality = scope.scope("iou_prediction_head").upstream("mask_decoder.iou_prediction_head", .wholeIfSame)
        iou = configuration.iouHead ? MLP(quality, width, hidden: width, configuration.outputs) : nil
    }

    /// image `[B, g, g, E]`, mask tokens `[B, M, E]` → logits `[B, M, 4·g, 4·g]`
    func callAsFunction(_ image: Tensor, _ maskTokens: Tensor, _ tape: Tape?) -> Tensor {
        let quarter = gelu(norm(up1(image, tape), tape), tape: tape)
        let features = gelu(up2(quarter, tape), tape: tape)
        let weights = hypernetworks.enumerated().map { m, network in
            network(sliceTokens(maskTokens, m..<m + 1, tape: tape), tape)
        }
        return maskProduct(features, stackTokens(weights, tape: tape), tape: tape)
    }
}
