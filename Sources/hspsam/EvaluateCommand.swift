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
            Images are shown as in training. What the masks' values mean is decided for the whole set, as in training, and said. \
            Distances are in pixels, and in mm of images that say how large these are. docs/training.md lists the layouts that --folder reads.
            """)

    @Option(help: "The model directory.") var model: String
    @Option(help: "A second model, to be compared on the same images with a paired test.") var against: String?
    @Option(help: "Folder of images: PNG, JPEG or TIFF.") var images: String?
    @Option(help: "Folder of masks.") var masks: String?
    @Option(help: "A data set in a published layout, instead of --images and --masks.") var folder: String?
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
        func start() throws -> Begun {
            let begun = try begin(tells: isFirst)
            return begun
        }
        let begun = if let ranks { try ranks.firstAlone(start) } else { try start() }
        let (first, second) = (begun.first, begun.second)
        (options.segment, options.postprocess) = (begun.segment, begun.pipeline?.cleaned)
        options.separation = begun.pipeline?.outputs.separation
        var page = WorstPage()
        let clock = ContinuousClock()
        let started = clock.now
        let result = try evaluate(first, begun, options, ranks, page: &page)
        let seconds = started.duration(to: clock.now) / .seconds(1) / Double(result.files.count)
        if isFirst { try tell(result, seconds: seconds) }
        var compared: (with: String, Comparison)?
        if let second {
            var other = WorstPage()
            let comparison = Comparison(
                result, try evaluate(second, begun, options, ranks, page: &other, isSilent: true))
            if isFirst { try StandardOutput.line(comparison.words) }
            compared = (against ?? "", comparison)
        }
        ranks?.leave()
        guard isFirst else { return }
        let report = EvaluationReport(
            result, title: "\(model), \(split ?? "all images")", comparison: compared, learned: begun.learned)
        if let json { try DurableFile.write(try report.json(), to: json) }
        if let csv { try DurableFile.write(report.csv, to: csv) }
        if let markdown { try DurableFile.write(report.markdown, to: markdown) }
        if let worst { try DurableFile.write(try page.html(of: result), to: worst) }
        // The figures are there; what they are worth somebody has to decide.
        if !begun.unshown.isEmpty { throw TrainingFailure.unshown(path: begun.path, segments: begun.unshown) }
    }

    /// What is there before the first image is segmented.
    private struct Begun {
        let first: ModelDirectory
        let second: ModelDirectory?
        let sets: [LabelledSet]
        let pipeline: Pipeline?
        /// Images that the models learned from.
        let learned: (first: Int, second: Int?)
        /// The data set, for messages.
        let path: String
        /// Segments that no image shows.
        let unshown: [String]

        /// How the pipeline segments a picture.
        var segment: (@Sendable (Predictor, LabelledSet.Sample) throws -> Evaluation.Segmented)? {
            guard let pipeline else { return nil }
            return { predictor, sample in
                let found = try DataSetPicture(
                    sample.image, spacing: sample.spacing, aspect: sample.pixelAspect, pipeline, predictor)
                return Evaluation.Segmented(
                    masks: found.masks, probabilities: found.probabilities, interiors: found.interiors)
            }
        }
    }

    private func begin(tells: Bool) throws -> Begun {
        let chosen = try pipeline.map { path in try beforeTheStart { try PipelineDirectory.settings(path) } }
        if let chosen { try check(chosen) }
        return try DataOptions.listingProblems {
            let first = try ModelDirectory.open(model)
            let second = try against.map { try ModelDirectory.open($0) }
            let segments = first.configuration.foregroundOutputs
            if let second, second.description.segmentLabels != first.description.segmentLabels {
                throw FailureRecord(
                    kind: .usage, code: "USE-AGAINST",
                    message: FailureMessage(
                        "the two models do not have the same segments.", cure: "Compare models of one kind.",
                        subject: "--against \(against ?? "")"))
            }
            for model in [first, second].compactMap(\.self) {
                try chosen?.confirm(model, file: Folder.join(pipeline ?? "", PipelineDirectory.settingsName))
                try checkFlips(model, chosen)
                if let chosen { try checkWindow(model, chosen) }
            }
            var source = TrainingPlan.Source(origin: try origin(), list: list, split: split)
            source.fold = fold ?? 0
            source.rule = try maskRule.map {
                try MaskRule($0, labels: first.description.segmentLabels, option: "--mask-rule")
            }
            let dataset = try Dataset(source, segments: segments, labels: first.description.segmentLabels)
            let role = DataCheck.Role(split: split ?? "all", dataset)
            let check = try checked(role, for: first, segments: segments)
            // Not after hours of the first.
            if let second, !second.showsPictures(as: first) {
                _ = try checked(role, for: second, segments: segments)
            }
            for summary in check.summaries where tells {
                StandardError.line(TrainingCheck.line(summary, tellsObjects: instances))
            }
            if let chosen {
                try self.check(chosen, unscaled: check.summaries.reduce(0) { $0 + $1.unscaled })
                try checkShapes(unsuited: check.summaries.reduce(0) { $0 + $1.unsuited })
            }
            let digests = check.digests.flatMap { $0 }
            let learned = (
                first: try Self.learned(first, digests), second: try second.map { try Self.learned($0, digests) }
            )
            if tells { tell(learned, of: digests.count) }
            let labels = first.description.segmentLabels
            let unshown = labels.indices.filter { index in
                check.summaries.allSatisfy { $0.occurrences[index + 1] == 0 }
            }
            return Begun(
                first: first, second: second, sets: check.sets, pipeline: chosen, learned: learned,
                path: source.origin.path, unshown: unshown.map { labels[$0] })
        }
    }

    /// The data as a model sees it. *Throws* what is wrong with it.
    private func checked(
        _ role: DataCheck.Role, for model: ModelDirectory, segments: Int
    ) throws -> DataCheck {
        let check = try DataCheck.run(
            [role], segments: segments, input: model.description.trainedInput ?? TrainedInput(), learns: false,
            tellsObjects: instances)
        try check.confirm()
        return check
    }

    /// *Throws* for a pipeline whose figures would be those of other masks than a run's.
    private func check(_ pipeline: Pipeline) throws {
        let subject = "--pipeline \(self.pipeline ?? "")"
        if pipeline.postprocess.contains(where: \.needsVoxelSize) {
            throw FailureRecord(
                kind: .usage, code: "PIPE-POST",
                message: FailureMessage(
                    "its postprocess has min_size_mm3, and the pictures of a data set say no mm: the figures would be those of other masks.",
                    cure: "Evaluate without --pipeline, or with min_size_pixels.", subject: subject))
        }
    }

    /// *Throws* for a window over values that a model's own pictures, shown as they are, never went through.
    private func checkWindow(_ model: ModelDirectory, _ pipeline: Pipeline) throws {
        guard (model.description.trainedInput ?? TrainedInput()).windowing == .asIs,
            case .fixed = pipeline.windowing.mode, pipeline.windowing.mode != Imaging.Windowing.whole(0...255)
        else { return }
        throw FailureRecord(
            kind: .usage, code: "PIPE-TRAINED",
            message: FailureMessage(
                "its window would be applied to the values of grey pictures, and these are shown as they are: the figures would be those of other"
                    + " pictures than a run's.",
                cure: "Evaluate without --pipeline, or write windowing: {mode: dicom}.",
                subject: "--pipeline \(self.pipeline ?? "")"))
    }

    /// *Throws* for tiles in µm of pictures that do not say how large their pixels are.
    private func check(_ pipeline: Pipeline, unscaled: Int) throws {
        guard unscaled > 0, case .tiles(let tiles) = pipeline.scale, case .micrometres = tiles.side else { return }
        throw FailureRecord(
            kind: .usage, code: "GEO-SCALE",
            message: FailureMessage(
                "it cuts tiles in µm, and \(unscaled) images do not say how large their pixels are: a run would refuse them.",
                cure: "Export them with their resolution, or evaluate without --pipeline.",
                subject: "--pipeline \(self.pipeline ?? "")"))
    }

    /// *Throws* for pictures that a run of the pipeline would refuse.
    private func checkShapes(unsuited: Int) throws {
        guard unsuited > 0 else { return }
        throw FailureRecord(
            kind: .usage, code: "GEO-SHAPE",
            message: FailureMessage(
                "\(unsuited) images are smaller than 8 pixels or longer than 32 times their width: a run would refuse them.",
                cure: "Leave them out, or evaluate without --pipeline.", subject: "--pipeline \(self.pipeline ?? "")"))
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

    private func check() throws {
        guard split == nil || list != nil else {
            throw FailureRecord(
                kind: .usage, code: "USE-SPLIT",
                message: FailureMessage(
                    "a split needs the list that holds it.", cure: "Add --list FILE.", subject: "--split \(split ?? "")"
                ))
        }
        if let fold {
            guard let list, SplitList.hasFolds(list), fold >= 0 else {
                throw FailureRecord(
                    kind: .usage, code: "USE-SPLIT",
                    message: FailureMessage(
                        "a fold is counted from 0 and needs the list that holds it.",
                        cure: "Add --list splits_final.json, or leave --fold out.", subject: "--fold \(fold)"))
            }
        }
        // Not after hours.
        try beforeTheStart {
            let outputs = [("--json", json), ("--csv", csv), ("--markdown", markdown), ("--worst", worst)]
            try OutputFiles(outputs).confirm(
                apartFrom: [model, against, images, masks, folder, list, pipeline].compactMap(\.self))
        }
    }

    private func origin() throws -> DataOrigin {
        switch (folder, images, masks) {
        case (let folder?, nil, nil): return .folder(folder)
        case (nil, let images?, let masks?): return .pairs(images: images, masks: masks)
        default:
            throw FailureRecord(
                kind: .usage, code: "USE-DATA",
                message: FailureMessage(
                    "images come from --images with --masks, or from --folder.", cure: "Give one of the two."))
        }
    }

    private func evaluate(
        _ model: ModelDirectory, _ begun: Begun, _ options: Evaluation.Options, _ ranks: Ranks?,
        page: inout WorstPage,
        isSilent: Bool = false
    ) throws -> Evaluation {
        let count = begun.sets.reduce(0) { $0 + $1.pairs.count }
        var worstCases = page
        let augmentation = flips ? .flip : begun.pipeline?.augmentation ?? .none
        let reference = agreement && !isSilent ? try Predictor(model, .fp32, augmentation) : nil
        let result = try Evaluation.run(
            try Predictor(model, precision, augmentation), beside: reference, on: begun.sets, options: options,
            ranks: ranks
        ) { done, file, shown in
            if json == nil, !isSilent, ranks == nil {
                try StandardOutput.line(Self.line(file.name, file.metrics))
            }
            if worst != nil { worstCases.add(file, shown) }
            if StandardError.isTerminal {
                let clear = "\r\u{1B}[K"
                StandardError.write("\(clear)\(done) of \(count)\(done == count ? clear : "")")
            }
        }
        if let ranks {
            try worstCases.join(ranks)
            for file in result.files where json == nil && !isSilent && ranks.isFirst {
                try StandardOutput.line(Self.line(file.name, file.metrics))
            }
        }
        page = worstCases
        return result
    }

    /// How many of the images a model learned from: figures on them say little.
    private static func learned(_ model: ModelDirectory, _ digests: [FileDigest]) throws -> Int {
        let path = Folder.join(model.path, "data.csv")
        guard FileStatus.exists(path) else { return 0 }
        let lines = String(decoding: try DurableFile.read(path, limit: 1 << 28), as: UTF8.self).split(separator: "\n")
        let learned = lines.filter { $0.contains(",train,") || $0.contains(",unlabelled,") }
        let trained = Set(learned.compactMap { $0.split(separator: ",").last })
        return digests.count { trained.contains($0.hex[...]) }
    }

    private func tell(_ learned: (first: Int, second: Int?), of count: Int) {
        for (found, name) in [(learned.first, "this model's"), (learned.second ?? 0, "the second model's")]
        where found > 0 {
            StandardError.line("\(found) of the \(count) images were in \(name) training")
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
    /// Whether it shows the pictures of a data set as `other` does.
    fileprivate func showsPictures(as other: ModelDirectory) -> Bool {
        let (own, its) = (description.trainedInput ?? TrainedInput(), other.description.trainedInput ?? TrainedInput())
        return own.windowing == its.windowing && own.aspect == its.aspect
    }
}
