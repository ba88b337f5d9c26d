import Failures
import Imaging
import SegmentAnything
import Settings
import Tensors

extension TrainingPlan {
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
        segmentLabels = try Self.segmentLabels(model, count: configuration.segments)
        let labels = segmentLabels ?? ModelDescription.numberedLabels(configuration.segments)
        data = try section.sections("data").map { try Source($0, labels: labels, resolve) }
        unlabelled = try section.sections("unlabelled").map { try Source(unlabelled: $0, resolve) }
        splits = try section.optionalSection("splits").map { try CaseSplit($0) }
        allowsSimilar = try section.choice("similar_images", default: Similar.refuse) == .allow
        let isDivided = splits != nil
        validation = try section.optionalSection("validation").map {
            try Validation($0, isDivided: isDivided, labels: labels, resolve)
        }
        // The fold that is kept away from training validates, whether or not the plan says how often.
        if isDivided, validation == nil { validation = Validation(source: nil, every: 1, limit: 0, patience: 0) }
        if isDivided, let index = data.firstIndex(where: { $0.split != nil }) {
            throw section.failure(
                "SET-CHOICE", at: "splits", "data[\(index)] names a split of its own.", cure: "Take one of the two out."
            )
        }
        let augmentation = try Augmentation(try section.section("augment"))
        stages = try section.sections("stages").map { try Stage($0, augmentation) }
        guard !stages.isEmpty else {
            throw section.failure(
                "SET-EMPTY", at: "stages", "the list is empty: there is nothing to do.", cure: "Add a stage.")
        }
        let options = try section.optionalSection("optimiser")
        optimiser = try AdamW.Options(options)
        averageDecay = try options?.optionalDouble("ema", in: 0.5...0.99999)
        warmup = try options?.int("warmup", in: 0...1_000_000, default: 250) ?? 250
        decay = try options?.choice("schedule", default: Schedule.Decay.poly) ?? .poly
        let loss = try section.optionalSection("loss")
        if let loss { try configuration.apply(loss: loss) }
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
        try checkData(section)
        try checkPretraining(section)
        try checkEncoder(model)
    }

    private enum Similar: String, CaseIterable { case refuse, allow }
    private enum Products: String, CaseIterable { case fp32, bf16 }

    /// *Throws* where there is nothing to learn from: images alone are enough where nothing is segmented, but `splits` divides `data`.
    private func checkData(_ section: Section) throws(SettingsFailure) {
        guard !data.isEmpty || !unlabelled.isEmpty && !hasSegmentation && splits == nil else {
            throw section.failure(
                "SET-EMPTY", at: "data", "the list is empty: there is nothing to train on.", cure: "Name a data set.")
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

    /// *Throws* for a frozen encoder that never learned anything.
    private func checkEncoder(_ model: Section) throws(SettingsFailure) {
        guard Self.startsFresh(model), configuration.freezeEncoder, !hasPretraining else { return }
        throw model.failure(
            "TRAIN-FROZEN", at: "configuration", found: configurationName,
            "this configuration freezes the encoder, and without start_from or encoder_from that is one that never learned anything.",
            cure:
                "Write start_from with a model of `hspsam model import`, begin with a stage of masked_autoencoding, or write configuration: scratch."
        )
    }

    private static func startsFresh(_ model: Section) -> Bool {
        !model.has("start_from") && !model.has("encoder_from")
    }

    private static func segmentLabels(_ model: Section, count: Int) throws(SettingsFailure) -> [String]? {
        let labels = try model.optionalStrings("segment_labels", count: count...count)
        if let labels, Set(labels).count < labels.count || labels.contains("") {
            throw model.failure(
                "SET-CHOICE", at: "segment_labels", "a label is empty or stands twice.",
                cure: "Give each segment its own.")
        }
        return labels
    }

    fileprivate static func checkSize(_ size: Int, _ section: Section) throws(SettingsFailure) {
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

extension TrainingPlan.Stage {
    /// An entry of `stages`; `augmentation` is the plan's.
    fileprivate init(_ section: Section, _ augmentation: Augmentation) throws {
        let size = try section.int("input_size", in: 16...4096)
        try TrainingPlan.checkSize(size, section)
        self.init(
            task: try TrainingTask(section), inputSize: size, epochs: try section.double("epochs", in: 0.001...100_000),
            batch: try section.int("batch", in: 1...4096),
            accumulate: try section.int("accumulate", in: 1...4096, default: 1),
            learningRate: try section.double("learning_rate", in: 1e-9...1),
            until: try section.optionalInt("until", in: 1...Int(Int32.max)),
            augmentation: try section.optionalSection("augment").map { try Augmentation($0, otherwise: augmentation) }
                ?? augmentation)
    }
}

extension TrainingPlan.Validation {
    /// The section `validation`; `isDivided` where `splits` keeps a fold for it.
    fileprivate init(
        _ section: Section, isDivided: Bool, labels: [String], _ resolve: (String) throws -> String
    ) throws {
        if isDivided, let key = ["folder", "images", "dicom"].first(where: section.has) {
            throw section.failure(
                "SET-CHOICE", at: key, "splits keeps a fold of data for the validation already.",
                cure: "Take the data set of the validation out, or splits.")
        }
        self.init(
            source: try isDivided ? nil : TrainingPlan.Source(section, labels: labels, resolve),
            every: try section.int("every", in: 1...1000, default: 1),
            limit: try section.int("limit", in: 0...1_000_000, default: 0),
            patience: try section.int("patience", in: 0...1000, default: 0))
    }
}

extension AdamW.Options {
    /// The section `optimiser`, as far as it is AdamW's.
    fileprivate init(_ section: Section?) throws(SettingsFailure) {
        self.init()
        guard let section else { return }
        beta1 = Float(try section.double("beta1", in: 0...0.99999, default: Double(beta1)))
        beta2 = Float(try section.double("beta2", in: 0...0.99999, default: Double(beta2)))
        epsilon = Float(try section.double("epsilon", in: 1e-12...1, default: Double(epsilon)))
        decay = Float(try section.double("weight_decay", in: 0...1, default: Double(decay)))
        clipNorm = try section.double("clip_norm", in: 0...1e9, default: clipNorm)
    }
}

extension Configuration {
    /// What the section `loss` says of the network.
    fileprivate mutating func apply(loss section: Section) throws(SettingsFailure) {
        alpha = Float(try section.double("alpha", in: 0...1, default: Double(alpha)))
        lossAt = try section.choice("at", default: lossAt)
        deepSupervision = try section.bool("deep_supervision", default: deepSupervision)
        activation = try section.choice("activation", default: activation)
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
