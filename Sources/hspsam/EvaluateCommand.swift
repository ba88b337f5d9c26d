import ArgumentParser
import Failures
import Foundation
import Imaging
import Pipelines
import Processes
import SegmentAnything
import Storage
import Tensors
import Training

/// Compares a model's masks with the truth.
struct EvaluateCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "evaluate",
        abstract: "Measures a model on images with masks: Dice, IoU, distances, objects; each file and all together.",
        discussion: """
            Example: hspsam evaluate --model pipelines/skin-lesion/model --images images --masks masks --list split.csv --split test
            Example: hspsam evaluate --model model --source Kvasir --target ETIS --target ColonDB --markdown tables.md
            Example: hspsam evaluate --model model --set polyps.yaml --data polyps=/data/polyps --source Kvasir --csv files.csv
            --set names data sets with the keys of train.yaml's data: sets: [{name: Kvasir, images: …, masks: …}, …]. \
            Images are shown as in training. What the masks' values mean is decided for the whole set, as in training, and said. \
            Distances are in pixels, and in mm of images that say how large these are. docs/training.md lists the layouts that --folder reads.
            """)

    @Option(help: "The model directory.") var model: String
    @Option(help: "A further model, to be compared on the same images with a paired test. May be repeated.")
    var against: [String] = []
    @Option(help: "Folder of images: PNG, JPEG or TIFF.") var images: String?
    @Option(help: "Folder of masks.") var masks: String?
    @Option(help: "A data set in a published layout, instead of --images and --masks.") var folder: String?
    @Option(
        name: .customLong("set"),
        help:
            "A YAML file of data sets in the words of train.yaml's data: one entry, or sets: a list of entries, each with a name."
    )
    var setFile: String?
    @Option(help: "Where a data set that --set names as ${NAME} lies: NAME=FOLDER. May be repeated.") var data:
        [String] = []
    @Option(help: "The set that the model learned from: a name in --set, or a folder as --folder takes it.")
    var source: String?
    @Option(
        help:
            "A set that it never saw: what is lost there is told with its interval. May be repeated; without it all others of --set."
    )
    var target: [String] = []
    @Option(help: "CSV with the columns name and split, or splits_final.json.") var list: String?
    @Option(help: "Only the names of this split of --list.") var split: String?
    @Option(help: "Fold of splits_final.json, from 0; 0 unless said otherwise.") var fold: Int?
    @Option(
        help:
            "What the masks' values mean where they do not say it, as in train.yaml: 'mask_values: {lesion: [1, 2]}', 'mask_above: 100'."
    )
    var maskRule: String?
    @Option(
        help:
            "A pipeline directory: pictures are segmented as its runs do it, in its tiles, with its tta and its post-processing."
    )
    var pipeline: String?
    @Flag(help: "Also counts objects: average precision and aggregated Jaccard index.") var instances = false
    @Flag(help: "Takes the mean of each image and its mirror image, as a pipeline's tta: flip; twice the time.")
    var flips = false
    @Option(help: "Writes all figures to this file.") var json: String?
    @Option(help: "Writes a line a file and segment to this file.") var csv: String?
    @Option(help: "Writes tables with intervals to this file.") var markdown: String?
    @Option(help: "Writes a page of the twelve worst cases to this file.") var worst: String?
    @Option(help: "Arithmetic: fp32, bf16, int8 or auto.") var precision = PrecisionChoice.fp32
    @Flag(
        help:
            "Also segments in float32, and says how far the masks of --precision agree; --worst shows where they least do."
    )
    var agreement = false
    @Option(help: ThreadCount.help) var threads = ThreadCount.allCores

    func run() throws {
        try check()
        ThreadPool.start(threads: threads.count)
        let ranks = try Ranks.join()
        let isFirst = ranks?.isFirst ?? true
        var options = Evaluation.Options()
        options.instances = instances
        func start() throws -> Begun { try begin(tells: isFirst) }
        let begun = if let ranks { try ranks.firstAlone(start) } else { try start() }
        if let chosen = begun.pipeline {
            (options.segment, options.postprocess) = (chosen.segment, chosen.pipeline.cleaned)
            options.separation = chosen.pipeline.outputs.separation
            options.least = chosen.pipeline.postprocess.least(.unknown)
        }
        var page = WorstPage()
        var measured = begun.measured
        for index in measured.indices {
            if isFirst, isTold(begun) { try StandardOutput.line("\(measured[index].set.title), \(model):") }
            for number in begun.models.indices {
                let result = try evaluate(begun, index, number, options, ranks, page: &page)
                measured[index].results.append(result)
                guard isFirst, let first = measured[index].results.first, number > 0 else { continue }
                let words = Comparison(first, result).words
                try StandardOutput.line(isTold(begun) ? "against \(begun.rows[number].path): \(words)" : words)
            }
        }
        let table = EvaluationTable(models: begun.rows, sets: measured)
        if isFirst {
            for drop in table.drops {
                try StandardOutput.line(begun.rows.count > 1 ? "\(drop.model.path) \(drop.words)" : drop.words)
            }
        }
        ranks?.leave()
        guard isFirst else { return }
        let names = measured.map(\.set.name)
        let title = setFile == nil && source == nil ? split ?? "all images" : names.joined(separator: ", ")
        if let json { try DurableFile.write(try table.json(), to: json) }
        if let csv { try DurableFile.write(table.csv, to: csv) }
        if let markdown { try DurableFile.write(table.markdown(title: "\(model), \(title)"), to: markdown) }
        if let worst { try DurableFile.write(try page.html(of: measured.map { $0.results[0] }), to: worst) }
        // The figures are there; what they are worth somebody has to decide.
        for more in begun.unshown.dropFirst() { StandardError.line("\(FailureRecord(more))") }
        if let first = begun.unshown.first { throw first }
    }

    /// What is there before the first image is segmented.
    private struct Begun {
        /// The first is measured, the others are compared with it.
        let models: [ModelDirectory]
        let rows: [EvaluationTable.Model]
        /// One a data set, in the order of `measured`.
        let sets: [LabelledSet]
        /// Without figures as yet.
        let measured: [EvaluationTable.Measured]
        let pipeline: EvaluationPipeline?
        /// Sets with segments that no image shows.
        let unshown: [TrainingFailure]
    }

    /// Whether sets and models are named beside their figures.
    private func isTold(_ begun: Begun) -> Bool { begun.sets.count > 1 || begun.models.count > 2 }

    private func begin(tells: Bool) throws -> Begun {
        let chosen = try pipeline.map { try EvaluationPipeline($0) }
        return try DataOptions.listingProblems {
            let paths = [model] + against
            let models = try paths.map { try ModelDirectory.open($0) }
            let labels = models[0].description.segmentLabels
            for (path, model) in zip(paths, models) {
                guard model.description.segmentLabels == labels else {
                    throw FailureRecord(
                        kind: .usage, code: "USE-AGAINST",
                        message: FailureMessage(
                            "the models do not have the same segments.", cure: "Compare models of one kind.",
                            subject: "--against \(path)"))
                }
                try chosen?.confirm(model)
                try checkFlips(model, chosen?.pipeline)
            }
            if agreement, try precision.resolved(for: models[0]) == .fp32 {
                throw FailureRecord(
                    kind: .usage, code: "USE-AGREEMENT",
                    message: FailureMessage(
                        "masks of float32 would be compared with themselves, and agree whatever the other arithmetic does.",
                        cure: "Add --precision bf16 or int8.", subject: "--agreement"))
            }
            let wanted = try EvaluationChoice(self).sets(labels: labels)
            let places = wanted.all.flatMap { $0.source.origin.places + [$0.source.list].compactMap(\.self) }
            try outputs.confirm(apartFrom: places)
            let splits = Set(wanted.all.compactMap(\.source.split))
            let roles = try wanted.all.map { set in
                DataCheck.Role(
                    split: setFile == nil && source == nil ? set.name : "set \(set.name)",
                    group: set.part == .source ? "source" : "measured",
                    try Dataset(set.source, segments: labels.count, labels: labels, splits: splits))
            }
            let check = try checked(roles, wanted, for: models[0])
            // Not after hours of the first.
            for other in models.dropFirst() where try !other.sees(as: models[0]) {
                _ = try checked(roles, wanted, for: other)
            }
            // Figures on images that a model learned from say little.
            let learned = try models.map { try TrainingFolder.learned(by: $0.path) }
            let measured = zip(wanted.all, check.digests).map { set, digests in
                EvaluationTable.Measured(
                    set: set, learned: learned.map { known in digests.count { known?.contains($0.hex) == true } })
            }
            try confirmUnseen(measured, paths)
            for (path, known) in zip(paths, learned) where tells && source != nil && known == nil {
                StandardError.line(
                    "nothing says which images \(path) learned from: that targets are unseen is not checked")
            }
            for summary in check.summaries where tells {
                StandardError.line(TrainingCheck.line(summary, tellsObjects: instances))
            }
            try chosen?.confirm(check.summaries)
            if tells { tell(measured, check.digests.map(\.count)) }
            let unshown = zip(wanted.all, check.summaries).compactMap { set, summary -> TrainingFailure? in
                let missing = labels.indices.filter { summary.occurrences[$0 + 1] == 0 }
                return missing.isEmpty
                    ? nil : .unshown(path: set.source.origin.path, segments: missing.map { labels[$0] })
            }
            return Begun(
                models: models, rows: zip(paths, models).map { EvaluationTable.Model($0, $1.description) },
                sets: check.sets, measured: measured, pipeline: chosen, unshown: unshown)
        }
    }

    /// *Throws* `DATA-LEAK` for a set that is called unseen and that a model learned from.
    private func confirmUnseen(_ measured: [EvaluationTable.Measured], _ paths: [String]) throws(TrainingFailure) {
        for one in measured where one.set.part == .target {
            for (path, count) in zip(paths, one.learned) where count > 0 {
                throw .seen(set: one.set.name, count: count, model: path)
            }
        }
    }

    /// The data as a model sees it. *Throws* what is wrong with it.
    private func checked(
        _ roles: [DataCheck.Role], _ wanted: EvaluationSets, for model: ModelDirectory
    ) throws -> DataCheck {
        let check = try DataCheck.run(
            roles, segments: model.description.configuration.foregroundOutputs,
            input: model.description.trainedInput ?? TrainedInput(), learns: false, tellsObjects: instances,
            allowsSimilar: wanted.allowsSimilar,
            trainedRules: try TrainingFolder.maskRules(of: model.path))
        try check.confirm()
        return check
    }

    /// *Throws* for a segment of one side, which in a mirror image is where the other side was.
    private func checkFlips(_ model: ModelDirectory, _ chosen: Pipeline?) throws {
        let sided =
            model.description.segmentLabels.first(where: TestTimeAugmentation.namesSide) ?? chosen?.sidedSegment
        guard flips, let sided else { return }
        throw FailureRecord(
            kind: .usage, code: "USE-FLIPS",
            message: FailureMessage(
                "segment \(sided) is of one side, left or right, and in a mirror image it is where the other side was.",
                cure: "Leave --flips out.", subject: model.path))
    }

    /// The figures of the first model.
    private func tell(_ result: Evaluation, seconds: Double) throws {
        for segment in result.segments where result.segments.count > 1 {
            try StandardOutput.line(Self.line("segment \(segment.label)", segment.mean))
        }
        try StandardOutput.line(Self.line("mean of \(result.files.count)", result.mean))
        for segment in result.segments {
            try StandardOutput.line(
                String(
                    format: "%@ pooled: Dice %.4f, IoU %.4f, sensitivity %.4f, specificity %.4f", segment.label,
                    segment.pooled.dice, segment.pooled.iou, segment.pooled.sensitivity, segment.pooled.specificity))
            if let (mean, images) = segment.millimetres {
                try StandardOutput.line(
                    String(format: "%@ in mm: HD %.3f, HD95 %.3f", segment.label, mean.hd, mean.hd95)
                        + (images < result.files.count
                            ? " (of \(images) images that say how large their pixels are)" : ""))
            }
            guard let objects = segment.instances else { continue }
            try StandardOutput.line(
                String(
                    format: "%@ objects: AP at 0.5 %.4f, AP 0.5 to 0.95 %.4f, AJI %.4f", segment.label,
                    objects.precision50, objects.precision, objects.aggregatedJaccard))
        }
        if let agreement = Agreement(result) {
            try StandardOutput.line(agreement.words)
        }
        StandardError.line(String(format: "%.2f s an image", seconds))
    }

    private var outputs: OutputFiles {
        OutputFiles([("--json", json), ("--csv", csv), ("--markdown", markdown), ("--worst", worst)])
    }

    private func check() throws {
        try EvaluationChoice(self).check()
        // Not after hours.
        try beforeTheStart {
            try outputs.confirm(
                apartFrom: [model] + against + [images, masks, folder, list, pipeline, setFile].compactMap(\.self))
        }
        if let worst, !worst.hasSuffix(".html") {
            throw FailureRecord(
                kind: .usage, code: "USE-OUT",
                message: FailureMessage(
                    "the worst cases are a page, and this is no name of one.", cure: "Name it .html.",
                    subject: "--worst \(worst)"))
        }
    }

    /// Measures a model on a set.
    ///
    /// - Parameter page: takes the cases of the first model.
    private func evaluate(
        _ begun: Begun, _ index: Int, _ number: Int, _ options: Evaluation.Options, _ ranks: Ranks?,
        page: inout WorstPage
    ) throws -> Evaluation {
        let (model, set, isFirstModel) = (begun.models[number], begun.sets[index], number == 0)
        let place = begun.sets.count > 1 ? "\(begun.measured[index].set.name)/" : ""
        var seen = WorstPage()
        let augmentation = flips ? .flip : begun.pipeline?.pipeline.augmentation ?? .none
        let reference = agreement && isFirstModel ? try Predictor(model, .fp32, augmentation) : nil
        let clock = ContinuousClock()
        let started = clock.now
        var cases = page
        let result = try Evaluation.run(
            try Predictor(model, precision, augmentation), beside: reference, on: [set], options: options, ranks: ranks
        ) { done, file, shown in
            if json == nil, isFirstModel, ranks == nil {
                try StandardOutput.line(Self.line(place + file.name, file.metrics))
            }
            if worst != nil, isFirstModel {
                if ranks == nil { cases.add(file, shown, set: place) } else { seen.add(file, shown, set: place) }
            }
            if StandardError.isTerminal {
                let clear = "\r\u{1B}[K"
                StandardError.write("\(clear)\(done) of \(set.pairs.count)\(done == set.pairs.count ? clear : "")")
            }
        }
        page = cases
        let seconds = started.duration(to: clock.now) / .seconds(1) / Double(result.files.count)
        guard isFirstModel else { return result }
        if let ranks {
            try seen.join(ranks)
            page.merge(seen)
            for file in result.files where json == nil && ranks.isFirst {
                try StandardOutput.line(Self.line(place + file.name, file.metrics))
            }
        }
        if ranks?.isFirst ?? true { try tell(result, seconds: seconds) }
        return result
    }

    private func tell(_ measured: [EvaluationTable.Measured], _ counts: [Int]) {
        for (one, count) in zip(measured, counts) {
            let images = measured.count > 1 ? "images of \(one.set.name)" : "images"
            for (number, found) in one.learned.enumerated() where found > 0 {
                let name =
                    number == 0
                    ? "this model's" : one.learned.count == 2 ? "the second model's" : "\(against[number - 1])'s"
                StandardError.line("\(found) of the \(count) \(images) were in \(name) training")
            }
        }
    }

    private static func line(_ name: String, _ m: Metrics) -> String {
        String(format: "%@: Dice %.4f, IoU %.4f, HD %.2f, HD95 %.2f", name, m.dice, m.iou, m.hd, m.hd95)
    }
}

/// Runs what must succeed before anything is done: whatever fails in it means that the command could not start.
func beforeTheStart<Result>(_ body: () throws -> Result) throws -> Result {
    do {
        return try body()
    } catch let failure as any Failure {
        guard [.refused, .failed, .skipped].contains(failure.kind) else { throw failure }
        throw FailureRecord(kind: .configuration, code: failure.code, message: failure.message)
    }
}

extension ModelDirectory {
    /// Whether a data set's pictures are shown to it as to `other`, and its training was told the same of masks.
    fileprivate func sees(as other: ModelDirectory) throws -> Bool {
        let (own, its) = (description.trainedInput ?? TrainedInput(), other.description.trainedInput ?? TrainedInput())
        return try own.windowing == its.windowing && own.aspect == its.aspect
            && TrainingFolder.maskRules(of: path) == TrainingFolder.maskRules(of: other.path)
    }
}
