import Tensors

/// 1 × 1 convolution D → E, norm, 3 × 3 convolution E → E, norm; one a level.
struct Neck {
    let reduce, mix: Tensor
    let norm1, norm2: LayerNorm

    init(_ scope: ParameterScope) {
        reduce = scope["0.weight"]
        norm1 = LayerNorm(scope.scope("1"), epsilon: 1e-6)
        mix = scope["2.weight"]
        norm2 = LayerNorm(scope.scope("3"), epsilon: 1e-6)
    }

    /// x `[B, g, g, D]` → `[B, g, g, E]`
    func callAsFunction(_ x: Tensor, _ tape: Tape?) -> Tensor {
        let reduced = norm1(convolution(x, reduce, nil, stride: 1, padding: 0, tape: tape), tape)
        return norm2(convolution(reduced, mix, nil, stride: 1, padding: 1, tape: tape), tape)
    }
}
