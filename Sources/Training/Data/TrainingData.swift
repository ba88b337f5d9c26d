import SegmentAnything
import Storage

/// The data sets of a plan by what they are for. Nothing is decoded.
package struct TrainingData: Sendable {
    /// One an entry of `data`.
    package let training: [Dataset]
    package let validation: [Dataset]
    /// What `splits` keeps away from both.
    package let test: [Dataset]

    /// *Throws* `TrainingFailure`; Storage's failures.
    package init(_ plan: TrainingPlan) throws {
        let (segments, labels) = (plan.configuration.segments, plan.segmentLabels)
        let all = try plan.data.map { try Dataset($0, segments: segments, labels: labels) }
        let own = try plan.validation?.source.map { try Dataset($0, segments: segments, labels: labels) }
        guard let splits = plan.splits else {
            training = all
            validation = own.map { [$0] } ?? []
            test = []
            return
        }
        func part(_ isIncluded: (CaseSplit.Part) -> Bool) throws -> [Dataset] {
            try all.map { try $0.filtered { try isIncluded(splits.part(of: $0)) } }
        }
        training = try part { $0 != .test && $0 != .fold(splits.fold) }
        validation = try own.map { [$0] } ?? part { $0 == .fold(splits.fold) }.filter { !$0.pairs.isEmpty }
        test = try part { $0 == .test }.filter { !$0.pairs.isEmpty }
        for (dataset, before) in zip(training, all) where dataset.pairs.isEmpty {
            throw TrainingFailure.noPairs(
                path: before.path, reason: "the splits leave none of its \(before.pairs.count) images for training")
        }
        if validation.isEmpty {
            throw TrainingFailure.noPairs(
                path: all[0].path, reason: "the splits leave no image for validation in fold \(splits.fold)")
        }
    }

    /// For `DataCheck`: training, validation, test, in this order.
    package var roles: [DataCheck.Role] {
        training.map { .init(split: "train", $0) } + validation.map { .init(split: "validation", $0) }
            + test.map { .init(split: "test", $0) }
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
