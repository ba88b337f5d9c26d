package import DICOM
package import Imaging

extension Verification {
    /// The file holds exactly these masks, each at the place of its source frame.
    ///
    /// Frames are placed by what the *file* says (referenced instance and frame, position, orientation), not by their index, and
    /// compared pixel by pixel. *Shape*: `masks[segment][frame]`, as composed. *Throws* `verify`.
    package static func segmentation(
        _ written: WrittenObject, _ volume: Volume, masks: [[Mask]], segments: [SegmentDescription],
        options: Segmentation.Options
    ) throws(ObjectFailure) {
        let dataSet = written.dataSet
        try identity(written, volume)
        let found = FrameSelection(masks, emptyFrames: options.emptyFrames)
        try self.segments(written, found.segments.map { segments[$0] })

        let (rows, columns) = (dataSet.int(.rows) ?? 0, dataSet.int(.columns) ?? 0)
        guard rows == volume.rows, columns == volume.columns else {
            throw .verify("\(rows)×\(columns) pixels instead of \(volume.rows)×\(volume.columns)")
        }
        let groups = dataSet.items(.perFrameFunctionalGroupsSequence)
        guard groups.count == dataSet.int(.numberOfFrames) else {
            throw .verify("\(groups.count) functional groups for another number of frames")
        }
        guard let element = dataSet[.pixelData] else { throw .verify("no Pixel Data") }
        let bits = Array(try written.value(of: element))
        let pixels = rows * columns
        let length = (pixels * groups.count + 7) / 8
        guard bits.count == length + length % 2 else {
            throw .verify("\(bits.count) bytes of pixels for \(groups.count) frames of \(pixels) bits")
        }

        let sources = SourceFrames(volume)
        var seen = Set<Int>()
        var counts = [Int](repeating: 0, count: found.segments.count)
        var lastIndex: [Int] = []
        for (frame, group) in groups.enumerated() {
            let segment = group.item(.segmentIdentificationSequence)?.int(.referencedSegmentNumber) ?? 0
            guard (1...found.segments.count).contains(segment) else {
                throw .verify("frame \(frame + 1) names segment \(segment)")
            }
            let source = try sources.source(
                of: group, shared: dataSet.item(.sharedFunctionalGroupsSequence) ?? DataSet(), frame: frame + 1)
            guard seen.insert((segment - 1) * volume.frames.count + source).inserted else {
                throw .verify("frame \(frame + 1) repeats segment \(segment) on one source frame")
            }
            let index = group.item(.frameContentSequence)?.ints(.dimensionIndexValues) ?? []
            guard index.first == segment, lastIndex.lexicographicallyPrecedes(index) || (frame == 0) else {
                throw .verify("frame \(frame + 1) is out of order by its dimension indices")
            }
            lastIndex = index
            let mask = masks[found.segments[segment - 1]][source]
            for pixel in 0..<pixels {
                let isSet = BitPacking.pixel(bits, frame: frame, index: pixel, pixels: pixels)
                if isSet != mask[pixel] { throw .verify("frame \(frame + 1), pixel \(pixel) differs from the mask") }
                if isSet { counts[segment - 1] += 1 }
            }
        }
        for (index, segment) in found.segments.enumerated() {
            let wanted = masks[segment].reduce(0) { $0 + $1.count }
            guard counts[index] == wanted else {
                throw .verify("segment \(index + 1) has \(counts[index]) pixels instead of \(wanted)")
            }
        }
        for bit in pixels * groups.count..<bits.count * 8 where bits[bit >> 3] >> UInt8(bit & 7) & 1 == 1 {
            throw .verify("padding behind the last frame is not zero")
        }
    }

    /// Patient, study, references: those of the volume, byte for byte.
    static func identity(_ written: WrittenObject, _ volume: Volume) throws(ObjectFailure) {
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
        let references = Set(volume.instances.map(\.sopInstanceUID))
        let named = dataSet.items(.referencedSeriesSequence)
        guard named.count == 1, named[0].string(.seriesInstanceUID) == volume.seriesInstanceUID,
            Set(
                named[0].items(.referencedInstanceSequence).compactMap {
                    $0.string(.referencedSOPInstanceUID)
                }) == references
        else { throw .verify("the referenced series is not the source's") }
    }

    /// Number, label, type and colour of each segment.
    static func segments(_ written: WrittenObject, _ segments: [SegmentDescription]) throws(ObjectFailure) {
        let items = written.dataSet.items(.segmentSequence)
        guard items.count == segments.count else {
            throw .verify("\(items.count) segments instead of \(segments.count)")
        }
        for (index, (item, segment)) in zip(items, segments).enumerated() {
            guard item.int(.segmentNumber) == index + 1 else {
                throw .verify("segment \(index + 1) has another number")
            }
            guard item.string(.segmentLabel) == trimmed(segment.label) else {
                throw .verify("segment \(index + 1) has another label")
            }
            let type = item.item(.segmentedPropertyTypeCodeSequence)
            let code = type?.string(.codeValue) ?? type?.string(.longCodeValue)
            guard code == trimmed(segment.type.value) else { throw .verify("segment \(index + 1) has another type") }
            guard item.ints(.recommendedDisplayCIELabValue).count == 3 else {
                throw .verify("segment \(index + 1) has no colour")
            }
        }
    }
}

/// A text as readers see it: blanks around a value mean nothing.
private func trimmed(_ text: String) -> String {
    var text = Substring(text)
    while text.first == " " { text.removeFirst() }
    while text.last == " " { text.removeLast() }
    return String(text)
}

/// Finds the source frame that a frame of a segmentation belongs to, by what the file says.
private struct SourceFrames {
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

    /// *Throws* `verify` when the reference names no source, or the position is not that source's.
    func source(of group: DataSet, shared: DataSet, frame: Int) throws(ObjectFailure) -> Int {
        let derivations = group.items(.derivationImageSequence)
        let references = derivations.first?.items(.sourceImageSequence) ?? []
        guard derivations.count == 1, references.count == 1,
            let uid = references[0].string(.referencedSOPInstanceUID),
            let source = byReference[Self.key(uid, references[0].int(.referencedFrameNumber))]
        else { throw .verify("frame \(frame) refers to no frame of the source") }
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
