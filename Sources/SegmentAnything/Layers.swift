import Tensors

/// `nn.Linear`: weight `[out, in]`, bias `[out]`.
struct Linear {
    /// Empty when it is packed.
    let weight: Tensor
    let bias: Tensor
    /// For inference.
    let packed: PackedLinear?

    /// - Parameter bias: its role; a key's bias is one that nothing learns.
    init(_ scope: ParameterScope, _ input: Int, _ output: Int, bias role: Parameter.Role = .bias) {
        let weight = scope("weight", [output, input], .weight, .uniform(fanIn: input))
        let bias = scope("bias", [output], role, .uniform(fanIn: input))
        packed = scope.packed(weight).map { PackedLinear($0, bias: bias) }
        self.weight = packed == nil ? weight : Tensor(zeros: [0])
        self.bias = bias
    }

    func callAsFunction(_ x: Tensor, _ tape: Tape?) -> Tensor {
        if let packed { return packedLayer(x, packed) }
        return linear(x, weight, bias, tape: tape)
    }
}

/// `nn.Conv2d` with a square kernel: weight `[out, in, k, k]`, bias `[out]`.
struct Conv2d {
    /// Empty when it is packed.
    let weight: Tensor
    let bias: Tensor?
    /// For inference.
    let packed: PackedLinear?
    let kernel, stride, padding: Int

    init(
        _ scope: ParameterScope, _ input: Int, _ output: Int, kernel: Int, stride: Int = 1, padding: Int = 0,
        hasBias: Bool = true
    ) {
        let fanIn = input * kernel * kernel
        let weight = scope("weight", [output, input, kernel, kernel], .weight, .uniform(fanIn: fanIn))
        let bias = hasBias ? scope("bias", [output], .bias, .uniform(fanIn: fanIn)) : nil
        packed = scope.packed(weight.channelsLast()).map { PackedLinear($0, bias: bias) }
        self.weight = packed == nil ? weight : Tensor(zeros: [0])
        self.bias = bias
        (self.kernel, self.stride, self.padding) = (kernel, stride, padding)
    }

    /// x `[B, H, W, in]` → `[B, H′, W′, out]`
    func callAsFunction(_ x: Tensor, _ tape: Tape?) -> Tensor {
        if let packed { return packedConvolution(x, packed, kernel: kernel, stride: stride, padding: padding) }
        return convolution(x, weight, bias, stride: stride, padding: padding, tape: tape)
    }

    /// norm(conv x), and GELU of it where `active`.
    func callAsFunction(_ x: Tensor, _ norm: LayerNorm2d, active: Bool = false, _ tape: Tape?) -> Tensor {
        if let packed {
            let activation: PackedActivation = active ? .gelu : .none
            return packedConvolution(
                x, packed, kernel: kernel, stride: stride, padding: padding, norm: norm.packed, activation)
        }
        let normed = norm(self(x, tape), tape)
        return active ? gelu(normed, tape: tape) : normed
    }
}

/// `nn.ConvTranspose2d` 2 × 2 with stride 2: weight `[in, out, 2, 2]`, bias `[out]`.
struct ConvTranspose2d {
    let weight, bias: Tensor

    init(_ scope: ParameterScope, _ input: Int, _ output: Int) {
        // PyTorch takes the fan-in of a transposed convolution from the second dimension of its weight.
        weight = scope("weight", [input, output, 2, 2], .transposedWeight, .uniform(fanIn: 4 * output))
        bias = scope("bias", [output], .bias, .uniform(fanIn: 4 * output))
    }

    /// x `[B, s, s, in]` → `[B, 2·s, 2·s, out]`
    func callAsFunction(_ x: Tensor, _ tape: Tape?) -> Tensor { transposedConvolution(x, weight, bias, tape: tape) }
}

/// `nn.LayerNorm`: weight and bias of the width of the last dimension.
struct LayerNorm {
    let weight, bias: Tensor
    let epsilon: Float

    init(_ scope: ParameterScope, _ width: Int, epsilon: Float) {
        weight = scope("weight", [width], .normWeight, .ones)
        bias = scope("bias", [width], .normBias, .zeros)
        self.epsilon = epsilon
    }

    /// The same norm in front of a packed layer, or behind it.
    var packed: PackedNorm { PackedNorm(weight: weight, bias: bias, epsilon: epsilon) }

    func callAsFunction(_ x: Tensor, _ tape: Tape?) -> Tensor {
        layerNorm(x, weight, bias, epsilon: epsilon, tape: tape)
    }
}

/// SAM's LayerNorm2d over channels, epsilon 1e-6: on channel-last images `nn.LayerNorm` does the same.
struct LayerNorm2d {
    private let norm: LayerNorm

    init(_ scope: ParameterScope, _ width: Int) { norm = LayerNorm(scope, width, epsilon: 1e-6) }

    /// The same norm behind a packed convolution.
    var packed: PackedNorm { norm.packed }

    func callAsFunction(_ x: Tensor, _ tape: Tape?) -> Tensor { norm(x, tape) }
}

/// SAM's MLPBlock: lin2(act(lin1 x)).
struct MLPBlock {
    enum Activation { case gelu, relu }

    let lin1, lin2: Linear
    let activation: Activation

    init(_ scope: ParameterScope, _ width: Int, hidden: Int, _ activation: Activation) {
        lin1 = Linear(scope.scope("lin1"), width, hidden)
        lin2 = Linear(scope.scope("lin2"), hidden, width)
        self.activation = activation
    }

    func callAsFunction(_ x: Tensor, inputs: Block.Inputs? = nil, _ tape: Tape?) -> Tensor {
        if let first = lin1.packed, let second = lin2.packed {
            return packedLayer(x, first, activation == .gelu ? .gelu : .relu, second)
        }
        inputs?("mlp.lin1.weight", x, lin1.weight)
        let hidden = lin1(x, tape)
        let active = activation == .gelu ? gelu(hidden, tape: tape) : relu(hidden, tape: tape)
        inputs?("mlp.lin2.weight", active, lin2.weight)
        return lin2(active, tape)
    }
}

/// SAM's MLP: three linear layers with ReLU between.
struct MLP {
    let layers: [Linear]

    init(_ scope: ParameterScope, _ input: Int, hidden: Int, _ output: Int) {
        let widths = [input, hidden, hidden, output]
        layers = (0..<3).map { Linear(scope.scope("layers.\($0)"), widths[$0], widths[$0 + 1]) }
    }

    func callAsFunction(_ x: Tensor, _ tape: Tape?) -> Tensor {
        layers[2](relu(layers[1](relu(layers[0](x, tape), tape: tape), tape), tape: tape), tape)
    }
}
