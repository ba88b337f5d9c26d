import Tensors

/// `nn.Linear`: weight `[out, in]`, bias `[out]`.
struct Linear {
    let weight: Tensor
    let bias: Tensor?

    init(_ scope: ParameterScope) {
        weight = scope["weight"]
        bias = scope.optional("bias")
    }

    func callAsFunction(_ x: Tensor, _ tape: Tape?) -> Tensor { linear(x, weight, bias, tape: tape) }
}

/// `nn.LayerNorm`, and SAM's LayerNorm2d, which on channel-last images is the same.
struct LayerNorm {
    let weight: Tensor
    let bias: Tensor
    let epsilon: Float

    init(_ scope: ParameterScope, epsilon: Float) {
        weight = scope["weight"]
        bias = scope["bias"]
        self.epsilon = epsilon
    }

    func callAsFunction(_ x: Tensor, _ tape: Tape?) -> Tensor {
        layerNorm(x, weight, bias, epsilon: epsilon, tape: tape)
    }
}

/// Linear layers with ReLU between (SAM's MLP).
struct MLP {
    let layers: [Linear]

    init(_ scope: ParameterScope) {
        layers = (0..<3).map { Linear(scope.scope("layers.\($0)")) }
    }

    func callAsFunction(_ x: Tensor, _ tape: Tape?) -> Tensor {
        layers[2](relu(layers[1](relu(layers[0](x, tape), tape: tape), tape), tape: tape), tape)
    }
}
