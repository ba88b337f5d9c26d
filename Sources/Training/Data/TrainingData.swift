import SegmentAnything
import Storage

/// The data sets of a plan by what they are for. Nothing is decoded.
package struct TrainingData: Sendable {
    /// One an entry of `data`.
    package let training: [Dataset]
    /// One an entry of `unlabelled`.
    package let unlabelled: [Dataset]
    package let validation: [Dataset]
    /// What `splits` keeps away from both.
    package let test: [Dataset]
    /// What the lists of the plan keep for other splits, without masks: no image of `unlabelled` may be one of them. Empty where
    /// there is none of these.
    package let heldOut: [Dataset]

    /// *Throws* `TrainingFailure`; Storage's failures.
    package init(_ plan: TrainingPlan) throws {
        let (segments, labels) = (plan.configuration.segments, plan.segmentLabels)
        let asked = Set(
            (plan.data + plan.unlabelled + [plan.validation?.source].compactMap(\.self)).compactMap(\.split))
        func read(_ source: TrainingPlan.Source, ignoresMasks: Bool = false) throws -> Dataset {
            try Dataset(source, segments: segments, labels: labels, ignoresMasks: ignoresMasks, splits: asked)
        }
        let all = try plan.data.map { try read($0) }
        unlabelled = try plan.unlabelled.map { try read($0, ignoresMasks: true) }
        guard let splits = plan.splits else {
            training = all
            let own = try plan.validation?.source.map { try read($0) }
            validation = own.map { [$0] } ?? []
            test = []
            try plan.confirmDraws(training, unlabelled)
            heldOut =
                unlabelled.isEmpty
                ? []
                : try Self.heldOut(plan.data + [plan.validation?.source].compactMap { $0 }, training + validation) {
                    try read($0, ignoresMasks: true)
                }
            return
        }
        func part(_ isIncluded: (CaseSplit.Part) -> Bool) throws -> [Dataset] {
            try all.map { try $0.filtered { try isIncluded(splits.part(of: $0)) } }
        }
        // `data` has no splits of lists then.
        heldOut = []
        training = try part { $0 != .test && $0 != .fold(splits.fold) }
        validation = try part { $0 == .fold(splits.fold) }.filter { !$0.pairs.isEmpty }
        test = try part { $0 == .test }.filter { !$0.pairs.isEmpty }
        for (dataset, before) in zip(training, all) where dataset.pairs.isEmpty {
            throw TrainingFailure.noPairs(
                path: before.path, reason: "the splits leave none of its \(before.pairs.count) images for training")
        }
        if validation.isEmpty {
            throw TrainingFailure.noPairs(
                path: all[0].path, reason: "the splits leave no image for validation in fold \(splits.fold)")
        }
        try plan.confirmDraws(training, unlabelled)
    }

    /// The images of the sources' lists that stand in none of the data sets.
    private static func heldOut(
        _ sources: [TrainingPlan.Source], _ known: [Dataset], read: (TrainingPlan.Source) throws -> Dataset
    ) throws -> [Dataset] {
        let names = Set(known.flatMap { set in set.pairs.map { "\(set.path)\n\($0.name)" } })
        var seen: Set<String> = []
        return try sources.compactMap { source in
            // One list tells the splits of several sources.
            guard let list = source.list, source.split != nil,
                seen.insert("\(source.origin.path)\n\(list)\n\(source.fold)").inserted
            else { return nil }
            let file = try SplitList(list, fold: source.fold)
            var whole = source
            (whole.list, whole.split) = (nil, nil)
            let all = try read(whole)
            let cases = try ListedCases(file, cases: all.pairs.map(\.name))
            let listed = Set(file.rows.compactMap { cases.name(of: $0) })
            let others = all.filtered {
                listed.contains($0.name) && !names.contains("\(source.origin.path)\n\($0.name)")
            }
            return others.pairs.isEmpty ? nil : others
        }
    }

    /// For `DataCheck`: training, images without masks, validation, test, what lists hold out, in this order.
    package var roles: [DataCheck.Role] {
        training.map { .init(split: "train", $0) }
            + unlabelled.map { .init(split: "unlabelled", $0, isLabelled: false) }
            + validation.map { .init(split: "validation", $0) }
            + test.map { .init(split: "test", $0) }
            + heldOut.map { .init(split: "held out", $0, isLabelled: false) }
    }

    /// Every case with its split, as the model directory keeps it: CSV `name,split,digest`.
    package func list() throws -> String {
        var lines = ["name,split,sha256"]
        for role in roles {
            for pair in role.dataset.pairs {
                let name =
                    pair.name.contains { ",\"\n".contains($0) }
                    ? "\"\(pair.name.replacing("\"", with: "\"\""))\"" : pair.name
                lines.append("\(name),\(role.split),\(try pair.image.digest().hex)")
            }
        }
        return lines.joined(separator: "\n") + "\n"
    }
}
