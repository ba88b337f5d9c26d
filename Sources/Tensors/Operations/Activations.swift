internal import CKernels

/// GELU by erf, element by element.
package func gelu(_ x: Tensor, tape: Tape?) -> Tensor { elementwise(x, tape, ck_gelu, ck_gelu_backward) }

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
