import DICOM
import Imaging
import Numbers
import SegmentAnything

/// A volume's masks, made frame by frame: one frame's pixels and activations are in memory at a time.
struct VolumeSegmentation {
    /// `[segment][frame]`, after the pipeline's post-processing.
    private(set) var masks: [[Mask]]
    /// `[segment][frame]`
    private(set) var confidence: [[Float?]]
    private(set) var window: String
    /// Of a volume of one frame, for which they cost nothing.
    private(set) var heatMaps: [HeatMap] = []
    /// Oddities of decoding.
    private(set) var notes: [String] = []

    /// Shows one frame as the network sees it; decodes it again.
    let display: FrameDisplay

    init(
        _ volume: Volume, _ pipeline: Pipeline, _ predictor: Predictor, clock: inout StepClock,
        progress: (Int, Int) throws -> Void
    ) throws {
        display = try clock.time("window") { try FrameDisplay(volume, pipeline.windowing) }
        window = display.description
        let count = pipeline.segments.count
        masks = [[Mask]](repeating: [], count: count)
        confidence = [[Float?]](repeating: [], count: count)
        let spacing = Self.spacing(volume, pipeline)
        let isSingle = volume.frames.count == 1
        let voxel = Self.voxelMM3(volume)
        for index in volume.frames.indices {
            let image = try clock.time("decode") { try display.image(index) }
            let prediction = clock.time("infer") { predictor.segment(image, spacing: spacing, heatMaps: isSingle) }
            clock.time("post-process") {
                var frame = prediction.masks.map { [$0] }
                if volume.kind == .frames || isSingle {
                    for step in pipeline.postprocess { step.apply(&frame, isSpatial: false, voxelMM3: voxel) }
                }
                for segment in 0..<count {
                    masks[segment].append(frame[segment][0])
                    confidence[segment].append(
                        Prediction.confidence(of: frame[segment][0], probabilities: prediction.probabilities[segment]))
                }
            }
            if isSingle { heatMaps = prediction.heatMaps }
            try progress(index + 1, volume.frames.count)
        }
        if volume.kind == .spatial, !isSingle {
            clock.time("post-process") {
                for step in pipeline.postprocess { step.apply(&masks, isSpatial: true, voxelMM3: voxel) }
            }
        }
        notes = display.notes
    }

    /// What the predictor is told of pixels that are not square.
    static func spacing(_ volume: Volume, _ pipeline: Pipeline) -> PixelSpacing? {
        let isGrid =
            pipeline.aspect == .grid || SOPClass.of(volume.first.sopClassUID) == .vlWholeSlideMicroscopyImageStorage
        return isGrid ? nil : PixelSpacing(row: volume.pixelAspect, column: 1)
    }

    /// Of one pixel of one frame; a single frame counts its thickness or, without, one mm.
    private static func voxelMM3(_ volume: Volume) -> Double? {
        volume.pixelSpacing.map { $0.row * $0.column * (volume.sliceSpacing ?? volume.frames[0].sliceThickness ?? 1) }
    }
}

/// Frames of a volume as pictures, by the pipeline's windowing.
final class FrameDisplay {
    private let volume: Volume
    private let windowing: Windowing
    private let decoding = FrameDecoding()
    /// Nil when each frame has its own.
    private let common: DisplayWindow?

    init(_ volume: Volume, _ windowing: Windowing) throws(DICOMFailure) {
        self.volume = volume
        self.windowing = windowing
        if volume.samples == 3 {
            common = DisplayWindow(from: 0, to: 255)
        } else if windowing.scope == .volume {
            let decoding = decoding
            common = try windowing.window(for: volume.frames.map(\.voi)) { index throws(DICOMFailure) in
                try decoding.frame(volume.frames[index])
            }
        } else {
            common = nil
        }
    }

    func image(_ index: Int) throws(DICOMFailure) -> DisplayImage {
        let frame = try decoding.frame(volume.frames[index])
        return (common ?? windowing.window(for: frame, volume.frames[index].voi)).image(frame)
    }

    var notes: [String] { decoding.notes }

    /// For the report.
    var description: String {
        if volume.samples == 3 { return "colour, as it is" }
        switch common {
        case .linear(let center, let width), .linearExact(let center, let width):
            return "center \(NumberText.short(center)), width \(NumberText.short(width))"
        case .sigmoid(let center, let width):
            return "sigmoid, center \(NumberText.short(center)), width \(NumberText.short(width))"
        case .table: return "look-up table of the source"
        case nil: return "each frame its own"
        }
    }
}

/// Seconds by step, in the order of their first use.
struct StepClock {
    private(set) var steps: [(name: String, seconds: Double)] = []
    private let clock = ContinuousClock()

    mutating func time<Result, Error: Swift.Error>(_ name: String, _ body: () throws(Error) -> Result) throws(Error)
        -> Result
    {
        let start = clock.now
        defer { add(name, start.duration(to: clock.now)) }
        return try body()
    }

    private mutating func add(_ name: String, _ duration: Duration) {
        let seconds = Double(duration.components.seconds) + Double(duration.components.attoseconds) * 1e-18
        if let index = steps.firstIndex(where: { $0.name == name }) {
            steps[index].seconds += seconds
        } else {
            steps.append((name, seconds))
        }
    }

    var total: Double { steps.reduce(0) { $0 + $1.seconds } }
}
