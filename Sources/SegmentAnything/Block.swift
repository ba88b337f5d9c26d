import Tensors

/// A pre-norm transformer block: x += attn(norm1 x); x += mlp(norm2 x); attention within windows or over the whole grid.
///
/// *Source*: segment_anything/modeling/image_encoder.py, `Block`; Q prompts §3.3.
struct Block {
    /// Told what each linear layer multiplies: its weight's name in the block, the input, the weight.
    typealias Inputs = (_ name: String, _ x: Tensor, _ weight: Tensor) -> Void

    let norm1, norm2: LayerNorm
    let attn: Attention
    let mlp: MLPBlock
    /// 0: attention over the whole grid.
    let window: Int

    init(_ configuration: Configuration, _ scope: ParameterScope, window: Int, mergeLoRA: Bool) {
        let dim = configuration.embedDim
        norm1 = LayerNorm(scope.scope("norm1"), dim, epsilon: 1e-6)
        attn = Attention(
            configuration, scope.scope("attn"), side: window > 0 ? window : configuration.grid, mergeLoRA: mergeLoRA)
        norm2 = LayerNorm(scope.scope("norm2"), dim, epsilon: 1e-6)
        mlp = MLPBlock(scope.scope("mlp"), dim, hidden: 4 * dim, .gelu)
        self.window = window
    }

    /// x `[B, g, g, D]` (or what the cover cuts out), prompts `[c, D]` (global blocks only) → the block's output; `heat` gets the
    /// prompts' heat maps `[B, c, g²]`.
    func callAsFunction(
        _ x: Tensor, grid: Int, _ cover: TokenCover, prompts: Tensor?, heat: ((Tensor) -> Void)?,
        inputs: Inputs? = nil, _ tape: Tape?
    ) -> Tensor {
        let keys = cover.keys(window: window)
        if keys.all == nil, let fused = FusedBlock(self) {
            return fused(
                x, grid: grid, prompts: prompts, heat: heat.map { heat in { heat(cover.square(heat: $0, grid: grid)) } }
            )
        }
        let (batch, dim) = (x.shape[0], x.shape[3])
        let normed = norm1(x, tape)
        var attended: Tensor
        if window > 0 {
            attended = attn(
                partitionWindows(normed, window: window, tape: tape), side: window, keys, heat: nil, inputs: inputs,
                tape)
            attended = joinWindows(attended, batch: batch, grid: grid, window: window, tape: tape)
        } else {
            var tokens = normed.reshaped([batch, grid * grid, dim])
            if let prompts { tokens = appendPrompts(tokens, norm1(prompts, tape), tape: tape) }
            attended = attn(
                tokens, side: grid, (prompts == nil ? keys.image : keys.all, keys.image),
                heat: prompts == nil ? nil : heat, inputs: inputs, tape
            ).reshaped(x.shape)
        }
        let x = add(x, attended, tape: tape)
        return add(x, mlp(norm2(x, tape), inputs: inputs, tape), tape: tape)
    }
}

extension Block {
    /// Multi-head attention with decomposed relative position, LoRA on q and v.
    ///
    /// *Source*: segment_anything/modeling/image_encoder.py, `Attention`; LoRA §3.2.
    struct Attention {
        let relativeH, relativeW: Tensor
        /// Nil without LoRA, and when it is merged into `qkv`.
        let lora: LoRA?
        /// The weight is empty when it is packed.
        let qkvWeight, qkvBias: Tensor
        /// For inference.
        let qkv: PackedLinear?
        let projection: Linear
        let heads: Int

        /// - Parameter side: of the square of tokens that attend to each other.
        init(_ configuration: Configuration, _ scope: ParameterScope, side: Int, mergeLoRA: Bool) {
            let (dim, heads) = (configuration.embedDim, configuration.heads)
            relativeH = scope("rel_pos_h", [2 * side - 1, dim / heads], .relativePosition, .zeros)
            relativeW = scope("rel_pos_w", [2 * side - 1, dim / heads], .relativePosition, .zeros)
            let lora = LoRA(configuration, scope)
            let fused = scope.scope("qkv")
            let weight = fused("weight", [3 * dim, dim], .weight, .uniform(fanIn: dim))
            let bias = fused("bias", [3 * dim], .bias, .uniform(fanIn: dim))
            let merged = mergeLoRA ? lora.map { updatedWeight(weight, $0.updates) } ?? weight : weight
            qkv = fused.packed(merged).map { PackedLinear($0, bias: bias) }
            qkvWeight = qkv == nil ? merged : Tensor(zeros: [0])
            qkvBias = bias
            projection = Linear(scope.scope("proj"), dim, dim)
            self.lora = mergeLoRA ? nil : lora
            self.heads = heads
        }

        /// x `[B, side² + c, D]` normed → `[B, side², D]`.
        ///
        /// - Parameter bias: what is added to the logits of all keys, and of the image tokens for `heat`.
        func callAsFunction(
            _ x: Tensor, side: Int, _ bias: (all: Tensor?, image: Tensor?), heat: ((Tensor) -> Void)?,
            inputs: Inputs? = nil, _ tape: Tape?
        ) -> Tensor {
            inputs?("attn.qkv.weight", x, qkvWeight)
            let qkv =
                self.qkv.map { packedLayer(x, $0) }
                ?? lora.map { updatedLinear(x, qkvWeight, qkvBias, $0.updates, tape: tape) }
                ?? linear(x, qkvWeight, qkvBias, tape: tape)
            heat?(promptWeights(qkv, imageTokens: side * side, heads: heads, keyBias: bias.image))
            let attended = encoderAttention(
                qkv, relativeH: relativeH, relativeW: relativeW, side: side, heads: heads, keyBias: bias.all,
                tape: tape)
            inputs?("attn.proj.weight", attended, projection.weight)
            return projection(attended, tape)
        }
    }
}
