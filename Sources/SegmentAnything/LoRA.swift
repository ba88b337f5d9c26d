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

    /// What is added to the fused weight `[3·D, D]`.
    var updates: [LowRankUpdate] {
        [
            LowRankUpdate(a: queryA, b: queryB, column: 0),
            LowRankUpdate(a: valueA, b: valueB, column: 2 * valueB.shape[0]),
        ]
    }
}
