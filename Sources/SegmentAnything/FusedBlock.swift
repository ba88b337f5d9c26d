import Tensors

/// A block of the encoder with packed weights: each norm inside the product that follows it, attention in one pass, windows and
/// padding without copies.
struct FusedBlock {
    let block: Block
    let qkv, projection, first, second: PackedLinear

    /// Nil when the block's weights are not packed, or its squares are beyond what the fused attention does.
    init?(_ block: Block, side: Int) {
        guard let qkv = block.attn.qkv, let projection = block.attn.projection.packed,
            let first = block.mlp.lin1.packed,
            let second = block.mlp.lin2.packed, block.attn.lora == nil,
            packedAttentionFits(side: side, channels: projection.matrix.inputs / block.attn.heads)
        else { return nil }
        self.block = block
        (self.qkv, self.projection, self.first, self.second) = (qkv, projection, first, second)
    }

    /// As `Block`.
    func callAsFunction(_ x: Tensor, prompts: Tensor?, heat: ((Tensor) -> Void)?) -> Tensor {
        let (batch, grid, dim) = (x.shape[0], x.shape[1], x.shape[3])
        let norm = block.norm1.packed
        let tokens = packedLayer(x, norm: norm, qkv).reshaped([batch, grid * grid, 3 * dim])
        let asked = prompts.map { packedLayer($0, norm: norm, qkv) }
        if let asked, let heat { heat(promptWeights(asked, over: tokens, heads: block.attn.heads)) }
        let attended = packedAttention(
            tokens, padding: block.attn.qkvBias, prompts: asked, relativeH: block.attn.relativeH,
            relativeW: block.attn.relativeW, grid: grid, window: block.window, heads: block.attn.heads,
            qkv.matrix.precision)
        let y = packedLayer(attended, projection, residual: x)
        return packedLayer(y, norm: block.norm2.packed, first, .gelu, second, residual: y)
    }
}
