import Tensors

/// SAM's decoder transformer: tokens and image attend to each other in two blocks, then the tokens once more to the image.
///
/// *Source*: segment_anything/modeling/transformer.py.
struct TwoWayTransformer {
    let layers: [TwoWayAttentionBlock]
    let finalAttention: Attention
    let finalNorm: LayerNorm

    init(_ configuration: Configuration, _ scope: ParameterScope) {
        layers = (0..<2).map {
            TwoWayAttentionBlock(configuration, scope.scope("layers.\($0)"), skipsFirstPosition: $0 == 0)
        }
        finalAttention = Attention(configuration, scope.scope("final_attn_token_to_image"), downsample: 2)
        finalNorm = LayerNorm(scope.scope("norm_final_attn"), configuration.decoderDim, epsilon: 1e-5)
    }

    /// image `[B, g², E]`, position `[g², E]`, tokens `[B, t, E]` → both after the last attention; `heat` gets the weights of the
    /// last block's token→image attention, `[B, t, g²]`.
    ///
    /// - Parameter imageKeys: what is added to the logits of image tokens as keys.
    func callAsFunction(
        image: Tensor, position: Tensor, tokens: Tensor, imageKeys: Tensor?, heat: ((Tensor) -> Void)?, _ tape: Tape?
    ) -> (tokens: Tensor, image: Tensor) {
        let tokenPosition = tokens
        var (tokens, image) = (tokens, image)
        for (index, layer) in layers.enumerated() {
            (tokens, image) = layer(
                tokens: tokens, image: image, tokenPosition: tokenPosition, imagePosition: position,
                imageKeys: imageKeys, heat: index == layers.count - 1 ? heat : nil, tape)
        }
        let placed = addRepeated(image, position, tape: tape)
        let attended = finalAttention(
            add(tokens, tokenPosition, tape: tape), placed, image, keyBias: imageKeys, heat: nil, tape)
        return (finalNorm(add(tokens, attended, tape: tape), tape), image)
    }
}

/// Self-attention of the tokens; token → image; MLP; image → token; post-norm.
struct TwoWayAttentionBlock {
    let selfAttention, tokenToImage, imageToToken: TwoWayTransformer.Attention
    let norm1, norm2, norm3, norm4: LayerNorm
    let mlp: MLPBlock
    /// The first block's self-attention adds no position and replaces the tokens: SAM's `skip_first_layer_pe`.
    let skipsFirstPosition: Bool

    init(_ configuration: Configuration, _ scope: ParameterScope, skipsFirstPosition: Bool) {
        let width = configuration.decoderDim
        func norm(_ name: String) -> LayerNorm { LayerNorm(scope.scope(name), width, epsilon: 1e-5) }
        func attention(_ name: String, downsample: Int) -> TwoWayTransformer.Attention {
            TwoWayTransformer.Attention(configuration, scope.scope(name), downsample: downsample)
        }
        selfAttention = attention("self_attn", downsample: 1)
        norm1 = norm("norm1")
        tokenToImage = attention("cross_attn_token_to_image", downsample: 2)
        norm2 = norm("norm2")
        mlp = MLPBlock(scope.scope("mlp"), width, hidden: 8 * width, .relu)
        norm3 = norm("norm3")
        imageToToken = attention("cross_attn_image_to_token", downsample: 2)
        norm4 = norm("norm4")
        self.skipsFirstPosition = skipsFirstPosition
    }

    func callAsFunction(
        tokens: Tensor, image: Tensor, tokenPosition: Tensor, imagePosition: Tensor, imageKeys: Tensor?,
        heat: ((Tensor) -> Void)?, _ tape: Tape?
    ) -> (tokens: Tensor, image: Tensor) {
        var tokens = tokens
        if skipsFirstPosition {
            tokens = selfAttention(tokens, tokens, tokens, heat: nil, tape)
        } else {
            let query = add(tokens, tokenPosition, tape: tape)
            tokens = add(tokens, selfAttention(query, query, tokens, heat: nil, tape), tape: tape)
        }
        tokens = norm1(tokens, tape)
        let placed = addRepeated(image, imagePosition, tape: tape)
        let seen = tokenToImage(
            add(tokens, tokenPosition, tape: tape), placed, image, keyBias: imageKeys, heat: heat, tape)
        tokens = norm2(add(tokens, seen, tape: tape), tape)
        tokens = norm3(add(tokens, mlp(tokens, tape), tape: tape), tape)
        let answered = imageToToken(placed, add(tokens, tokenPosition, tape: tape), tokens, heat: nil, tape)
        return (tokens, norm4(add(image, answered, tape: tape), tape))
    }
}

extension TwoWayTransformer {
    /// Attention with projections to an inner width.
    ///
    /// *Source*: segment_anything/modeling/transformer.py, `Attention`.
    struct Attention {
        let query, key, value, output: Linear
        let heads: Int

        /// - Parameter downsample: what the width is divided by inside.
        init(_ configuration: Configuration, _ scope: ParameterScope, downsample: Int) {
            let width = configuration.decoderDim
            let inner = width / downsample
            query = Linear(scope.scope("q_proj"), width, inner)
            key = Linear(scope.scope("k_proj"), width, inner, bias: .keyBias)
            value = Linear(scope.scope("v_proj"), width, inner)
            output = Linear(scope.scope("out_proj"), inner, width)
            heads = configuration.decoderHeads
        }

        /// q `[B, n, E]`, k and v `[B, m, E]`, keyBias `[B, m]` → `[B, n, E]`; `heat` gets the weights `[B, n, m]`, mean over heads.
        func callAsFunction(
            _ q: Tensor, _ k: Tensor, _ v: Tensor, keyBias: Tensor? = nil, heat: ((Tensor) -> Void)?, _ tape: Tape?
        ) -> Tensor {
            let (q, k, v) = (query(q, tape), key(k, tape), value(v, tape))
            heat?(attentionWeights(q, k, heads: heads, keyBias: keyBias))
            return output(attention(q, k, v, heads: heads, keyBias: keyBias, tape: tape), tape)
        }
    }
}
