package import DICOM
package import Imaging

/// A BINARY Segmentation object of one volume.
///
/// *Source*: PS3.3 A.51, C.8.20; the design page on DICOM, section 4.
package struct Segmentation: Sendable {
    /// What a pipeline decides about its objects.
    package struct Options: Sendable {
        /// What becomes of source frames in which a segment is empty.
        package var emptyFrames = FrameSelection.EmptyFrames.span
        /// Sources without Frame of Reference get an invented one, so that readers which insist on geometry open the result.
        package var syntheticGeometry = false
        /// Content Label (0070,0080): at most 16 capital letters, digits, spaces, underscores.
        package var label = "HSPSAM"
        /// Series Number (0020,0011).
        package var seriesNumber = 9000
        /// Segments may share pixels (sigmoid outputs); they are then counted.
        package var mayOverlap = false
        /// Makes all derived UIDs others.
        package var salt = ""
        /// Instead of the sources' own time.
        package var time: JobTime?

        /// The defaults.
        package init() {}
    }

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
    private let masks: [[Mask]]
    private let segments: [SegmentDescription]
    private let options: Options

    /// Nil when no mask has a pixel: nothing was found, so no object is written.
    ///
    /// *Shape*: `masks[segment][frame]`, segments as described, frames in the volume's order, each on the source's grid.
    /// *Throws* `mismatch` when masks and volume differ; else only what `check` throws.
    package init?(
        _ volume: Volume, masks: [[Mask]], segments: [SegmentDescription], producer: Producer, options: Options
    ) throws(ObjectFailure) {
        guard masks.count == segments.count, masks.allSatisfy({ $0.count == volume.frames.count }) else {
            throw .mismatch(
                "masks of \(masks.count) segments for \(segments.count) descriptions and \(volume.frames.count) frames")
        }
        for mask in masks.joined() where mask.rows != volume.rows || mask.columns != volume.columns {
            throw .mismatch("a mask of \(mask.rows)×\(mask.columns) for frames of \(volume.rows)×\(volume.columns)")
        }
        let selection = FrameSelection(masks, emptyFrames: options.emptyFrames)
        guard !selection.frames.isEmpty else { return nil }
        let draft = try SegmentationDraft(volume, segments: segments, producer: producer, options: options)
        let pixels = BitPacking.pack(selection.frames.map { masks[selection.segments[$0.segment - 1]][$0.source] })
        var dataSet = draft.dataSet(
            selection, pixels: pixels, overlap: options.mayOverlap && Self.overlap(masks))
        var attributes = dataSet
        attributes[.pixelData] = nil
        sopInstanceUID = draft.uids.instance(
            attributes: try DataSetEncoder.data(attributes, kept: draft.kept), pixels: pixels)
        dataSet.put(.sopInstanceUID, sopInstanceUID)
        self.dataSet = dataSet
        self.selection = selection
        self.volume = volume
        self.masks = masks
        self.segments = segments
        self.options = options
        seriesInstanceUID = draft.uids.series
        notes = draft.notes
        kept = draft.kept
    }

    /// Writes the object to `path`, reads it back and compares it with the masks and the volume before it gets its name.
    ///
    /// *Throws* `ObjectFailure`, `StorageFailure`.
    package func write(to path: String) throws {
        try ObjectFile.write(dataSet, kept: kept, to: path) {
            try Verification.segmentation($0, volume, masks: masks, segments: segments, options: options)
        }
    }

    /// Any pixel of any frame in two segments.
    private static func overlap(_ masks: [[Mask]]) -> Bool {
        guard let frames = masks.first?.indices else { return false }
        return frames.contains { frame in
            var seen = [UInt8](repeating: 0, count: masks[0][frame].bits.count)
            for segment in masks {
                for (index, byte) in segment[frame].bits.enumerated() {
                    if seen[index] & byte != 0 { return true }
                    seen[index] |= byte
                }
            }
            return false
        }
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
