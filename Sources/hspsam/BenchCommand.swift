import ArgumentParser
import Failures
import Foundation
import Numbers
import Pipelines
import Processes
import References
import SegmentAnything
import Tensors

/// Times the network.
struct BenchCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "bench",
        abstract:
            "Times a forward pass, a training step, each kernel, a whole run or the writing of results, and says where the time goes.",
        discussion: """
            Example: hspsam bench --vit vit_b --what infer --precision int8 --json
            Weights are random, or those of --model. Threads, precision and instruction set (HSPSAM_ISA) are told beside the figures.
            """)

    enum What: String, ExpressibleByArgument, CaseIterable { case infer, train, pipeline, kernels, objects }

    @Option(help: "Size of the encoder: vit_t, vit_b, vit_l or vit_h.") var vit = "vit_b"
    @Option(help: "A model directory, for infer: its size, its weights.") var model: String?
    @Option(
        help: """
            infer: one forward pass with LoRA merged; train: forward, backward and optimiser step; kernels: each at ViT-B's sizes, \
            in every precision; objects: segmentations of 300 slices of 512 × 512, composed, written and verified; pipeline: \
            hspsam run on a phantom of 300 slices of 512 × 512, from files to verified results.
            """) var what = What.infer
    @Option(help: "Arithmetic of infer and pipeline: fp32, bf16, int8 or auto; of train: fp32 or bf16.") var precision =
        PrecisionChoice.fp32
    @Option(help: "Input size, a multiple of 16; a model has its own.") var inputSize = 1024
    @Option(help: "Images a pass.") var batch = 1
    @Option(
        help: """
            Rows and columns of the input that the pictures fill, as 768x1024, of a network with padding: drop (of --vit it is made \
            one); default: all.
            """) var picture: String?
    @Flag(help: "Train with activation checkpointing: less memory, more time.") var activationCheckpointing = false
    @Option(help: ThreadCount.help) var threads = ThreadCount.allCores
    @Option(help: "Counted runs, after one that is not.") var runs = 5
    @Option(help: "The folder in which objects and pipeline leave what they write.") var out: String?
    @Option(help: "The pipeline of pipeline.") var pipeline = "phantom-body"
    @Option(
        help: "The folder of pipelines; default: ../share/hspsam/pipelines from the program's folder, else ./pipelines."
    ) var pipelines: String?
    @Flag(help: "Prints one JSON object.") var json = false

    func run() throws {
        try check()
        if what == .objects { return try timeObjects() }
        if what == .pipeline { return try timePipeline() }
        ThreadPool.start(threads: threads.count)
        if what == .kernels { return try timeKernels() }
        let start = ContinuousClock.now
        let (prepared, configuration, arithmetic) = try beforeTheStart { try prepare() }
        var step = prepared
        step.picture = try beforeTheStart { try tokens(configuration) }
        var load = 0.0
        try beforeTheStart { try step.run { load = start.duration(to: .now) / .seconds(1) } }
        KernelProfile.reset()
        var seconds: [Double] = []
        for _ in 0..<runs {
            let start = ContinuousClock.now
            try step.run()
            seconds.append(start.duration(to: .now) / .seconds(1))
        }
        // Before the loops that find the peak, which need memory of their own.
        let peak = peakMemory()
        let figures = BenchFigures(
            vit: model == nil ? vit : configuration.namedSize?.rawValue ?? "", what: what.rawValue,
            precision: arithmetic.rawValue, inputSize: configuration.inputSize, batch: batch, seconds: seconds.sorted(),
            loadSeconds: load, peakRssBytes: peak, profile: KernelProfile.entries,
            peak: KernelProfile.peak(arithmetic))
        try StandardOutput.line(try json ? figures.json() : figures.text)
    }

    /// Where files are written. *Throws* when nobody says it.
    private var folder: String {
        get throws {
            guard let out else {
                throw FailureRecord(
                    kind: .usage, code: "USE-OUT",
                    message: FailureMessage("files are written, and no folder is named.", cure: "Add --out FOLDER."))
            }
            return out
        }
    }

    private func timePipeline() throws {
        let folder = try folder
        // Before a phantom of 300 slices is made for it.
        try beforeTheStart {
            _ = try PipelineDirectory.openAll(
                in: try PipelineDirectory.folder(named: pipelines, program: HSPSAMCommand.executable), only: pipeline,
                precision: precision)
        }
        let figures = try PipelineBench(
            program: HSPSAMCommand.executable, folder: folder, pipeline: pipeline, pipelines: pipelines,
            precision: precision, threads: threads.count, runs: runs
        ).figures()
        try StandardOutput.line(try json ? BenchFigures.encoded(figures) : figures.text)
    }

    private func timeObjects() throws {
        let rows = try ObjectBench(folder: folder, runs: runs).rows()
        for row in rows {
            let (best, median) = (row.seconds[0], row.seconds[row.seconds.count / 2])
            try StandardOutput.line(
                json
                    ? "{\"type\": \"\(row.name)\", \"best_s\": \(best), \"median_s\": \(median), \"bytes\": \(row.bytes)}"
                    : "\(row.name): best \(NumberText.fixed(best, 3)) s, median \(NumberText.fixed(median, 3)) s, \(row.bytes) bytes"
            )
        }
    }

    private func timeKernels() throws {
        let rows = KernelBench.rows(runs: runs, grid: inputSize / Configuration().patch)
        guard json else {
            try StandardOutput.line("\(InstructionSet.current), \(ThreadPool.threads) threads, best of \(runs)")
            for row in rows {
                let name = row.name.padding(toLength: 40, withPad: " ", startingAt: 0)
                try StandardOutput.line(
                    String(
                        format: "  %@ %@  %8.2f ms  %7.1f Gflop/s  %3.0f %% of the peak", row.precision.rawValue, name,
                        row.seconds * 1e3, row.rate / 1e9, 100 * row.rate / row.peak))
            }
            return
        }
        try StandardOutput.line(try BenchFigures.json(rows))
    }

    /// The tokens that `--picture` reaches. *Throws* when it is none of this network.
    private func tokens(_ configuration: Configuration) throws -> GridSize? {
        guard let picture else { return nil }
        let sides = picture.split(separator: "x").compactMap { Int($0) }
        guard sides.count == 2, sides.allSatisfy({ (1...configuration.inputSize).contains($0) }) else {
            throw FailureRecord(
                kind: .usage, code: "USE-PICTURE",
                message: FailureMessage(
                    "this is no part of an input of \(configuration.inputSize) × \(configuration.inputSize).",
                    cure: "Write rows and columns, for example 768x1024.", subject: "--picture \(picture)"))
        }
        guard configuration.padding == .drop else {
            throw FailureRecord(
                kind: .usage, code: "USE-PICTURE",
                message: FailureMessage(
                    "this model keeps the padding, so every picture takes the same time.",
                    cure: "Leave --picture out, or take a model with padding: drop.", subject: "--picture \(picture)"))
        }
        return GridSize(
            rows: (sides[0] + configuration.patch - 1) / configuration.patch,
            columns: (sides[1] + configuration.patch - 1) / configuration.patch)
    }

    private func prepare() throws -> (BenchStep, Configuration, Precision) {
        if let model {
            let directory = try ModelDirectory.opening(model)
            let choice = try precision.resolved(for: directory)
            let step = try BenchStep(directory, batch: batch, choice)
            return (step, directory.configuration, choice.arithmetic)
        }
        guard let size = Configuration.NamedSize(rawValue: vit) else {
            throw FailureRecord(
                kind: .usage, code: "USE-VIT",
                message: FailureMessage(
                    "there is no such size.", cure: "Use vit_t, vit_b, vit_l or vit_h.", subject: "--vit \(vit)"))
        }
        var configuration = Configuration()
        configuration.apply(size)
        // vit_t is trained from nothing, the others by LoRA on SAM's encoder.
        configuration.apply(size == .vitT ? .scratch : .ablation3)
        configuration.stem = size == .vitT ? .conv : .patch
        configuration.inputSize = inputSize
        if picture != nil { configuration.padding = .drop }
        if what == .train {
            let products = precision.arithmetic
            let options = Tape.Options(recomputes: activationCheckpointing, products: products)
            return (BenchStep(training: configuration, batch: batch, options), configuration, products)
        }
        let fastest = Precision.allCases.last { InstructionSet.prefers($0) } ?? .fp32
        let arithmetic = precision == .auto ? fastest : precision.arithmetic
        return (try BenchStep(configuration, batch: batch, arithmetic), configuration, arithmetic)
    }

    private func check() throws {
        guard inputSize >= 16, inputSize % 16 == 0, inputSize <= 4096, batch > 0, batch <= 1024, runs > 0,
            what == .infer || model == nil,
            what == .infer || what == .pipeline || precision == .fp32 || what == .train && precision == .bf16,
            what == .train || !activationCheckpointing, what == .infer || picture == nil
        else {
            throw FailureRecord(
                kind: .usage, code: "USE-RANGE",
                message: FailureMessage(
                    "an option is out of its range.",
                    cure: """
                        --input-size is a multiple of 16 up to 4096, --batch 1 to 1024, --runs at least 1; \
                        --model is for infer, --precision for infer and pipeline, fp32 and bf16 also for train, --activation-checkpointing \
                        is for train, --picture for infer.
                        """))
        }
    }
}

extension PrecisionChoice: ExpressibleByArgument {}
extension Precision: ExpressibleByArgument {}
