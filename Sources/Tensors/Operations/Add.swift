internal import CKernels

/// a + b, element by element: as many of both, in the shape of a.
package func add(_ a: Tensor, _ b: Tensor, tape: Tape?) -> Tensor {
    precondition(a.count == b.count, "add: \(a.shape) and \(b.shape) differ")
    let y = Tensor(uninitialised: a.shape)
    ck_add(kernels, y.pointer, a.pointer, b.pointer, a.count)
    if let tape, tape.needs(a) || tape.needs(b) {
        let (toA, toB) = (tape.mark(a), tape.mark(b))
        tape.record(y) { dy in
            tape.accumulateCopy(toA, dy)
            tape.accumulate(toB, dy)
        }
    }
    return y
}

/// x with `rows` added to its rows again and again: a bias, a position, something that all images of a batch share.
///
/// *Shape*: x `[…, C]` of n rows, `rows` `[…, C]` of p rows, n a multiple of p; row i gets `rows` row i mod p.
package func addRepeated(_ x: Tensor, _ rows: Tensor, tape: Tape?) -> Tensor {
    let (n, dim, period) = (x.shape.rows, x.shape.last, rows.shape.rows)
    precondition(
        rows.shape.last == dim && period > 0 && n % period == 0,
        "addRepeated: \(rows.shape) does not repeat over \(x.shape)")
    let y = Tensor(uninitialised: x.shape)
    ck_add_rows(kernels, y.pointer, x.pointer, rows.pointer, n, period, dim)
    if let tape, tape.needs(x) || tape.needs(rows) {
        let (toX, toRows) = (tape.mark(x), tape.mark(rows))
        tape.record(y) { dy in
            if let toRows {
                let sum = Tensor(zeros: toRows.shape)
                ck_sum_rows(kernels, sum.pointer, dy.pointer, n, period, dim)
                tape.accumulate(toRows, sum)
            }
            tape.accumulate(toX, dy)
        }
    }
    return y
}

/// The mean of scalars.
package func mean(_ scalars: [Tensor], tape: Tape?) -> Tensor {
    weightedSum(scalars.map { ($0, 1 / Float(scalars.count)) }, tape: tape)
}

/// Σ weight · scalar.
package func weightedSum(_ terms: [(Tensor, Float)], tape: Tape?) -> Tensor {
    let y = Tensor([], [terms.reduce(0) { $0 + $1.0.pointer[0] * $1.1 }])
    if let tape, terms.contains(where: { tape.needs($0.0) }) {
        let marked = terms.map { (tape.mark($0.0), $0.0.shape, $0.1) }
        tape.record(y) { dy in
            for (term, shape, weight) in marked { tape.accumulate(term, Tensor(shape, [dy.pointer[0] * weight])) }
        }
    }
    return y
}
