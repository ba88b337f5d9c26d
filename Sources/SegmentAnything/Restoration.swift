package import Imaging
package import Tensors

/// From the network's logits back to the image's own grid.
///
/// The logits are resized to S × S, the padding is cut off, the rest is resized to the image, all bilinear without
/// antialiasing. Both resizes are linear along each axis, so they are done as one; no S × S picture is ever made.
///
/// *Source*: `docs/model.md`, section 5.
package enum Restoration {
    /// A segmentation on the image's own grid.
    package struct Result: Sendable {
        /// One a segment, the background left out.
        package var masks: [Mask]
        /// One a segment, `[rows · columns]`, row-major.
        package var probabilities: [[Float]]
        /// One a segment: pixels of its mask that lie inside of an object more likely than at its edge; empty where nothing is learned of
        /// edges.
        package var interiors: [Mask]
        /// One a segment, `[rows · columns]`: by how much a pixel's inside is more probable than its edge; empty unless asked for.
        package var margins: [[Float]] = []

        package init(masks: [Mask], probabilities: [[Float]], interiors: [Mask], margins: [[Float]] = []) {
            (self.masks, self.probabilities, self.interiors) = (masks, probabilities, interiors)
            self.margins = margins
        }
    }

    /// Logits at the image's size. *Shape*: `[M, S/4, S/4]` → `[M, rows, columns]`.
    package static func logits(_ logits: Tensor, placement: Placement) -> Tensor {
        let resampler = Resampler(logits, placement)
        var out = [Float](repeating: 0, count: resampler.outputs * placement.rows * placement.columns)
        for output in 0..<resampler.outputs {
            for row in 0..<placement.rows {
                resampler.row(row, of: output, into: &out, at: (output * placement.rows + row) * placement.columns)
            }
        }
        return Tensor([resampler.outputs, placement.rows, placement.columns], out)
    }

    /// Masks and probabilities: argmax over the outputs and softmax (output 0 is the background), or above 0 and sigmoid.
    ///
    /// Where segments have a boundary each, a segment's probability is that of its inside and its boundary together, and masks are made of
    /// these. *Shape*: `logits` is `[M, S/4, S/4]`. *Cost*: one row of each output at a time.
    /// - Parameter keepsMargins: whether `margins` are made, where something is learned of edges.
    package static func restore(
        _ logits: Tensor, placement: Placement, activation: Configuration.Activation,
        instances: Configuration.Instances = .none, keepsMargins: Bool = false
    ) -> Result {
        let resampler = Resampler(logits, placement)
        let background = activation == .softmax ? 1 : 0
        let hasBoundaries = instances == .boundary
        let segments = (resampler.outputs - background) / (hasBoundaries ? 2 : 1)
        let (rows, columns) = (placement.rows, placement.columns)
        var masks = [Mask](repeating: Mask(rows: rows, columns: columns), count: segments)
        var probabilities = [[Float]](repeating: [Float](repeating: 0, count: rows * columns), count: segments)
        var interiors = hasBoundaries ? masks : []
        var margins = hasBoundaries && keepsMargins ? probabilities : []
        var line = [Float](repeating: 0, count: resampler.outputs * columns)
        for row in 0..<rows {
            for output in 0..<resampler.outputs { resampler.row(row, of: output, into: &line, at: output * columns) }
            if hasBoundaries {
                softmax(&line, outputs: resampler.outputs, columns: columns)
                for segment in interiors.indices {
                    let (inside, edge) = ((1 + segment) * columns, (1 + segments + segment) * columns)
                    interiors[segment].setRow(row, where: { line[inside + $0] > line[edge + $0] })
                    if keepsMargins {
                        for column in 0..<columns {
                            margins[segment][row * columns + column] = line[inside + column] - line[edge + column]
                        }
                    }
                    for column in 0..<columns { line[inside + column] += line[edge + column] }
                }
                let winners = (0..<columns).map { column in
                    winner(of: segments) { line[(1 + $0) * columns + column] }
                }
                for segment in 0..<segments { masks[segment].setRow(row, where: { winners[$0] == segment }) }
            } else if background == 1 {
                softmax(&line, outputs: resampler.outputs, columns: columns)
                for segment in 0..<segments {
                    // `softmax` stores the number of the largest output where the background's probability would be.
                    let number = Float(segment + 1)
                    masks[segment].setRow(row, where: { line[$0] == number })
                }
            } else {
                for segment in 0..<segments {
                    masks[segment].setRow(row, where: { line[segment * columns + $0] > 0 })
                }
                sigmoid(&line)
            }
            for segment in 0..<segments {
                let start = (segment + background) * columns
                probabilities[segment].replaceSubrange(
                    row * columns..<(row + 1) * columns, with: line[start..<start + columns])
            }
        }
        return Result(masks: masks, probabilities: probabilities, interiors: interiors, margins: margins)
    }

    /// The segment that a pixel belongs to by the segments' probabilities, the first of equals; nil where the background, which has what
    /// they leave, is as likely or more.
    @inline(__always)
    static func winner(of segments: Int, _ probability: (_ segment: Int) -> Float) -> Int? {
        var (winner, largest) = (Int?.none, Float(1))
        for segment in 0..<segments { largest -= probability(segment) }
        for segment in 0..<segments where probability(segment) > largest {
            (winner, largest) = (segment, probability(segment))
        }
        return winner
    }

    /// Turns logits `[M, columns]` into probabilities, column by column; row 0 gets the number of the output that wins (the first
    /// of equals) instead of the background's probability, which nobody asks for.
    private static func softmax(_ line: inout [Float], outputs: Int, columns: Int) {
        var winners = [Float](repeating: 0, count: columns)
        subtractLargest(&line, &winners, outputs: outputs)
        exponentiate(&line)
        divideBySum(&line, outputs: outputs, columns: columns)
        line.replaceSubrange(0..<columns, with: winners)
    }

    private static func subtractLargest(_ line: inout [Float], _ winners: inout [Float], outputs: Int) {
        let columns = winners.count
        var line = line.mutableSpan
        var winners = winners.mutableSpan
        for column in 0..<columns {
            var (winner, largest) = (0, line[column])
            for output in 1..<outputs where line[output * columns + column] > largest {
                (winner, largest) = (output, line[output * columns + column])
            }
            for output in 0..<outputs { line[output * columns + column] -= largest }
            winners[column] = Float(winner)
        }
    }

    private static func divideBySum(_ line: inout [Float], outputs: Int, columns: Int) {
        var line = line.mutableSpan
        for column in 0..<columns {
            var sum: Float = 0
            for output in 0..<outputs { sum += line[output * columns + column] }
            for output in 1..<outputs { line[output * columns + column] /= sum }
        }
    }

    private static func sigmoid(_ line: inout [Float]) {
        for index in line.indices { line[index] = -line[index] }
        exponentiate(&line)
        for index in line.indices { line[index] = 1 / (1 + line[index]) }
    }

    /// The logits at the image's width, from which rows are blended one at a time.
    private struct Resampler {
        let outputs: Int
        private let columns: Int
        private let down: AxisWeights
        /// One an output, `[S/4 · columns]`.
        private let wide: [[Float]]

        init(_ logits: Tensor, _ placement: Placement) {
            let side = logits.shape.last
            precondition(
                logits.shape.rank == 3 && logits.shape[1] == side && side > 0,
                "Restoration: logits of shape \(logits.shape), not [M, S/4, S/4]")
            let size = placement.inputSize
            outputs = logits.shape[0]
            columns = placement.columns
            let up = AxisWeights.bilinear(from: side, to: size)
            let across = up.followed(by: .bilinear(from: placement.resizedColumns, to: placement.columns))
            down = up.followed(by: .bilinear(from: placement.resizedRows, to: placement.rows))
            let values = logits.values
            wide = (0..<outputs).map { output in
                var result = [Float](repeating: 0, count: side * placement.columns)
                for row in 0..<side {
                    let start = (output * side + row) * side
                    across.resample(
                        row: Array(values[start..<start + side]), channels: 1, into: &result,
                        at: row * placement.columns)
                }
                return result
            }
        }

        func row(_ row: Int, of output: Int, into out: inout [Float], at: Int) {
            down.blend(row: row, of: wide[output], width: columns, into: &out, at: at)
        }
    }
}
