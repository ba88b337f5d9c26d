internal import CKernels

/// A linear layer ready for inference.
package struct PackedLinear: Sendable {
    package let matrix: PackedMatrix
    package let bias: Tensor?

    package init(_ matrix: PackedMatrix, bias: Tensor?) {
        precondition(
            bias.map { $0.count == matrix.outputs } ?? true,
            "PackedLinear: bias \(bias?.shape ?? []) for \(matrix.outputs) outputs")
        self.matrix = matrix
        self.bias = bias
    }
}

/// The norm before a layer, or of what it gives: weight and bias of that width.
package struct PackedNorm: Sendable {
    package let weight: Tensor
    package let bias: Tensor
    package let epsilon: Float

    package init(weight: Tensor, bias: Tensor, epsilon: Float) {
        (self.weight, self.bias, self.epsilon) = (weight, bias, epsilon)
    }
}

/// What follows a layer's sums and bias, element by element.
package enum PackedActivation: Sendable { case none, gelu, relu }

/// residual + second(activation(first(norm x))); what is nil is left out.
///
/// *Shape*: x `[…, k]` → `[…, n]`, n the outputs of the last layer; `residual` the same.
package func packedLayer(
    _ x: Tensor, norm: PackedNorm? = nil, _ first: PackedLinear, _ activation: PackedActivation = .none,
    _ second: PackedLinear? = nil, residual: Tensor? = nil
) -> Tensor {
    let last = second ?? first
    precondition(
        x.shape.last == first.matrix.inputs && second.map { $0.matrix.inputs == first.matrix.outputs } ?? true,
        "packedLayer: input \(x.shape) does not fit \(first.matrix.inputs) inputs and \(first.matrix.outputs) outputs")
    precondition(norm.map { $0.weight.count == x.shape.last } ?? true, "packedLayer: the norm does not fit \(x.shape)")
    let out = Tensor(uninitialised: Shape(x.shape.dimensions.dropLast() + [last.matrix.outputs]))
    precondition(residual.map { $0.count == out.count } ?? true, "packedLayer: the residual does not fit \(out.shape)")
    withExtendedLifetime(residual) {
        let rows = x.shape.rows
        apply(x, rows: rows, norm, first, nil, activation, second, residual: residual?.pointer, to: out.pointer)
    }
    return out
}

/// `packedLayer` of x or of patches of it, to where there is room for as many rows; with `outNorm` activation(outNorm(first x)).
private func apply(
    _ x: Tensor, rows: Int, patches: UnsafePointer<ck_patches>? = nil, _ norm: PackedNorm?, _ first: PackedLinear,
    _ outNorm: PackedNorm?, _ activation: PackedActivation, _ second: PackedLinear?, residual: UnsafePointer<Float>?,
    to out: UnsafeMutablePointer<Float>
) {
    func run(_ a: UnsafePointer<ck_matrix>, _ b: UnsafePointer<ck_matrix>?) {
        let call = ck_layer(
            rows: rows, x: x.pointer, patches: patches, norm_weight: norm?.weight.pointer,
            norm_bias: norm?.bias.pointer, epsilon: (norm ?? outNorm)?.epsilon ?? 0, first: a,
            first_bias: first.bias?.pointer, out_norm_weight: outNorm?.weight.pointer,
            out_norm_bias: outNorm?.bias.pointer, activation: activation.kernel, second: b,
            second_bias: second?.bias?.pointer, residual: residual, out: out)
        withUnsafePointer(to: call) { call in
            let scratch = Tensor(uninitialised: [ThreadPool.threads, ck_layer_scratch(call)])
            withExtendedLifetime(scratch) { ck_layer_forward(call, scratch.pointer) }
        }
    }
    withExtendedLifetime((x, norm, first, outNorm, second)) {
        first.matrix.withMatrix { a in
            if let second { second.matrix.withMatrix { run(a, $0) } } else { run(a, nil) }
        }
    }
}

extension PackedActivation {
    fileprivate var kernel: ck_activation {
        switch self {
        case .none: ck_activation_none
        case .gelu: ck_activation_gelu
        case .relu: ck_activation_relu
        }
    }
}

/// activation(norm(`convolution` x)) with a packed kernel and no tape; a norm that is nil is left out.
///
/// *Shape*: x `[B, H, W, C]`, kernel packed from `[O, k, k, C]` → `[B, H′, W′, O]`.
package func packedConvolution(
    _ x: Tensor, _ layer: PackedLinear, kernel: Int, stride: Int, padding: Int, norm: PackedNorm? = nil,
    _ activation: PackedActivation = .none
) -> Tensor {
    let patches = ck_patches(of: x.shape, kernel: kernel, stride: stride, padding: padding)
    precondition(
        layer.matrix.inputs == kernel * kernel * x.shape.last,
        "packedConvolution: input \(x.shape) does not fit \(layer.matrix.inputs) inputs")
    let outputs = layer.matrix.outputs
    precondition(
        norm.map { $0.weight.count == outputs } ?? true, "packedConvolution: the norm does not fit \(outputs) outputs")
    let out = Tensor(uninitialised: [patches.batch, patches.out_height, patches.out_width, outputs])
    withUnsafePointer(to: patches) {
        apply(
            x, rows: patches.count, patches: patches.arePixels ? nil : $0, nil, layer, norm, activation, nil,
            residual: nil, to: out.pointer)
    }
    return out
}
