internal import CKernels

/// Layer norm over the last dimension.
///
/// *Shape*: x `[…, C]`, weight and bias `[C]`. For channel-last images this is SAM's LayerNorm2d too.
package func layerNorm(_ x: Tensor, _ weight: Tensor, _ bias: Tensor, epsilon: Float, tape: Tape?) -> Tensor {
    let (rows, dim) = (x.shape.rows, x.shape.last)
    precondition(
        weight.count == dim && bias.count == dim, "layerNorm: input \(x.shape) does not fit weight \(weight.shape)")
    let y = Tensor(uninitialised: x.shape)
    guard let tape, tape.needs(x) || tape.needs(weight) || tape.needs(bias) else {
        ck_layer_norm(kernels, y.pointer, nil, nil, x.pointer, weight.pointer, bias.pointer, rows, dim, epsilon)
        return y
    }
    let mean = Tensor(uninitialised: [rows])
    let rstd = Tensor(uninitialised: [rows])
    ck_layer_norm(
        kernels, y.pointer, mean.pointer, rstd.pointer, x.pointer, weight.pointer, bias.pointer, rows, dim, epsilon)
    let (toX, toWeight, toBias) = (tape.mark(x), tape.mark(weight), tape.mark(bias))
    tape.record(y) { dy in
        let dx = Tensor(uninitialised: x.shape)
        if toWeight != nil || toBias != nil {
            let (dw, db) = (Tensor(zeros: weight.shape), Tensor(zeros: weight.shape))
            let scratch = Tensor(uninitialised: [(rows + 63) / 64, 2, dim])
            withExtendedLifetime(scratch) {
                ck_layer_norm_backward(
                    kernels, dx.pointer, dw.pointer, db.pointer, dy.pointer, x.pointer, weight.pointer, mean.pointer,
                    rstd.pointer, rows, dim, scratch.pointer)
            }
            tape.accumulate(toWeight, dw)
            tape.accumulate(toBias, db)
        } else {
            ck_layer_norm_backward(
                kernels, dx.pointer, nil, nil, dy.pointer, x.pointer, weight.pointer, mean.pointer, rstd.pointer, rows,
                dim, nil)
        }
        tape.accumulate(toX, dx)
    }
    return y
}
