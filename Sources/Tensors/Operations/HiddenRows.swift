/// x with `row` in the place of some of its rows: a token that stands for what is hidden.
///
/// *Shape*: x `[…, C]` of n rows, row `[C]`, hidden: one a row of x.
package func replaceRows(_ x: Tensor, by row: Tensor, where hidden: [Bool], tape: Tape?) -> Tensor {
    let (n, dim) = (x.shape.rows, x.shape.last)
    precondition(
        row.count == dim && hidden.count == n, "replaceRows: \(row.shape) in \(hidden.count) rows of \(x.shape)")
    let y = x.copy()
    for i in 0..<n where hidden[i] { (y.pointer + i * dim).update(from: row.pointer, count: dim) }
    guard let tape, tape.needs(x) || tape.needs(row) else { return y }
    let (toX, toRow) = (tape.mark(x), tape.mark(row))
    tape.record(y) { dy in
        if let toRow {
            let sum = Tensor(zeros: toRow.shape)
            for i in 0..<n where hidden[i] {
                for c in 0..<dim { sum.pointer[c] += dy.pointer[i * dim + c] }
            }
            tape.accumulate(toRow, sum)
        }
        if toX != nil {
            for i in 0..<n where hidden[i] { (dy.pointer + i * dim).update(repeating: 0, count: dim) }
            tape.accumulate(toX, dy)
        }
    }
    return y
}

/// The mean of (x − target)² over the elements of some rows, a scalar; 0 of no row. The target is a constant.
///
/// *Shape*: x and target `[…, C]` of n rows, counted: one a row.
package func meanSquaredError(_ x: Tensor, _ target: Tensor, where counted: [Bool], tape: Tape?) -> Tensor {
    let (n, dim) = (x.shape.rows, x.shape.last)
    precondition(
        target.count == x.count && counted.count == n,
        "meanSquaredError: \(x.shape) and \(target.shape), \(counted.count) rows")
    let elements = max(1, counted.count { $0 } * dim)
    var sum = 0.0
    for i in 0..<n where counted[i] {
        for c in i * dim..<(i + 1) * dim {
            let difference = Double(x.pointer[c]) - Double(target.pointer[c])
            sum += difference * difference
        }
    }
    let y = Tensor([], [Float(sum / Double(elements))])
    guard let tape, let toX = tape.mark(x) else { return y }
    tape.record(y) { dy in
        let scale = 2 * dy.pointer[0] / Float(elements)
        let dx = Tensor(zeros: toX.shape)
        for i in 0..<n where counted[i] {
            for c in i * dim..<(i + 1) * dim { dx.pointer[c] = scale * (x.pointer[c] - target.pointer[c]) }
        }
        tape.accumulate(toX, dx)
    }
    return y
}
