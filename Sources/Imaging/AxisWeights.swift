import Numbers

/// A linear resampling along one axis: each output is a weighted sum of a run of neighbouring inputs.
///
/// Images are resized by one such map for the rows and one for the columns. Everything that resizes in this program (the network's
/// input and output, position tables, logits in training, pictures of reports) takes its weights from here.
package struct AxisWeights: Sendable, Equatable {
    /// First input of each output's run.
    package private(set) var starts: [Int] = []
    /// Where each output's weights begin in `weights`; one more entry than outputs.
    package private(set) var offsets: [Int] = [0]
    package private(set) var weights: [Float] = []

    /// Outputs.
    package var count: Int { starts.count }

    private mutating func append(start: Int, _ taps: [Double]) {
        starts.append(start)
        weights += taps.map(Float.init)
        offsets.append(weights.count)
    }

    /// Bilinear with half-pixel centres, the triangle widened by the shrink factor when `input > output`.
    ///
    /// *Source*: PyTorch, `interpolate(mode: bilinear, antialias: true, align_corners: false)`.
    package static func antialiased(from input: Int, to output: Int) -> AxisWeights {
        var result = AxisWeights()
        let scale = Double(input) / Double(output)
        let support = max(scale, 1)
        for i in 0..<output {
            let centre = (Double(i) + 0.5) * scale
            let start = Int(rounding: (centre - support + 0.5).rounded(.down), clampedTo: 0...input)
            let end = max(Int(rounding: (centre + support + 0.5).rounded(.down), clampedTo: 0...input), start + 1)
            let taps = (start..<end).map { max(1 - abs((Double($0) + 0.5 - centre) / support), 0) }
            let sum = taps.reduce(0, +)
            result.append(start: start, taps.map { $0 / sum })
        }
        return result
    }

    /// Bilinear with half-pixel centres and clamped borders, without antialiasing.
    ///
    /// *Source*: PyTorch, `interpolate(mode: bilinear, align_corners: false)`.
    package static func bilinear(from input: Int, to output: Int) -> AxisWeights {
        var result = AxisWeights()
        let scale = Double(input) / Double(output)
        for i in 0..<output {
            let position = max((Double(i) + 0.5) * scale - 0.5, 0)
            let start = Int(rounding: position.rounded(.down), clampedTo: 0...input - 1)
            let fraction = position - Double(start)
            result.append(start: start, start + 1 < input ? [1 - fraction, fraction] : [1])
        }
        return result
    }

    /// The map that is `self` first and `next` on its outputs; `next` may use only the first of them (a crop).
    package func followed(by next: AxisWeights) -> AxisWeights {
        var result = AxisWeights()
        for i in 0..<next.count {
            let first = next.starts[i]
            let used = first..<(first + next.offsets[i + 1] - next.offsets[i])
            let start = used.map { starts[$0] }.min() ?? 0
            let end = used.map { starts[$0] + offsets[$0 + 1] - offsets[$0] }.max() ?? 0
            var taps = [Double](repeating: 0, count: end - start)
            for middle in used {
                let outer = Double(next.weights[next.offsets[i] + middle - first])
                for tap in offsets[middle]..<offsets[middle + 1] {
                    taps[starts[middle] + tap - offsets[middle] - start] += outer * Double(weights[tap])
                }
            }
            result.append(start: start, taps)
        }
        return result
    }

    /// Applies the map to the columns of one row of pixels with interleaved channels.
    ///
    /// *Shape*: `row` `[inputs · channels]` → `out[at ..< at + count · channels]`.
    package func resample(row: [Float], channels: Int, into out: inout [Float], at: Int) {
        precondition(at >= 0 && at + count * channels <= out.count, "AxisWeights: \(count) outputs do not fit")
        let (weights, row) = (weights.span, row.span)
        var result = out.mutableSpan
        for i in 0..<count {
            let taps = offsets[i]..<offsets[i + 1]
            for channel in 0..<channels {
                var sum: Float = 0
                var source = starts[i] * channels + channel
                for tap in taps {
                    sum += weights[tap] * row[source]
                    source += channels
                }
                result[at + i * channels + channel] = sum
            }
        }
    }

    /// Output row `index` of an image whose rows are `width` long in `image`, into `out[at ..< at + width]`.
    package func blend(row index: Int, of image: [Float], width: Int, into out: inout [Float], at: Int) {
        precondition(at >= 0 && at + width <= out.count, "AxisWeights: a row of \(width) does not fit")
        var result = out.mutableSpan
        for x in 0..<width { result[at + x] = 0 }
        for tap in offsets[index]..<offsets[index + 1] {
            let weight = weights[tap]
            let source = (starts[index] + tap - offsets[index]) * width
            let row = image.span.extracting(source..<source + width)
            for x in 0..<width { result[at + x] += weight * row[x] }
        }
    }

    /// A whole image by one map for its rows and one for its columns.
    ///
    /// *Shape*: `[rows, columns, channels]` → `[down.count, across.count, channels]`, row-major. *Cost*: columns first; two passes.
    package static func resample(
        _ image: [Float], rows: Int, columns: Int, channels: Int, down: AxisWeights, across: AxisWeights
    ) -> [Float] {
        precondition(
            image.count == rows * columns * channels,
            "AxisWeights: \(image.count) values for \(rows)×\(columns)×\(channels)")
        let length = columns * channels
        return resample(rows: rows, channels: channels, down: down, across: across) {
            Array(image[$0 * length..<($0 + 1) * length])
        }
    }

    /// The same for an image that is made row by row: `row(y)` gives `[columns, channels]`.
    package static func resample(
        rows: Int, channels: Int, down: AxisWeights, across: AxisWeights, row: (Int) -> [Float]
    ) -> [Float] {
        let width = across.count * channels
        var narrow = [Float](repeating: 0, count: rows * width)
        for y in 0..<rows { across.resample(row: row(y), channels: channels, into: &narrow, at: y * width) }
        var out = [Float](repeating: 0, count: down.count * width)
        for y in 0..<down.count { down.blend(row: y, of: narrow, width: width, into: &out, at: y * width) }
        return out
    }
}
