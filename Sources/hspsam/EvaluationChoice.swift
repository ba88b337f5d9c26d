import Failures
import SegmentAnything
import Training

/// The data sets that the options of `evaluate` name.
struct EvaluationChoice {
    private let options: EvaluateCommand

    init(_ options: EvaluateCommand) { self.options = options }

    /// Options that say something of one set alone, with what they say.
    private var single: [(option: String, value: String)] {
        [
            ("--folder", options.folder), ("--images", options.images), ("--masks", options.masks),
            ("--list", options.list), ("--split", options.split), ("--fold", options.fold.map { "\($0)" }),
            ("--mask-rule", options.maskRule),
        ].compactMap { option, value in value.map { (option, $0) } }
    }

    /// *Throws* `USE-DATA`, `USE-SPLIT` for options that do not go together.
    func check() throws(FailureRecord) {
        let isSet = options.setFile != nil || options.source != nil
        if isSet, let other = single.first {
            throw Self.failure(
                "--set, --source and --target name the data sets, and this would be said of which of them?",
                "Say it in the entry of --set.", "\(other.option) \(other.value)")
        }
        if options.source == nil, let target = options.target.first {
            throw Self.failure(
                "what is lost there is the difference to the set that the model learned from.",
                "Name that with --source.", "--target \(target)")
        }
        if options.setFile == nil, let data = options.data.first {
            throw Self.failure("only --set names folders by ${NAME}.", "Add --set FILE.yaml.", "--data \(data)")
        }
        if !isSet { _ = try origin() }
        if let split = options.split, options.list == nil {
            throw FailureRecord(
                kind: .usage, code: "USE-SPLIT",
                message: FailureMessage(
                    "a split needs the list that holds it.", cure: "Add --list FILE.", subject: "--split \(split)"))
        }
        if let fold = options.fold {
            guard let list = options.list, SplitList.hasFolds(list), fold >= 0 else {
                throw FailureRecord(
                    kind: .usage, code: "USE-SPLIT",
                    message: FailureMessage(
                        "a fold is counted from 0 and needs the list that holds it.",
                        cure: "Add --list splits_final.json, or leave --fold out.", subject: "--fold \(fold)"))
            }
        }
    }

    /// - Parameter labels: of the model's segments.
    /// *Throws* `SettingsFailure`, `TrainingFailure`, `USE-DATA`.
    func sets(labels: [String]) throws -> EvaluationSets {
        if let file = options.setFile {
            let all = try EvaluationSets.read(file, labels: labels, folders: DataOptions.folders(options.data))
            guard let source = options.source else { return all }
            return try all.chosen(source: source, targets: options.target)
        }
        if let source = options.source {
            let all = try EvaluationSets(folders: [source] + options.target)
            let names = all.all.map(\.name)
            return try all.chosen(source: names[0], targets: Array(names.dropFirst()))
        }
        var one = TrainingPlan.Source(origin: try origin(), list: options.list, split: options.split)
        one.fold = options.fold ?? 0
        one.rule = try options.maskRule.map { try MaskRule($0, labels: labels, option: "--mask-rule") }
        return EvaluationSets(EvaluationSet(name: options.split ?? "all", source: one))
    }

    private func origin() throws(FailureRecord) -> DataOrigin {
        switch (options.folder, options.images, options.masks) {
        case (let folder?, nil, nil): return .folder(folder)
        case (nil, let images?, let masks?): return .pairs(images: images, masks: masks)
        default:
            throw FailureRecord(
                kind: .usage, code: "USE-DATA",
                message: FailureMessage(
                    "images come from --images with --masks, from --folder, from --set, or from --source with --target.",
                    cure: "Give one of these."))
        }
    }

    private static func failure(_ explanation: String, _ cure: String, _ subject: String) -> FailureRecord {
        FailureRecord(
            kind: .usage, code: "USE-DATA", message: FailureMessage(explanation, cure: cure, subject: subject))
    }
}
