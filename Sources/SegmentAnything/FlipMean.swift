package import Imaging

/// What is found in an image and in its mirror image as one: test-time augmentation by flips.
package enum FlipMean {
    /// The mean of the probabilities, the second side mirrored back, and the masks and insides of objects that it gives.
    ///
    /// - Parameter softmax: background has what the segments leave; otherwise a segment is where its probability is above one half.
    package static func of(
        _ first: Restoration.Result, _ second: Restoration.Result, softmax: Bool
    ) -> Restoration.Result {
        guard let (rows, columns) = first.masks.first.map({ ($0.rows, $0.columns) }) else { return first }
        var result = first
        result.probabilities = mean(first.probabilities, second.probabilities, columns)
        result.margins = mean(first.margins, second.margins, columns)
        result.masks = masks(result.probabilities, rows: rows, columns: columns, softmax: softmax)
        for segment in result.margins.indices {
            var interior = Mask(rows: rows, columns: columns)
            for row in 0..<rows { interior.setRow(row) { result.margins[segment][row * columns + $0] > 0 } }
            result.interiors[segment] = interior
        }
        return result
    }

    private static func mean(_ first: [[Float]], _ second: [[Float]], _ columns: Int) -> [[Float]] {
        zip(first, second).map { one, other in
            var mean = one
            for start in stride(from: 0, to: one.count, by: columns) {
                for column in 0..<columns {
                    mean[start + column] = (one[start + column] + other[start + columns - 1 - column]) / 2
                }
            }
            return mean
        }
    }

    private static func masks(_ probabilities: [[Float]], rows: Int, columns: Int, softmax: Bool) -> [Mask] {
        let count = probabilities.count
        var masks = [Mask](repeating: Mask(rows: rows, columns: columns), count: count)
        for row in 0..<rows {
            let start = row * columns
            if softmax {
                let winners = (0..<columns).map { column in
                    Restoration.winner(of: count) { probabilities[$0][start + column] }
                }
                for segment in 0..<count { masks[segment].setRow(row) { winners[$0] == segment } }
            } else {
                for segment in 0..<count { masks[segment].setRow(row) { probabilities[segment][start + $0] > 0.5 } }
            }
        }
        return masks
    }
}

extension DisplayImage {
    /// Left and right exchanged.
    package var mirrored: DisplayImage {
        var mirrored = pixels
        for row in 0..<rows {
            for column in 0..<columns {
                for channel in 0..<3 {
                    mirrored[(row * columns + column) * 3 + channel] =
                        pixels[(row * columns + columns - 1 - column) * 3 + channel]
                }
            }
        }
        return DisplayImage(rows: rows, columns: columns, pixels: mirrored)
    }
}
