import Imaging
import Numbers
import SegmentAnything

/// One picture segmented while its rows arrive, whole or in tiles; masks are those of the network, before they are cleaned.
struct PictureSegmentation {
    /// Longest side of the copy of a picture that is kept for the report, when it is cut into tiles.
    static let overviewSide = 2048

    /// One a segment; of a picture that is whole.
    private(set) var masks: [Mask] = []
    /// One a segment, as `Prediction.interiors`.
    private(set) var interiors: [Mask] = []
    /// Empty for pictures of several tiles: each would have its own.
    private(set) var heatMaps: [HeatMap] = []
    /// For the report: the picture, or a smaller copy of one in tiles.
    private(set) var image = DisplayImage(rows: 0, columns: 0, pixels: [])
    /// The share of the picture's pixels that were given to the network.
    private(set) var seen = 1.0
    /// Rows that have arrived.
    private(set) var done = 0
    private let rows: Int
    private let columns: Int
    private let predictor: Predictor
    private let spacing: PixelSpacing?
    /// Pixels of a row that fill the network's input, for a picture of one tile.
    private let extent: Double?
    private var way: Way
    private var probabilities = Probabilities.pixels([])

    private enum Way {
        case whole(pixels: [UInt8])
        case tiles(TiledSegmentation, Overview)
    }

    private enum Probabilities {
        /// One a segment and pixel.
        case pixels([[Float]])
        /// With the levels of each pixel where they are kept.
        case runs([ProbabilityRuns], levels: [[UInt8]])
    }

    /// - Parameters:
    ///   - tile: nil for a picture that is shown as a whole.
    ///   - spacing: where pixels are not square.
    ///   - keepsProbabilities: whether the probability of each pixel is asked for afterwards.
    ///   - isEmpty: tiles of which it is known that they show nothing.
    init(
        rows: Int, columns: Int, _ tile: PictureScale.Tile?, _ predictor: Predictor, spacing: PixelSpacing?,
        keepsProbabilities: Bool,
        isEmpty: @escaping (DisplayImage) -> Bool
    ) {
        (self.rows, self.columns) = (rows, columns)
        self.predictor = predictor
        self.spacing = spacing
        let tiling = tile.map {
            Tiling(
                rows: rows, columns: columns, side: $0.side, overlap: $0.overlap,
                aspect: spacing.map { $0.row / $0.column } ?? 1)
        }
        extent = tiling?.extent
        guard let tiling, tiling.count > 1 else {
            way = .whole(pixels: [])
            return
        }
        way = .tiles(
            TiledSegmentation(
                predictor, tiling, spacing: spacing, keepsProbabilities: keepsProbabilities, isEmpty: isEmpty),
            Overview(rows: rows, columns: columns, side: Self.overviewSide))
    }

    var isDone: Bool { done == rows }

    /// The next rows of the picture; with the last of them everything is known.
    ///
    /// *Throws* as `Predictor.segment`.
    mutating func add(_ band: DisplayImage) throws {
        done += band.rows
        switch way {
        case .whole(var pixels):
            way = .whole(pixels: [])
            if pixels.isEmpty { pixels = band.pixels } else { pixels += band.pixels }
            if isDone {
                try predict(DisplayImage(rows: rows, columns: columns, pixels: pixels))
            } else {
                way = .whole(pixels: pixels)
            }
        case .tiles(var tiled, var overview):
            // Held once, so that what grows is not copied.
            way = .whole(pixels: [])
            try tiled.add(band)
            overview.add(band)
            if isDone {
                (masks, interiors, image) = (tiled.masks, tiled.interiors, overview.image)
                seen = Double(tiled.seenPixels) / Double(rows * columns)
                probabilities = .runs(tiled.probabilities, levels: tiled.levels)
            } else {
                way = .tiles(tiled, overview)
            }
        }
    }

    private mutating func predict(_ picture: DisplayImage) throws {
        let prediction = try predictor.segment(picture, spacing: spacing, extent: extent, heatMaps: true)
        (masks, interiors) = (prediction.masks, prediction.interiors)
        (heatMaps, image) = (prediction.heatMaps, picture)
        probabilities = .pixels(prediction.probabilities)
    }

    /// What the confidence of a segment is made of, however its mask is cleaned.
    func likelihoods(_ segment: Int) -> ProbabilityRuns {
        switch probabilities {
        case .pixels(let values): ProbabilityRuns(of: masks[segment], probabilities: values[segment])
        case .runs(let runs, _): runs[segment]
        }
    }

    /// The probability of each pixel, of pictures of several tiles in steps of 1/255: what was asked to be kept.
    func exactProbabilities(_ segment: Int) -> [Float] {
        switch probabilities {
        case .pixels(let values): values[segment]
        case .runs(_, let levels): levels[segment].map { Float($0) / 255 }
        }
    }

    /// The probability of each pixel, 255 is certain: what was asked to be kept.
    func probabilities(_ segment: Int) -> [UInt8] {
        switch probabilities {
        case .pixels(let values): values[segment].map { UInt8(grey: $0 * 255) }
        case .runs(_, let levels): levels[segment]
        }
    }
}
