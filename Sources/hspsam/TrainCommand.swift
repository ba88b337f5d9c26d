import ArgumentParser
import Failures
import Foundation
import Numbers
import Processes
import Tensors
import Training

struct TrainCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "train",
        abstract: "Trains a model from folders of images and masks, as a train.yaml says.",
        discussion: """
            Example: hspsam train --config pipelines/skin-lesion/train.yaml --out model
            Interrupted? The same command with --resume goes on from the last checkpoint with the same result.
            """)

    @Option(help: "The training plan, YAML.") var config: String
    @Option(help: "The model directory to write.") var out: String
    @Flag(help: "Continues from the checkpoint in --out, if there is one.") var resume = false
    @Option(help: "Threads; 0: all cores.") var threads = 0

    func run() throws {
        ThreadPool.start(threads: threads)
        let plan = try TrainingPlan.read(config)
        let stop = StopRequest()
        StopRequest.listen()
        // When nobody reads any more, the run stops as after Ctrl-C: with a checkpoint.
        var unread: (any Error)?
        let trainer = try Trainer(plan, folder: out) { event in
            guard unread == nil else { return }
            do {
                try Self.show(event, terminal: StandardOutput.isTerminal)
            } catch {
                unread = error
            }
        }
        let ended = try trainer.run(resume: resume, shouldStop: { stop.isAsked || unread != nil })
        if let unread { throw unread }
        guard ended else {
            try StandardOutput.line("stopped; the same command with --resume goes on from here")
            throw ExitStatus.interrupted
        }
    }

    /// On a terminal the progress line is rewritten; in a log it comes every twentieth step.
    private static func show(_ event: TrainingEvent, terminal: Bool) throws {
        let clear = terminal ? "\r\u{1B}[K" : ""
        switch event {
        case .started(let stage, let inputSize, let images, let steps):
            try StandardOutput.line(
                "\(clear)stage \(stage): input \(inputSize), \(images) images an epoch, \(steps) steps")
        case .resumed(let stage, let step):
            try StandardOutput.line("\(clear)continuing stage \(stage) after step \(step)")
        case .validated(let epoch, let dice, let images):
            try StandardOutput.line(
                clear + String(format: "epoch %d: validation Dice %.4f on %d images", epoch, dice, images))
        case .written(let path): try StandardOutput.line("\(clear)model written to \(path)")
        case .progress(let p):
            guard terminal || p.step % 20 == 0 || p.step == p.steps else { return }
            let line = String(
                format:
                    "stage %d/%d epoch %d/%d step %d/%d loss %.4f Dice %.4f CE %.4f rate %.2e, %.2f images/s, %@ left",
                p.stage, p.stages, p.epoch, p.epochs, p.step, p.steps, p.loss, p.dice, p.crossEntropy, p.learningRate,
                p.imagesPerSecond, time(p.secondsLeft))
            try StandardOutput.write(clear + line + (terminal ? "" : "\n"))
        }
    }

    private static func time(_ seconds: Double) -> String {
        let whole = Int(rounding: seconds.rounded(.down), clampedTo: 0...Int(Int32.max))
        let minutes = whole / 60
        return minutes >= 60
            ? "\(minutes / 60) h \(minutes % 60) min" : minutes > 0 ? "\(minutes) min" : "\(whole) s"
    }
}
