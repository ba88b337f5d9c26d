/// The upper left part of every image. No derivative.
///
/// *Shape*: x `[B, H, W, C]` → `[B, rows, columns, C]`.
package func upperLeft(_ x: Tensor, _ part: GridSize) -> Tensor {
    let (batch, height, width, channels) = (x.shape[0], x.shape[1], x.shape[2], x.shape[3])
    precondition(part.rows <= height && part.columns <= width, "upperLeft: \(part) of \(x.shape)")
    let y = Tensor(uninitialised: [batch, part.rows, part.columns, channels])
    for b in 0..<batch {
        for row in 0..<part.rows {
            (y.pointer + (b * part.rows + row) * part.columns * channels).update(
                from: x.pointer + (b * height + row) * width * channels, count: part.columns * channels)
        }
    }
    return y
}

/// What belongs to the tokens of an upper left part, among zeros for all others. No derivative.
///
/// *Shape*: x `[B, c, rows · columns]` → `[B, c, side²]`.
package func amongZeros(_ x: Tensor, _ part: GridSize, side: Int) -> Tensor {
    precondition(x.shape.last == part.rows * part.columns && part.rows <= side && part.columns <= side, "amongZeros")
    let y = Tensor(zeros: Shape(x.shape.dimensions.dropLast() + [side * side]))
    for line in 0..<x.shape.rows * part.rows {
        let (plane, row) = (line / part.rows, line % part.rows)
        (y.pointer + (plane * side + row) * side).update(from: x.pointer + line * part.columns, count: part.columns)
    }
    return y
}

/// The images with zeros outside of their own upper left parts.
///
/// *Shape*: x `[B, H, W, C]`.
package func zeroOutside(_ x: Tensor, _ parts: [GridSize], tape: Tape?) -> Tensor {
    precondition(x.shape[0] == parts.count, "zeroOutside: \(parts.count) parts of \(x.shape)")
    let (height, width, channels) = (x.shape[1], x.shape[2], x.shape[3])
    let cut = { (x: Tensor) -> Tensor in
        let y = Tensor(zeros: x.shape)
        for (b, part) in parts.enumerated() {
            for row in 0..<min(part.rows, height) {
                let at = (b * height + row) * width * channels
                (y.pointer + at).update(from: x.pointer + at, count: min(part.columns, width) * channels)
            }
        }
        return y
    }
    let y = cut(x)
    if let tape, let toX = tape.mark(x) { tape.record(y) { tape.accumulate(toX, cut($0)) } }
    return y
}

/// Planes of which an upper left part counts, as squares in which the edges of that part go on to the right and below.
///
/// *Shape*: x `[B, M, H, W]`, H and W at least the parts' → `[B, M, side, side]`.
package func extendEdges(_ x: Tensor, _ parts: [GridSize], side: Int, tape: Tape?) -> Tensor {
    let (planes, height, width) = (x.shape[1], x.shape[2], x.shape[3])
    precondition(
        x.shape[0] == parts.count
            && parts.allSatisfy { $0.rows <= min(height, side) && $0.columns <= min(width, side) },
        "extendEdges: \(parts) of \(x.shape)")
    let y = Tensor(uninitialised: [parts.count, planes, side, side])
    for line in 0..<parts.count * planes * side {
        let part = parts[line / (planes * side)]
        let source = x.pointer + (line / side * height + min(line % side, part.rows - 1)) * width
        let target = y.pointer + line * side
        target.update(from: source, count: part.columns)
        (target + part.columns).update(repeating: source[part.columns - 1], count: side - part.columns)
    }
    if let tape, let toX = tape.mark(x) {
        tape.record(y) { dy in
            let dx = Tensor(zeros: toX.shape)
            for line in 0..<parts.count * planes * side {
                let part = parts[line / (planes * side)]
                let target = dx.pointer + (line / side * height + min(line % side, part.rows - 1)) * width
                let source = dy.pointer + line * side
                for column in 0..<side { target[min(column, part.columns - 1)] += source[column] }
            }
            tape.accumulate(toX, dx)
        }
    }
    return y
}

/// What is added to the logits of keys, so that tokens outside of each image's upper left part are seen by nobody.
package enum KeyBias {
    /// Next to it no weight is left; finite, so that queries that nobody reads stay numbers where no key is left.
    static let gone: Float = -1e9

    /// Of a whole grid, with prompts behind the tokens. *Shape*: `[B, side² + prompts]`.
    package static func grid(_ parts: [GridSize], side: Int, prompts: Int = 0) -> Tensor {
        Tensor(
            [parts.count, side * side + prompts],
            parts.flatMap { part in
                (0..<side * side).map { part.holds($0 / side, $0 % side) ? 0 : gone }
                    + repeatElement(0, count: prompts)
            })
    }

    /// Of the windows that `partitionWindows` makes; what lies beyond the grid is a key. *Shape*: `[B · n², window²]`.
    package static func windows(_ parts: [GridSize], side: Int, window: Int) -> Tensor {
        let n = (side + window - 1) / window
        return Tensor(
            [parts.count * n * n, window * window],
            parts.flatMap { part in
                (0..<n * n * window * window).map { index -> Float in
                    let (cell, inner) = (index / (window * window), index % (window * window))
                    let (y, x) = (cell / n * window + inner / window, cell % n * window + inner % window)
                    return y >= side || x >= side || part.holds(y, x) ? 0 : gone
                }
            })
    }
}

extension GridSize {
    fileprivate func holds(_ row: Int, _ column: Int) -> Bool { row < rows && column < columns }
}
