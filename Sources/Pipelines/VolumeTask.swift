import DICOM
import DICOMObjects
import Imaging
import SegmentAnything

/// One pipeline on one volume.
struct VolumeTask: Sendable {
    let volume: Volume
    let pipeline: PipelineDirectory
    /// Series Number of each kind of result.
    var seriesNumbers: [Outputs.Kind: Int] = [:]

    init(volume: Volume, pipeline: PipelineDirectory) {
        self.volume = volume
        self.pipeline = pipeline
    }

    /// Whether its result can be written, whatever will be found: asked before the first frame is segmented.
    ///
    /// *Throws* `ObjectFailure`; `InputFailure.scale`; `DICOMFailure` for a fixed window over values of which nobody says what they are,
    /// for a window of the files' that not all of them have, and for grey where the model knows colour alone, or the other way round.
    func check(version: String, also: Set<MaskFiles>) throws {
        try pipeline.pipeline.limits.check(volume)
        for kind in MaskFiles.allCases where also.contains(kind) { try kind.check(volume) }
        if case .fixed = pipeline.pipeline.windowing.mode, !volume.hasKnownValues {
            throw DICOMFailure.values(
                "nothing says that the values are Hounsfield units (Rescale Slope, Intercept or Type), and the pipeline reads them through a fixed window.",
                cure: "Correct the series at its source, or use a pipeline with another window.")
        }
        // Values that were held in steps too wide for the window would be shown as a few levels.
        if case .fixed(_, let width) = pipeline.pipeline.windowing.mode,
            volume.first.dataSet.uid(.instanceCreatorUID) == InstanceCreator.imports,
            let slope = volume.first.dataSet.double(.rescaleSlope), slope.magnitude > width / 64
        {
            throw DICOMFailure.values(
                "the picture's values span so much more than the pipeline's fixed window that 16 bits hold them in steps too wide for it.",
                cure: "Export it with the values that matter alone, or use a pipeline with another window.")
        }
        _ = try pipeline.pipeline.windowing.settled(
            for: volume, trained: pipeline.model.description.trainedInput?.windowing)
        if let trained = pipeline.model.description.trainedInput?.windowing, !trained.allows(color: volume.samples == 3)
        {
            throw DICOMFailure.values(
                "the images are \(volume.samples == 3 ? "in colour" : "grey"), and the pipeline's model was trained with \(trained.words): its result would mean nothing.",
                cure: "Use a pipeline made for such images, or leave them out by its selection (modality, sop_class).")
        }
        if volume.slide != nil, pipeline.pipeline.outputs.segmentations.probabilities {
            throw InputFailure.scale(
                "a whole slide has no FRACTIONAL segmentation: the probabilities of all its pixels would fill the memory.",
                cure: "Use outputs.seg.type: binary or labelmap.")
        }
        _ = try PictureScale(volume, pipeline.pipeline, trained: pipeline.model.description.trainedInput?.scale)
        if pipeline.pipeline.outputs.structures { try StructureSet.check(volume) }
        if pipeline.pipeline.outputs.annotations != nil { try BulkAnnotations.check(volume) }
        if pipeline.pipeline.outputs.asksForObjects, pipeline.separation != .none, volume.reachesOverSlices {
            throw ObjectFailure.place(
                "touching objects are told apart in pictures, and these are slices of a volume",
                cure: "Write outputs.separate: none.")
        }
        if let options = instances {
            try InstanceSegmentation.check(
                volume, segments: pipeline.pipeline.segments, producer: pipeline.producer(version: version),
                options: options)
        }
        for (_, options) in try segmentations() {
            try Segmentation.check(
                volume, segments: pipeline.pipeline.segments, producer: pipeline.producer(version: version),
                options: options)
        }
    }

    /// The segmentations that are written, the one that every viewer reads first. *Throws* what `RegularGrid` throws.
    func segmentations() throws(ObjectFailure) -> [(kind: Outputs.Kind, options: Segmentation.Options)] {
        let outputs = pipeline.pipeline.outputs
        var isResampled = outputs.segmentations.isResampled
        if isResampled { isResampled = try RegularGrid(volume) != nil }
        return (outputs.segmentationKinds + (isResampled ? [.regular] : [])).compactMap { kind in
            options(kind).map { (kind, $0) }
        }
    }

    /// Those of the segmentation that every viewer reads first. At least one is planned.
    var mainOptions: Segmentation.Options? {
        pipeline.pipeline.outputs.segmentationKinds.lazy.compactMap(options).first
    }

    /// Of the segmentation in which each object is a segment; nil where the pipeline wants none.
    var instances: Segmentation.Options? { pipeline.pipeline.outputs.instances ? options(.instances) : nil }

    private func options(_ kind: Outputs.Kind) -> Segmentation.Options? {
        guard let type = kind.segmentationType else { return nil }
        let outputs = pipeline.pipeline.outputs
        var options = Segmentation.Options()
        options.type = type
        options.emptyFrames = outputs.segmentations.emptyFrames
        // Of a slide most tiles are empty, and no viewer stacks them.
        if volume.slide != nil { options.emptyFrames = .omit }
        if kind == .regular {
            options.isRegular = true
            // Readers of blocks take what is there for all.
            options.emptyFrames = .keep
        }
        options.keepsEmptySegments = outputs.segmentations.keepsEmptySegments
        options.writesNothing = outputs.segmentations.writesNothing
        options.avoidsPadding = outputs.segmentations.avoidsPadding
        options.label = outputs.segmentations.label
        options.syntheticGeometry = outputs.syntheticGeometry
        options.seriesNumber = number(kind)
        options.mayOverlap = pipeline.model.configuration.activation == .sigmoid
        options.salt = outputs.uidSalt
        if kind == .instances {
            options.isOfObjects = true
            options.emptyFrames = .omit
            (options.keepsEmptySegments, options.writesNothing) = (false, false)
        }
        return options
    }

    /// What the names of all files of the result begin with.
    var stem: String { "\(StudyNames.volume(volume))-\(pipeline.name)" }

    /// The name of a result's file.
    ///
    /// - Parameter number: from 1, of several of a kind.
    func file(_ kind: Outputs.Kind, number: Int? = nil) -> String {
        stem + (number.map { "-\(StudyNames.number($0, digits: 3))" } ?? "") + kind.ending
    }

    func number(_ kind: Outputs.Kind) -> Int {
        seriesNumbers[kind] ?? pipeline.pipeline.outputs.seriesNumbers[kind] ?? 9000
    }
}

extension [VolumeTask] {
    /// With a Series Number for each result: the pipeline's first of its kind and on from there, in the order of the source series; never
    /// one that an image of the study or another result has.
    func numbered(among sources: [SourceInstance]) -> [VolumeTask] {
        var taken = Set(sources.compactMap { $0.dataSet.int(.seriesNumber) })
        var tasks = self
        let order = indices.sorted { self[$0].place < self[$1].place }
        for kind in Outputs.Kind.allCases {
            for index in order {
                var number = self[index].number(kind)
                while taken.contains(number) { number += 1 }
                taken.insert(number)
                tasks[index].seriesNumbers[kind] = number
            }
        }
        return tasks
    }
}

extension VolumeTask {
    /// Where it stands in the study, whatever the order of reading.
    fileprivate var place: (Int, String, Int, String) {
        (volume.first.dataSet.int(.seriesNumber) ?? .max, volume.seriesInstanceUID, volume.part, pipeline.name)
    }
}
