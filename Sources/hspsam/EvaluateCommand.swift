import ArgumentParser
import Failures
import Foundation
import Imaging
import Processes
import SegmentAnything
import Storage
import Tensors
import Training

/// Compares a model's masks with the truth.
struct EvaluateCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "evaluate",
        abstract: "Dice, IoU, HD and HD95 of a model on images with masks, for each file and in the mean.",
        discussion: """
            Example: hspsam evaluate --model pipelines/skin-lesion/model --images images --masks masks --list split.csv --split test
            Masks are found by the image's stem, alone or followed by _mask or _segmentation; foreground is above 127. Distances are \
            in pixels.
            """)

    @Option(help: "The model directory.") var model: String
    @Option(help: "Folder of images: PNG, JPEG or TIFF.") var images: String
    @Option(help: "Folder of masks.") var masks: String
    @Option(help: "CSV with the header name,split.") var list: String?
    @Option(help: "Only the names of this split of --list.") var split: String?
    @Option(help: "Writes all figures to this file.") var json: String?
    @Option(help: "Threads; 0: all cores.") var threads = 0

    /// The figures under their names in the JSON file.
    private struct Figures: Encodable {
        let dice, iou, hd, hd95: Double

        init(_ metrics: Metrics) { (dice, iou, hd, hd95) = (metrics.dice, metrics.iou, metrics.hd, metrics.hd95) }
    }

    private struct File: Encodable {
        let name: String
        let dice, iou, hd, hd95: Double
    }

    private struct Report: Encodable {
        let mean: Figures
        let files: [File]
    }

    func run() throws {
        guard split == nil || list != nil else {
            throw FailureRecord(
                kind: .usage, code: "USE-SPLIT",
                message: FailureMessage(
                    "a split needs the list that holds it.", cure: "Add --list FILE.", subject: "--split \(split ?? "")"
                ))
        }
        guard threads >= 0 else {
            throw FailureRecord(
                kind: .usage, code: "USE-RANGE",
                message: FailureMessage(
                    "this must be at least 0.", cure: "Leave it out for all cores.", subject: "--threads \(threads)"))
        }
        ThreadPool.start(threads: threads)
        let (predictor, dataset) = try beforeTheStart {
            (
                try Predictor(try ModelDirectory.open(model)),
                try Dataset(images: images, masks: masks, list: list, split: split)
            )
        }
        let count = dataset.pairs.count
        let result = try Evaluation.run(predictor, on: dataset) { done, file in
            if json == nil { try StandardOutput.line(Self.line(file.name, file.metrics)) }
            if StandardError.isTerminal {
                let clear = "\r\u{1B}[K"
                StandardError.write("\(clear)\(done) of \(count)\(done == count ? clear : "")")
            }
        }
        try StandardOutput.line(Self.line("mean of \(result.files.count)", result.mean))
        guard let json else { return }
        let report = Report(
            mean: Figures(result.mean),
            files: result.files.map {
                File(
                    name: $0.name, dice: $0.metrics.dice, iou: $0.metrics.iou, hd: $0.metrics.hd, hd95: $0.metrics.hd95)
            })
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys]
        try DurableFile.write(Array(try encoder.encode(report)) + [0x0A], to: json)
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
        guard failure.kind == .refused || failure.kind == .failed else { throw failure }
        throw FailureRecord(kind: .configuration, code: failure.code, message: failure.message)
    }
}
