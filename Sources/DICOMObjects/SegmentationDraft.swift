import DICOM
import Imaging

/// Everything of a segmentation that does not depend on its masks.
struct SegmentationDraft {
    let volume: Volume
    let segments: [SegmentDescription]
    let producer: Producer
    let options: Segmentation.Options
    let header: ResultHeader
    let grid: FrameGrid
    let geometry: FrameGeometry?
    /// Nil for other images than slides.
    let slide: SlideGeometry?
    let uids: ResultUIDs

    /// - Parameter described: the pipeline's segments, of which UIDs are derived; nil: these.
    /// *Throws* `source` when the source lacks what a result must name, or holds what none can carry.
    init(
        _ volume: Volume, on grid: FrameGrid, segments: [SegmentDescription], of described: [SegmentDescription]? = nil,
        producer: Producer, options: Segmentation.Options
    ) throws(ObjectFailure) {
        self.volume = volume
        self.grid = grid
        self.segments = segments
        self.producer = producer
        self.options = options
        uids = ResultUIDs(volume, described ?? segments, producer, options)
        let slide = try SlideGeometry(volume, salt: options.salt)
        self.slide = slide
        let synthetic = options.syntheticGeometry && slide == nil ? uids.syntheticFrameOfReference : nil
        let geometry =
            grid.regular.flatMap { FrameGeometry($0, of: volume, salt: options.salt) }
            ?? FrameGeometry(volume, synthetic: synthetic, salt: options.salt)
        self.geometry = geometry
        header = try ResultHeader(volume, producer, time: uids.time, texts: (described ?? segments).flatMap(\.texts)) {
            copy, copied throws(ObjectFailure) in
            // Not the series' side: beside most body parts the standard forbids it, and the type's modifier tells it.
            try copy.copy([.bodyPartExamined, .requestAttributesSequence], .type3, into: &copied)
            if slide != nil { try copy.copySpecimen(into: &copied) }
            if geometry?.isSynthetic == false || slide != nil {
                try copy.copy([.positionReferenceIndicator], .type2, into: &copied)
            }
            try Lossy.put(volume.instances, into: &copied)
        }
    }

    /// The object without its SOP Instance UID.
    func dataSet(_ selection: FrameSelection, pixels: [UInt8], overlap: Bool) -> DataSet {
        let name =
            options.isOfObjects
            ? " objects"
            : options.isRegular ? " regular grid" : options.type == .binary ? "" : " \(options.type.definedTerm)"
        var dataSet = header.dataSet(
            options.type == .labelmap ? .labelMapSegmentationStorage : .segmentationStorage,
            .init(
                modality: "SEG", uid: uids.series, number: options.seriesNumber,
                title: "AI SEG\(name) \(producer.pipelineName)"))
        putImage(into: &dataSet)
        dataSet.put(.segmentationType, options.type.definedTerm)
        let isUndefined = options.type == .fractional && selection.segments.count > 1
        dataSet.put(.segmentsOverlap, isUndefined ? "UNDEFINED" : overlap ? "YES" : "NO")
        if options.type == .fractional {
            dataSet.put(.segmentationFractionalType, "PROBABILITY")
            dataSet.put(.maximumFractionalValue, 255)
        }
        dataSet.put(.contentLabel, options.label)
        let ending = geometry?.isSynthetic == true ? " GEOMETRY SYNTHETIC" : options.isRegular ? " REGULAR GRID" : ""
        dataSet.put(
            .contentDescription,
            header.text.main(
                Segmentation.line("\(producer.pipelineName) \(producer.pipelineVersion)", ending: ending))
        )
        dataSet.put(.contentCreatorName, "hspsam^automatic")
        let background = options.type == .labelmap ? [header.text.item(SegmentItem.background(producer))] : []
        dataSet.put(
            .segmentSequence,
            items: background + selection.segments.enumerated().map { item(number: $0 + 1, segments[$1]) })
        slide?.put(into: &dataSet)
        FunctionalGroups(
            volume: volume, grid: grid, selection: selection, geometry: geometry, slide: slide,
            dimensions: uids.dimensions,
            isLabelmap: options.type == .labelmap
        )
        .put(into: &dataSet)
        putPixels(pixels, selection, into: &dataSet)
        return dataSet
    }

    /// One item of the Segment Sequence.
    func item(number: Int, _ segment: SegmentDescription) -> DataSet {
        header.text.item(SegmentItem.item(number: number, segment, producer, trackingUID: uids.tracking(segment)))
    }

    private func putImage(into dataSet: inout DataSet) {
        if let geometry {
            dataSet.put(.frameOfReferenceUID, geometry.frameOfReferenceUID)
            if geometry.isSynthetic { dataSet.putEmpty(.positionReferenceIndicator) }
        } else {
            if let slide { dataSet.put(.frameOfReferenceUID, slide.frameOfReferenceUID) }
            dataSet.putEmpty(.patientOrientation)
        }
        dataSet.put(.imageType, ["DERIVED", "PRIMARY"])
        dataSet.put(.burnedInAnnotation, "NO")
        // Viewers list a result by the referenced series.
        dataSet.put(.sourceImageSequence, items: header.references)
        dataSet.put(
            .referencedSeriesSequence,
            item: DataSet(composing: {
                $0.put(.seriesInstanceUID, volume.seriesInstanceUID)
                $0.put(.referencedInstanceSequence, items: header.references)
            }))
    }

    private func putPixels(_ pixels: [UInt8], _ selection: FrameSelection, into dataSet: inout DataSet) {
        let bits = SegmentationPixels.bits(options.type, segments: selection.segments.count)
        dataSet.putImagePixel(rows: grid.rows, columns: grid.columns, samples: 1, bits: bits)
        dataSet.put(.presentationLUTShape, "IDENTITY")
        dataSet.put(.numberOfFrames, selection.frames.count)
        if options.type == .labelmap { dataSet.put(.pixelPaddingValue, 0) }
        dataSet[.pixelData] = Element(Attribute.pixelData.tag, bits == 16 ? .OW : .OB, .bytes(pixels))
    }
}
