import Imaging

/// A grey picture by blocks of pixels, in which noise counts for little beside what is seen.
struct CoarsePicture {
    /// Pixels a side.
    private static let block = 8
    /// Means, row by row; NaN where all is padding.
    private let means: [Double]

    init(_ frame: Frame) {
        let block = Self.block
        let (rows, columns) = ((frame.rows + block - 1) / block, (frame.columns + block - 1) / block)
        var sums = [Double](repeating: 0, count: rows * columns)
        var counts = [Double](repeating: 0, count: rows * columns)
        for row in 0..<frame.rows {
            let start = row * frame.columns
            for column in 0..<columns {
                let pixels = start + column * block..<start + min((column + 1) * block, frame.columns)
                var (sum, count) = (0.0, 0)
                for pixel in pixels where frame.padding.isEmpty || !frame.padding[pixel] {
                    sum += Double(frame.values[pixel])
                    count += 1
                }
                sums[row / block * columns + column] += sum
                counts[row / block * columns + column] += Double(count)
            }
        }
        means = zip(sums, counts).map { $0 / $1 }
    }

    /// Mean, of blocks that hold something in both; nil where none does, or pictures are of unlike sizes.
    func difference(from other: CoarsePicture) -> Double? {
        guard means.count == other.means.count else { return nil }
        let differences = zip(means, other.means).map { abs($0 - $1) }.filter(\.isFinite)
        return differences.isEmpty ? nil : differences.reduce(0, +) / Double(differences.count)
    }

    /// From the darkest block to the lightest.
    var range: Double {
        let known = means.filter(\.isFinite)
        return (known.max() ?? 0) - (known.min() ?? 0)
    }
}
