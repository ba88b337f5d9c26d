package import DICOM
package import ImageFiles
import Settings

/// How much a file may ask for before it is refused with `IN-LIMIT`, as `limits` of a pipeline says it.
///
/// *Source*: `docs/dicom-support.md`, "Files"; `docs/formats.md`, "A pipeline".
package struct ReadingLimits: Sendable, Equatable {
    package var dicom = DICOMLimits.standard
    package var images = ImageLimits.standard

    package init() {}

    /// Of all pipelines of a run, where files are read before it is known whose they are: the largest of each, so that no pipeline is
    /// kept from what it takes.
    init(of directories: [PipelineDirectory]) {
        guard let first = directories.first else { return }
        self = first.pipeline.limits
        for other in directories.dropFirst().map(\.pipeline.limits) {
            for path in Self.numbers.map(\.path) {
                self[keyPath: path] = max(self[keyPath: path], other[keyPath: path])
            }
            seconds = max(seconds, other.seconds)
        }
    }

    /// A limit that is a whole number: its key, what it may be, where it is held.
    private struct Number {
        let key: String
        let range: ClosedRange<Int>
        var isSize = false
        let path: WritableKeyPath<ReadingLimits, Int>
    }

    private static var numbers: [Number] {
        [
            Number(key: "file", range: 1 << 10...1 << 44, isSize: true, path: \.dicom.fileBytes),
            Number(key: "inflated", range: 1 << 10...1 << 36, isSize: true, path: \.dicom.inflatedBytes),
            Number(key: "inflate_ratio", range: 1...100_000, path: \.dicom.inflateRatio),
            Number(key: "nesting", range: 1...64, path: \.dicom.nestingDepth),
            Number(key: "items", range: 1...10_000_000, path: \.dicom.itemsPerSequence),
            Number(key: "elements", range: 1...1_000_000, path: \.dicom.elementsPerItem),
            Number(key: "side", range: 1...65_535, path: \.side),
            Number(key: "frames", range: 1...10_000_000, path: \.dicom.frames),
            Number(key: "tiles", range: 1...10_000_000, path: \.dicom.tiles),
            Number(key: "samples", range: 1...1 << 31, path: \.samples),
            Number(key: "frame_memory", range: 1 << 20...1 << 38, isSize: true, path: \.memory),
            Number(key: "pages", range: 1...1_000_000, path: \.images.maxPages),
        ]
    }

    /// *Throws* `SettingsFailure` for a number that none of them can be.
    init(_ section: Section) throws {
        for number in Self.numbers {
            let stated =
                number.isSize
                ? try section.optionalSize(number.key, in: number.range)
                : try section.optionalInt(number.key, in: number.range)
            if let stated { self[keyPath: number.path] = stated }
        }
        if let stated = try section.optionalDouble("frame_seconds", in: 0.01...86_400) { seconds = stated }
    }

    // MARK: What DICOM and pictures have in common

    private var side: Int {
        get { dicom.rowsOrColumns }
        set { (dicom.rowsOrColumns, images.maxSide) = (newValue, newValue) }
    }

    private var samples: Int {
        get { dicom.samplesPerFrame }
        set { (dicom.samplesPerFrame, images.maxSamples) = (newValue, newValue) }
    }

    private var memory: Int {
        get { dicom.frameBytes }
        set { (dicom.frameBytes, images.maxBytes) = (newValue, newValue) }
    }

    private var seconds: Double {
        get { dicom.frameSeconds }
        set { (dicom.frameSeconds, images.maxSeconds) = (newValue, newValue) }
    }

    // MARK: Of a volume

    /// Whether one pipeline's own limits hold a volume that was read under those of all.
    ///
    /// *Throws* `DICOMFailure.limit`.
    func check(_ volume: Volume) throws(DICOMFailure) {
        for instance in volume.instances {
            let pixels = instance.pixels
            let isSlide = volume.slide != nil
            for (what, found, limit) in [
                ("rows", pixels.rows, side), ("columns", pixels.columns, side),
                (isSlide ? "tiles" : "frames", pixels.frames, isSlide ? dicom.tiles : dicom.frames),
                ("samples a frame", pixels.rows * pixels.columns * pixels.samples, samples),
            ] where found > limit {
                throw .limit(
                    "\(found) \(what), more than the \(limit) that the pipeline allows.",
                    cure: "Raise limits in pipeline.yaml, or send a smaller image.")
            }
        }
    }
}
