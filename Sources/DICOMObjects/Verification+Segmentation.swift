package import DICOM
package import Imaging

extension Verification {
    /// The file holds exactly these masks, each at the place of its source frame.
    ///
    /// Frames are placed by what the *file* says (referenced instance and frame, position, orientation), not by their index, and
    /// compared pixel by pixel. *Shape*: `masks[segment][frame]`, as composed. *Throws* `verify`.
    package static func segmentation(
        _ file: DICOMFile, _ volume: Volume, masks: [[Mask]], segments: [SegmentDescription],
        options: Segmentation.Options
    ) throws(ObjectFailure) {
        let dataSet = file.dataSet
        try checkIdentity(dataSet, volume)
        let found = FrameSelection(masks, emptyFrames: options.emptyFrames)
        try checkSegments(dataSet, found.segments.map { segments[$0] })

        let (rows, columns) = (dataSet.int(.rows) ?? 0, dataSet.int(.columns) ?? 0)
        guard rows == volume.rows, columns == volume.columns else {
            throw .verify("\(rows)×\(columns) pixels instead of \(volume.rows)×\(volume.columns)")
        }
        let groups = dataSet.items(.perFrameFunctionalGroupsSequence)
        guard groups.count == dataSet.int(.numberOfFrames) else {
            throw .verify("\(groups.count) functional groups for another number of frames")
        }
        guard let element = dataSet[.pixelData] else { throw .verify("no Pixel Data") }
        let bits = try bytes(element, of: file)
        let pixels = rows * columns
        let length = (pixels * groups.count + 7) / 8
        guard bits.count == length + length % 2 else {
            throw .verify("\(bits.count) bytes of pixels for \(groups.count) frames of \(pixels) bits")
        }

        let places = FramePlaces(volume)
        var seen = Set<Int>()
        var counts = [Int](repeating: 0, count: found.segments.count)
        var lastIndex: [Int] = []
        for (frame, group) in groups.enumerated() {
            let segment = group.item(.segmentIdentificationSequence)?.int(.referencedSegmentNumber) ?? 0
            guard (1...found.segments.count).contains(segment) else {
                throw .verify("frame \(frame + 1) names segment \(segment)")
            }
            let source = try places.source(
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

    /// Patient, study, references: those of the volume.
    private static func checkIdentity(_ dataSet: DataSet, _ volume: Volume) throws(ObjectFailure) {
        let source = volume.first.dataSet
        guard dataSet.string(.studyInstanceUID) == volume.studyInstanceUID else {
            throw .verify("another study than the source's")
        }
        for attribute in [Attribute.patientName, .patientID, .patientBirthDate, .patientSex, .accessionNumber] {
            guard let text = dataSet.text(attribute.tag) else { continue }
            guard text == source.text(attribute.tag) else {
                throw .verify("\(attribute.keyword) differs from the source's")
            }
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

    private static func checkSegments(_ dataSet: DataSet, _ segments: [SegmentDescription]) throws(ObjectFailure) {
        let items = dataSet.items(.segmentSequence)
        guard items.count == segments.count else {
            throw .verify("\(items.count) segments instead of \(segments.count)")
        }
        for (index, (item, segment)) in zip(items, segments).enumerated() {
            guard item.int(.segmentNumber) == index + 1 else {
                throw .verify("segment \(index + 1) has another number")
            }
            guard item.string(.segmentLabel) == segment.label else {
                throw .verify("segment \(index + 1) has another label")
            }
            let type = item.item(.segmentedPropertyTypeCodeSequence)
            let code = type?.string(.codeValue) ?? type?.string(.longCodeValue)
            guard code == segment.type.value else { throw .verify("segment \(index + 1) has another type") }
            guard item.ints(.recommendedDisplayCIELabValue).count == 3 else {
                throw .verify("segment \(index + 1) has no colour")
            }
        }
    }
}

/// Finds the source frame that a frame of a segmentation belongs to, from the file's own words.
private struct FramePlaces {
    private let volume: Volume
    private let hasPlace: Bool
    private var byReference: [String: Int] = [:]
    private static let toleranceMM = 1e-4

    init(_ volume: Volume) {
        self.volume = volume
        hasPlace = volume.kind == .spatial && volume.frameOfReferenceUID != nil
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
        guard hasPlace, let plane = volume.frames[source].plane else { return source }
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
