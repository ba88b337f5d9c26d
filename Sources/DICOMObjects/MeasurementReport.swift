package import DICOM
import Imaging

/// A structured report of measurements: Comprehensive 3D SR, TID 1500, with a group for each segment that refers to the segmentation.
///
/// *Source*: PS3.3 A.35.13, C.17; PS3.16 TID 1500; IHE AI Results.
package struct MeasurementReport: Sendable {
    /// One number of a group.
    package struct Measurement: Sendable, Equatable {
        package var concept: Code
        /// How it was derived of many values.
        package var derivation: Code?
        package var value: Double
        package var unit: Code

        package init(_ concept: Code, _ value: Double, _ unit: Code, derivation: Code? = nil) {
            self.concept = concept
            self.derivation = derivation
            self.value = value
            self.unit = unit
        }
    }

    /// A segment of the pipeline, found or not.
    package struct Group: Sendable {
        package var segment: SegmentDescription
        /// Empty for a segment that was searched and not found.
        package var measurements: [Measurement]

        package init(_ segment: SegmentDescription, _ measurements: [Measurement]) {
            self.segment = segment
            self.measurements = measurements
        }
    }

    /// Whole, with its UIDs.
    package let dataSet: DataSet
    /// Attributes that stand as in the source, legal or not.
    package let kept: Set<Tag>
    private let volume: Volume
    private let groups: [Group]
    private let segmentation: Segmentation?

    /// - Parameters:
    ///   - groups: one for each of the pipeline's segments, in their order.
    ///   - segmentation: the object whose segments they are; nil when nothing was found.
    ///   - options: of the segmentation.
    /// *Throws* what `Segmentation.check` throws.
    package init(
        _ volume: Volume, _ groups: [Group], of segmentation: Segmentation?, producer: Producer,
        options: Segmentation.Options, seriesNumber: Int
    ) throws(ObjectFailure) {
        let segments = groups.map(\.segment)
        let uids = ResultUIDs(volume, segments, producer, options)
        let header = try ResultHeader(volume, producer, time: uids.time, texts: segments.flatMap(\.texts))
        var dataSet = header.dataSet(
            .comprehensive3DSRStorage,
            .init(
                modality: "SR", uid: uids.uid(.reportSeries), number: seriesNumber,
                title: "AI SR \(producer.pipelineName)"))
        try Self.putDocument(header, segmentation, into: &dataSet)
        let tree = Self.tree(header, groups, segmentation, uids)
        // The root is the data set itself.
        for element in tree.elements where element.tag != .relationshipType {
            dataSet[element.tag] = element
        }
        dataSet.put(
            .sopInstanceUID,
            uids.instance(.reportInstance, try DataSetEncoder.data(dataSet, kept: header.kept)))
        self.dataSet = dataSet
        kept = header.kept
        self.volume = volume
        self.groups = groups
        self.segmentation = segmentation
    }

    /// Writes the object, reads it back and compares it with the measurements before it gets its name.
    ///
    /// *Throws* `ObjectFailure`, `StorageFailure`.
    package func write(to path: String) throws {
        try ObjectFile.write(dataSet, kept: kept, to: path) {
            try Verification.report($0, volume, groups, of: segmentation)
        }
    }

    // MARK: Document

    private static func putDocument(
        _ header: ResultHeader, _ segmentation: Segmentation?, into dataSet: inout DataSet
    ) throws(ObjectFailure) {
        dataSet.put(.referencedPerformedProcedureStepSequence, items: [])
        dataSet.put(.performedProcedureCodeSequence, items: [])
        dataSet.put(.completionFlag, "COMPLETE")
        dataSet.put(.verificationFlag, "UNVERIFIED")
        dataSet.put(.preliminaryFlag, "PRELIMINARY")
        dataSet.put(
            .codingSchemeIdentificationSequence,
            item: DataSet(composing: {
                $0.put(.codingSchemeDesignator, "99HSPSAM")
                $0.put(.codingSchemeName, "hspsam measurements")
                $0.put(.codingSchemeResponsibleOrganization, "hspsam")
            }))
        let volume = header.volume
        var series = [evidence(volume.seriesInstanceUID, header.references)]
        if let segmentation {
            series.append(evidence(segmentation.seriesInstanceUID, [segmentation.reference]))
        }
        dataSet.put(
            .currentRequestedProcedureEvidenceSequence,
            item: DataSet(composing: {
                $0.put(.referencedSeriesSequence, items: series)
                $0.put(.studyInstanceUID, volume.studyInstanceUID)
            }))
        let requests = try requests(header)
        if !requests.isEmpty { dataSet.put(.referencedRequestSequence, items: requests) }
    }

    private static func evidence(_ series: String, _ references: [DataSet]) -> DataSet {
        DataSet(composing: {
            $0.put(.referencedSOPSequence, items: references)
            $0.put(.seriesInstanceUID, series)
        })
    }

    /// The requests that the images answer (PS3.3 C.17.2): what the source's Request Attributes say of them.
    private static func requests(_ header: ResultHeader) throws(ObjectFailure) -> [DataSet] {
        let source = header.volume.patientAndStudy
        var items: [DataSet] = []
        for asked in source.items(.requestAttributesSequence) where asked.string(.requestedProcedureID) != nil {
            var item = DataSet()
            item.put(.studyInstanceUID, header.volume.studyInstanceUID)
            item.put(.referencedStudySequence, items: [])
            var (ofStudy, ofRequest) = (SourceCopy(source), SourceCopy(asked))
            try ofRequest.copy([.requestedProcedureID, .requestedProcedureDescription], .type2, into: &item)
            // Its texts keep their bytes, so the item declares the set that these are written in, where that is another than the result's.
            let isForeign = !ResultText.isPlain(item) && asked.characterSet != header.text.characterSet
            var number = DataSet()
            try ofStudy.copy([.accessionNumber], .type2, into: &number)
            let isReadable = ResultText.isPlain(number) || !isForeign || asked.characterSet == source.characterSet
            if isReadable { item[.accessionNumber] = number[.accessionNumber] } else { item.putEmpty(.accessionNumber) }
            if isForeign { item.put(.specificCharacterSet, asked.characterSet) }
            item.putEmpty(.placerOrderNumberImagingServiceRequest)
            item.putEmpty(.fillerOrderNumberImagingServiceRequest)
            item.put(.requestedProcedureCodeSequence, items: [])
            items.append(item)
        }
        return items
    }

    // MARK: Content

    private static func tree(
        _ header: ResultHeader, _ groups: [Group], _ segmentation: Segmentation?, _ uids: ResultUIDs
    ) -> DataSet {
        let producer = header.producer
        let procedure = header.volume.patientAndStudy.item(.procedureCodeSequence).flatMap(Code.init)
        let items: [DataSet] = [
            ContentItem.code(ReportCode.language, ReportCode.english, .hasConceptModifier),
            ContentItem.code(ReportCode.observerType, ReportCode.device, .hasObservationContext),
            ContentItem.uid(ReportCode.deviceUID, Equipment.deviceUID(producer), .hasObservationContext),
            ContentItem.text(ReportCode.deviceName, "hspsam", .hasObservationContext),
            ContentItem.text(
                ReportCode.deviceManufacturer, Segmentation.line(producer.manufacturer), .hasObservationContext),
            ContentItem.text(ReportCode.deviceModel, Segmentation.line(producer.modelName), .hasObservationContext),
            ContentItem.code(
                ReportCode.procedureReported, procedure ?? ReportCode.imagingProcedure, .hasConceptModifier),
            ContentItem.container(
                ReportCode.measurements, groups.enumerated().map { group($0, $1, header, segmentation, uids) }),
        ]
        return ContentItem.container(ReportCode.report, template: "1500", items.map(header.text.item))
    }

    /// Numbers of frames as IS, in a value field of 16 bits.
    private static func fits(_ frames: [Int]) -> Bool {
        frames.reduce(0) { $0 + String($1 + 1).utf8.count + 1 } <= 65_534
    }

    private static func group(
        _ index: Int, _ group: Group, _ header: ResultHeader, _ segmentation: Segmentation?, _ uids: ResultUIDs
    ) -> DataSet {
        let (segment, producer) = (group.segment, header.producer)
        let trackingUID = uids.tracking(segment)
        let site: [DataSet] =
            segment.region.map {
                let side = segment.regionModifier.map {
                    [
                        ContentItem.code(
                            $0.isLaterality ? ReportCode.laterality : ReportCode.topography, $0, .hasConceptModifier)
                    ]
                }
                return [ContentItem.code(ReportCode.findingSite, $0, .hasConceptModifier, side ?? [])]
            } ?? []
        var items = [
            ContentItem.text(
                ReportCode.trackingIdentifier, SegmentItem.trackingID(segment, trackingUID), .hasObservationContext),
            ContentItem.uid(ReportCode.trackingUID, trackingUID, .hasObservationContext),
            ContentItem.code(
                ReportCode.finding, segment.type, .contains,
                segment.modifiers.filter(\.isLaterality).map {
                    ContentItem.code(ReportCode.laterality, $0, .hasConceptModifier)
                }),
        ]
        guard let segmentation, let number = segmentation.selection.segments.firstIndex(of: index),
            !group.measurements.isEmpty
        else {
            items.append(ContentItem.code(ReportCode.presence, ReportCode.absent, .contains))
            return header.text.item(ContentItem.container(ReportCode.group, template: "1501", items + site))
        }
        let isVolume = header.volume.reachesOverSlices
        var reference = segmentation.reference
        // Frames of a segmentation say their segment, those of a LABELMAP do not; a reference names either (PS3.3 C.18.4).
        let frames = segmentation.frames(of: number)
        // Of thousands of tiles the list would exceed its value field.
        let isNamed = !isVolume && !frames.isEmpty && Self.fits(frames)
        if !isNamed {
            reference.put(.referencedSegmentNumber, number + 1)
            items.append(ContentItem.image(ReportCode.referencedSegment, reference))
        } else {
            reference.put(.referencedFrameNumber, frames.map { $0 + 1 })
            items.append(ContentItem.image(ReportCode.referencedFrame, reference))
        }
        if isVolume {
            items.append(ContentItem.uid(ReportCode.sourceSeries, header.volume.seriesInstanceUID, .contains))
        } else {
            let shown = segmentation.fullestFrame(of: number)
            items.append(ContentItem.image(ReportCode.sourceImage, .reference(header.volume.frames[shown])))
        }
        items += site
        items += [
            ContentItem.text(ReportCode.algorithmName, Segmentation.line(producer.modelName), .hasConceptModifier),
            ContentItem.text(
                ReportCode.algorithmVersion, Segmentation.line(producer.modelVersion), .hasConceptModifier),
        ]
        items += group.measurements.map { measurement in
            ContentItem.number(
                measurement.concept, measurement.value, measurement.unit,
                measurement.derivation.map { [ContentItem.code(ReportCode.derivation, $0, .hasConceptModifier)] } ?? [])
        }
        return header.text.item(
            ContentItem.container(ReportCode.group, template: isVolume ? "1411" : "1410", items))
    }
}

extension Segmentation {
    /// Indices of the frames of one segment, from 0 in the object; none of a LABELMAP, whose frames belong to all.
    func frames(of segment: Int) -> [Int] {
        selection.frames.indices.filter { selection.frames[$0].segment == segment + 1 }
    }

    /// The source frame on which a segment of the object has most pixels.
    func fullestFrame(of segment: Int) -> Int {
        let counts = masks(of: segment).map(\.count)
        return counts.indices.max { counts[$0] < counts[$1] } ?? 0
    }

    /// An item that names the object.
    var reference: DataSet {
        .reference(dataSet.string(.sopClassUID) ?? SOPClass.segmentationStorage.uid, sopInstanceUID)
    }
}

extension Code {
    /// Of an item of a code sequence; nil where it has no whole one in plain letters.
    fileprivate init?(_ item: DataSet) {
        guard let value = item.string(.codeValue), let scheme = item.string(.codingSchemeDesignator),
            let meaning = item.string(.codeMeaning), ResultText.isASCII(value + scheme + meaning),
            value.utf8.count <= 16, scheme.utf8.count <= 16, !meaning.isEmpty, meaning.utf8.count <= 64
        else { return nil }
        self.init(value, scheme, meaning)
    }
}
