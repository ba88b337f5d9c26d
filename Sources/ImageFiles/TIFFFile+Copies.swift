import CImageFiles
import Numbers

extension TIFFFile {
    /// Whether a page that nothing flags shows the picture of a larger page, reduced: it could as well be another one.
    ///
    /// Both are cut into blocks of the same parts of the picture, in up to three bands of rows, and the means of these are compared: they
    /// hardly depend on how the copy was made.
    /// *Throws* what keeps either from being decoded. *Cost*: the bands are decoded once a pair of pages.
    func showsTheSame(_ index: Int, as larger: Int) throws(ImageFilesFailure) -> Bool {
        if let known = knownCopies[[index, larger]] { return known }
        let rows = try tags(index).rows
        var comparison = BlockComparison()
        for band in Self.bands(rows: rows, of: try tags(larger).rows) {
            let grid = BlockMeans.Grid(rows: band.count, columns: try tags(index).columns)
            let (start, end) = (Double(band.lowerBound) / Double(rows), Double(band.upperBound) / Double(rows))
            comparison.add(
                try blocks(of: index, from: start, to: end, grid), try blocks(of: larger, from: start, to: end, grid))
        }
        knownCopies[[index, larger]] = comparison.isOfOnePicture
        return comparison.isOfOnePicture
    }

    /// Rows of a smaller copy that are looked at: all of a small one, unless they stand for too many of the larger page, as those of a
    /// slide's smallest levels do.
    package static func bands(rows: Int, of larger: Int) -> [Range<Int>] {
        let window = larger <= 3 * mostRows ? windowRows : min(windowRows, max(8, mostRows * rows / larger))
        guard rows > 3 * window else { return [0..<rows] }
        return [1, 2, 3].map { (rows - window) * $0 / 4 }.map { $0..<$0 + window }
    }

    /// Rows that are looked at in one place, of the smaller copy and of the larger page.
    private static let windowRows = 64
    private static let mostRows = 1024

    /// The means of a page's blocks between two parts of its height.
    private func blocks(
        of index: Int, from start: Double, to end: Double, _ grid: BlockMeans.Grid
    ) throws(ImageFilesFailure) -> BlockMeans {
        let (tags, reading) = try reading(.page(index), survey: SampleSurvey())
        let palette = try palette(index, tags)
        let rows = Int(tags.rows), columns = Int(tags.columns), piece = try pieceRows(index)
        let (top, bottom) = (start * Double(rows), end * Double(rows))
        var means = BlockMeans(grid)
        let first = Int(rounding: top.rounded(.down), clampedTo: 0...rows) / piece * piece
        for row in stride(from: first, to: Int(rounding: bottom.rounded(.up), clampedTo: 0...rows), by: piece) {
            let count = min(piece, rows - row)
            try withRows(index, row..<row + count) { bytes in
                for line in 0..<count {
                    let place = (Double(row + line) + 0.5 - top) / (bottom - top)
                    guard 0..<1 ~= place else { continue }
                    means.add(line: place, columns: columns) {
                        reading.brightness(bytes, line * columns + $0, palette: palette)
                    }
                }
            }
        }
        return means
    }
}

/// Means of the blocks of a part of a picture.
private struct BlockMeans {
    struct Grid {
        let rows: Int
        let columns: Int

        /// Blocks of about 8 × 8 pixels of the smaller picture.
        init(rows: Int, columns: Int) {
            self.rows = min(max(1, rows / 8), 24)
            self.columns = min(max(1, columns / 8), 64)
        }
    }

    private let grid: Grid
    private(set) var counts: [Double]
    private var sums: [Double]
    private var squares: [Double]

    init(_ grid: Grid) {
        self.grid = grid
        counts = [Double](repeating: 0, count: grid.rows * grid.columns)
        (sums, squares) = (counts, counts)
    }

    /// - Parameter place: of the row in the part, from 0 to 1.
    mutating func add(line place: Double, columns: Int, _ value: (Int) -> Double) {
        let band = (place * Double(grid.rows)).rounded(.down)
        let first = Int(rounding: band, clampedTo: 0...grid.rows - 1) * grid.columns
        for column in 0..<columns {
            let value = value(column)
            guard value.isFinite else { continue }
            let block = first + column * grid.columns / columns
            counts[block] += 1
            sums[block] += value
            squares[block] += value * value
        }
    }

    func mean(_ block: Int) -> Double { sums[block] / counts[block] }
    /// Of the mean, by how unlike its pixels are.
    func uncertainty(_ block: Int) -> Double {
        max(0, squares[block] / counts[block] - mean(block) * mean(block)) / counts[block]
    }
}

/// Blocks of two pictures, pair by pair.
private struct BlockComparison {
    private var pairs: [(Double, Double)] = []
    /// Sum of squares.
    private var uncertainty = 0.0

    mutating func add(_ one: BlockMeans, _ other: BlockMeans) {
        for block in one.counts.indices where one.counts[block] > 0 && other.counts[block] > 0 {
            pairs.append((one.mean(block), other.mean(block)))
            uncertainty += one.uncertainty(block)
        }
    }

    /// Of two pictures that have nothing in common the mean square of the differences is twice the variance, of mirror images of round
    /// things a quarter, of copies, however made, a hundredth. What is level, or noise, tells by its brightness alone.
    var isOfOnePicture: Bool {
        guard !pairs.isEmpty else { return false }
        let count = Double(pairs.count)
        let mean = pairs.reduce(0) { $0 + $1.0 + $1.1 } / (2 * count)
        let variance =
            pairs.reduce(0) { $0 + ($1.0 - mean) * ($1.0 - mean) + ($1.1 - mean) * ($1.1 - mean) } / (2 * count)
        let difference = pairs.reduce(0) { $0 + ($1.0 - $1.1) * ($1.0 - $1.1) } / count
        let largest = pairs.reduce(0) { max($0, $1.0.magnitude, $1.1.magnitude) }
        return difference <= max(variance / 10, 3 * uncertainty / count, (0.01 * largest) * (0.01 * largest))
    }
}
