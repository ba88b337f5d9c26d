import Tensors

/// One level of the hierarchy: Q&A prompts, neck, decoder and, where masks are made, a head (§3.4).
struct LevelDecoder {
    let prompts: QAPrompts?
    let neck: Neck
    let noMaskEmbed, maskTokens: Tensor
    let iouToken: Tensor?
    let transformer: TwoWayTransformer
    let head: MaskHead?

    init(_ configuration: Configuration, _ scope: ParameterScope, withHead: Bool) {
        prompts = QAPrompts(configuration, scope)
        neck = Neck(scope.scope("neck"))
        noMaskEmbed = scope["no_mask_embed"]
        maskTokens = scope["mask_tokens"]
        iouToken = configuration.iouHead && withHead ? scope["iou_token"] : nil
        transformer = TwoWayTransformer(configuration, scope.scope("transformer"))
        head = withHead ? MaskHead(configuration, scope.scope("head")) : nil
    }

    struct Result {
        /// `[B, g, g, E]`
        var image: Tensor
        /// `[B, M, 4·g, 4·g]`
        var logits: Tensor?
        /// `[B, M]`
        var iou: Tensor?
        /// A `[c, E]`
        var answers: Tensor?
        /// `[B, c, g²]`
        var heat: Tensor?
    }

    /// x `[B, g, g, E]`, position `[g², E]`
    func decode(_ x: Tensor, position: Tensor, wantsHeat: Bool, _ tape: Tape?) -> Result {
        let (batch, grid, dim) = (x.shape[0], x.shape[1], x.shape[3])
        let answers = prompts?.answer(tape)
        let first = iouToken == nil ? 0 : 1
        let outputs = maskTokens.shape[0]
        let tokens = concatenateRows([iouToken, maskTokens, answers].compactMap { $0 }, tape: tape)
        let image = addRepeated(x, noMaskEmbed.reshaped([1, dim]), tape: tape).reshaped([batch, grid * grid, dim])
        var heat: Tensor?
        let wanted: ((Tensor) -> Void)? =
            !wantsHeat || answers == nil
            ? nil
            : { weights in
                heat = sliceTokens(weights, first + outputs..<weights.shape[1], tape: nil)
            }
        let decoded = transformer(
            image: image, position: position, tokens: repeated(tokens, batch: batch, tape: tape), heat: wanted, tape)
        var result = Result(image: decoded.image.reshaped(x.shape), answers: answers, heat: heat)
        if let head {
            result.logits = head(result.image, sliceTokens(decoded.tokens, first..<first + outputs, tape: tape), tape)
            if first == 1 {
                result.iou = head.iou?(sliceTokens(decoded.tokens, 0..<1, tape: tape), tape).reshaped([batch, outputs])
            }
        }
        return result
    }
}
