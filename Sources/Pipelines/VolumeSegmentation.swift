import DICOM
import Imaging
import Numbers
import SegmentAnything

/// A volume's masks, made frame by frame: the activations of one frame are in memory at a time.
struct VolumeSegmentation {
    /// `[segment][frame]`, after the pipeline's post-processing.
    private(set) var masks: [[Mask]]
    /// `[segment][frame]`
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

    /// *Throws* a `PIX-…` refusal, `unreadable`, and what `progress` throws.
    init(
        _ volume: Volume, _ pipeline: Pipeline, _ predictor: Predictor, clock: inout StepClock,
        progress: (_ frame: Int) throws -> Void
    ) throws {
        let stream = FrameStream(volume, pipeline.windowing)
        displayWindow = try clock.time("window") { try stream.window() }
        window = Self.description(volume, displayWindow)
        let count = pipeline.segments.count
        masks = [[Mask]](repeating: [], count: count)
        confidence = [[Float?]](repeating: [], count: count)
        let keepsProbabilities = pipeline.outputs.segmentations.probabilities || pipeline.outputs.countsObjects
        if keepsProbabilities { probabilities = [[[UInt8]]](repeating: [], count: count) }
        kept = KeptFrames(of: volume.frames.count)
        let spacing = Self.spacing(volume, pipeline)
        let voxel = Self.voxelMM3(volume)
        // Frames without a place in space are no volume: each is cleaned by itself.
        let isSpatial = volume.kind == .spatial && volume.frames.count > 1
        for index in volume.frames.indices {
            let image = try clock.time("decode") { try stream.next() }
            let prediction = clock.time("infer") { predictor.segment(image, spacing: spacing, heatMaps: true) }
            clock.time("post-process") {
                var frame = prediction.masks.map { [$0] }
                if !isSpatial { pipeline.postprocess.apply(&frame, isSpatial: false, voxelMM3: voxel) }
                for segment in 0..<count {
                    masks[segment].append(frame[segment][0])
                    if keepsProbabilities {
                        probabilities[segment].append(
                            prediction.probabilities[segment].map { UInt8(grey: $0 * 255) })
                    }
                    confidence[segment].append(
                        Prediction.confidence(of: frame[segment][0], probabilities: prediction.probabilities[segment]))
                }
                kept.add(
                    index, image, pixels: frame.reduce(0) { $0 + $1[0].count }, heatMaps: prediction.heatMaps)
            }
            try progress(index + 1)
        }
        if isSpatial {
            clock.time("post-process") { pipeline.postprocess.apply(&masks, isSpatial: true, voxelMM3: voxel) }
        }
        notes = try stream.notes()
    }

    /// What the predictor knows of pixels that are not square.
    static func spacing(_ volume: Volume, _ pipeline: Pipeline) -> PixelSpacing? {
        let isGrid =
            pipeline.aspect == .grid || SOPClass.of(volume.first.sopClassUID) == .vlWholeSlideMicroscopyImageStorage
        return isGrid ? nil : PixelSpacing(row: volume.pixelAspect, column: 1)
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
