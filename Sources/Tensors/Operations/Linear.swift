internal import CKernels

/// y = x · Wᵀ + b, the layer of every projection.
///
/// *Shape*: x `[…, in]`, weight `[out, in]`, bias `[out]` → `[…, out]`.
package func linear(_ x: Tensor, _ weight: Tensor, _ bias: Tensor?, tape: Tape?) -> Tensor {
    let (n, input, output) = (x.shape.rows, x.shape.last, weight.shape[0])
    precondition(
        weight.shape.rank == 2 && weight.shape[1] == input,
        "linear: input \(x.shape) does not fit weight \(weight.shape)")
    precondition(
        bias.map { $0.count == output } ?? true, "linear: bias \(bias?.shape ?? []) does not fit weight \(weight.shape)"
    )
    let y = Tensor(uninitialised: Shape(x.shape.dimensions.dropLast() + [output]))
    ck_gemm(
        kernels, ck_type_f32, false, true, n, output, input, 1, x.pointer, input, weight.pointer, input, 0, y.pointer,
        output)
    if let bias { ck_add_rows(kernels, y.pointer, y.pointer, bias.pointer, n, 1, output) }
    guard let tape, tape.needs(x) || tape.needs(weight) || tape.needs(bias) else { return y }
    let (toX, toWeight, toBias) = (tape.mark(x), tape.mark(weight), tape.mark(bias))
    let kept = toWeight == nil ? nil : x
    tape.record(y) { dy in
        if let toX {
            let dx = Tensor(uninitialised: toX.shape)
            ck_gemm(
                kernels, ck_type_f32, false, false, n, input, output, 1, dy.pointer, output, weight.pointer, input, 0,
                dx.pointer, input)
            tape.accumulate(toX, dx)
        }
        if let toWeight, let x = kept {
            let dw = Tensor(uninitialised: toWeight.shape)
            ck_gemm(
                kernels, ck_type_f32, true, false, output, input, n, 1, dy.pointer, output, x.pointer, input, 0,
                dw.pointer, input)
            tape.accumulate(toWeight, dw)
        }
        if let toBias {
            let db = Tensor(zeros: toBias.shape)
            ck_sum_rows(kernels, db.pointer, dy.pointer, n, 1, output)
            tape.accumulate(toBias, db)
        }
    }
    return y
}
