import Tensors

/// A pre-norm transformer block: x += attention(norm1 x); x += lin2(GELU(lin1(norm2 x))).
struct EncoderBlock {
    let norm1, norm2: LayerNorm
    let attention: EncoderAttention
    let lin1, lin2: Linear
    /// 0: attention over the whole grid.
    let window: Int

    init(_ configuration: Configuration, _ scope: ParameterScope, window: Int, mergeLoRA: Bool) {
        norm1 = LayerNorm(scope.scope("norm1"), epsilon: 1e-6)
        norm2 = LayerNorm(scope.scope("norm2"), epsilon: 1e-6)
        attention = EncoderAttention(scope.scope("attn"), heads: configuration.heads, mergeLoRA: mergeLoRA)
        lin1 = Linear(scope.scope("mlp.lin1"))
        lin2 = Linear(scope.scope("mlp.lin2"))
        self.window = window
    }

    /// x `[B, g, g, D]`, prompts `[c, D]` (global blocks only) → the block's output; `heat` gets the prompts' heat maps `[B, c, g²]`.
    func callAsFunction(_ x: Tensor, prompts: Tensor?, heat: ((Tensor) -> Void)?, _ tape: Tape?) -> Tensor {
        let (batch, grid, dim) = (x.shape[0], x.shape[1], x.shape[3])
        let normed = norm1(x, tape)
        var attended: Tensor
        if window > 0 {
            attended = attention(partitionWindows(normed, window: window, tape: tape), side: window, heat: nil, tape)
            attended = joinWindows(attended, batch: batch, grid: grid, window: window, tape: tape)
        } else {
            var tokens = normed.reshaped([batch, grid * grid, dim])
            if let prompts { tokens = appendPrompts(tokens, norm1(prompts, tape), tape: tape) }
            attended = attention(tokens, side: grid, heat: prompts == nil ? nil : heat, tape).reshaped(x.shape)
        }
        let x = add(x, attended, tape: tape)
        return add(x, lin2(gelu(lin1(norm2(x, tape), tape), tape: tape), tape), tape: tape)
    }
}

/// Multi-head attention with decomposed relative position, LoRA on q and v.
struct EncoderAttention {
    let qkvWeight, qkvBias: Tensor
    let projection: Linear
    let relativeH, relativeW: Tensor
    let lora: LoRA?
    let heads: Int

    init(_ scope: ParameterScope, heads: Int, mergeLoRA: Bool) {
        let lora = LoRA(scope)
        qkvWeight = mergeLoRA ? lora?.merged(into: scope["qkv.weight"]) ?? scope["qkv.weight"] : scope["qkv.weight"]
        qkvBias = scope["qkv.bias"]
        projection = Linear(scope.scope("proj"))
        relativeH = scope["rel_pos_h"]
        relativeW = scope["rel_pos_w"]
        self.lora = mergeLoRA ? nil : lora
        self.heads = heads
    }

    /// x `[B, side² + c, D]` normed → `[B, side², D]`.
    func callAsFunction(_ x: Tensor, side: Int, heat: ((Tensor) -> Void)?, _ tape: Tape?) -> Tensor {
        var qkv = linear(x, qkvWeight, qkvBias, tape: tape)
        if let lora { qkv = lora.corrected(qkv, of: x, tape) }
        heat?(promptWeights(qkv, imageTokens: side * side, heads: heads))
        let length = 2 * side - 1
        let attended = encoderAttention(
            qkv, relativeH: resizeRows(relativeH, to: length, tape: tape),
            relativeW: resizeRows(relativeW, to: length, tape: tape),
            side: side, heads: heads, tape: tape)
        return projection(attended, tape)
    }
}
