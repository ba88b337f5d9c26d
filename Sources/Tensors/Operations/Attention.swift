internal import CKernels

/// SAM's encoder attention on a fused qkv, with decomposed relative position; prompts are more keys, not more queries.
///
/// softmax((q·kᵀ)/√C + q·Rh + q·Rw)·v for the side² image queries over all side² + c tokens; the position terms of a pair
/// with a prompt are 0.
/// *Shape*: qkv `[B, side² + c, 3·D]`, tables `[2·side − 1, D/heads]`, keyBias `[B, side² + c]` → `[B, side², D]`.
///
/// - Parameter keyBias: added to the logits of each key (`KeyBias`).
package func encoderAttention(
    _ qkv: Tensor, relativeH: Tensor, relativeW: Tensor, side: Int, heads: Int, keyBias: Tensor? = nil, tape: Tape?
) -> Tensor {
    let (batch, tokens, dim) = (qkv.shape[0], qkv.shape[1], qkv.shape[2] / 3)
    let length = 2 * side - 1
    precondition(
        qkv.shape[2] == 3 * dim && dim % heads == 0 && tokens >= side * side
            && relativeH.shape == [length, dim / heads] && relativeW.shape == relativeH.shape
            && keyBias.map { $0.shape == [batch, tokens] } ?? true,
        "encoderAttention: qkv \(qkv.shape), tables \(relativeH.shape) and \(relativeW.shape) do not fit side \(side), \(heads) heads"
    )
    let queries = side * side
    let out = Tensor(uninitialised: [batch, queries, dim])
    let record = tape.map { $0.needs(qkv) || $0.needs(relativeH) || $0.needs(relativeW) } ?? false
    let lse = record ? Tensor(uninitialised: [batch, heads, queries]) : nil
    let call = ck_attention(
        kernels: kernels, type: tape?.products ?? ck_type_f32, batch: batch, heads: heads, queries: queries,
        keys: tokens, channels: dim / heads, value_channels: dim / heads,
        q: qkv.pointer, k: qkv.pointer + dim, v: qkv.pointer + 2 * dim, q_stride: 3 * dim, k_stride: 3 * dim,
        v_stride: 3 * dim, q_batch: tokens * 3 * dim, k_batch: tokens * 3 * dim, v_batch: tokens * 3 * dim,
        scale: 1 / Float(dim / heads).squareRoot(), side: side, rel_h: relativeH.pointer, rel_w: relativeW.pointer,
        out: out.pointer, out_stride: dim,
        out_batch: queries * dim, lse: lse?.pointer, key_bias: keyBias?.pointer)
    withExtendedLifetime(keyBias) { run(call) { ck_attention_forward($0, $1) } }
    guard let tape, record else { return out }
    let (toQKV, toH, toW) = (tape.mark(qkv), tape.mark(relativeH), tape.mark(relativeW))
    tape.record(out) { dout in
        withExtendedLifetime((qkv, relativeH, relativeW, out, lse, keyBias)) {
            // A prompt's own query leads nowhere: its gradient stays 0.
            let dqkv = tokens > queries ? Tensor(zeros: qkv.shape) : Tensor(uninitialised: qkv.shape)
            let tables = Tensor(uninitialised: [2, batch * heads, length * dim / heads])
            let dh = tables.pointer
            let dw = tables.pointer + batch * heads * length * dim / heads
            let gradients = ck_attention_gradients(
                dout: dout.pointer, dq: dqkv.pointer, dk: dqkv.pointer + dim, dv: dqkv.pointer + 2 * dim, drel_h: dh,
                drel_w: dw)
            run(call) { ck_attention_backward($0, [gradients], $1) }
            for (mark, parts) in [(toH, dh), (toW, dw)] {
                guard let table = mark else { continue }
                let sum = Tensor(zeros: table.shape)
                ck_sum_rows(kernels, sum.pointer, parts, batch * heads, 1, sum.count)
                tape.accumulate(table, sum)
            }
            tape.accumulate(toQKV, dqkv)
            withExtendedLifetime(tables) {}
        }
    }
    return out
}

/// Multi-head attention of the decoder, projections done: softmax(q·kᵀ/√C)·v.
///
/// *Shape*: q `[B, n, I]`, k and v `[B, m, I]`, keyBias `[B, m]` → `[B, n, I]`, heads of I / heads channels.
package func attention(_ q: Tensor, _ k: Tensor, _ v: Tensor, heads: Int, keyBias: Tensor? = nil, tape: Tape?) -> Tensor
{
    let out = Tensor(uninitialised: q.shape)
    let record = tape.map { $0.needs(q) || $0.needs(k) || $0.needs(v) } ?? false
    let lse = record ? Tensor(uninitialised: [q.shape[0], heads, q.shape[1]]) : nil
    let call = plainAttention(
        q, k, v, heads: heads, keyBias: keyBias, out: out, lse: lse, products: tape?.products ?? ck_type_f32)
    withExtendedLifetime(keyBias) { run(call) { ck_attention_forward($0, $1) } }
    guard let tape, record else { return out }
    let (toQ, toK, toV) = (tape.mark(q), tape.mark(k), tape.mark(v))
    tape.record(out) { dout in
        withExtendedLifetime((q, k, v, out, lse, keyBias)) {
            let (dq, dk, dv) = (
                Tensor(uninitialised: q.shape), Tensor(uninitialised: k.shape), Tensor(uninitialised: v.shape)
            )
            let gradients = ck_attention_gradients(
                dout: dout.pointer, dq: dq.pointer, dk: dk.pointer, dv: dv.pointer, drel_h: nil, drel_w: nil)
            run(call) { ck_attention_backward($0, [gradients], $1) }
            tape.accumulate(toQ, dq)
            tape.accumulate(toK, dk)
            tape.accumulate(toV, dv)
        }
    }
    return out
}

/// The weights of `attention`, mean over heads: what a query looks at.
///
/// *Shape*: q `[B, n, I]`, k `[B, m, I]` → `[B, n, m]`, rows sum to 1.
package func attentionWeights(_ q: Tensor, _ k: Tensor, heads: Int, keyBias: Tensor? = nil) -> Tensor {
    let weights = Tensor(uninitialised: [q.shape[0], q.shape[1], k.shape[1]])
    let call = plainAttention(q, k, k, heads: heads, keyBias: keyBias, out: weights, lse: nil)
    withExtendedLifetime((q, k, keyBias)) { setWeights(weights, of: call) }
    return weights
}

/// The weights of the prompts' queries over the image keys of a fused qkv, mean over heads, without relative position.
///
/// *Shape*: qkv `[B, n + c, 3·D]`, keyBias `[B, n]` → `[B, c, n]`.
package func promptWeights(_ qkv: Tensor, imageTokens n: Int, heads: Int, keyBias: Tensor? = nil) -> Tensor {
    let (tokens, row) = (qkv.shape[1], qkv.shape[2])
    return promptWeights(
        qkv.pointer + n * row, every: tokens * row, count: tokens - n, over: qkv, keys: n, heads: heads,
        keyBias: keyBias)
}

/// The same of `count` queries that lie in rows as wide as those of qkv, those of each image `stride` behind the last.
func promptWeights(
    _ queries: UnsafeMutablePointer<Float>, every stride: Int, count: Int, over qkv: Tensor, keys: Int, heads: Int,
    keyBias: Tensor? = nil
) -> Tensor {
    let (batch, tokens, dim) = (qkv.shape[0], qkv.shape[1], qkv.shape[2] / 3)
    let weights = Tensor(uninitialised: [batch, count, keys])
    let call = ck_attention(
        kernels: kernels, type: ck_type_f32, batch: batch, heads: heads, queries: count, keys: keys,
        channels: dim / heads, value_channels: dim / heads, q: queries, k: qkv.pointer + dim, v: qkv.pointer,
        q_stride: 3 * dim, k_stride: 3 * dim, v_stride: 3 * dim, q_batch: stride, k_batch: tokens * 3 * dim,
        v_batch: tokens * 3 * dim,
        scale: 1 / Float(dim / heads).squareRoot(), side: 0, rel_h: nil, rel_w: nil, out: weights.pointer,
        out_stride: 0, out_batch: 0, lse: nil, key_bias: keyBias?.pointer)
    withExtendedLifetime((qkv, keyBias)) { setWeights(weights, of: call) }
    return weights
}

private func setWeights(_ weights: Tensor, of call: ck_attention) {
    let row = Tensor(uninitialised: [call.keys])
    withExtendedLifetime((weights, row)) {
        withUnsafePointer(to: call) { ck_attention_weights($0, weights.pointer, row.pointer) }
    }
}

private func plainAttention(
    _ q: Tensor, _ k: Tensor, _ v: Tensor, heads: Int, keyBias: Tensor?, out: Tensor, lse: Tensor?,
    products: ck_type = ck_type_f32
) -> ck_attention {
    let (batch, n, m, dim) = (q.shape[0], q.shape[1], k.shape[1], q.shape[2])
    precondition(
        k.shape == v.shape && k.shape[0] == batch && k.shape[2] == dim && dim % heads == 0
            && keyBias.map { $0.shape == [batch, m] } ?? true,
        "attention: q \(q.shape), k \(k.shape), v \(v.shape) do not fit \(heads) heads")
    return ck_attention(
        kernels: kernels, type: products, batch: batch, heads: heads, queries: n, keys: m, channels: dim / heads,
        value_channels: dim / heads, q: q.pointer, k: k.pointer, v: v.pointer, q_stride: dim, k_stride: dim,
        v_stride: dim, q_batch: n * dim, k_batch: m * dim, v_batch: m * dim, scale: 1 / Float(dim / heads).squareRoot(),
        side: 0, rel_h: nil, rel_w: nil, out: out.pointer,
        out_stride: dim, out_batch: n * dim, lse: lse?.pointer, key_bias: keyBias?.pointer)
}

/// Gives a call the scratch that all threads together need.
private func run(_ call: ck_attention, _ body: (UnsafePointer<ck_attention>, UnsafeMutablePointer<Float>) -> Void) {
    withUnsafePointer(to: call) { call in
        let scratch = Tensor(uninitialised: [ThreadPool.threads, ck_attention_scratch(call)])
        withExtendedLifetime(scratch) { body(call, scratch.pointer) }
    }
}
