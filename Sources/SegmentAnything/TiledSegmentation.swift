package import Imaging
import Numbers

/// A picture segmented in overlapping tiles while its rows arrive from top to bottom.
///
/// The probabilities of the tiles are joined by weights that fall to their edges (`TileAxis`); a pixel belongs to the output with the
/// largest joined probability, the background being the rest (softmax), or to each above one half (sigmoid). A picture of one tile gets what
/// `Predictor.segment` gives. Tiles go to the network one after the other in row-major order, so nothing depends on threads.
///
/// *Cost*: memory of one band of tiles (3 bytes a pixel, 4 a pixel and segment), of the masks and of `ProbabilityRuns`.
package struct TiledSegmentation {
    /// One a segment, on the picture's own grid; whole when all rows were added.
    package private(set) var masks: [Mask]
    /// One a segment, as `Prediction.interiors`.
    package private(set) var interiors: [Mask]
    /// One a segment.
    package private(set) var probabilities: [ProbabilityRuns]
    /// Joined probabilities, 255 is certain; one a segment and pixel where they were asked for, else empty.
    package private(set) var levels: [[UInt8]] = []
    /// Pixels of the picture that lie in a tile that was given to the network, each once.
    package private(set) var seenPixels = 0

    private let predictor: Predictor
    private let tiling: Tiling
    private let spacing: PixelSpacing?
    private let isEmpty: (DisplayImage) -> Bool
    private let isSoftmax: Bool
    private let columns: Int
    /// Rows that have arrived and are needed, the first of them `first`.
    private var pixels: [UInt8] = []
    private var first = 0
    private var tileRow = 0
    /// Joined probabilities of the rows of the band, one a segment; the first row is `flushed`.
    private var sums: [[Float]]
    /// The same for being inside of an object, where the model tells that.
    private var insideSums: [[Float]]
    private var flushed = 0
    /// Below this row `sums` are zero.
    private var inferredRows = 0
    /// Of each column, the row below the last that lies in an inferred tile.
    private var seenRows: [Int]

    /// - Parameters:
    ///   - spacing: of the pixels, where they are not square.
    ///   - keepsProbabilities: whether the probability of each pixel is kept, a byte each.
    ///   - isEmpty: tiles of which it is known that they show nothing; they are background and are not inferred.
    package init(
        _ predictor: Predictor, _ tiling: Tiling, spacing: PixelSpacing? = nil, keepsProbabilities: Bool = false,
        isEmpty: @escaping (DisplayImage) -> Bool = { _ in false }
    ) {
        self.predictor = predictor
        self.tiling = tiling
        self.spacing = spacing
        self.isEmpty = isEmpty
        let configuration = predictor.description.configuration
        isSoftmax = configuration.activation == .softmax
        columns = tiling.across.side
        seenRows = [Int](repeating: 0, count: tiling.across.side)
        let segments = configuration.foregroundOutputs
        masks = [Mask](repeating: Mask(rows: tiling.down.side, columns: columns), count: segments)
        probabilities = [ProbabilityRuns](repeating: ProbabilityRuns(), count: segments)
        if keepsProbabilities {
            levels = [[UInt8]](repeating: [UInt8](repeating: 0, count: tiling.down.side * columns), count: segments)
        }
        sums = [[Float]](
            repeating: [Float](repeating: 0, count: tiling.down.length * columns), count: segments)
        let hasBoundaries = configuration.instances == .boundary
        insideSums = hasBoundaries ? sums : []
        interiors = hasBoundaries ? masks : []
    }

    /// The next rows of the picture, whole ones; tiles that are complete with them are segmented.
    ///
    /// *Throws* as `Predictor.segment`.
    package mutating func add(_ image: DisplayImage) throws {
        precondition(image.columns == columns, "TiledSegmentation: \(image.columns) columns, not \(columns)")
        let width = columns * 3
        var taken = 0
        while taken < image.rows {
            let wanted = tiling.down.starts[tileRow] + tiling.down.length - first - pixels.count / width
            let count = min(wanted, image.rows - taken)
            pixels += image.pixels[taken * width..<(taken + count) * width]
            taken += count
            if count == wanted { try finishTileRow() }
        }
    }

    /// Segments the tiles of a row and gives out the rows that no later tile reaches.
    private mutating func finishTileRow() throws {
        let down = tiling.down.weights(tileRow)
        for tile in tiling.across.starts.indices { try segment(tile, down) }
        tileRow += 1
        let isLast = tileRow == tiling.down.starts.count
        let next = isLast ? tiling.down.side : tiling.down.starts[tileRow]
        flush(next - flushed)
        guard !isLast else { return }
        pixels.removeFirst((next - first) * columns * 3)
        first = next
    }

    private mutating func segment(_ tile: Int, _ down: [Float]) throws {
        let (left, width) = (tiling.across.starts[tile], tiling.across.length)
        let image = cut(left, width)
        guard !isEmpty(image) else { return }
        let top = tiling.down.starts[tileRow]
        inferredRows = top + tiling.down.length
        for column in left..<left + width {
            seenPixels += inferredRows - max(top, seenRows[column])
            seenRows[column] = inferredRows
        }
        let prediction = try predictor.segment(image, spacing: spacing, extent: tiling.extent)
        let across = tiling.across.weights(tile)
        for segment in sums.indices {
            let values = prediction.probabilities[segment]
            for row in 0..<tiling.down.length {
                let (from, to) = (row * width, row * columns + left)
                for x in 0..<width { sums[segment][to + x] += down[row] * across[x] * values[from + x] }
            }
        }
        // Of each tile its own decision, weighted: near the edge of a tile the middle of another one decides.
        for segment in insideSums.indices {
            for row in 0..<tiling.down.length {
                let (from, to) = (row * width, row * columns + left)
                for x in 0..<width where prediction.interiors[segment][from + x] {
                    insideSums[segment][to + x] += down[row] * across[x]
                }
            }
        }
    }

    /// A tile of the band.
    private func cut(_ left: Int, _ width: Int) -> DisplayImage {
        guard width < columns else {
            return DisplayImage(rows: tiling.down.length, columns: columns, pixels: pixels)
        }
        var tile: [UInt8] = []
        tile.reserveCapacity(tiling.down.length * width * 3)
        for row in 0..<tiling.down.length {
            let start = (row * columns + left) * 3
            tile += pixels[start..<start + width * 3]
        }
        return DisplayImage(rows: tiling.down.length, columns: width, pixels: tile)
    }

    /// Decides the first `count` rows of the band.
    private mutating func flush(_ count: Int) {
        defer { flushed += count }
        // Most of a slide is glass.
        guard inferredRows > flushed else { return }
        for row in 0..<count { decide(row) }
        for segment in sums.indices {
            sums[segment].removeFirst(count * columns)
            sums[segment] += repeatElement(0, count: count * columns)
        }
        for segment in insideSums.indices {
            insideSums[segment].removeFirst(count * columns)
            insideSums[segment] += repeatElement(0, count: count * columns)
        }
    }

    private mutating func decide(_ row: Int) {
        let start = row * columns
        for segment in levels.indices {
            let target = (flushed + row) * columns
            for column in 0..<columns {
                levels[segment][target + column] = UInt8(grey: sums[segment][start + column] * 255)
            }
        }
        for segment in insideSums.indices {
            let inside = insideSums[segment]
            for column in 0..<columns where inside[start + column] > 0.5 {
                interiors[segment][(flushed + row) * columns + column] = true
            }
        }
        var runs = [(start: Int, sum: Float, isSet: Bool)](repeating: (0, 0, false), count: sums.count)
        for column in 0..<columns {
            let winner = isSoftmax ? Restoration.winner(of: sums.count) { sums[$0][start + column] } : nil
            for segment in sums.indices {
                let value = sums[segment][start + column]
                let isSet = isSoftmax ? segment == winner : value > 0.5
                if isSet != runs[segment].isSet {
                    close(segment, at: column)
                    runs[segment] = (column, 0, isSet)
                }
                runs[segment].sum += value
            }
        }
        for segment in sums.indices { close(segment, at: columns) }

        func close(_ segment: Int, at end: Int) {
            let run = runs[segment]
            guard end > run.start else { return }
            let pixel = (flushed + row) * columns + run.start
            if run.isSet { masks[segment].set(pixel..<pixel + end - run.start) }
            probabilities[segment].add(start: pixel, length: end - run.start, sum: run.sum)
        }
    }
}
