import Foundation
import Imaging
package import SegmentAnything
import Tensors

/// Models measured on data sets, as papers lay it out: a row a model, columns of sets and measures, classes in columns of their own, and what
/// is lost from the set that was learned from to those that were not.
package struct EvaluationTable: Sendable {
    /// A row.
    package struct Model: Sendable, Equatable {
        /// As it was named.
        package let path: String
        /// `hsp_sam`, `ablation_1`, …
        package let configuration: String
        /// Parameters that a training of the configuration changes.
        package let trained: Int

        package init(path: String, configuration: String, trained: Int) {
            (self.path, self.configuration, self.trained) = (path, configuration, trained)
        }

        package init(_ path: String, _ description: ModelDescription) {
            let shapes = ParameterShapes.of(description.configuration).filter { $0.trains && !$0.isConstant }
            self.init(
                path: path, configuration: description.configurationName,
                trained: shapes.reduce(0) { $0 + $1.shape.count })
        }
    }

    /// A set with the figures of each model.
    package struct Measured: Sendable {
        package let set: EvaluationSet
        package var results: [Evaluation] = []
        /// Images of it that each model learned from.
        package let learned: [Int]

        package init(set: EvaluationSet, results: [Evaluation] = [], learned: [Int]) {
            (self.set, self.results, self.learned) = (set, results, learned)
        }
    }

    /// What a model loses from the source to a target.
    package struct Drop: Sendable {
        package let model: Model
        package let source, target: String
        /// Per image.
        package let dice, iou: Loss

        /// A mean of the source less that of the target; their images are drawn apart for the interval.
        package struct Loss: Sendable {
            package let source, target: Double
            package let interval: ClosedRange<Double>?
            package var drop: Double { source - target }

            init(_ source: [Double], _ target: [Double]) {
                self.source = source.reduce(0, +) / Double(max(1, source.count))
                self.target = target.reduce(0, +) / Double(max(1, target.count))
                interval = Bootstrap.interval(ofDifference: source, target)
            }

            var words: String {
                EvaluationTable.text("%.4f", drop, interval)
            }
        }

        package var words: String {
            String(
                format: "from %@ to %@: Dice %.4f to %.4f, drop %@; IoU %.4f to %.4f, drop %@", source, target,
                dice.source, dice.target, dice.words, iou.source, iou.target, iou.words)
        }
    }

    package let models: [Model]
    package let sets: [Measured]

    /// *Precondition*: each set has a result a model, in their order.
    package init(models: [Model], sets: [Measured]) {
        precondition(
            sets.allSatisfy { $0.results.count == models.count && $0.learned.count == models.count },
            "EvaluationTable: a set without the figures of a model")
        (self.models, self.sets) = (models, sets)
    }

    /// One set and at most two models: the files have the shape for these.
    private var isSingle: Bool { sets.count == 1 && models.count <= 2 }

    /// Of each model, to each target; empty where nothing is called source.
    package var drops: [Drop] {
        guard let source = sets.first(where: { $0.set.part == .source }) else { return [] }
        return models.indices.flatMap { model in
            sets.filter { $0.set.part == .target }.map { target in
                let (one, other) = (source.results[model].files, target.results[model].files)
                return Drop(
                    model: models[model], source: source.set.name, target: target.set.name,
                    dice: .init(one.map(\.metrics.dice), other.map(\.metrics.dice)),
                    iou: .init(one.map(\.metrics.iou), other.map(\.metrics.iou)))
            }
        }
    }

    /// The first model beside each other one, on each set.
    package var comparisons: [(set: String, with: Int, found: Comparison)] {
        sets.flatMap { measured in
            models.indices.dropFirst().map {
                (measured.set.name, $0, Comparison(measured.results[0], measured.results[$0]))
            }
        }
    }

    // MARK: Markdown

    /// - Parameter title: of what was measured on what.
    package func markdown(title: String) -> String {
        if isSingle { return single(title).markdown(overview: models.count > 1 || hasClasses ? overview : "") }
        let counts = sets.map { "\($0.set.title): \($0.results[0].files.count) images" }.joined(separator: "; ")
        var text = "# \(title)\n\n\(counts). 95 % intervals by bootstrap over images.\n"
        for measured in sets {
            for (model, count) in zip(models, measured.learned) where count > 0 {
                text +=
                    "\n\(count) images of \(measured.set.name) were in the training of \(model.path): on these it measures memory.\n"
            }
        }
        text += overview
        if !drops.isEmpty {
            text += "\n## From \(drops[0].source) to unseen sets, per image\n\n"
            text += Self.table(
                ["model", "set", "Dice", "drop of Dice", "IoU", "drop of IoU"],
                drops.map { drop in
                    [
                        drop.model.path, drop.target, Self.fixed("%.4f", drop.dice.target), drop.dice.words,
                        Self.fixed("%.4f", drop.iou.target), drop.iou.words,
                    ]
                })
        }
        if models.count > 1 {
            text += "\n## Compared with \(models[0].path)\n\n"
            text += comparisons.map { "- \($0.set), \(models[$0.with].path): \($0.found.words).\n" }.joined()
        }
        for measured in sets {
            for (model, result) in zip(models, measured.results) {
                let name = models.count > 1 ? "\(measured.set.name), \(model.path): " : "\(measured.set.name): "
                text += EvaluationReport(result, title: "").segmentTables(name)
            }
        }
        return text
    }

    private var hasClasses: Bool { (sets.first?.results.first?.segments.count ?? 0) > 1 }

    /// A row a model, Dice and IoU a set: once per image, once pooled; of several classes a table a set.
    private var overview: String {
        let mean = hasClasses ? "; the mean over segments" : ""
        var text = "\n## Per image: each image counts once\(mean)\n\n"
        text += setsTable { result in
            [result.files.map(\.metrics.dice), result.files.map(\.metrics.iou)].map { Self.mean($0) }
        }
        text += "\n## Pooled over the pixels of all images\(mean)\n\n"
        text += setsTable { result in
            let all = Array(result.segments.indices)
            return [Self.pooled(result, all, \.dice), Self.pooled(result, all, \.iou)]
        }
        guard hasClasses, let labels = sets.first?.results.first?.segments.map(\.label) else { return text }
        for measured in sets {
            let heading = isSingle ? "" : "\(measured.set.title): "
            text += "\n## \(heading)Dice of each segment\n\n"
            let isScaled = measured.results.allSatisfy { result in
                result.segments.allSatisfy { $0.millimetres?.images == result.files.count }
            }
            text += Self.table(
                ["model", "configuration", "counted", "mean"] + labels
                    + ["HD, pixels", "HD95, pixels"] + (isScaled ? ["HD, mm", "HD95, mm"] : []),
                zip(models, measured.results).flatMap { model, result in
                    [perImage(model, result, isScaled), pooled(model, result, isScaled)]
                })
        }
        return text
    }

    private func perImage(_ model: Model, _ result: Evaluation, _ isScaled: Bool) -> [String] {
        let classes = result.segments.indices.map { index in
            Self.mean(result.files.map { $0.segments[index].metrics.dice })
        }
        func distance(_ value: (Evaluation.SegmentFigures) -> Double) -> String {
            let means = result.files.map { file in
                file.segments.map(value).reduce(0, +) / Double(max(1, file.segments.count))
            }
            return Self.mean(means, "%.2f")
        }
        return [model.path, model.configuration, "per image", Self.mean(result.files.map(\.metrics.dice))] + classes
            + [distance(\.metrics.hd), distance(\.metrics.hd95)]
            + (isScaled ? [distance { $0.millimetres?.hd ?? 0 }, distance { $0.millimetres?.hd95 ?? 0 }] : [])
    }

    private func pooled(_ model: Model, _ result: Evaluation, _ isScaled: Bool) -> [String] {
        let all = Array(result.segments.indices)
        return [model.path, model.configuration, "pooled", Self.pooled(result, all, \.dice)]
            + all.map { Self.pooled(result, [$0], \.dice) } + Array(repeating: "", count: isScaled ? 4 : 2)
    }

    /// - Parameter figures: Dice and IoU.
    private func setsTable(_ figures: (Evaluation) -> [String]) -> String {
        Self.table(
            ["model", "configuration", "trained parameters"]
                + sets.flatMap { measured in
                    isSingle ? ["Dice", "IoU"] : ["\(measured.set.title) Dice", "\(measured.set.title) IoU"]
                },
            models.indices.map { index in
                let model = models[index]
                let trained = Self.fixed("%.2f M", Double(model.trained) / 1e6)
                return [model.path, model.configuration, trained] + sets.flatMap { figures($0.results[index]) }
            })
    }

    private static func table(_ columns: [String], _ rows: [[String]]) -> String {
        ([columns, columns.map { _ in "---" }] + rows).map { cells in
            "| " + cells.map { $0.replacing("|", with: "\\|") }.joined(separator: " | ") + " |\n"
        }.joined()
    }

    private static func mean(_ values: [Double], _ format: String = "%.4f") -> String {
        text(format, values.reduce(0, +) / Double(max(1, values.count)), Bootstrap.interval(ofMean: values))
    }

    /// The mean over segments of a figure of their pixels in all files.
    private static func pooled(
        _ result: Evaluation, _ segments: [Int], _ figure: (PixelCounts) -> Double
    ) -> String {
        func value(_ chosen: [Int]) -> Double {
            let each = segments.map { segment in
                var counts = PixelCounts()
                for file in chosen { counts += result.files[file].segments[segment].counts }
                return figure(counts)
            }
            return each.reduce(0, +) / Double(max(1, each.count))
        }
        return text(
            "%.4f", value(Array(result.files.indices)), Bootstrap.interval(result.files.count, value))
    }

    private static func fixed(_ format: String, _ value: Double) -> String { String(format: format, value) }

    /// With its interval in brackets.
    private static func text(_ format: String, _ value: Double, _ interval: ClosedRange<Double>?) -> String {
        let range = interval.map { " [\(fixed(format, $0.lowerBound)), \(fixed(format, $0.upperBound))]" }
        return fixed(format, value) + (range ?? "")
    }

    // MARK: CSV and JSON

    /// One line a file and segment; of several sets or of more than two models with both, otherwise of the first model alone.
    package var csv: String {
        if isSingle { return single("").csv }
        var lines = [EvaluationReport.csvColumns + ",set,model"]
        for measured in sets {
            for (model, result) in zip(models, measured.results) {
                let names = [measured.set.name, model.path].map(EvaluationReport.quoted).joined(separator: ",")
                lines += EvaluationReport(result, title: "").csvLines.map { "\($0),\(names)" }
            }
        }
        return lines.joined(separator: "\n") + "\n"
    }

    /// Of one set and at most two models as `EvaluationReport` has it, else `{"results", "drops", "comparisons"}`.
    package func json() throws -> [UInt8] {
        if isSingle { return try single("").json() }
        let results = sets.flatMap { measured in
            models.indices.map { index in
                Result(
                    set: measured.set.name, part: measured.set.part, model: models[index],
                    figures: EvaluationReport(
                        measured.results[index], title: "", learned: (measured.learned[index], nil)
                    ).figures)
            }
        }
        let document = Document(
            results: results, drops: drops.map(DropFigures.init),
            comparisons: comparisons.map { comparison in
                let learned = sets.first { $0.set.name == comparison.set }?.learned[comparison.with]
                return SetComparison(
                    set: comparison.set,
                    figures: .init(comparison.found, with: models[comparison.with].path, inTraining: learned ?? 0))
            })
        return Array(try EvaluationReport.encoder.encode(document)) + [0x0A]
    }

    private func single(_ title: String) -> EvaluationReport {
        let measured = sets[0]
        return EvaluationReport(
            measured.results[0], title: title,
            comparison: comparisons.first.map { (models[$0.with].path, $0.found) },
            learned: (measured.learned[0], models.count > 1 ? measured.learned[1] : nil))
    }

    private struct Document: Encodable {
        let results: [Result]
        let drops: [DropFigures]
        let comparisons: [SetComparison]
    }

    private struct Result: Encodable {
        let set, model, configuration: String
        /// `source`, `target`; absent where nothing was said.
        let part: String?
        let figures: EvaluationReport.Report

        init(set: String, part: EvaluationSet.Part, model: Model, figures: EvaluationReport.Report) {
            (self.set, self.model, configuration, self.figures) = (set, model.path, model.configuration, figures)
            self.part =
                switch part {
                case .unsaid: nil
                case .source: "source"
                case .target: "target"
                }
        }
    }

    private struct DropFigures: Encodable {
        struct Loss: Encodable {
            let source, target, drop: Double
            let interval: [Double]?

            init(_ loss: Drop.Loss) {
                (source, target, drop) = (loss.source, loss.target, loss.drop)
                interval = loss.interval.map { [$0.lowerBound, $0.upperBound] }
            }
        }

        let model, source, target: String
        let dice, iou: Loss

        init(_ drop: Drop) {
            (model, source, target) = (drop.model.path, drop.source, drop.target)
            (dice, iou) = (Loss(drop.dice), Loss(drop.iou))
        }
    }

    private struct SetComparison: Encodable {
        let set: String
        let figures: EvaluationReport.Report.Comparison
    }
}
