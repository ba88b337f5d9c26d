internal import CKernels

/// The encoder's attention without a tape: see `ck_encoder_attention`.
///
/// *Shape*: qkv `[B, H, W, 3·D]` of the tokens from the upper left corner of a grid, padding `[3·D]` (of a token beyond the grid),
/// prompts `[c, 3·D]`, tables `[2·side − 1, D/heads]` → `[B, H, W, D]`.
package func packedAttention(
    _ qkv: Tensor, padding: Tensor, prompts: Tensor?, relativeH: Tensor, relativeW: Tensor, grid: Int, window: Int,
    heads: Int, _ precision: Precision
) -> Tensor {
    let (batch, rows, columns, dim) = (qkv.shape[0], qkv.shape[1], qkv.shape[2], qkv.shape[3] / 3)
    let length = 2 * (window > 0 ? window : grid) - 1
    precondition(
        rows <= grid && columns <= grid && qkv.shape[3] == 3 * dim && dim % heads == 0 && padding.count == 3 * dim
            && relativeH.shape == [length, dim / heads] && relativeW.shape == relativeH.shape
            && prompts.map { $0.shape.last == 3 * dim } ?? true,
        "packedAttention: qkv \(qkv.shape), tables \(relativeH.shape) do not fit grid \(grid), window \(window), \(heads) heads"
    )
    let out = Tensor(uninitialised: [batch, rows, columns, dim])
    let call = ck_encoder_attention(
        kernels: kernels, type: precision == .fp32 ? ck_type_f32 : ck_type_bf16, batch: batch, rows: rows,
        columns: columns, grid: grid, window: window, heads: heads,
        channels: dim / heads, qkv: qkv.pointer, padding: padding.pointer,
        prompt_qkv: prompts?.pointer, prompts: prompts?.shape.rows ?? 0, scale: 1 / Float(dim / heads).squareRoot(),
        rel_h: relativeH.pointer, rel_w: relativeW.pointer, out: out.pointer)
    withExtendedLifetime((qkv, padding, prompts, relativeH, relativeW)) {
        withUnsafePointer(to: call) { call in
            let scratch = Tensor(uninitialised: [ThreadPool.threads, ck_encoder_attention_scratch(call)])
            withExtendedLifetime(scratch) { ck_encoder_attention_forward(call, scratch.pointer) }
        }
    }
    return out
}

/// Whether `packedAttention` can do squares of this side; beyond it the general attention serves.
package func packedAttentionFits(side: Int, channels: Int) -> Bool { ck_encoder_attention_fits(side, channels) }

/// The weights of the prompts' queries over the image keys, mean over heads, without relative position.
///
/// *Shape*: prompts `[c, 3·D]`, qkv `[B, n, 3·D]` → `[B, c, n]`.
package func promptWeights(_ prompts: Tensor, over qkv: Tensor, heads: Int) -> Tensor {
    precondition(
        prompts.shape.last == qkv.shape[2], "promptWeights: prompts \(prompts.shape) over \(qkv.shape)")
    return withExtendedLifetime(prompts) {
        promptWeights(
            prompts.pointer, every: 0, count: prompts.shape.rows, over: qkv, keys: qkv.shape[1], heads: heads)
    }
}
