import ArgumentParser
import Failures
import Foundation
import Processes
import SegmentAnything
import Storage
import Tensors
import Training

/// `hspsam model quantize`
struct ModelQuantizeCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "quantize", abstract: "Prepares a model for 8-bit arithmetic and measures what that costs.",
        discussion: """
            Example: hspsam model quantize pipelines/skin-lesion/model --images images --out skin-lesion-int8
            The images are calibrated on and segmented in float32 and in 8 bits; masks are not needed. Layers that lose too much stay \
            in bfloat16. The new model serves every precision; its config.json remembers what was measured.
            """)

    @Argument(help: "The model directory.") var model: String
    @Option(help: "Folder of images such as the model will see: PNG, JPEG or TIFF.") var images: String
    @Option(help: "The model directory to write.") var out: String
    @Option(help: "At most so many images, evenly spread over the folder.") var count = 128
    @Option(help: ThreadCount.help) var threads = ThreadCount.allCores

    func run() throws {
        guard count > 0 else {
            throw FailureRecord(
                kind: .usage, code: "USE-RANGE",
                message: FailureMessage(
                    "this must be at least 1.", cure: "Leave it out for 128 images.", subject: "--count \(count)"))
        }
        try OutputFiles.confirmNew([out], out: out)
        ThreadPool.start(threads: threads.count)
        let result = try beforeTheStart {
            try Quantiser.run(try ModelDirectory.open(model), images: images, most: count, out: out) { done, total in
                if StandardError.isTerminal {
                    let clear = "\r\u{1B}[K"
                    StandardError.write("\(clear)\(done) of \(total)\(done == total ? clear : "")")
                }
            }
        }
        for choice in result.choices {
            try StandardOutput.line(
                String(
                    format: "%@: off by %.4f, exponent %.2f%@", choice.weight, choice.error, choice.exponent,
                    choice.inputScale == nil ? ", stays in bfloat16" : ""))
        }
        let q = result.quantisation
        let worst = result.dice.min { $0.int8 < $1.int8 }?.name ?? ""
        let worstBrief = result.dice.min { $0.bf16 < $1.bf16 }
        try StandardOutput.line(
            String(
                format: "bfloat16, for comparison: Dice against float32 %.5f in the mean, %.5f at least (%@)",
                q.bfloat16MeanDice ?? 0, worstBrief?.bf16 ?? 0, worstBrief?.name ?? ""))
        try StandardOutput.line(
            String(
                format: "%@: Dice against float32 %.5f in the mean of %d images, %.5f at least (%@)", out, q.meanDice,
                q.images, q.leastDice, worst))
    }
}
