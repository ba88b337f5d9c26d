import Tensors

/// Low-rank adaptation of q and v in the fused projection: W ← W + B·A.
///
/// *Shape*: A `[r, D]`, B `[D, r]`. No bias, no scale, no dropout. A begins Kaiming-uniform, B at zero. *Source*: §3.2.
struct LoRA {
    let queryA, queryB, valueA, valueB: Tensor

    /// Nil when the model has no LoRA.
    init?(_ configuration: Configuration, _ scope: ParameterScope) {
        let (rank, dim) = (configuration.loraRank, configuration.embedDim)
        guard rank > 0 else { return nil }
        queryA = scope("lora_q_a", [rank, dim], .loraA, .uniform(fanIn: dim))
        queryB = scope("lora_q_b", [dim, rank], .loraB, .zeros)
        valueA = scope("lora_v_a", [rank, dim], .loraA, .uniform(fanIn: dim))
        valueB = scope("lora_v_b", [dim, rank], .loraB, .zeros)
    }

    /// qkv `[…, 3·D]` of x `[…, D]` with both corrections.
    func corrected(_ qkv: Tensor, of x: Tensor, _ tape: Tape?) -> Tensor {
        let dim = x.shape.last
        let query = linear(linear(x, queryA, nil, tape: tape), queryB, nil, tape: tape)
        let value = linear(linear(x, valueA, nil, tape: tape), valueB, nil, tape: tape)
        return addToColumns(addToColumns(qkv, query, at: 0, tape: tape), value, at: 2 * dim, tape: tape)
    }

    /// The fused weight `[3·D, D]` with both products added.
    func merged(into weight: Tensor) -> Tensor {
        let dim = weight.shape[1]
        let query = product(queryB, queryA)
        let value = product(valueB, valueA)
        return concatenateRows(
            [
                add(rows(weight, 0..<dim), query, tape: nil), rows(weight, dim..<2 * dim),
                add(rows(weight, 2 * dim..<3 * dim), value, tape: nil),
            ], tape: nil)
    }

    private func rows(_ x: Tensor, _ range: Range<Int>) -> Tensor {
        sliceTokens(x.reshaped([1, x.shape[0], x.shape[1]]), range, tape: nil).reshaped([range.count, x.shape[1]])
    }

    /// b `[D, r]` · a `[r, D]`
    private func product(_ b: Tensor, _ a: Tensor) -> Tensor { linear(b, a.transposed(), nil, tape: nil) }
}
