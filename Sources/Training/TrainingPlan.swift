import Failures
import Imaging
package import SegmentAnything
import Settings
import Storage
package import Tensors

/// A training run as `train.yaml` describes it.
package struct TrainingPlan: Sendable, Equatable {
    package struct Stage: Sendable, Equatable {
        package var task: TrainingTask
        package var inputSize: Int
        /// May be a fraction: 0.5 is half of the images.
        package var epochs: Double
        package var batch: Int
        /// Batches whose gradients are one step.
        package var accumulate: Int
        package var learningRate: Double
        /// Steps after which the stage ends though its schedule goes on; nil: it goes to its end.
        package var until: Int?
        /// Images of one step.
        package var stepImages: Int { batch * accumulate }
        /// The plan's, with what the stage says instead.
        package var augmentation: Augmentation
    }

    package struct Validation: Sendable, Equatable {
        /// Nil: what `splits` keeps for it.
        package var source: Source?
        /// In epochs.
        package var every: Int
        /// At most so many images, the first of the list; 0: all.
        package var limit: Int
        /// Validations of a stage without a better one, after which it ends; 0: it goes to its end.
        package var patience: Int
    }

    package var configuration: Configuration
    package var configurationName: String
    /// A model directory whose weights the run begins with.
    package var startFrom: String?
    /// A model directory whose encoder the run begins with; everything else is drawn anew.
    package var encoderFrom: String?
    package var input: TrainedInput
    /// One a segment; nil: they are numbered.
    package var segmentLabels: [String]?
    package var data: [Source]
    /// Images without masks, for stages that need none.
    package var unlabelled: [Source]
    package var validation: Validation?
    /// Nearly equal pictures may stand in two splits: phantoms, slices that nobody can tell apart.
    package var allowsSimilar: Bool
    /// Divides `data` where no list does.
    package var splits: CaseSplit?
    package var stages: [Stage]
    package var optimiser: AdamW.Options
    /// Of the moving average of the weights that is validated and written; nil: the last step's weights are.
    package var averageDecay: Double?
    package var warmup: Int
    package var decay: Schedule.Decay
    /// Padding weighs nothing in the loss.
    package var ignorePadding: Bool
    /// How a step is computed: with activation checkpointing (the same weights in less memory), in float32 or with products of bfloat16.
    package var tape: Tape.Options
    package var seed: UInt64
    /// The file as it was read; the model directory keeps it.
    package var text: [UInt8] = []

    /// False: only the encoder learns, and there are no masks at the end.
    package var hasSegmentation: Bool { stages.contains { $0.task.isSegmentation } }
    /// The encoder learns from images alone first.
    package var hasPretraining: Bool { stages.contains { !$0.task.isSegmentation } }

    /// - Parameter folders: what `${name}` in a path stands for.
    /// *Throws* `SettingsFailure` with file and line; `TrainingFailure.role`, `.unusedRole`.
    package static func read(_ path: String, folders: DataFolders = DataFolders()) throws -> TrainingPlan {
        var (plan, text) = try folders.reading(path) { try TrainingPlan($0, $1) }
        plan.text = text
        return plan
    }

    /// - Parameter resolve: makes a path of the file one of this machine.
    init(_ section: Section, _ resolve: (String) throws -> String) throws {
        let model = try section.section("model")
        (configuration, configurationName) = try Self.configuration(model)
        startFrom = try model.optionalString("start_from").map(resolve)
        encoderFrom = try model.optionalString("encoder_from").map(resolve)
        if startFrom != nil, encoderFrom != nil {
            throw model.failure(
                "SET-CHOICE", at: "encoder_from", "start_from gives an encoder already.", cure: "Keep one of the two.")
        }
        segmentLabels = try model.optionalStrings(
            "segment_labels", count: configuration.segments...configuration.segments)
        if let labels = segmentLabels, Set(labels).count < labels.count || labels.contains("") {
            throw model.failure(
                "SET-CHOICE", at: "segment_labels", "a label is empty or stands twice.",
                cure: "Give each segment its own.")
        }
        let labels = segmentLabels ?? ModelDescription.numberedLabels(configuration.segments)
        data = try section.sections("data").map { try Source($0, labels: labels, resolve) }
        unlabelled = try section.sections("unlabelled").map { try Source(unlabelled: $0, resolve) }
        splits = try section.optionalSection("splits").map { try CaseSplit($0) }
        allowsSimilar = try section.choice("similar_images", default: Similar.refuse) == .allow
        let isDivided = splits != nil
        validation = try section.optionalSection("validation").map { part in
            if isDivided, let key = ["folder", "images", "dicom"].first(where: part.has) {
                throw part.failure(
                    "SET-CHOICE", at: key, "splits keeps a fold of data for the validation already.",
                    cure: "Take the data set of the validation out, or splits.")
            }
            return Validation(
                source: try isDivided ? nil : Source(part, labels: labels, resolve),
                every: try part.int("every", in: 1...1000, default: 1),
                limit: try part.int("limit", in: 0...1_000_000, default: 0),
                patience: try part.int("patience", in: 0...1000, default: 0))
        }
        // The fold that is kept away from training validates, whether or not the plan says how often.
        if isDivided, validation == nil { validation = Validation(source: nil, every: 1, limit: 0, patience: 0) }
        if isDivided, let index = data.firstIndex(where: { $0.split != nil }) {
            throw section.failure(
                "SET-CHOICE", at: "splits", "data[\(index)] names a split of its own.", cure: "Take one of the two out."
            )
        }
        let augmentation = try Augmentation(try section.section("augment"))
        stages = try section.sections("stages").map { stage in
            let size = try stage.int("input_size", in: 16...4096)
            try Self.checkSize(size, stage)
            return Stage(
                task: try TrainingTask(stage), inputSize: size, epochs: try stage.double("epochs", in: 0.001...100_000),
                batch: try stage.int("batch", in: 1...4096),
                accumulate: try stage.int("accumulate", in: 1...4096, default: 1),
                learningRate: try stage.double("learning_rate", in: 1e-9...1),
                until: try stage.optionalInt("until", in: 1...Int(Int32.max)),
                augmentation: try stage.optionalSection("augment").map { try Augmentation($0, otherwise: augmentation) }
                    ?? augmentation)
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
        averageDecay = try options?.optionalDouble("ema", in: 0.5...0.99999)
        warmup = try options?.int("warmup", in: 0...1_000_000, default: 250) ?? 250
        decay = try options?.choice("schedule", default: Schedule.Decay.poly) ?? .poly

        let loss = try section.optionalSection("loss")
        configuration.alpha = Float(try loss?.double("alpha", in: 0...1, default: 0.8) ?? 0.8)
        configuration.lossAt = try loss?.choice("at", default: Configuration.LossResolution.quarter) ?? .quarter
        configuration.deepSupervision = try loss?.bool("deep_supervision", default: false) ?? false
        configuration.activation =
            try loss?.choice("activation", default: configuration.activation) ?? configuration.activation
        if let problem = configuration.problems.first(where: { $0.hasPrefix("instances") }) {
            throw model.failure("SET-RANGE", at: "instances", "\(problem).", cure: "Take one of the two out.")
        }
        ignorePadding = try loss?.bool("ignore_padding", default: true) ?? true
        if !ignorePadding, configuration.padding == .drop {
            throw section.failure(
                "SET-CHOICE", at: "loss",
                "ignore_padding is false, and a model with padding: drop says nothing about padding.",
                cure: "Keep one of the two.")
        }
        input = TrainedInput(
            windowing: try TrainedInput.Windowing(try section.section("windowing")),
            aspect: try section.section("preprocess").choice(
                "aspect", default: stages.allSatisfy { $0.augmentation.aspect == [1, 1] } ? .isotropic : .varied))
        tape = Tape.Options(
            recomputes: try section.bool("activation_checkpointing", default: false),
            products: try section.choice("precision", default: Products.fp32) == .bf16 ? .bf16 : .fp32)
        seed = UInt64(try section.int("seed", in: 0...Int.max, default: 1))

        // Images alone are enough where nothing is segmented, but `splits` divides `data`.
        guard !data.isEmpty || !unlabelled.isEmpty && !hasSegmentation && splits == nil else {
            throw section.failure(
                "SET-EMPTY", at: "data", "the list is empty: there is nothing to train on.", cure: "Name a data set.")
        }
        try checkPretraining(section)
        if Self.startsFresh(model), configuration.freezeEncoder, !hasPretraining {
            throw model.failure(
                "TRAIN-FROZEN", at: "configuration", found: configurationName,
                "this configuration freezes the encoder, and without start_from or encoder_from that is one that never learned anything.",
                cure:
                    "Write start_from with a model of `hspsam model import`, begin with a stage of masked_autoencoding, or write configuration: scratch."
            )
        }
    }

    /// *Throws* for a stage that would unlearn what one before it has learned, and for images that nothing learns from.
    private func checkPretraining(_ section: Section) throws(SettingsFailure) {
        if let first = stages.firstIndex(where: { $0.task.isSegmentation }),
            stages[first...].contains(where: { !$0.task.isSegmentation })
        {
            throw section.failure(
                "SET-CHOICE", at: "stages",
                "masked_autoencoding comes after segmentation, whose encoder it would change.",
                cure: "Put its stages first.")
        }
        if !unlabelled.isEmpty, !hasPretraining {
            throw section.failure(
                "SET-CHOICE", at: "unlabelled", "no stage learns from the images of unlabelled.",
                cure: "Add a stage with task: masked_autoencoding, or take the list out.")
        }
    }

    private static func startsFresh(_ model: Section) -> Bool {
        !model.has("start_from") && !model.has("encoder_from")
    }

    private enum Similar: String, CaseIterable { case refuse, allow }
    private enum Products: String, CaseIterable { case fp32, bf16 }

    private static func checkSize(_ size: Int, _ section: Section) throws(SettingsFailure) {
        guard size % 16 == 0 else {
            throw section.failure(
                "SET-RANGE", at: "input_size", found: "\(size)", "the size is no multiple of 16.", cure: "Write one.")
        }
    }

    private static func configuration(_ model: Section) throws -> (Configuration, String) {
        var configuration = Configuration()
        configuration.apply(try model.choice("size", default: Configuration.NamedSize.vitB))
        configuration.stem = try model.choice("stem", default: Configuration.Stem.patch)
        configuration.padding = try model.choice("padding", default: Configuration.Padding.keep)
        configuration.inputSize = try model.int("input_size", in: 16...4096, default: 1024)
        try checkSize(configuration.inputSize, model)
        configuration.segments = try model.int("segments", in: 1...254, default: 1)
        configuration.instances = try model.choice("instances", default: .none)
        let prompts = try model.optionalInt("prompts", in: 0...64)
        let loraRank = try model.optionalInt("lora_rank", in: 0...1024)
        (configuration.prompts, configuration.loraRank) = (prompts ?? configuration.segments, loraRank ?? 32)
        let name = try model.string("configuration", default: startsFresh(model) ? "scratch" : "hsp_sam")
        guard let named = Configuration.Named(name: name), named != .sam else {
            let names = Configuration.Named.names.filter { $0 != "sam" }.joined(separator: ", ")
            throw model.failure(
                "SET-CHOICE", at: "configuration", found: name, "this is no known configuration.",
                cure: "Write one of \(names).")
        }
        if let (key, asked) = named.contradiction(prompts: prompts, loraRank: loraRank) {
            throw model.failure(
                "SET-CHOICE", at: key, found: "\(asked)", "the configuration \(name) has no \(key).",
                cure: "Leave the key out, or choose another configuration.")
        }
        configuration.apply(named)
        let problems = configuration.problems
        guard problems.isEmpty else {
            throw model.failure(
                "SET-RANGE", at: "size", problems.joined(separator: "; ") + ".", cure: "Correct the keys of `model`.")
        }
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
        case .percentile:
            let percentiles = try section.percentiles(code: "SET-RANGE", default: Imaging.Windowing.fallback)
            self = .percentile(low: percentiles.low, high: percentiles.high)
        case .fixed:
            let window = try section.window(code: "SET-RANGE")
            self = .fixed(center: window.center, width: window.width)
        }
    }
}

extension CaseSplit {
    /// The section `splits`.
    init(_ section: Section) throws {
        folds = try section.int("folds", in: 2...1000, default: 5)
        fold = try section.int("fold", in: 0...folds - 1, default: 0)
        test = try section.double("test", in: 0...0.9, default: 0)
        seed = try section.int("seed", in: 0...Int.max, default: 1)
    }
}

extension TrainingTask {
    /// Of an entry of `stages`.
    init(_ section: Section) throws(SettingsFailure) {
        switch try section.choice("task", default: Name.segmentation) {
        case .segmentation: self = .segmentation
        case .maskedAutoencoding:
            let patch = try section.int("mask_patch", in: 16...1024, default: 32)
            guard patch % 16 == 0 else {
                throw section.failure(
                    "SET-RANGE", at: "mask_patch", found: "\(patch)",
                    "mask_patch is no multiple of a token's 16 pixels.",
                    cure: "Write 16, 32 or 64.")
            }
            self = .maskedAutoencoding(
                Masking(ratio: try section.double("mask_ratio", in: 0.05...0.95, default: 0.6), patch: patch))
        }
    }

    private enum Name: String, CaseIterable {
        case segmentation
        case maskedAutoencoding = "masked_autoencoding"
    }
}
