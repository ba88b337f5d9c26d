/// Image tokens followed by the same prompts for every image.
///
/// *Shape*: x `[B, n, D]`, prompts `[c, D]` → `[B, n + c, D]`.
package func appendPrompts(_ x: Tensor, _ prompts: Tensor, tape: Tape?) -> Tensor {
    let (batch, n, dim, c) = (x.shape[0], x.shape[1], x.shape[2], prompts.shape[0])
    precondition(prompts.shape.last == dim, "appendPrompts: prompts \(prompts.shape) do not fit tokens \(x.shape)")
    let y = Tensor(uninitialised: [batch, n + c, dim])
    for b in 0..<batch {
        (y.pointer + b * (n + c) * dim).update(from: x.pointer + b * n * dim, count: n * dim)
        (y.pointer + (b * (n + c) + n) * dim).update(from: prompts.pointer, count: c * dim)
    }
    if let tape, tape.needs(x) || tape.needs(prompts) {
        let (toX, toPrompts) = (tape.mark(x), tape.mark(prompts))
        tape.record(y) { dy in
            if let toX {
                let dx = Tensor(uninitialised: toX.shape)
                for b in 0..<batch {
                    (dx.pointer + b * n * dim).update(from: dy.pointer + b * (n + c) * dim, count: n * dim)
                }
                tape.accumulate(toX, dx)
            }
            if let toPrompts {
                let sum = Tensor(zeros: toPrompts.shape)
                for b in 0..<batch {
                    for i in 0..<c * dim { sum.pointer[i] += dy.pointer[(b * (n + c) + n) * dim + i] }
                }
                tape.accumulate(toPrompts, sum)
            }
        }
    }
    return y
}

/// Rows of several matrices under each other: the tokens of a decoder.
///
/// *Shape*: each `[nᵢ, E]` → `[Σ nᵢ, E]`.
package func concatenateRows(_ parts: [Tensor], tape: Tape?) -> Tensor {
    let dim = parts.first?.shape.last ?? 0
    precondition(parts.allSatisfy { $0.shape.last == dim }, "concatenateRows: \(parts.map(\.shape)) differ in width")
    let y = Tensor(uninitialised: [parts.reduce(0) { $0 + $1.shape.rows }, dim])
    var at = 0
    for part in parts {
        (y.pointer + at).update(from: part.pointer, count: part.count)
        at += part.count
    }
    if let tape, parts.contains(where: { tape.needs($0) }) {
        let marked = parts.map { (tape.mark($0), $0.count) }
        tape.record(y) { dy in
            var at = 0
            for (part, count) in marked {
                if let part {
                    let slice = Tensor(uninitialised: part.shape)
                    slice.pointer.update(from: dy.pointer + at, count: count)
                    tape.accumulate(part, slice)
                }
                at += count
            }
        }
    }
    return y
}

/// The same rows for every image of a batch.
///
/// *Shape*: x `[t, E]` → `[B, t, E]`.
package func repeated(_ x: Tensor, batch: Int, tape: Tape?) -> Tensor {
    let y = Tensor(uninitialised: Shape([batch] + x.shape.dimensions))
    for b in 0..<batch { (y.pointer + b * x.count).update(from: x.pointer, count: x.count) }
    if let tape, let toX = tape.mark(x) {
        tape.record(y) { dy in
            let sum = Tensor(zeros: toX.shape)
            for b in 0..<batch {
                for i in 0..<sum.count { sum.pointer[i] += dy.pointer[b * sum.count + i] }
            }
            tape.accumulate(toX, sum)
        }
    }
    return y
}

/// Some tokens of every image.
///
/// *Shape*: x `[B, t, E]` → `[B, range.count, E]`.
package func sliceTokens(_ x: Tensor, _ range: Range<Int>, tape: Tape?) -> Tensor {
    let (batch, t, dim) = (x.shape[0], x.shape[1], x.shape[2])
    precondition(range.lowerBound >= 0 && range.upperBound <= t, "sliceTokens: \(range) of \(x.shape)")
    let y = Tensor(uninitialised: [batch, range.count, dim])
    for b in 0..<batch {
        (y.pointer + b * range.count * dim).update(
            from: x.pointer + (b * t + range.lowerBound) * dim, count: range.count * dim)
    }
    if let tape, let toX = tape.mark(x) {
        tape.record(y) { dy in
            let dx = Tensor(zeros: toX.shape)
            for b in 0..<batch {
                (dx.pointer + (b * t + range.lowerBound) * dim).update(
                    from: dy.pointer + b * range.count * dim, count: range.count * dim)
            }
            tape.accumulate(toX, dx)
        }
    }
    return y
}

/// One row a part for every image: the mask weights of M networks.
///
/// *Shape*: M tensors `[B, 1, E]` → `[B, M, E]`.
package func stackTokens(_ parts: [Tensor], tape: Tape?) -> Tensor {
    let (batch, dim, count) = (parts[0].shape[0], parts[0].shape.last, parts.count)
    let y = Tensor(uninitialised: [batch, count, dim])
    for (m, part) in parts.enumerated() {
        precondition(part.count == batch * dim, "stackTokens: \(part.shape) beside \(parts[0].shape)")
        for b in 0..<batch { (y.pointer + (b * count + m) * dim).update(from: part.pointer + b * dim, count: dim) }
    }
    if let tape, parts.contains(where: { tape.needs($0) }) {
        let marked = parts.map { tape.mark($0) }
        tape.record(y) { dy in
            for (m, mark) in marked.enumerated() {
                guard let part = mark else { continue }
                let slice = Tensor(uninitialised: part.shape)
                for b in 0..<batch {
                    (slice.pointer + b * dim).update(from: dy.pointer + (b * count + m) * dim, count: dim)
                }
                tape.accumulate(part, slice)
            }
        }
    }
    return y
}
