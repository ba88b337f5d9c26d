import ArgumentParser
import Failures
import Foundation
import Numbers
import Processes
import Storage
import Tensors
import Training

struct TrainCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "train",
        abstract: "Trains a model from images and masks, as a train.yaml says.",
        discussion: """
            Example: hspsam train --config pipelines/skin-lesion/train.yaml --data isic2017=isic --out model
            Interrupted? The same command with --resume goes on from the last checkpoint with the same result.
            mpirun -np 2 hspsam train … shares each step's batches (accumulate) among processes, with the same result.
            Stages of masked autoencoding let the encoder learn from images without masks first: docs/training.md.
            With --check it looks at all data, says what a run would take, and ends; with --preview it writes a page of what the network \
            will see.
            """)

    @Option(help: "The training plan, YAML.") var config: String
    @Option(help: "The model directory to write.") var out: String?
    @Option(help: "Where a data set that the plan names as ${NAME} lies: NAME=FOLDER. May be repeated.") var data:
        [String] = []
    @Flag(help: "Continues from the checkpoint in --out, if there is one.") var resume = false
    @Flag(help: "Looks at all data and times one step of each stage; nothing is trained.") var check = false
    @Option(help: "Writes a page of images as the network will see them to this file; nothing is trained.") var preview:
        String?
    @Option(help: ThreadCount.help) var threads = ThreadCount.allCores

    func validate() throws {
        for (option, value) in [("--out", out), ("--preview", preview)] where value?.isEmpty == true {
            throw ValidationError("\(option) is empty: name it.")
        }
        if out == nil, !check, preview == nil { throw ValidationError("Missing expected argument '--out <out>'") }
    }

    func run() throws {
        ThreadPool.start(threads: threads.count)
        let ranks = try Ranks.join()
        let stop = StopRequest()
        StopRequest.listen()
        StopRequest.listenToUserSignal()
        // When nobody reads any more, the run stops as after Ctrl-C: with a checkpoint.
        var unread: (any Error)?
        func begin() throws -> Trainer? {
            let plan = try beforeTheStart { try TrainingPlan.read(config, folders: DataOptions.folders(data)) }
            if let preview { try beforeTheStart { try PreviewPage.confirmWritable(preview) } }
            guard !check, preview == nil else {
                if ranks?.isFirst ?? true { try TrainingCheck(plan: plan).run(preview: preview, times: check) }
                return nil
            }
            let trainer = try DataOptions.listingProblems {
                try Trainer(plan, folder: out ?? "", ranks: ranks) { event in
                    guard unread == nil else { return }
                    do {
                        try Self.show(event, terminal: StandardOutput.isTerminal)
                    } catch {
                        unread = error
                    }
                }
            }
            try trainer.checkFolder(resume: resume)
            return trainer
        }
        let begun = if let ranks { try ranks.firstAlone(begin) } else { try begin() }
        guard let trainer = begun else {
            ranks?.leave()
            return
        }
        let ended = try trainer.run(resume: resume, shouldStop: { stop.isAsked || unread != nil })
        ranks?.leave()
        if let unread { throw unread }
        guard ended else {
            if ranks?.isFirst ?? true {
                try StandardOutput.line("stopped; the same command with --resume goes on from here")
            }
            throw ExitStatus.interrupted
        }
        // One process says it.
        guard ranks?.isFirst ?? true else { return }
        if let changed = trainer.changed { throw changed }
        if let unfound = trainer.unfound { throw unfound }
    }

    /// On a terminal the progress line is rewritten; in a log it comes every twentieth step.
    private static func show(_ event: TrainingEvent, terminal: Bool) throws {
        let clear = terminal ? "\r\u{1B}[K" : ""
        switch event {
        case .checking(let done, let all):
            if terminal { try StandardOutput.write("\(clear)looking at the data: \(done) of \(all)") }
        case .data(let summary): try StandardOutput.line(clear + TrainingCheck.line(summary))
        case .started(let stage, let task, let inputSize, let images, let steps):
            try StandardOutput.line(
                "\(clear)stage \(stage): \(TrainingCheck.prefix(task))input \(inputSize), \(images) images an epoch, \(steps) steps"
            )
        case .begunAnew(let folder):
            try StandardOutput.line("\(clear)there is no checkpoint in \(folder) to go on from: the run begins anew")
        case .resumed(let stage, let step):
            try StandardOutput.line("\(clear)continuing stage \(stage) after step \(step)")
        case .validated(let epoch, let dice, let segments, let images, let isBest):
            let each =
                segments.count > 1
                ? " (" + segments.map { String(format: "%@ %.4f", $0.label, $0.dice) }.joined(separator: ", ") + ")"
                : ""
            try StandardOutput.line(
                clear + String(format: "epoch %d: validation Dice %.4f", epoch, dice) + each + " on \(images) images"
                    + (isBest ? ", the best of this stage" : ""))
        case .written(let path): try StandardOutput.line("\(clear)model written to \(path)")
        case .progress(let p):
            guard terminal || p.step % 20 == 0 || p.step == p.steps else { return }
            let figures =
                if let dice = p.dice, let crossEntropy = p.crossEntropy {
                    String(format: "loss %.4f Dice %.4f CE %.4f", p.loss, dice, crossEntropy)
                } else {
                    String(format: "reconstruction loss %.4f", p.loss)
                }
            let line = String(
                format: "stage %d/%d epoch %d/%d step %d/%d %@ rate %.2e, %.2f images/s, %.1f GB, %@ left",
                p.stage, p.stages, p.epoch, p.epochs, p.step, p.steps, figures, p.learningRate, p.imagesPerSecond,
                Double(peakMemory()) / 1e9, TrainingCheck.time(p.secondsLeft))
            try StandardOutput.write(clear + line + (terminal ? "" : "\n"))
        }
    }
}
