internal import CKernels

/// y = x · Wᵀ + b, the layer of every projection.
///
/// *Shape*: x `[…, in]`, weight `[out, in]`, bias `[out]` → `[…, out]`.
package func linear(_ x: Tensor, _ weight: Tensor, _ bias: Tensor?, tape: Tape?) -> Tensor {
    let (input, output) = (x.shape.last, weight.shape[0])
    precondition(
        weight.shape.rank == 2 && weight.shape[1] == input,
        "linear: input \(x.shape) does not fit weight \(weight.shape)")
    precondition(
        bias.map { $0.count == output } ?? true, "linear: bias \(bias?.shape ?? []) does not fit weight \(weight.shape)"
    )
    let y = product(x, weight, bias, tape?.products ?? ck_type_f32)
    guard let tape, tape.needs(x) || tape.needs(weight) || tape.needs(bias) else { return y }
    tape.record(
        y, backward: derivatives(x, { weight }, output: output, tape.mark(x), tape.mark(weight), tape.mark(bias), tape))
    return y
}

/// The same without a tape.
private func product(_ x: Tensor, _ weight: Tensor, _ bias: Tensor?, _ type: ck_type) -> Tensor {
    let (n, input, output) = (x.shape.rows, x.shape.last, weight.shape[0])
    let y = Tensor(uninitialised: Shape(x.shape.dimensions.dropLast() + [output]))
    gemm(type, false, true, n, output, input, 1, x.pointer, input, weight.pointer, input, 0, y.pointer, output)
    if let bias { ck_add_rows(kernels, y.pointer, y.pointer, bias.pointer, n, 1, output) }
    return y
}

/// What a linear layer gives back to its input, weight and bias, each where it is needed.
private func derivatives(
    _ x: Tensor, _ weight: @escaping () -> Tensor, output: Int, _ toX: Tape.Mark?, _ toWeight: Tape.Mark?,
    _ toBias: Tape.Mark?, _ tape: Tape
) -> (Tensor) -> Void {
    let (n, input) = (x.shape.rows, x.shape.last)
    let kept = toWeight == nil ? nil : x
    return { dy in
        if let toX {
            let weight = weight()
            let dx = Tensor(uninitialised: toX.shape)
            gemm(
                tape.products, false, false, n, input, output, 1, dy.pointer, output, weight.pointer, input, 0,
                dx.pointer, input)
            withExtendedLifetime(weight) {}
            tape.accumulate(toX, dx)
        }
        if let toWeight, let x = kept {
            let dw = Tensor(uninitialised: toWeight.shape)
            gemm(
                tape.products, true, false, output, input, n, 1, dy.pointer, output, x.pointer, input, 0,
                dw.pointer, input)
            tape.accumulate(toWeight, dw)
        }
        if let toBias {
            let db = Tensor(zeros: toBias.shape)
            ck_sum_rows(kernels, db.pointer, dy.pointer, n, 1, output)
            tape.accumulate(toBias, db)
        }
    }
}

/// A product of low rank that is added to some outputs of a linear layer: W[column ..< column + D] + b · a.
///
/// *Source*: E. J. Hu et al., "LoRA: Low-Rank Adaptation of Large Language Models", arXiv 2106.09685.
package struct LowRankUpdate {
    /// `[r, in]`
    let a: Tensor
    /// `[D, r]`
    let b: Tensor
    /// The first output that it changes.
    let column: Int

    package init(a: Tensor, b: Tensor, column: Int) {
        precondition(a.shape.rank == 2 && b.shape[1] == a.shape[0], "LowRankUpdate: a \(a.shape), b \(b.shape)")
        (self.a, self.b, self.column) = (a, b, column)
    }
}

/// The weight with its updates added. *Shape*: `[out, in]`.
package func updatedWeight(_ weight: Tensor, _ updates: [LowRankUpdate]) -> Tensor {
    let (output, input) = (weight.shape[0], weight.shape[1])
    let sum = weight.copy()
    for update in updates {
        let (count, rank) = (update.b.shape[0], update.a.shape[0])
        precondition(
            update.a.shape[1] == input && update.column + count <= output,
            "updatedWeight: a \(update.a.shape), b \(update.b.shape) at \(update.column) do not fit \(weight.shape)")
        gemm(
            ck_type_f32, false, false, count, input, rank, 1, update.b.pointer, rank, update.a.pointer, input,
            1, sum.pointer + update.column * input, input)
    }
    return sum
}

/// A linear layer with updates of low rank: one product with their sum. What the small matrices themselves are multiplied with stays
/// float32.
///
/// *Shape*: x `[…, in]`, weight `[out, in]`, bias `[out]` → `[…, out]`.
package func updatedLinear(
    _ x: Tensor, _ weight: Tensor, _ bias: Tensor, _ updates: [LowRankUpdate], tape: Tape?
) -> Tensor {
    let y = product(x, updatedWeight(weight, updates), bias, tape?.products ?? ck_type_f32)
    let marked = updates.map { (update: $0, toA: tape?.mark($0.a), toB: tape?.mark($0.b)) }
    let isUpdated = marked.contains { $0.toA != nil || $0.toB != nil }
    guard let tape, isUpdated || tape.needs(x) || tape.needs(weight) || tape.needs(bias) else { return y }
    let (n, input, output) = (x.shape.rows, x.shape.last, weight.shape[0])
    // Added up again rather than kept: each sum is as large as its weight.
    let rest = derivatives(
        x, { updatedWeight(weight, updates) }, output: output, tape.mark(x), tape.mark(weight), tape.mark(bias), tape)
    tape.record(y) { dy in
        for (update, toA, toB) in marked {
            let (count, rank) = (update.b.shape[0], update.a.shape[0])
            let part = dy.pointer + update.column
            let inner = Tensor(uninitialised: [n, rank])
            if let toA {
                // (dy · b)ᵀ · x
                let da = Tensor(uninitialised: toA.shape)
                gemm(
                    ck_type_f32, false, false, n, rank, count, 1, part, output, update.b.pointer, rank, 0,
                    inner.pointer, rank)
                gemm(
                    ck_type_f32, true, false, rank, input, n, 1, inner.pointer, rank, x.pointer, input, 0,
                    da.pointer, input)
                tape.accumulate(toA, da)
            }
            if let toB {
                // dyᵀ · (x · aᵀ)
                let db = Tensor(uninitialised: toB.shape)
                gemm(
                    ck_type_f32, false, true, n, rank, input, 1, x.pointer, input, update.a.pointer, input, 0,
                    inner.pointer, rank)
                gemm(
                    ck_type_f32, true, false, count, rank, n, 1, part, output, inner.pointer, rank, 0,
                    db.pointer, rank)
                tape.accumulate(toB, db)
            }
            withExtendedLifetime((inner, x, dy)) {}
        }
        rest(dy)
    }
    return y
}
