package import Imaging

/// Probabilities for an image and for its mirror image as one: test-time augmentation by flips.
package enum FlipMean {
    /// The mean, the second side mirrored back, and the masks that it gives.
    ///
    /// - Parameter softmax: background has what the segments leave; otherwise a segment is where its probability is above one half.
    package static func of(
        _ first: [[Float]], _ second: [[Float]], rows: Int, columns: Int, softmax: Bool
    ) -> (masks: [Mask], probabilities: [[Float]]) {
        let mean = zip(first, second).map { one, other in
            one.indices.map { pixel in
                let (row, column) = (pixel / columns, pixel % columns)
                return (one[pixel] + other[row * columns + columns - 1 - column]) / 2
            }
        }
        let masks = mean.indices.map { segment in
            let flags = (0..<rows * columns).map { pixel in
                let own = mean[segment][pixel]
                guard softmax else { return own > 0.5 }
                let background = 1 - mean.reduce(0) { $0 + $1[pixel] }
                let isLargest = mean.indices.allSatisfy { other in
                    other == segment || (other < segment ? mean[other][pixel] < own : mean[other][pixel] <= own)
                }
                return own > background && isLargest
            }
            return Mask(rows: rows, columns: columns, flags: flags)
        }
        return (masks, mean)
    }
}

extension DisplayImage {
    /// Left and right exchanged.
    var mirrored: DisplayImage {
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
