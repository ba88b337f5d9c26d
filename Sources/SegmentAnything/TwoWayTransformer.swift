import Tensors

/// SAM's decoder transformer: tokens and image attend to each other in two blocks, then the tokens once more to the image.
///
/// *Source*: segment_anything/modeling/transformer.py.
struct TwoWayTransformer {
    let layers: [TwoWayAttentionBlock]
    let finalAttention: DecoderAttention
    let finalNorm: LayerNorm

    init(_ configuration: Configuration, _ scope: ParameterScope) {
        layers = (0..<2).map {
            TwoWayAttentionBlock(scope.scope("layers.\($0)"), heads: configuration.decoderHeads, first: $0 == 0)
        }
        finalAttention = DecoderAttention(scope.scope("final_attn_token_to_image"), heads: configuration.decoderHeads)
        finalNorm = LayerNorm(scope.scope("norm_final_attn"), epsilon: 1e-5)
    }

    /// image `[B, g², E]`, position `[g², E]`, tokens `[B, t, E]` → both after the last attention; `heat` gets the weights of the
    /// last block's token→image attention, `[B, t, g²]`.
    func callAsFunction(image: Tensor, position: Tensor, tokens: Tensor, heat: ((Tensor) -> Void)?, _ tape: Tape?) -> (
        tokens: Tensor, image: Tensor
    ) {
        let tokenPosition = tokens
        var (tokens, image) = (tokens, image)
        for (index, layer) in layers.enumerated() {
            (tokens, image) = layer(
                tokens: tokens, image: image, tokenPosition: tokenPosition, imagePosition: position,
                heat: index == layers.count - 1 ? heat : nil, tape)
        }
        let placed = addRepeated(image, position, tape: tape)
        let attended = finalAttention(add(tokens, tokenPosition, tape: tape), placed, image, heat: nil, tape)
        return (finalNorm(add(tokens, attended, tape: tape), tape), image)
    }
}

/// Self-attention of the tokens; token → image; MLP; image → token; post-norm.
struct TwoWayAttentionBlock {
    let selfAttention, tokenToImage, imageToToken: DecoderAttention
    let norm1, norm2, norm3, norm4: LayerNorm
    let lin1, lin2: Linear
    /// The first block's self-attention adds no position and replaces the tokens.
    let first: Bool

    init(_ scope: ParameterScope, heads: Int, first: Bool) {
        selfAttention = DecoderAttention(scope.scope("self_attn"), heads: heads)
        tokenToImage = DecoderAttention(scope.scope("cross_attn_token_to_image"), heads: heads)
        imageToToken = DecoderAttention(scope.scope("cross_attn_image_to_token"), heads: heads)
        norm1 = LayerNorm(scope.scope("norm1"), epsilon: 1e-5)
        norm2 = LayerNorm(scope.scope("norm2"), epsilon: 1e-5)
        norm3 = LayerNorm(scope.scope("norm3"), epsilon: 1e-5)
        norm4 = LayerNorm(scope.scope("norm4"), epsilon: 1e-5)
        lin1 = Linear(scope.scope("mlp.lin1"))
        lin2 = Linear(scope.scope("mlp.lin2"))
        self.first = first
    }

    func callAsFunction(
        tokens: Tensor, image: Tensor, tokenPosition: Tensor, imagePosition: Tensor, heat: ((Tensor) -> Void)?,
        _ tape: Tape?
    ) -> (tokens: Tensor, image: Tensor) {
        var tokens = tokens
        if first {
            tokens = selfAttention(tokens, tokens, tokens, heat: nil, tape)
        } else {
            let query = add(tokens, tokenPosition, tape: tape)
            tokens = add(tokens, selfAttention(query, query, tokens, heat: nil, tape), tape: tape)
        }
        tokens = norm1(tokens, tape)
        let placed = addRepeated(image, imagePosition, tape: tape)
        let seen = tokenToImage(add(tokens, tokenPosition, tape: tape), placed, image, heat: heat, tape)
        tokens = norm2(add(tokens, seen, tape: tape), tape)
        tokens = norm3(add(tokens, lin2(relu(lin1(tokens, tape), tape: tape), tape), tape: tape), tape)
        let told = imageToToken(placed, add(tokens, tokenPosition, tape: tape), tokens, heat: nil, tape)
        return (tokens, norm4(add(image, told, tape: tape), tape))
    }
}

/// Attention with projections to an inner width.
struct DecoderAttention {
    let query, key, value, output: Linear
    let heads: Int

    init(_ scope: ParameterScope, heads: Int) {
        query = Linear(scope.scope("q_proj"))
        key = Linear(scope.scope("k_proj"))
        value = Linear(scope.scope("v_proj"))
        output = Linear(scope.scope("out_proj"))
        self.heads = heads
    }

    /// q `[B, n, E]`, k and v `[B, m, E]` → `[B, n, E]`; `heat` gets the weights `[B, n, m]`, mean over heads.
    func callAsFunction(_ q: Tensor, _ k: Tensor, _ v: Tensor, heat: ((Tensor) -> Void)?, _ tape: Tape?) -> Tensor {
        let (q, k, v) = (query(q, tape), key(k, tape), value(v, tape))
        heat?(attentionWeights(q, k, heads: heads))
        return output(attention(q, k, v, heads: heads, tape: tape), tape)
    }
}
