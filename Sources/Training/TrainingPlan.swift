import Failures
import Imaging
package import SegmentAnything
import Settings
import Storage

/// A training run as `train.yaml` describes it.
package struct TrainingPlan: Sendable, Equatable {
    /// A folder of images with one of masks; `list` and `split` pick some of them.
    package struct Source: Sendable, Equatable {
        package var images: String
        package var masks: String
        /// CSV `name,split`; nil takes every image.
        package var list: String?
        package var split: String?
        /// How often an image of this source is drawn an epoch.
        package var weight = 1.0
    }

    package struct Stage: Sendable, Equatable {
        package var inputSize: Int
        /// May be a fraction: 0.5 is half of the images.
        package var epochs: Double
        package var batch: Int
        package var learningRate: Double
    }

    package struct Validation: Sendable, Equatable {
        package var source: Source
        /// In epochs.
        package var every: Int
        /// At most so many images, the first of the list; 0: all.
        package var limit: Int
    }

    package var configuration: Configuration
    package var configurationName: String
    /// A model directory whose weights the run begins with.
    package var startFrom: String?
    package var input: TrainedInput
    /// One a segment; nil: they are numbered.
    package var segmentLabels: [String]?
    package var data: [Source]
    package var validation: Validation?
    package var stages: [Stage]
    package var optimiser: AdamW.Options
    package var warmup: Int
    package var decay: Schedule.Decay
    /// Padding weighs nothing in the loss.
    package var ignorePadding: Bool
    package var augmentation: Augmentation
    package var seed: UInt64

    /// *Throws* `SettingsFailure` with file and line.
    package static func read(_ path: String) throws -> TrainingPlan {
        let folder = Folder.split(path).folder
        return try Section.read(DurableFile.read(path, limit: 1 << 20), file: path) {
            try TrainingPlan($0, folder: folder)
        }
    }

    /// - Parameter folder: what relative paths of the file start from.
    init(_ section: Section, folder: String) throws {
        let resolve: (String) -> String = { $0.hasPrefix("/") || folder.isEmpty ? $0 : Folder.join(folder, $0) }
        let model = try section.section("model")
        (configuration, configurationName) = try Self.configuration(model)
        startFrom = try model.optionalString("start_from").map(resolve)
        segmentLabels = try model.optionalStrings(
            "segment_labels", count: configuration.segments...configuration.segments)
        if let labels = segmentLabels, Set(labels).count < labels.count || labels.contains("") {
            throw model.failure(
                "SET-CHOICE", at: "segment_labels", "a label is empty or stands twice.",
                cure: "Give each segment its own.")
        }
        data = try section.sections("data").map { try Source($0, resolve) }
        validation = try section.optionalSection("validation").map {
            Validation(
                source: try Source($0, resolve), every: try $0.int("every", in: 1...1000, default: 1),
                limit: try $0.int("limit", in: 0...1_000_000, default: 0))
        }
        stages = try section.sections("stages").map { stage in
            let size = try stage.int("input_size", in: 16...4096)
            guard size % 16 == 0 else {
                throw stage.failure(
                    "SET-RANGE", at: "input_size", found: "\(size)", "the size is no multiple of 16.",
                    cure: "Write one.")
            }
            return Stage(
                inputSize: size, epochs: try stage.double("epochs", in: 0.001...100_000),
                batch: try stage.int("batch", in: 1...4096),
                learningRate: try stage.double("learning_rate", in: 1e-9...1))
        }
        guard !data.isEmpty else {
            throw section.failure(
                "SET-EMPTY", at: "data", "the list is empty: there is nothing to train on.", cure: "Name a data set.")
        }
        guard !stages.isEmpty else {
            throw section.failure(
                "SET-EMPTY", at: "stages", "the list is empty: there is nothing to do.", cure: "Add a stage.")
        }

        optimiser = AdamW.Options()
        let options = try section.optionalSection("optimiser")
        optimiser.beta1 = Float(try options?.double("beta1", in: 0...0.99999, default: 0.9) ?? 0.9)
        optimiser.beta2 = Float(try options?.double("beta2", in: 0...0.99999, default: 0.999) ?? 0.999)
        optimiser.epsilon = Float(try options?.double("epsilon", in: 1e-12...1, default: 1e-8) ?? 1e-8)
        optimiser.decay = Float(try options?.double("weight_decay", in: 0...1, default: 0.1) ?? 0.1)
        optimiser.clipNorm = try options?.double("clip_norm", in: 0...1e9, default: 0) ?? 0
        warmup = try options?.int("warmup", in: 0...1_000_000, default: 250) ?? 250
        decay = try options?.choice("schedule", default: Schedule.Decay.poly) ?? .poly

        let loss = try section.optionalSection("loss")
        configuration.alpha = Float(try loss?.double("alpha", in: 0...1, default: 0.8) ?? 0.8)
        configuration.lossAt = try loss?.choice("at", default: Configuration.LossResolution.quarter) ?? .quarter
        configuration.deepSupervision = try loss?.bool("deep_supervision", default: false) ?? false
        configuration.activation =
            try loss?.choice("activation", default: configuration.activation) ?? configuration.activation
        ignorePadding = try loss?.bool("ignore_padding", default: true) ?? true
        augmentation = try section.optionalSection("augment").map { try Augmentation($0) } ?? Augmentation()
        input = TrainedInput(
            windowing: try TrainedInput.Windowing(try section.section("windowing")),
            aspect: try section.section("preprocess").choice(
                "aspect", default: augmentation.aspect == [1, 1] ? .isotropic : .varied))
        seed = UInt64(try section.int("seed", in: 0...Int.max, default: 1))
    }

    private static func configuration(_ model: Section) throws -> (Configuration, String) {
        var configuration = Configuration()
        configuration.apply(try model.choice("size", default: Configuration.NamedSize.vitB))
        configuration.stem = try model.choice("stem", default: Configuration.Stem.patch)
        configuration.inputSize = try model.int("input_size", in: 16...4096, default: 1024)
        configuration.segments = try model.int("segments", in: 1...254, default: 1)
        configuration.prompts = try model.int("prompts", in: 0...64, default: configuration.segments)
        configuration.loraRank = try model.int("lora_rank", in: 0...1024, default: 32)
        let name = try model.string("configuration", default: "hsp_sam")
        guard let named = Configuration.Named(name: name), named != .sam else {
            let names = Configuration.Named.names.filter { $0 != "sam" }.joined(separator: ", ")
            throw model.failure(
                "SET-CHOICE", at: "configuration", found: name, "this is no known configuration.",
                cure: "Write one of \(names).")
        }
        configuration.apply(named)
        return (configuration, name)
    }
}

extension TrainedInput.Windowing {
    /// The section `windowing` of train.yaml, in the words of `pipeline.yaml`.
    init(_ section: Section) throws {
        switch try section.choice("mode", default: Mode.asIs) {
        case .asIs: self = .asIs
        case .color: self = .color
        case .minmax: self = .minmax
        case .percentile: self = .percentile(low: Imaging.Windowing.fallback.low, high: Imaging.Windowing.fallback.high)
        case .fixed:
            let window = try section.doubles("window", count: 2...2)
            guard window[1] > 0 else {
                throw section.failure(
                    "SET-RANGE", at: "window", found: "\(window[1])", "the width is not above 0.",
                    cure: "Write window: [center, width].")
            }
            self = .fixed(center: window[0], width: window[1])
        }
    }
}

extension TrainingPlan.Source {
    init(_ section: Section, _ resolve: (String) -> String) throws {
        self.init(
            images: resolve(try section.string("images")), masks: resolve(try section.string("masks")),
            list: try section.optionalString("list").map(resolve), split: try section.optionalString("split"),
            weight: try section.double("weight", in: 0...1000, default: 1))
        if split != nil, list == nil {
            throw section.failure(
                "SET-MISSING", at: "split", "a split needs the list that holds it.", cure: "Name the list.")
        }
    }
}
