package import DICOM
package import Imaging

/// A LABELMAP segmentation in which each object of a picture or slide is a segment, so that every one of them can be found, named and
/// corrected by itself.
///
/// Segments are numbered through the segments of the pipeline, their pictures and the objects there, in the order of `objects.csv`.
package struct InstanceSegmentation: Sendable {
    /// Segment Number (0062,0004) is US.
    package static let largestCount = 65535

    /// Whole, with its UIDs.
    package let dataSet: DataSet
    /// Attributes that stand as in the source, legal or not.
    package let kept: Set<Tag>
    private let volume: Volume
    private let labels: InstanceLabels
    /// One an object.
    package let segments: [SegmentDescription]
    private let options: Segmentation.Options

    /// Nil of no objects.
    ///
    /// *Shape*: `objects[segment][picture]`, at most `largestCount`.
    /// - Parameter segments: of the pipeline.
    /// *Throws* `overlap` where objects of two segments share a pixel; else only what `check` throws.
    package init?(
        _ volume: Volume, _ objects: [[MaskObjects]], segments: [SegmentDescription], producer: Producer,
        options: Segmentation.Options
    ) throws(ObjectFailure) {
        let labels = try InstanceLabels(volume, objects)
        guard labels.count > 0 else { return nil }
        let described = zip(segments, objects).flatMap { segment, pictures in
            [SegmentDescription](repeating: segment, count: pictures.reduce(0) { $0 + $1.count })
        }.enumerated().map { $1.instance($0 + 1) }
        let grid = try FrameGrid(volume, options)
        let draft = try SegmentationDraft(
            volume, on: grid, segments: described, of: segments, producer: producer, options: options)
        let selection = FrameSelection(
            segments: Array(described.indices), frames: labels.occupied.map { .init(segment: 0, source: $0) })
        var pixels: [UInt8] = []
        let width = SegmentationPixels.bits(.labelmap, segments: described.count) / 8
        pixels.reserveCapacity(selection.frames.count * volume.rows * volume.columns * width + 1)
        for frame in selection.frames {
            for label in try labels.frame(frame.source) {
                pixels.append(UInt8(truncatingIfNeeded: label))
                if width == 2 { pixels.append(UInt8(label >> 8)) }
            }
        }
        if pixels.count % 2 == 1 { pixels.append(0) }
        var dataSet = draft.dataSet(selection, pixels: pixels, overlap: false)
        var attributes = dataSet
        attributes[.pixelData] = nil
        dataSet.put(
            .sopInstanceUID,
            draft.uids.instance(
                .segmentationInstance, try DataSetEncoder.data(attributes, kept: draft.header.kept), pixels: pixels))
        self.dataSet = dataSet
        kept = draft.header.kept
        self.volume = volume
        self.labels = labels
        self.segments = described
        self.options = options
    }

    /// Whether one can be composed, whatever will be found: to be asked before the first frame is inferred.
    ///
    /// *Throws* `place` for slices, whose objects reach from one to the next; what `Segmentation.check` throws.
    package static func check(
        _ volume: Volume, segments: [SegmentDescription], producer: Producer, options: Segmentation.Options
    ) throws(ObjectFailure) {
        guard !volume.reachesOverSlices else {
            throw .place(
                "each object becomes a segment in slides and pictures, and these are slices that lie in the patient",
                cure: "Use a pipeline without outputs.instances for such images.")
        }
        try Segmentation.check(volume, segments: segments, producer: producer, options: options)
    }

    /// Writes the object, reads it back and compares it with the objects, pixel by pixel, before it gets its name.
    ///
    /// *Throws* `ObjectFailure`, `StorageFailure`.
    package func write(to path: String) throws {
        try ObjectFile.write(dataSet, kept: kept, to: path) {
            try Verification.instances($0, volume, labels, segments: segments, options: options)
        }
    }
}

/// The number of the object that each pixel of each frame belongs to; 0 for none.
package struct InstanceLabels: Sendable {
    /// Where there are more objects or pixels than one object can hold.
    static let cure = "Write outputs.instances: false, or segment fewer frames at once."

    package let count: Int
    /// Frames of the volume that hold a pixel of an object, ascending.
    package let occupied: [Int]
    private let volume: Volume
    private let objects: [[MaskObjects]]
    /// `[segment][picture]`: the number before that of the first object there.
    private let before: [[Int]]

    /// *Shape*: `objects[segment][picture]`. *Throws* `mismatch`, `size`.
    package init(_ volume: Volume, _ objects: [[MaskObjects]]) throws(ObjectFailure) {
        let size = volume.pictures
        guard
            objects.allSatisfy({ pictures in
                pictures.count == size.count
                    && pictures.allSatisfy { $0.rows == size.rows && $0.columns == size.columns }
            })
        else { throw .mismatch("objects of other pictures than the volume's") }
        var count = 0
        before = objects.map { pictures in
            pictures.map { picture in
                defer { count += picture.count }
                return count
            }
        }
        guard count <= InstanceSegmentation.largestCount else { throw .size("\(count) objects", cure: Self.cure) }
        self.count = count
        self.volume = volume
        self.objects = objects
        occupied = volume.frames.indices.filter { frame in
            Self.rows(of: volume, frame).contains { row in
                objects.contains { pictures in
                    var isFound = false
                    pictures[volume.slide == nil ? frame : 0].visit(row.pixels) { _, _ in isFound = true }
                    return isFound
                }
            }
        }
    }

    /// *Shape*: `[rows · columns]` of a frame. *Throws* `overlap` where objects of two segments share a pixel.
    package func frame(_ index: Int) throws(ObjectFailure) -> [UInt16] {
        var labels = [UInt16](repeating: 0, count: volume.rows * volume.columns)
        var isShared = false
        let picture = volume.slide == nil ? index : 0
        for row in Self.rows(of: volume, index) {
            for (pictures, before) in zip(objects, before) {
                pictures[picture].visit(row.pixels) { number, pixels in
                    let label = UInt16(clamping: before[picture] + number)
                    let start = row.start + pixels.lowerBound - row.pixels.lowerBound
                    for pixel in start..<start + pixels.count {
                        if labels[pixel] != 0 { isShared = true }
                        labels[pixel] = label
                    }
                }
            }
        }
        guard !isShared else { throw .overlap }
        return labels
    }

    /// The rows of a frame: its first pixel in the frame, and its pixels in the picture, which of a slide is the whole matrix.
    private static func rows(of volume: Volume, _ frame: Int) -> [(start: Int, pixels: Range<Int>)] {
        guard let slide = volume.slide else {
            return (0..<volume.rows).map { ($0 * volume.columns, $0 * volume.columns..<($0 + 1) * volume.columns) }
        }
        let origin = slide.origins[frame]
        let width = min(volume.columns, slide.columns - origin.column)
        return (0..<min(volume.rows, slide.rows - origin.row)).map { row in
            let first = (origin.row + row) * slide.columns + origin.column
            return (row * volume.columns, first..<first + width)
        }
    }
}

extension SegmentDescription {
    /// Of one object: the segment's label and a number, in a colour that differs from its neighbours'.
    func instance(_ number: Int) -> SegmentDescription {
        var one = self
        one.key = "\(key).\(number)"
        one.label = Segmentation.line(label, ending: " \(number)")
        one.description = nil
        one.color = Self.color(number)
        return one
    }

    /// Hues by steps of the golden section of the circle: of any numbers in a row none are alike.
    private static func color(_ number: Int) -> [UInt8] {
        // Of six sectors of 256 steps.
        let hue = number * 949 % 1536
        let (sector, rise) = (hue / 256, UInt8(hue % 256))
        let (high, low) = (UInt8(255), UInt8(40))
        let (up, down) = (max(low, rise), max(low, 255 - rise))
        let sectors: [[UInt8]] = [
            [high, up, low], [down, high, low], [low, high, up], [low, down, high], [up, low, high], [high, low, down],
        ]
        return sectors[sector]
    }
}
