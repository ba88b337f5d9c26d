package import DICOM
import Imaging
import Numbers

extension Verification {
    /// The file holds exactly these masks (or probabilities), each at the place of its source frame.
    ///
    /// Frames are placed by what the *file* says (referenced instance and frame, position, orientation), not by their index, and
    /// compared pixel by pixel. *Shape*: as composed. *Throws* `verify`. *Cost*: one pass over the file's pixels.
    package static func segmentation(
        _ written: WrittenObject, _ volume: Volume, _ content: Segmentation.Content, segments: [SegmentDescription],
        options: Segmentation.Options
    ) throws(ObjectFailure) {
        try identity(written, volume)
        let grid = try FrameGrid(volume, options)
        let found = FrameSelection(content, framePixels: grid.framePixels, options)
        try self.segments(written, found.segments.map { segments[$0] }, options.type)
        let pixels = try WrittenPixels(written, grid, options.type)
        var counts = [Int](repeating: 0, count: found.segments.count)
        let numbers = options.type == .labelmap ? 0...0 : 1...max(1, found.segments.count)
        try visitFrames(of: written.dataSet, volume, grid, segments: numbers) {
            frame, segment, source throws(ObjectFailure) in
            switch options.type {
            case .binary:
                counts[segment - 1] += try pixels.count(frame, same: content.masks[found.segments[segment - 1]][source])
            case .fractional:
                try pixels.check(frame, same: content.probabilities[found.segments[segment - 1]][source])
            case .labelmap:
                let masks = found.segments.map { content.masks[$0][source] }
                for (number, count) in try pixels.counts(frame, same: masks).enumerated() { counts[number] += count }
            }
        }
        guard options.type != .fractional else { return }
        for (index, segment) in found.segments.enumerated() {
            let wanted = content.masks[segment].reduce(0) { $0 + $1.count }
            guard counts[index] == wanted else {
                throw .verify("segment \(index + 1) has \(counts[index]) pixels instead of \(wanted)")
            }
        }
    }

    /// The file holds exactly these objects, each at the place of its source frame, under its number. *Throws* `verify`.
    package static func instances(
        _ written: WrittenObject, _ volume: Volume, _ labels: InstanceLabels, segments: [SegmentDescription],
        options: Segmentation.Options
    ) throws(ObjectFailure) {
        try identity(written, volume)
        let grid = try FrameGrid(volume, options)
        try self.segments(written, segments, .labelmap)
        let pixels = try WrittenPixels(written, grid, .labelmap)
        var seen: [Int] = []
        try visitFrames(of: written.dataSet, volume, grid, segments: 0...0) {
            frame, _, source throws(ObjectFailure) in
            try pixels.check(frame, same: try labels.frame(source))
            seen.append(source)
        }
        guard seen.sorted() == labels.occupied else { throw .verify("objects are missing") }
    }

    /// Every frame of the file with the segment that it names (0: all) and its source frame, by what the file says.
    ///
    /// *Throws* `verify` where a frame names no source, another segment, or one of both twice, or stands out of order; what `body` throws.
    private static func visitFrames(
        of dataSet: DataSet, _ volume: Volume, _ grid: FrameGrid, segments numbers: ClosedRange<Int>,
        _ body: (_ frame: Int, _ segment: Int, _ source: Int) throws(ObjectFailure) -> Void
    ) throws(ObjectFailure) {
        let groups = dataSet.items(.perFrameFunctionalGroupsSequence)
        let sources = SourceFrames(volume)
        let shared = dataSet.item(.sharedFunctionalGroupsSequence) ?? DataSet()
        var seen = Set<Int>()
        var lastIndex: [Int] = []
        for (frame, group) in groups.enumerated() {
            let segment = group.item(.segmentIdentificationSequence)?.int(.referencedSegmentNumber) ?? 0
            guard numbers.contains(segment) else { throw .verify("frame \(frame + 1) names segment \(segment)") }
            let source: Int
            if let regular = grid.regular {
                source = try sources.slice(of: group, shared: shared, regular, frame: frame + 1)
            } else {
                source = try sources.source(of: group, shared: shared, frame: frame + 1)
            }
            guard seen.insert(segment * grid.sources.count + source).inserted else {
                throw .verify("frame \(frame + 1) repeats segment \(segment) on one source frame")
            }
            let index = group.item(.frameContentSequence)?.ints(.dimensionIndexValues) ?? []
            guard segment == 0 || index.first == segment, lastIndex.lexicographicallyPrecedes(index) || frame == 0
            else { throw .verify("frame \(frame + 1) is out of order by its dimension indices") }
            lastIndex = index
            try body(frame, segment, source)
        }
    }

    /// Patient, study, references: those of the volume, byte for byte.
    static func identity(_ written: WrittenObject, _ volume: Volume) throws(ObjectFailure) {
        try patientAndStudy(written, volume)
        let references = Set(volume.instances.map(\.sopInstanceUID))
        let named = written.dataSet.items(.referencedSeriesSequence)
        guard named.count == 1, named[0].string(.seriesInstanceUID) == volume.seriesInstanceUID,
            Set(
                named[0].items(.referencedInstanceSequence).compactMap {
                    $0.string(.referencedSOPInstanceUID)
                }) == references
        else { throw .verify("the referenced series is not the source's") }
    }

    /// Patient and study: those of the volume, byte for byte.
    static func patientAndStudy(_ written: WrittenObject, _ volume: Volume) throws(ObjectFailure) {
        let (dataSet, source) = (written.dataSet, volume.patientAndStudy)
        guard dataSet.uid(.studyInstanceUID) == volume.studyInstanceUID else {
            throw .verify("another study than the source's")
        }
        for attribute in IdentityAttributes.all where attribute.vr != .SQ {
            guard case .bytes(var wanted)? = source[attribute]?.value else { continue }
            if wanted.count % 2 == 1 { wanted.append(0x20) }
            guard dataSet.bytes(attribute) == wanted else {
                throw .verify("\(attribute.keyword) differs from the source's")
            }
        }
        let (own, others) = (dataSet.characterSet, source.characterSet)
        let isPlain = IdentityAttributes.all.allSatisfy {
            source.bytes($0.tag)?.allSatisfy { $0 < 0x80 && $0 != 0x1B } ?? true
        }
        guard own == others || (own == "ISO_IR 192" && isPlain) else {
            throw .verify("another character set than the source's")
        }
        guard dataSet.string(.instanceCreatorUID) == InstanceCreator.results else { throw .verify("another creator") }
    }

    /// Number, label, type and colour of each segment.
    static func segments(
        _ written: WrittenObject, _ segments: [SegmentDescription], _ type: SegmentationType
    ) throws(ObjectFailure) {
        var items = written.dataSet.items(.segmentSequence)
        if type == .labelmap {
            guard items.first?.int(.segmentNumber) == 0 else { throw .verify("the background is not described") }
            items.removeFirst()
        }
        guard items.count == segments.count else {
            throw .verify("\(items.count) segments instead of \(segments.count)")
        }
        for (index, (item, segment)) in zip(items, segments).enumerated() {
            guard item.int(.segmentNumber) == index + 1 else {
                throw .verify("segment \(index + 1) has another number")
            }
            guard item.string(.segmentLabel) == segment.label.trimmed else {
                throw .verify("segment \(index + 1) has another label")
            }
            let type = item.item(.segmentedPropertyTypeCodeSequence)
            let code = type?.string(.codeValue) ?? type?.string(.longCodeValue)
            guard code == segment.type.value.trimmed else { throw .verify("segment \(index + 1) has another type") }
            guard item.ints(.recommendedDisplayCIELabValue).count == 3 else {
                throw .verify("segment \(index + 1) has no colour")
            }
        }
    }
}

extension String {
    /// A text as readers see it: blanks around a value mean nothing.
    var trimmed: String {
        var text = Substring(self)
        while text.first == " " { text.removeFirst() }
        while text.last == " " { text.removeLast() }
        return String(text)
    }
}

/// Finds the source frame that a frame of a segmentation belongs to, by what the file says.
struct SourceFrames {
    private let volume: Volume
    private let isSpatial: Bool
    private var byReference: [String: Int] = [:]
    private static let toleranceMM = 1e-4

    init(_ volume: Volume) {
        self.volume = volume
        isSpatial = volume.hasPlace
        for (index, frame) in volume.frames.enumerated() {
            byReference[
                Self.key(frame.instance.sopInstanceUID, frame.instance.pixels.frames > 1 ? frame.number : nil)] = index
        }
    }

    private static func key(_ uid: String, _ frame: Int?) -> String { "\(uid)#\(frame ?? 0)" }

    /// The frame of the volume that an item of references names; nil when it names none.
    func index(of reference: DataSet) -> Int? {
        guard let uid = reference.string(.referencedSOPInstanceUID) else { return nil }
        return byReference[Self.key(uid, reference.int(.referencedFrameNumber))]
    }

    /// *Throws* `verify` when the tile does not lie in the matrix where its source does.
    private func check(_ group: DataSet, lies origin: SlideMatrix.Origin, frame: Int) throws(ObjectFailure) {
        let place = group.item(.planePositionSlideSequence)
        guard place?.int(.rowPositionInTotalImagePixelMatrix) == origin.row + 1,
            place?.int(.columnPositionInTotalImagePixelMatrix) == origin.column + 1
        else { throw .verify("frame \(frame) does not lie on the slide where its source does") }
    }

    /// The slice of a regular grid that a frame lies on. *Throws* `verify` when it lies on none, or names another source than the slice is
    /// made of.
    func slice(
        of group: DataSet, shared: DataSet, _ grid: RegularGrid, frame: Int
    ) throws(ObjectFailure) -> Int {
        let position = group.item(.planePositionSequence)?.doubles(.imagePositionPatient) ?? []
        let orientation = shared.item(.planeOrientationSequence)?.doubles(.imageOrientationPatient) ?? []
        let spacing = shared.item(.pixelMeasuresSequence)?.double(.spacingBetweenSlices) ?? 0
        guard position.count == 3, orientation.count == 6 else { throw .verify("frame \(frame) has no place") }
        let place = Vector3(position[0], position[1], position[2])
        let slice = Int(
            rounding: ((place - grid.plane.position).dot(grid.plane.normal) / grid.step).rounded(),
            clampedTo: 0...grid.sources.count - 1)
        let row = Vector3(orientation[0], orientation[1], orientation[2])
        guard (place - grid.position(slice)).length <= Self.toleranceMM, abs(spacing - grid.step) <= 1e-6,
            row.dot(grid.plane.rowCosine) > 0.999 * row.length
        else { throw .verify("frame \(frame) does not lie on the regular grid") }
        let image = group.item(.derivationImageSequence)?.item(.sourceImageSequence) ?? DataSet()
        guard index(of: image) == grid.sources[slice] else {
            throw .verify("frame \(frame) names another source than its slice is made of")
        }
        return slice
    }

    /// *Throws* `verify` when the reference names no source, or the position is not that source's.
    func source(of group: DataSet, shared: DataSet, frame: Int) throws(ObjectFailure) -> Int {
        let derivations = group.items(.derivationImageSequence)
        let references = derivations.first?.items(.sourceImageSequence) ?? []
        guard derivations.count == 1, references.count == 1,
            let source = index(of: references[0])
        else { throw .verify("frame \(frame) refers to no frame of the source") }
        if let slide = volume.slide {
            try check(group, lies: slide.origins[source], frame: frame)
            return source
        }
        guard isSpatial, let plane = volume.frames[source].plane else { return source }
        let position = group.item(.planePositionSequence)?.doubles(.imagePositionPatient) ?? []
        let orientation = (group.item(.planeOrientationSequence) ?? shared.item(.planeOrientationSequence) ?? DataSet())
            .doubles(.imageOrientationPatient)
        let wanted = plane.position
        guard position.count == 3, orientation.count == 6,
            (Vector3(position[0], position[1], position[2]) - wanted).length <= Self.toleranceMM
        else { throw .verify("frame \(frame) does not lie where its source does") }
        // The reader of sources normalises directions; strings in a file may have few digits.
        let row = Vector3(orientation[0], orientation[1], orientation[2])
        let column = Vector3(orientation[3], orientation[4], orientation[5])
        guard row.dot(plane.rowCosine) > 0.999 * row.length, column.dot(plane.columnCosine) > 0.999 * column.length
        else {
            throw .verify("frame \(frame) is turned against its source")
        }
        return source
    }
}
