package import DICOM
package import Imaging

/// Contours of each segment in the patient's coordinates, for planning systems: an RT Structure Set of one volume.
///
/// A contour runs along the edges of pixels, and holes are joined to their outlines by channels of no width (keyholes), so that a reader
/// that asks for the middles of pixels gets the mask itself, by the even-odd and by the winding rule.
/// *Source*: PS3.3 2024e, A.19, C.8.8.5, C.8.8.6, C.8.8.8.
package struct StructureSet: Sendable {
    /// Whole, with its UIDs.
    package let dataSet: DataSet
    /// Attributes that stand as in the source, legal or not.
    package let kept: Set<Tag>
    private let volume: Volume
    /// Of the regions of interest, in their order.
    private let segments: [SegmentDescription]
    private let masks: [[Mask]]

    /// Nil when no mask has a pixel and the options want no object of it.
    ///
    /// *Shape*: `masks[segment][frame]`. *Throws* `place` for a volume that no contour can be drawn in; else only what
    /// `Segmentation.check` throws.
    package init?(
        _ volume: Volume, masks: [[Mask]], segments: [SegmentDescription], producer: Producer,
        options: Segmentation.Options, seriesNumber: Int
    ) throws(ObjectFailure) {
        try Self.check(volume)
        let isNothing = masks.joined().allSatisfy(\.isEmpty)
        if isNothing, !options.writesNothing { return nil }
        let found = segments.indices.filter { index in
            isNothing || options.keepsEmptySegments || masks[index].contains { !$0.isEmpty }
        }
        let uids = ResultUIDs(volume, segments, producer, options)
        let header = try ResultHeader(volume, producer, time: uids.time, texts: segments.flatMap(\.texts)) {
            copy, copied throws(ObjectFailure) in
            try copy.copy([.bodyPartExamined], .type3, into: &copied)
            try copy.copy([.positionReferenceIndicator], .type2, into: &copied)
        }
        var dataSet = header.dataSet(
            .rtStructureSetStorage,
            .init(
                modality: "RTSTRUCT", uid: uids.uid(.structureSeries), number: seriesNumber,
                title: "AI RTSTRUCT \(producer.pipelineName)"))
        let frameOfReference = volume.resultFrameOfReferenceUID(salt: options.salt)
        Self.putStructureSet(header, options.label, frameOfReference, into: &dataSet)
        var regions: [DataSet] = []
        var contours: [DataSet] = []
        var observations: [DataSet] = []
        for (number, index) in found.enumerated() {
            let segment = segments[index]
            regions.append(header.text.item(Self.region(number + 1, segment, producer, frameOfReference)))
            contours.append(Self.contours(number + 1, segment, volume, masks[index]))
            observations.append(header.text.item(Self.observation(number + 1, segment)))
        }
        dataSet.put(.structureSetROISequence, items: regions)
        dataSet.put(.roiContourSequence, items: contours)
        dataSet.put(.rtroiObservationsSequence, items: observations)
        dataSet.put(
            .sopInstanceUID, uids.instance(.structureInstance, try DataSetEncoder.data(dataSet, kept: header.kept)))
        self.dataSet = dataSet
        kept = header.kept
        self.volume = volume
        self.segments = found.map { segments[$0] }
        self.masks = found.map { masks[$0] }
    }

    /// Whether contours can be drawn in the volume: to be asked before the first frame is inferred.
    ///
    /// *Throws* `place`.
    package static func check(_ volume: Volume) throws(ObjectFailure) {
        guard volume.hasPlace, volume.frameOfReferenceUID != nil else {
            throw .place(
                "a structure set draws contours in the patient's coordinates, and the images say no Frame of Reference or no positions",
                cure: "Use a pipeline without outputs.rtstruct for such images.")
        }
    }

    /// Writes the object, reads it back, fills its contours again and compares that with the masks before it gets its name.
    ///
    /// *Throws* `ObjectFailure`, `StorageFailure`.
    package func write(to path: String) throws {
        try ObjectFile.write(dataSet, kept: kept, to: path) {
            try Verification.structures($0, volume, masks, segments: segments)
        }
    }

    // MARK: Parts

    private static func putStructureSet(
        _ header: ResultHeader, _ label: String, _ frameOfReference: String, into dataSet: inout DataSet
    ) {
        let producer = header.producer
        // Of images alone.
        dataSet[.contentDate] = nil
        dataSet[.contentTime] = nil
        dataSet.putEmpty(.operatorsName)
        dataSet.put(.structureSetLabel, label)
        dataSet.put(
            .structureSetName,
            header.text.main(Segmentation.line("\(producer.pipelineName) \(producer.pipelineVersion)")))
        dataSet.put(.structureSetDate, header.time?.date ?? "")
        dataSet.put(.structureSetTime, header.time?.time ?? "")
        dataSet.put(.frameOfReferenceUID, frameOfReference)
        let volume = header.volume
        let series = DataSet(composing: {
            $0.put(.seriesInstanceUID, volume.seriesInstanceUID)
            $0.put(.contourImageSequence, items: header.references)
        })
        let study = DataSet(composing: {
            // The retired class of studies, as every planning system writes it here.
            $0.put(.referencedSOPClassUID, "1.2.840.10008.3.1.2.3.1")
            $0.put(.referencedSOPInstanceUID, volume.studyInstanceUID)
            $0.put(.rtReferencedSeriesSequence, item: series)
        })
        dataSet.put(
            .referencedFrameOfReferenceSequence,
            item: DataSet(composing: {
                $0.put(.frameOfReferenceUID, frameOfReference)
                $0.put(.rtReferencedStudySequence, item: study)
            }))
        dataSet.put(.approvalStatus, "UNAPPROVED")
    }

    private static func region(
        _ number: Int, _ segment: SegmentDescription, _ producer: Producer, _ frameOfReference: String
    ) -> DataSet {
        DataSet(composing: {
            $0.put(.roiNumber, number)
            $0.put(.referencedFrameOfReferenceUID, frameOfReference)
            $0.put(.roiName, segment.label)
            if let description = segment.description { $0.put(.roiDescription, description) }
            $0.put(.roiGenerationAlgorithm, "AUTOMATIC")
            $0.put(
                .roiGenerationDescription, Segmentation.line("\(producer.modelName) \(producer.modelVersion)"))
        })
    }

    private static func observation(_ number: Int, _ segment: SegmentDescription) -> DataSet {
        DataSet(composing: {
            $0.put(.observationNumber, number)
            $0.put(.referencedROINumber, number)
            $0.put(.segmentedPropertyCategoryCodeSequence, item: segment.category.item)
            $0.put(.rtroiIdentificationCodeSequence, item: segment.typeItem(.segmentedPropertyTypeModifierCodeSequence))
            $0.putEmpty(.rtroiInterpretedType)
            $0.putEmpty(.roiInterpreter)
        })
    }

    private static func contours(
        _ number: Int, _ segment: SegmentDescription, _ volume: Volume, _ masks: [Mask]
    ) -> DataSet {
        var contours: [DataSet] = []
        for (frame, mask) in zip(volume.frames, masks) where !mask.isEmpty {
            guard let plane = frame.plane, let spacing = volume.pixelSpacing else { continue }
            let image = DataSet.reference(frame)
            for points in ContourPoints.contours(of: mask, on: plane, spacing: spacing) {
                contours.append(
                    DataSet(composing: {
                        $0.put(.contourImageSequence, item: image)
                        $0.put(.contourGeometricType, "CLOSED_PLANAR")
                        $0.put(.numberOfContourPoints, points.count / 3)
                        $0.put(.contourNumber, contours.count + 1)
                        $0.put(.contourData, points)
                    }))
            }
        }
        return DataSet(composing: {
            $0.put(.roiDisplayColor, segment.color.map(Int.init))
            if !contours.isEmpty { $0.put(.contourSequence, items: contours) }
            $0.put(.referencedROINumber, number)
        })
    }
}
