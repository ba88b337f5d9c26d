/// Where a resized line takes its elements from: `low` and `low + 1` (clamped) with `weight` on the upper. Half-pixel centres.
private struct Taps {
    var low: [Int] = []
    var high: [Int] = []
    var weight: [Float] = []

    init(from source: Int, to target: Int) {
        for i in 0..<target {
            let position = max(0, (Float(i) + 0.5) * Float(source) / Float(target) - 0.5)
            let below = min(Int(position), source - 1)
            low.append(below)
            high.append(min(below + 1, source - 1))
            weight.append(position - Float(below))
        }
    }
}

/// Bilinear resize of planes, half-pixel centres, without antialiasing (PyTorch's `align_corners=False`).
///
/// *Shape*: x `[…, H, W]` → `[…, height, width]`.
package func resizePlanes(_ x: Tensor, height: Int, width: Int, tape: Tape?) -> Tensor {
    let (h, w) = (x.shape[-2], x.shape[-1])
    let planes = x.count / (h * w)
    let (rows, columns) = (Taps(from: h, to: height), Taps(from: w, to: width))
    let y = Tensor(uninitialised: Shape(x.shape.dimensions.dropLast(2) + [height, width]))
    ThreadPool.forEach(planes * height) { line in
        let (plane, i) = (line / height, line % height)
        let source = x.pointer + plane * h * w
        let (above, below, t) = (source + rows.low[i] * w, source + rows.high[i] * w, rows.weight[i])
        let target = y.pointer + line * width
        for j in 0..<width {
            let (a, b, s) = (columns.low[j], columns.high[j], columns.weight[j])
            let top = above[a] * (1 - s) + above[b] * s
            let bottom = below[a] * (1 - s) + below[b] * s
            target[j] = top * (1 - t) + bottom * t
        }
    }
    if let tape, tape.needs(x) {
        tape.record(y) { dy in
            let dx = Tensor(zeros: x.shape)
            ThreadPool.forEach(planes) { plane in
                let target = dx.pointer + plane * h * w
                for i in 0..<height {
                    let source = dy.pointer + (plane * height + i) * width
                    let (above, below, t) = (target + rows.low[i] * w, target + rows.high[i] * w, rows.weight[i])
                    for j in 0..<width {
                        let (a, b, s) = (columns.low[j], columns.high[j], columns.weight[j])
                        above[a] += source[j] * (1 - s) * (1 - t)
                        above[b] += source[j] * s * (1 - t)
                        below[a] += source[j] * (1 - s) * t
                        below[b] += source[j] * s * t
                    }
                }
            }
            tape.accumulate(x, dx)
        }
    }
    return y
}

/// Linear resize of a table's rows, half-pixel centres: how SAM brings relative positions to another length.
///
/// *Shape*: table `[n, C]` → `[length, C]`.
package func resizeRows(_ table: Tensor, to length: Int, tape: Tape?) -> Tensor {
    let (n, dim) = (table.shape[0], table.shape[1])
    if n == length { return table }
    let taps = Taps(from: n, to: length)
    let y = Tensor(uninitialised: [length, dim])
    for i in 0..<length {
        for c in 0..<dim {
            let (a, b, s) = (
                table.pointer[taps.low[i] * dim + c], table.pointer[taps.high[i] * dim + c], taps.weight[i]
            )
            y.pointer[i * dim + c] = a * (1 - s) + b * s
        }
    }
    if let tape, tape.needs(table) {
        tape.record(y) { dy in
            let dx = Tensor(zeros: table.shape)
            for i in 0..<length {
                for c in 0..<dim {
                    let g = dy.pointer[i * dim + c]
                    dx.pointer[taps.low[i] * dim + c] += g * (1 - taps.weight[i])
                    dx.pointer[taps.high[i] * dim + c] += g * taps.weight[i]
                }
            }
            tape.accumulate(table, dx)
        }
    }
    return y
}
