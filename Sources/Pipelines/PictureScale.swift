import DICOM
import Imaging
import Numbers
import SegmentAnything

/// How large the pictures of one volume are shown to the network: whole, or in tiles of so many of their pixels.
struct PictureScale: Sendable, Equatable {
    struct Tile: Sendable, Equatable {
        /// Pixels of a row.
        var side: Int
        var overlap: Int
    }

    /// Nil when pictures are taken whole.
    private(set) var tile: Tile?
    /// What a person should know of it.
    private(set) var findings: [Finding] = []

    /// Pixels of a picture that is resized to the network's input at once.
    private static let largestWhole = 1 << 28

    /// - Parameter trained: how large the model's training pictures were; nil where nothing says so.
    /// *Throws* `InputFailure.scale` for tiles in µm of a picture that does not say how large its pixels are, or too few or too many of
    /// whose pixels they hold.
    init(_ volume: Volume, _ pipeline: Pipeline, trained: TrainedScale?) throws(InputFailure) {
        let pictures = volume.pictures
        try self.init(
            rows: pictures.rows, columns: pictures.columns, spacing: volume.pixelSpacing, pipeline, trained: trained)
    }

    /// The same for pictures of this size and spacing.
    init(
        rows: Int, columns: Int, spacing: PixelSpacing?, _ pipeline: Pipeline, trained: TrainedScale?
    ) throws(InputFailure) {
        let pixelMM = spacing?.column
        guard case .tiles(let tiles) = pipeline.scale else {
            guard rows * columns <= Self.largestWhole else {
                throw .scale(
                    "\(rows) × \(columns) pixels are too many for a pipeline that takes pictures as a whole.",
                    cure: "Use a pipeline with preprocess.scale tiles, or export a smaller picture.")
            }
            guard let spacing, let field = trained?.fieldMM else { return }
            let own = max(Double(rows) * spacing.row, Double(columns) * spacing.column)
            compare(own, field, "The picture is", "the model's training pictures were")
            return
        }
        switch tiles.side {
        case .micrometres(let side):
            guard let pixelMM else {
                throw .scale(
                    "the pipeline cuts tiles in µm, and the picture does not say how large its pixels are.",
                    cure: "Give the spacing in a sidecar, or use a pipeline whose tiles are in pixels.")
            }
            try setTile(side / 1000 / pixelMM, tiles.overlap / 1000 / pixelMM)
            if let trained = trained?.pixelMM, pixelMM > trained * TrainedScale.tolerance {
                compare(pixelMM, trained, "A pixel is", "the model's training pictures had")
            }
        case .pixels(let side):
            var factor = 1.0
            if let pixelMM, let trained = trained?.pixelMM, !TrainedScale.areAlike(pixelMM, trained) {
                if tiles.resamples { factor = trained / pixelMM }
                compare(pixelMM, trained, "A pixel is", "the model's training pictures had", resampled: tiles.resamples)
            }
            try setTile(Double(side) * factor, tiles.overlap * factor)
        }
    }

    private mutating func setTile(_ side: Double, _ overlap: Double) throws(InputFailure) {
        guard let pixels = Int(rounding: side, in: 16...16_384) else {
            throw .scale(
                "a tile would be \(NumberText.short(side)) of the picture's pixels a side.",
                cure: "Check the picture's spacing, or use a pipeline made for such pictures.")
        }
        tile = Tile(side: pixels, overlap: Int(rounding: overlap, clampedTo: 0...pixels / 2))
    }

    private mutating func compare(
        _ own: Double, _ trained: Double, _ what: String, _ whatTrained: String, resampled: Bool = false
    ) {
        guard !TrainedScale.areAlike(own, trained) else { return }
        let consequence =
            resampled
            ? "it is shown at the model's scale."
            : "things look \(own > trained ? "smaller" : "larger") to it than it knows them: look at the result closely."
        findings.append(
            Finding(
                "QC-SCALE", resampled ? .note : .warning,
                "\(what) \(Self.length(own)), \(whatTrained) \(Self.length(trained)): \(consequence)"))
    }

    /// *Units*: mm in, µm out below 0.1 mm.
    private static func length(_ mm: Double) -> String {
        mm < 0.1 ? "\(NumberText.short(mm * 1000)) µm" : "\(NumberText.short(mm)) mm"
    }
}
