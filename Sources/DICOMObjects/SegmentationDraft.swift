import DICOM
import Imaging

/// Everything of a segmentation that does not depend on its masks.
struct SegmentationDraft {
    let volume: Volume
    let segments: [SegmentDescription]
    let producer: Producer
    let options: Segmentation.Options
    /// Nil when no source has a date.
    let time: JobTime?
    let geometry: FrameGeometry?
    let uids: ResultUIDs
    /// For the report.
    private(set) var notes: [String]
    /// Attributes that stand as in the source, legal or not.
    private(set) var kept: Set<Tag>
    private let copied: DataSet
    private let contributions: [DataSet]
    private let text: ResultText

    /// *Throws* `source` when the source lacks what a result must name, or holds what none can carry.
    init(
        _ volume: Volume, segments: [SegmentDescription], producer: Producer, options: Segmentation.Options
    ) throws(ObjectFailure) {
        self.volume = volume
        self.segments = segments
        self.producer = producer
        self.options = options
        try Self.checkReferences(volume)
        time = options.time ?? JobTime.latest(of: volume.instances.map(\.dataSet))
        uids = ResultUIDs(volume, segments, producer, options, time)
        geometry =
            FrameGeometry(volume, salt: options.salt)
            ?? (options.syntheticGeometry
                ? FrameGeometry(synthetic: volume, frameOfReferenceUID: uids.syntheticFrameOfReference) : nil)

        let source = volume.patientAndStudy
        var copy = SourceCopy(source)
        var copied = DataSet()
        try copy.copyPatientAndStudy(into: &copied)
        // Not the series' side: beside most body parts the standard forbids it, and the type's modifier tells it.
        try copy.copy([.timezoneOffsetFromUTC, .bodyPartExamined], .type3, into: &copied)
        if geometry?.isSynthetic == false {
            try copy.copy([.positionReferenceIndicator], .type2, into: &copied)
        }
        try Lossy.put(volume.instances, into: &copied)
        contributions = try Equipment.contributions(source, producer, time)
        var all = copied
        all.put(.contributingEquipmentSequence, items: contributions.dropLast())
        all[.seriesDescription] = source[.seriesDescription]
        text = ResultText(source: source, copied: all, own: producer.texts + segments.flatMap(\.texts))
        notes = copy.notes
        kept = copy.kept
        if let declared = text.declared {
            copied[declared.tag] = declared
            kept.insert(declared.tag)
        }
        self.copied = copied
        if producer.texts.contains(where: { text.main($0) != $0 }) {
            notes.append(
                "letters of the pipeline's own texts that the source's character set may not have are written as ?")
        }
        if time == nil { notes.append("no date in the source: Content Date of the result is 1970-01-01") }
    }

    /// The object without its SOP Instance UID.
    func dataSet(_ selection: FrameSelection, pixels: [UInt8], overlap: Bool) -> DataSet {
        var dataSet = copied
        putSOPCommon(into: &dataSet)
        putSeriesAndEquipment(into: &dataSet)
        putReferences(into: &dataSet)
        dataSet.put(.segmentationType, "BINARY")
        dataSet.put(.segmentsOverlap, overlap ? "YES" : "NO")
        dataSet.put(.contentLabel, options.label)
        let synthetic = geometry?.isSynthetic == true ? " GEOMETRY SYNTHETIC" : ""
        dataSet.put(
            .contentDescription,
            text.main(Segmentation.line("\(producer.pipelineName) \(producer.pipelineVersion)", ending: synthetic)))
        dataSet.put(.contentCreatorName, "hspsam^automatic")
        dataSet.put(
            .segmentSequence,
            items: selection.segments.enumerated().map { item(number: $0 + 1, segments[$1]) })
        FunctionalGroups(volume: volume, selection: selection, geometry: geometry, dimensions: uids.dimensions)
            .put(into: &dataSet)
        putPixels(pixels, frames: selection.frames.count, into: &dataSet)
        return dataSet
    }

    /// One item of the Segment Sequence.
    func item(number: Int, _ segment: SegmentDescription) -> DataSet {
        text.item(SegmentItem.item(number: number, segment, producer, trackingUID: uids.tracking(segment)))
    }

    /// A result names its sources by their UIDs: one that is not legal cannot be named.
    private static func checkReferences(_ volume: Volume) throws(ObjectFailure) {
        for instance in volume.instances {
            let named: [(Attribute, String)] = [
                (.studyInstanceUID, instance.studyInstanceUID), (.seriesInstanceUID, instance.seriesInstanceUID),
                (.sopInstanceUID, instance.sopInstanceUID), (.sopClassUID, instance.sopClassUID),
                (.frameOfReferenceUID, instance.frameOfReferenceUID ?? instance.sopInstanceUID),
            ]
            for (attribute, uid) in named where !UID.isAccepted(uid) {
                throw .source(tag: attribute.tag, keyword: attribute.keyword, what: "no UID of digits and dots")
            }
        }
    }

    private func putSOPCommon(into dataSet: inout DataSet) {
        dataSet.put(.sopClassUID, SOPClass.segmentationStorage.uid)
        dataSet.put(.instanceCreatorUID, InstanceCreator.results)
        if let time {
            dataSet.put(.instanceCreationDate, time.date)
            dataSet.put(.instanceCreationTime, time.time)
        }
        dataSet.put(
            .contributingEquipmentSequence, items: contributions.dropLast() + contributions.suffix(1).map(text.item))
    }

    private func putSeriesAndEquipment(into dataSet: inout DataSet) {
        dataSet.put(.modality, "SEG")
        dataSet.put(.seriesInstanceUID, uids.series)
        dataSet.put(.seriesNumber, options.seriesNumber)
        dataSet[.seriesDescription] = text.line(
            "AI SEG \(producer.pipelineName)", then: .seriesDescription, of: volume.first.dataSet)
        if let time {
            dataSet.put(.seriesDate, time.date)
            dataSet.put(.seriesTime, time.time)
        }
        let content = time ?? .unknown
        dataSet.put(.contentDate, content.date)
        dataSet.put(.contentTime, content.time)
        if let geometry {
            dataSet.put(.frameOfReferenceUID, geometry.frameOfReferenceUID)
            if geometry.isSynthetic { dataSet.putEmpty(.positionReferenceIndicator) }
        } else {
            dataSet.putEmpty(.patientOrientation)
        }
        Equipment.put(producer, text, into: &dataSet)
        dataSet.put(.imageType, ["DERIVED", "PRIMARY"])
        dataSet.put(.instanceNumber, 1)
        dataSet.put(.burnedInAnnotation, "NO")
    }

    /// Source Image Sequence and Referenced Series Sequence: viewers list a result by the latter.
    private func putReferences(into dataSet: inout DataSet) {
        let references = volume.instances.map { instance in
            DataSet(composing: {
                $0.put(.referencedSOPClassUID, instance.sopClassUID)
                $0.put(.referencedSOPInstanceUID, instance.sopInstanceUID)
            })
        }
        dataSet.put(.sourceImageSequence, items: references)
        dataSet.put(
            .referencedSeriesSequence,
            item: DataSet(composing: {
                $0.put(.seriesInstanceUID, volume.seriesInstanceUID)
                $0.put(.referencedInstanceSequence, items: references)
            }))
    }

    private func putPixels(_ pixels: [UInt8], frames: Int, into dataSet: inout DataSet) {
        dataSet.put(.samplesPerPixel, 1)
        dataSet.put(.photometricInterpretation, "MONOCHROME2")
        dataSet.put(.rows, volume.rows)
        dataSet.put(.columns, volume.columns)
        dataSet.put(.bitsAllocated, 1)
        dataSet.put(.bitsStored, 1)
        dataSet.put(.highBit, 0)
        dataSet.put(.pixelRepresentation, 0)
        dataSet.put(.numberOfFrames, frames)
        dataSet.put(.pixelData, bytes: pixels)
    }
}
