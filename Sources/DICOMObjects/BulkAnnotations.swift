package import DICOM
package import Imaging

/// The objects of a slide or of one picture, each as an outline or a point with its area: Microscopy Bulk Simple Annotations.
///
/// An outline is the object's outer edge along the edges of its pixels; its area is that of its pixels, holes left away.
/// *Source*: PS3.3 2024e, A.87, C.37.1.
package struct BulkAnnotations: Sendable {
    /// How an object is drawn.
    package enum Graphic: String, Sendable, CaseIterable {
        /// Its outline.
        case polygon
        /// Its centre of gravity.
        case point
    }

    /// Whole, with its UIDs.
    package let dataSet: DataSet
    /// Attributes that stand as in the source, legal or not.
    package let kept: Set<Tag>
    private let volume: Volume
    private let picture: Int
    private let objects: [MaskObjects]
    private let graphic: Graphic

    /// Nil when no mask has a pixel.
    ///
    /// - Parameters:
    ///   - picture: which of the volume's (`Volume.pictures`).
    ///   - masks: of that picture, one a segment.
    ///   - objects: of these; nil for their connected parts.
    ///   - options: of the segmentation.
    ///   - number: from 1 in the series.
    /// *Throws* `place`, `mismatch`, `size`; else only what `Segmentation.check` throws.
    package init?(
        _ volume: Volume, picture: Int, masks: [Mask], objects: [MaskObjects]? = nil, segments: [SegmentDescription],
        _ graphic: Graphic, producer: Producer, options: Segmentation.Options, seriesNumber: Int, number: Int
    ) throws(ObjectFailure) {
        try Self.check(volume)
        let size = volume.pictures
        guard masks.count == segments.count, masks.allSatisfy({ $0.rows == size.rows && $0.columns == size.columns })
        else { throw .mismatch("masks of another size or number than the picture's") }
        if masks.allSatisfy(\.isEmpty) { return nil }
        let objects = objects ?? masks.map { MaskObjects(of: $0) }
        let uids = ResultUIDs(volume, segments, producer, options)
        let header = try ResultHeader(volume, producer, time: uids.time, texts: segments.flatMap(\.texts)) {
            copy, copied throws(ObjectFailure) in
            try copy.copy([.bodyPartExamined], .type3, into: &copied)
            // The side that was examined stands where the source has it, or no body part says it (Type 2C).
            if copy.source.has(.laterality) || !copied.has(.bodyPartExamined) {
                try copy.copy([.laterality], .type2, into: &copied)
            }
            if volume.slide != nil { try copy.copySpecimen(into: &copied) }
        }
        var dataSet = header.dataSet(
            .microscopyBulkSimpleAnnotationsStorage,
            .init(
                modality: "ANN", uid: uids.uid(.annotationSeries), number: seriesNumber,
                title: "AI ANN \(producer.pipelineName)"))
        dataSet.put(.instanceNumber, number)
        dataSet.put(.contentLabel, options.label)
        dataSet.put(
            .contentDescription,
            header.text.main(Segmentation.line("\(producer.pipelineName) \(producer.pipelineVersion)")))
        dataSet.put(.contentCreatorName, "hspsam^automatic")
        dataSet.put(.annotationCoordinateType, "2D")
        dataSet.put(.pixelOriginInterpretation, volume.slide == nil ? "FRAME" : "VOLUME")
        let images = volume.slide == nil ? [.reference(volume.frames[picture])] : header.references
        dataSet.put(.referencedImageSequence, items: images)
        dataSet.put(
            .referencedSeriesSequence,
            item: DataSet(composing: {
                $0.put(.seriesInstanceUID, volume.seriesInstanceUID)
                $0.put(
                    .referencedInstanceSequence,
                    items: volume.slide == nil
                        ? [
                            .reference(
                                volume.frames[picture].instance.sopClassUID,
                                volume.frames[picture].instance.sopInstanceUID)
                        ] : header.references)
            }))
        var groups: [DataSet] = []
        for (index, segment) in segments.enumerated() where objects[index].count > 0 {
            let group = try AnnotationGroup(of: objects[index], graphic, spacing: volume.spacing(of: objects[index]))
            let uid = uids.uid(.annotationGroup, segment.key, String(number))
            groups.append(
                header.text.item(group.item(number: groups.count + 1, uid: uid, segment, producer, graphic)))
        }
        dataSet.put(.annotationGroupSequence, items: groups)
        dataSet.put(
            .sopInstanceUID, uids.instance(.annotationInstance, try DataSetEncoder.data(dataSet, kept: header.kept)))
        self.dataSet = dataSet
        kept = header.kept
        self.volume = volume
        self.picture = picture
        self.objects = objects
        self.graphic = graphic
    }

    /// Whether objects can be annotated there: to be asked before the first frame is inferred.
    ///
    /// *Throws* `place` for slices: their objects reach from one to the next, and this class knows pictures alone.
    package static func check(_ volume: Volume) throws(ObjectFailure) {
        guard volume.kind == .frames else {
            throw .place(
                "annotations are made of slides and pictures, and these are slices that lie in the patient",
                cure: "Use a pipeline without outputs.annotations for such images.")
        }
    }

    /// Writes the object, reads it back and compares what its outlines hold with the masks before it gets its name.
    ///
    /// *Throws* `ObjectFailure`, `StorageFailure`.
    package func write(to path: String) throws {
        try ObjectFile.write(dataSet, kept: kept, to: path) {
            try Verification.annotations($0, volume, picture: picture, objects, graphic)
        }
    }
}

extension Volume {
    /// Nil where areas of these objects are told in pixels: no spacing is known, or it does not hold for all of their pixels.
    func spacing(of objects: MaskObjects) -> PixelSpacing? {
        if calibratedRegions.isEmpty { return pixelSpacing }
        var mask = Mask(rows: objects.rows, columns: objects.columns)
        objects.visit { _, pixels in for pixel in pixels { mask[pixel] = true } }
        return spacing(of: [mask])
    }
}

/// The objects of one segment as one item of the Annotation Group Sequence.
private struct AnnotationGroup {
    private var coordinates: [Float] = []
    /// Index, from 1, of each object's first coordinate.
    private var starts: [UInt32] = []
    private var areas: [Float] = []
    private let unit: Code

    init(of objects: MaskObjects, _ graphic: BulkAnnotations.Graphic, spacing: PixelSpacing?) throws(ObjectFailure) {
        // Microscopes see µm².
        unit = spacing == nil ? .pixels : .squareMicrometre
        let pixelArea = spacing.map { $0.row * $0.column * 1e6 } ?? 1
        var sums = [(row: Double, column: Double)](repeating: (0, 0), count: objects.count)
        objects.visit { number, pixels in
            let (row, column) = pixels.lowerBound.quotientAndRemainder(dividingBy: objects.columns)
            let count = Double(pixels.count)
            sums[number - 1].row += (Double(row) + 0.5) * count
            sums[number - 1].column += (Double(column) + count / 2) * count
        }
        try objects.visitMasks { number, mask, row, column throws(ObjectFailure) in
            let size = Double(objects.sizes[number - 1])
            starts.append(UInt32(truncatingIfNeeded: coordinates.count + 1))
            switch graphic {
            case .polygon:
                guard let first = mask.first else { preconditionFailure("AnnotationGroup: an object without pixels") }
                for corner in MaskOutline.outer(of: mask, from: first) {
                    coordinates += [Float(column + corner.column), Float(row + corner.row)]
                }
            case .point:
                coordinates += [Float(sums[number - 1].column / size), Float(sums[number - 1].row / size)]
            }
            areas.append(Float(size * pixelArea))
            guard coordinates.count <= Int(Int32.max) else { throw .size("\(objects.count) outlines of objects") }
        }
    }

    func item(
        number: Int, uid: String, _ segment: SegmentDescription, _ producer: Producer,
        _ graphic: BulkAnnotations.Graphic
    ) -> DataSet {
        DataSet(composing: { item in
            item.put(.annotationGroupNumber, number)
            item.put(.annotationGroupUID, uid)
            item.put(.annotationGroupLabel, segment.label)
            if let description = segment.description { item.put(.annotationGroupDescription, description) }
            item.put(.annotationGroupGenerationType, "AUTOMATIC")
            item.put(
                .annotationGroupAlgorithmIdentificationSequence, item: SegmentItem.algorithm(producer))
            item.put(.annotationPropertyCategoryCodeSequence, item: segment.category.item)
            item.put(
                .annotationPropertyTypeCodeSequence, item: segment.typeItem(.annotationPropertyTypeModifierCodeSequence)
            )
            if let region = segment.regionItem { item.put(.anatomicRegionSequence, item: region) }
            item.put(.numberOfAnnotations, areas.count)
            item.put(.graphicType, graphic.rawValue.uppercased())
            item.put(.annotationAppliesToAllOpticalPaths, "YES")
            item.put(
                .recommendedDisplayCIELabValue,
                CIELab.value(red: segment.color[0], green: segment.color[1], blue: segment.color[2]))
            item.put(.pointCoordinatesData, bytes: coordinates.flatMap { $0.bitPattern.littleEndianBytes })
            if graphic == .polygon {
                item.put(.longPrimitivePointIndexList, bytes: starts.flatMap(\.littleEndianBytes))
            }
            item.put(
                .measurementsSequence,
                item: DataSet(composing: {
                    $0.put(.conceptNameCodeSequence, item: Code.area.item)
                    $0.put(.measurementUnitsCodeSequence, item: unit.item)
                    $0.put(
                        .measurementValuesSequence,
                        item: DataSet(composing: {
                            $0.put(.floatingPointValues, bytes: areas.flatMap { $0.bitPattern.littleEndianBytes })
                        }))
                }))
        })
    }
}
