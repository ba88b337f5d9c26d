import Tensors

/// A block of the encoder with packed weights: each norm inside the product that follows it, attention in one pass, windows and
/// padding without copies.
struct FusedBlock {
    let block: Block
    let qkv, projection, first, second: PackedLinear

    /// Nil when the block's weights are not packed, or its squares are beyond what the fused attention does.
    init?(_ block: Block) {
        guard let qkv = block.attn.qkv, let projection = block.attn.projection.packed,
            let first = block.mlp.lin1.packed, let second = block.mlp.lin2.packed, block.attn.lora == nil,
            packedAttentionFits(
                side: (block.attn.relativeH.shape[0] + 1) / 2, channels: projection.matrix.inputs / block.attn.heads)
        else { return nil }
        self.block = block
        (self.qkv, self.projection, self.first, self.second) = (qkv, projection, first, second)
    }

    /// As `Block`, of the tokens from the grid's upper left corner: x `[B, H, W, D]`; `heat` gets `[B, c, H · W]`.
    func callAsFunction(_ x: Tensor, grid: Int, prompts: Tensor?, heat: ((Tensor) -> Void)?) -> Tensor {
        let norm = block.norm1.packed
        let tokens = packedLayer(x, norm: norm, qkv)
        let asked = prompts.map { packedLayer($0, norm: norm, qkv) }
        if let asked, let heat {
            let rows = tokens.reshaped([x.shape[0], x.shape[1] * x.shape[2], tokens.shape[3]])
            heat(promptWeights(asked, over: rows, heads: block.attn.heads))
        }
        let attended = packedAttention(
            tokens, padding: block.attn.qkvBias, prompts: asked, relativeH: block.attn.relativeH,
            relativeW: block.attn.relativeW, grid: grid, window: block.window, heads: block.attn.heads,
            qkv.matrix.precision)
        let y = packedLayer(attended, projection, residual: x)
        return packedLayer(y, norm: block.norm2.packed, first, .gelu, second, residual: y)
    }
}
