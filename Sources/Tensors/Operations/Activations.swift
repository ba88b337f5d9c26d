internal import CKernels

/// GELU by erf, element by element. Where products are bfloat16 its input is kept as bfloat16 for the derivative: of a transformer's tape
/// it is the largest part.
package func gelu(_ x: Tensor, tape: Tape?) -> Tensor {
    guard let tape, tape.products == ck_type_bf16, let toX = tape.mark(x) else {
        return elementwise(x, tape, ck_gelu, ck_gelu_backward)
    }
    let y = Tensor(uninitialised: x.shape)
    ck_gelu(kernels, y.pointer, x.pointer, x.count)
    let kept = RoundedTensor(x)
    tape.record(y) { dy in
        withExtendedLifetime(kept.tensor) { ck_gelu_backward(kernels, dy.pointer, dy.pointer, $0.pointer, dy.count) }
        tape.accumulate(toX, dy)
    }
    return y
}

/// max(x, 0), element by element.
package func relu(_ x: Tensor, tape: Tape?) -> Tensor { elementwise(x, tape, ck_relu, ck_relu_backward) }

private func elementwise(
    _ x: Tensor, _ tape: Tape?,
    _ forward: (OpaquePointer, UnsafeMutablePointer<Float>, UnsafePointer<Float>, Int) -> Void,
    _ backward:
        @escaping (OpaquePointer, UnsafeMutablePointer<Float>, UnsafePointer<Float>, UnsafePointer<Float>, Int) -> Void
) -> Tensor {
    let y = Tensor(uninitialised: x.shape)
    forward(kernels, y.pointer, x.pointer, x.count)
    if let tape, let toX = tape.mark(x) {
        tape.record(y) { dy in
            backward(kernels, dy.pointer, dy.pointer, x.pointer, x.count)
            tape.accumulate(toX, dy)
        }
    }
    return y
}
