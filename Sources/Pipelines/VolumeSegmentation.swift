import DICOM
import DICOMObjects
import Imaging
import Numbers
import SegmentAnything
import Tensors

/// A volume's masks, made picture by picture: the activations of one picture, or of one of its tiles, are in memory at a time. Where a
/// picture is too little work for all threads, as many as there are threads are worked on side by side, each by one.
struct VolumeSegmentation {
    /// `[segment][picture]`, after the pipeline's post-processing; a slide's are those of its total pixel matrix.
    private(set) var masks: [[Mask]]
    /// `[segment][picture]`
    private(set) var confidence: [[Float?]] = []
    /// `[segment][frame][pixel]`, 255 is certain; empty unless the pipeline writes them or counts objects.
    private(set) var probabilities: [[[UInt8]]] = []
    /// How the network saw the frames, settled for the volume.
    let windowing: Windowing
    /// How values became grey levels, for the report.
    private(set) var window: String
    /// The same for all frames; nil when each has its own, and for colour.
    private(set) var displayWindow: DisplayWindow?
    /// For the report's pictures.
    private(set) var kept: KeptFrames
    /// Of the window, the picture's scale, and oddities of decoding.
    private(set) var findings: [Finding] = []
    /// The side of a tile, in pixels of a row; nil where pictures are taken whole.
    private(set) var tileSide: Int?
    /// `[segment][picture]`; nil of a volume in space, whose objects reach over slices.
    private(set) var objects: [[MaskObjects]]?
    /// The share of the pictures that the network has seen: of a slide, tiles that show nothing but glass are left out.
    private(set) var seen = 1.0

    /// *Throws* a `PIX-…` refusal, `unreadable`, `InputFailure.scale`, and what `progress` throws.
    init(
        _ volume: Volume, _ pipeline: Pipeline, _ predictor: Predictor, _ separation: ObjectSeparation,
        clock: inout StepClock, progress: (_ frame: Int) throws -> Void
    ) throws {
        let scale = try PictureScale(volume, pipeline, trained: predictor.description.trainedInput?.scale)
        let shown = try pipeline.windowing.settled(
            for: volume, trained: predictor.description.trainedInput?.windowing)
        windowing = shown.windowing
        findings = [shown.finding].compactMap { $0 } + scale.findings
        tileSide = scale.tile?.side
        let pictures = volume.pictures
        let count = pipeline.segments.count
        let isSmall = volume.slide == nil && scale.tile == nil && predictor.isSmall
        // Colours, and probabilities of each segment; one more waits. The mean with a mirror image holds both and their means.
        let bytes = predictor.augmentation == .flip ? 9 + 12 * count : 6 + 4 * count
        let together = isSmall ? SideBySide.count(bytes: pictures.rows * pictures.columns * bytes) : 1
        let stream = FrameStream(volume, windowing, together: together)
        displayWindow = try clock.time("window") { try stream.window() }
        window = Self.description(volume, displayWindow)
        masks = [[Mask]](repeating: [], count: count)
        // As many as there are masks, or none.
        var interiors = masks
        // What a segment's confidence is made of when its masks are what they will be.
        var likelihoods = [[ProbabilityRuns]](repeating: [], count: count)
        let keepsProbabilities =
            volume.slide == nil
            && (pipeline.outputs.segmentations.probabilities || pipeline.outputs.countsObjects)
        if keepsProbabilities { probabilities = [[[UInt8]]](repeating: [], count: count) }
        kept = KeptFrames(of: pictures.count)
        let spacing = pipeline.spacing(aspect: volume.pixelAspect)
        let voxels = VoxelSizes(volume)
        // Frames without a place in space are no volume: each is cleaned by itself.
        let isSpatial = volume.reachesOverSlices
        let isColor = volume.samples == 3
        for start in stride(from: 0, to: pictures.count, by: together) {
            var group = [PictureSegmentation](
                repeating: PictureSegmentation(
                    rows: pictures.rows, columns: pictures.columns, scale.tile, predictor, spacing: spacing,
                    keepsProbabilities: keepsProbabilities,
                    isEmpty: { volume.slide != nil && Glass.isAll(of: $0, isColor: isColor) }),
                count: min(together, pictures.count - start))
            // A slide comes in bands, any other picture at once.
            while !group[0].isDone {
                let bands = try clock.time("decode") { try group.map { _ in try stream.next() } }
                try clock.time("infer") {
                    if group.count == 1 {
                        try group[0].add(bands[0])
                    } else {
                        group = try ThreadPool.map(group.count) { [group] number in
                            var picture = group[number]
                            try picture.add(bands[number])
                            return picture
                        }
                    }
                }
                if group[0].isDone { seen = group[0].seen }
                // Of a slide the tiles that are behind us; the picture itself is told when it is cleaned.
                if !group[0].isDone { try progress(volume.frames.count * group[0].done / pictures.rows) }
            }
            let cleaned = clock.time("post-process") {
                ThreadPool.map(group.count) { [group] number in
                    Cleaned(group[number], keepsProbabilities: keepsProbabilities) { masks in
                        if let slide = volume.slide {
                            masks = masks.map {
                                $0.map {
                                    slide.onTiles($0, tileRows: volume.rows, tileColumns: volume.columns)
                                }
                            }
                        }
                        if !isSpatial { pipeline.postprocess.apply(&masks, isSpatial: false, voxels) }
                    }
                }
            }
            for (index, picture) in zip(start..., cleaned) {
                clock.time("post-process") {
                    for segment in 0..<count {
                        masks[segment].append(picture.masks[segment])
                        if !picture.interiors.isEmpty { interiors[segment].append(picture.interiors[segment]) }
                        if keepsProbabilities { probabilities[segment].append(picture.probabilities[segment]) }
                        likelihoods[segment].append(picture.likelihoods[segment])
                    }
                    kept.add(
                        index, picture.image, pixels: picture.masks.reduce(0) { $0 + $1.count },
                        heatMaps: picture.heatMaps)
                }
                try progress(volume.slide == nil ? index + 1 : volume.frames.count)
            }
        }
        if isSpatial {
            clock.time("post-process") { pipeline.postprocess.apply(&masks, isSpatial: true, voxels) }
        }
        confidence = zip(likelihoods, masks).map { likelihoods, masks in
            zip(likelihoods, masks).map { $0.confidence(of: $1) }
        }
        findings += try stream.findings()
        clock.time("post-process") { separate(volume, pipeline, separation, interiors) }
    }

    /// Finds the objects of each picture, and says which of them could not be told apart.
    private mutating func separate(
        _ volume: Volume, _ pipeline: Pipeline, _ separation: ObjectSeparation, _ interiors: [[Mask]]
    ) {
        guard !volume.reachesOverSlices else { return }
        let separation = pipeline.outputs.asksForObjects ? separation : .none
        let least = pipeline.postprocess.least(VoxelSizes(volume))
        let objects = zip(masks, interiors).map { masks, interiors in
            masks.enumerated().map { picture, mask in
                MaskObjects(
                    of: mask, separation, interior: interiors.isEmpty ? nil : interiors[picture],
                    aspect: volume.pixelAspect, least: least)
            }
        }
        for (segment, pictures) in zip(pipeline.segments, objects) {
            let uncut = pictures.reduce(0) { $0 + $1.uncut }
            guard uncut > 0 else { continue }
            findings.append(
                Finding(
                    "QC-SEPARATE", .warning,
                    "\(segment.label): \(NumberText.plural(uncut, "connected part")) too large for telling objects apart \(uncut == 1 ? "is" : "are") counted as one object each."
                ))
        }
        self.objects = objects
    }

    /// One picture behind the network.
    private struct Cleaned {
        /// One a segment.
        let masks: [Mask]
        let likelihoods: [ProbabilityRuns]
        let probabilities: [[UInt8]]
        let interiors: [Mask]
        let image: DisplayImage
        let heatMaps: [HeatMap]

        /// - Parameter clean: changes the masks, `[segment][1]`.
        init(_ picture: PictureSegmentation, keepsProbabilities: Bool, clean: (inout [[Mask]]) -> Void) {
            var frame = picture.masks.map { [$0] }
            clean(&frame)
            let masks = frame.map { $0[0] }
            self.masks = masks
            likelihoods = masks.indices.map { picture.likelihoods($0) }
            probabilities = keepsProbabilities ? masks.indices.map { picture.probabilities($0) } : []
            (interiors, image, heatMaps) = (picture.interiors, picture.image, picture.heatMaps)
        }
    }

    private static func description(_ volume: Volume, _ window: DisplayWindow?) -> String {
        if volume.samples == 3 { return "colour, as it is" }
        switch window {
        case .linear(let center, let width), .linearExact(let center, let width):
            return "center \(NumberText.short(center)), width \(NumberText.short(width))"
        case .sigmoid(let center, let width):
            return "sigmoid, center \(NumberText.short(center)), width \(NumberText.short(width))"
        case .table: return "look-up table of the source"
        case nil: return "each frame its own"
        }
    }
}

extension Volume {
    /// Of one pixel of one frame; nil where the source does not say how far pixels lie apart, or how thick is what they show.
    var voxelMM3: Double? {
        guard let spacing = pixelSpacing, let depth = sliceSpacing ?? frames[0].sliceThickness else { return nil }
        let size = spacing.row * spacing.column * depth
        return size > 0 ? size : nil
    }
}

extension VoxelSizes {
    init(_ volume: Volume) {
        var shares: [Double] = []
        if let usual = volume.sliceSpacing, usual > 0 { shares = volume.sliceWeights.map { $0 / usual } }
        // Noise of written positions is no difference.
        self.init(mm3: volume.voxelMM3, shares: shares.allSatisfy { abs($0 - 1) <= 1e-3 } ? [] : shares)
    }
}
