import Imaging

/// Bilinear resize of planes, half-pixel centres, without antialiasing (PyTorch's `align_corners=False`).
///
/// *Shape*: x `[…, H, W]` → `[…, height, width]`. *Source*: `AxisWeights.bilinear`, the one owner of the weights.
package func resizePlanes(_ x: Tensor, height: Int, width: Int, tape: Tape?) -> Tensor {
    let (h, w) = (x.shape[-2], x.shape[-1])
    let planes = x.count / (h * w)
    let (rows, columns) = (Taps(.bilinear(from: h, to: height)), Taps(.bilinear(from: w, to: width)))
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
    if let tape, let toX = tape.mark(x) {
        tape.record(y) { dy in
            let dx = Tensor(zeros: toX.shape)
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
            tape.accumulate(toX, dx)
        }
    }
    return y
}

/// Bilinear weights in the form of the loops above: two inputs for each output, with the weight of the second.
private struct Taps {
    let low, high: [Int]
    let weight: [Float]

    init(_ weights: AxisWeights) {
        low = weights.starts
        let ranges = zip(weights.offsets, weights.offsets.dropFirst())
        high = zip(weights.starts, ranges).map { $0 + $1.1 - $1.0 - 1 }
        weight = ranges.map { $1 - $0 == 2 ? weights.weights[$0 + 1] : 0 }
    }
}
