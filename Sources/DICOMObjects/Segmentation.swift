package import DICOM
package import Imaging

/// A Segmentation object of one volume: BINARY, FRACTIONAL or LABELMAP.
///
/// *Source*: PS3.3 A.51, C.8.20.
package struct Segmentation: Sendable {
    /// Whole, with its UIDs.
    package let dataSet: DataSet
    /// Derived from the digest of everything in `dataSet`.
    package let sopInstanceUID: String
    /// The same for the same sources, model, pipeline and options.
    package let seriesInstanceUID: String
    /// Segments that are in the object, and its frames.
    package let selection: FrameSelection
    /// What could not be copied of the source, and what it lacks; for the report.
    package let notes: [String]
    /// Attributes that stand as in the source, legal or not.
    package let kept: Set<Tag>
    private let volume: Volume
    private let content: Content
    private let segments: [SegmentDescription]
    private let options: Options

    /// What was found. *Shape*: `masks[segment][frame]`, `probabilities[segment][frame][pixel]` (255 is certain), segments as described,
    /// frames in the volume's order, each on the source's grid.
    package struct Content: Sendable {
        package var masks: [[Mask]]
        /// For FRACTIONAL only.
        package var probabilities: [[[UInt8]]] = []

        package init(masks: [[Mask]], probabilities: [[[UInt8]]] = []) {
            self.masks = masks
            self.probabilities = probabilities
        }
    }

    /// Nil when no mask has a pixel and the options want no object of it.
    ///
    /// *Shape*: `masks[segment][frame]`, as in `Content`.
    /// *Throws* `mismatch` when masks and volume differ, `overlap`; else only what `check` throws.
    package init?(
        _ volume: Volume, masks: [[Mask]], segments: [SegmentDescription], producer: Producer, options: Options
    ) throws(ObjectFailure) {
        try self.init(volume, Content(masks: masks), segments: segments, producer: producer, options: options)
    }

    /// As the other; a FRACTIONAL object needs the probabilities.
    package init?(
        _ volume: Volume, _ content: Content, segments: [SegmentDescription], producer: Producer, options: Options
    ) throws(ObjectFailure) {
        try Self.check(content, volume, segments: segments.count, options.type)
        let grid = try FrameGrid(volume, options)
        let content = grid.regular.map { grid in Content(masks: content.masks.map(grid.resampled)) } ?? content
        let selection = FrameSelection(content, framePixels: grid.framePixels, options)
        guard !selection.frames.isEmpty else { return nil }
        let draft = try SegmentationDraft(
            volume, on: grid, segments: segments, producer: producer, options: options)
        let pixels = try SegmentationPixels.bytes(
            options.type, selection, masks: content.masks, probabilities: content.probabilities)
        var dataSet = draft.dataSet(
            selection, pixels: pixels, overlap: options.mayOverlap && SegmentationPixels.overlap(content.masks))
        var attributes = dataSet
        attributes[.pixelData] = nil
        sopInstanceUID = draft.uids.instance(
            .segmentationInstance, try DataSetEncoder.data(attributes, kept: draft.header.kept), pixels: pixels)
        dataSet.put(.sopInstanceUID, sopInstanceUID)
        self.dataSet = dataSet
        self.selection = selection
        self.volume = volume
        self.content = content
        self.segments = segments
        self.options = options
        seriesInstanceUID = draft.uids.series
        notes = draft.header.notes
        kept = draft.header.kept
    }

    /// Writes the object to `path`, reads it back and compares it with the masks and the volume before it gets its name.
    ///
    /// *Throws* `ObjectFailure`, `StorageFailure`.
    package func write(to path: String) throws {
        try ObjectFile.write(dataSet, kept: kept, to: path) {
            try Verification.segmentation($0, volume, content, segments: segments, options: options)
        }
    }

    /// Of a segment that is in the object, on the source's own grid unless the object has another.
    func masks(of segment: Int) -> [Mask] { content.masks[selection.segments[segment]] }

    private static func check(
        _ content: Content, _ volume: Volume, segments: Int, _ type: SegmentationType
    ) throws(ObjectFailure) {
        guard content.masks.count == segments, content.masks.allSatisfy({ $0.count == volume.frames.count }) else {
            throw .mismatch(
                "masks of \(content.masks.count) segments for \(segments) descriptions and \(volume.frames.count) frames"
            )
        }
        for mask in content.masks.joined() where mask.rows != volume.rows || mask.columns != volume.columns {
            throw .mismatch("a mask of \(mask.rows)×\(mask.columns) for frames of \(volume.rows)×\(volume.columns)")
        }
        guard type == .fractional else { return }
        let pixels = volume.rows * volume.columns
        guard content.probabilities.count == segments,
            content.probabilities.allSatisfy({ frames in
                frames.count == volume.frames.count && frames.allSatisfy { $0.count == pixels }
            })
        else { throw .mismatch("probabilities of another shape than the masks") }
    }

    /// A line of LO: backslashes and control characters replaced, cut so that it and its ending have 64 characters.
    static func line(_ text: String, ending: String = "") -> String {
        let clean = text.unicodeScalars.map {
            $0 == "\\" || $0.value < 0x20 || (0x7F...0x9F).contains($0.value) ? " " : $0
        }
        var kept = String.UnicodeScalarView()
        kept.append(contentsOf: clean.prefix(64 - ending.unicodeScalars.count))
        return String(kept) + ending
    }
}

extension FrameSelection {
    /// Of the segments that were found, by their masks; a FRACTIONAL object has those of their frames that have a probability.
    init(_ content: Segmentation.Content, framePixels: Int, _ options: Segmentation.Options) {
        var occupied = content.masks.map { $0.map { !$0.isEmpty } }
        if options.type == .fractional {
            for (segment, frames) in content.probabilities.enumerated() where occupied[segment].contains(true) {
                occupied[segment] = frames.map { $0.contains { $0 != 0 } }
            }
        }
        self.init(occupied: occupied, framePixels: framePixels, options)
    }
}
