import DICOM
import Imaging
import Numbers
import SegmentAnything

/// A volume's masks, made picture by picture: the activations of one picture, or of one of its tiles, are in memory at a time.
struct VolumeSegmentation {
    /// `[segment][picture]`, after the pipeline's post-processing; a slide's are those of its total pixel matrix.
    private(set) var masks: [[Mask]]
    /// `[segment][picture]`
    private(set) var confidence: [[Float?]]
    /// `[segment][frame][pixel]`, 255 is certain; empty unless the pipeline writes them or counts objects.
    private(set) var probabilities: [[[UInt8]]] = []
    /// How values became grey levels, for the report.
    private(set) var window: String
    /// The same for all frames; nil when each has its own, and for colour.
    private(set) var displayWindow: DisplayWindow?
    /// For the report's pictures.
    private(set) var kept: KeptFrames
    /// Oddities of decoding.
    private(set) var notes: [String] = []
    /// Of the picture's scale.
    private(set) var findings: [Finding] = []
    /// The side of a tile, in pixels of a row; nil where pictures are taken whole.
    private(set) var tileSide: Int?

    /// *Throws* a `PIX-…` refusal, `unreadable`, `InputFailure.scale`, and what `progress` throws.
    init(
        _ volume: Volume, _ pipeline: Pipeline, _ predictor: Predictor, clock: inout StepClock,
        progress: (_ frame: Int) throws -> Void
    ) throws {
        let scale = try PictureScale(volume, pipeline, trained: predictor.description.trainedInput?.scale)
        findings = scale.findings
        tileSide = scale.tile?.side
        let stream = FrameStream(volume, pipeline.windowing)
        displayWindow = try clock.time("window") { try stream.window() }
        window = Self.description(volume, displayWindow)
        let count = pipeline.segments.count
        masks = [[Mask]](repeating: [], count: count)
        confidence = [[Float?]](repeating: [], count: count)
        let keepsProbabilities =
            volume.slide == nil
            && (pipeline.outputs.segmentations.probabilities || pipeline.outputs.countsObjects)
        if keepsProbabilities { probabilities = [[[UInt8]]](repeating: [], count: count) }
        let pictures = volume.pictures
        kept = KeptFrames(of: pictures.count)
        let spacing = Self.spacing(volume, pipeline)
        let voxel = Self.voxelMM3(volume)
        // Frames without a place in space are no volume: each is cleaned by itself.
        let isSpatial = volume.kind == .spatial && volume.frames.count > 1
        let isColor = volume.samples == 3
        for index in 0..<pictures.count {
            var picture = PictureSegmentation(
                rows: pictures.rows, columns: pictures.columns, scale.tile, predictor, spacing: spacing,
                keepsProbabilities: keepsProbabilities,
                isEmpty: { volume.slide != nil && Glass.isAll(of: $0, isColor: isColor) })
            while !picture.isDone {
                let band = try clock.time("decode") { try stream.next() }
                clock.time("infer") { picture.add(band) }
                // Of a slide the tiles that are behind us; the picture itself is told when it is cleaned.
                if !picture.isDone { try progress(volume.frames.count * picture.done / pictures.rows) }
            }
            clock.time("post-process") {
                var frame = picture.masks.map { [$0] }
                if !isSpatial { pipeline.postprocess.apply(&frame, isSpatial: false, voxelMM3: voxel) }
                for segment in 0..<count {
                    masks[segment].append(frame[segment][0])
                    if keepsProbabilities { probabilities[segment].append(picture.probabilities(segment)) }
                    confidence[segment].append(picture.confidence(segment, of: frame[segment][0]))
                }
                kept.add(
                    index, picture.image, pixels: frame.reduce(0) { $0 + $1[0].count }, heatMaps: picture.heatMaps)
            }
            try progress(volume.slide == nil ? index + 1 : volume.frames.count)
        }
        if isSpatial {
            clock.time("post-process") { pipeline.postprocess.apply(&masks, isSpatial: true, voxelMM3: voxel) }
        }
        notes = try stream.notes()
    }

    /// What the predictor knows of pixels that are not square.
    static func spacing(_ volume: Volume, _ pipeline: Pipeline) -> PixelSpacing? {
        pipeline.aspect == .grid ? nil : PixelSpacing(row: volume.pixelAspect, column: 1)
    }

    /// Of one pixel of one frame; a single frame counts its thickness or, without, one mm.
    private static func voxelMM3(_ volume: Volume) -> Double? {
        volume.pixelSpacing.map { $0.row * $0.column * (volume.sliceSpacing ?? volume.frames[0].sliceThickness ?? 1) }
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
