import ArgumentParser
import Failures
import Foundation
import Processes
import References
import SegmentAnything
import Tensors

/// Times the network with random weights.
struct BenchCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "bench",
        abstract: "Times a forward pass or a training step with random weights.",
        discussion: "Example: hspsam bench --vit vit_b --what infer --json")

    enum What: String, ExpressibleByArgument, CaseIterable { case infer, train }

    @Option(help: "Size of the encoder: vit_t, vit_b, vit_l or vit_h.") var vit = "vit_b"
    @Option(help: "infer: one forward pass with LoRA merged; train: forward, backward and optimiser step.") var what =
        What.infer
    @Option(help: "Input size, a multiple of 16.") var inputSize = 1024
    @Option(help: "Images a pass.") var batch = 1
    @Option(help: "Threads; 0: all cores.") var threads = 0
    @Option(help: "Counted runs, after one that is not.") var runs = 5
    @Flag(help: "Prints one JSON object.") var json = false

    private struct Result: Encodable {
        let vit, what, isa: String
        let inputSize, batch, threads, runs: Int
        let secondsMin, secondsMedian, secondsMax: Double
        let peakRssBytes: Int
    }

    func run() throws {
        guard let size = Configuration.NamedSize(rawValue: vit) else {
            throw FailureRecord(
                kind: .usage, code: "USE-VIT",
                message: FailureMessage(
                    "there is no such size.", cure: "Use vit_t, vit_b, vit_l or vit_h.", subject: "--vit \(vit)"))
        }
        guard inputSize >= 16, inputSize % 16 == 0, inputSize <= 4096, batch > 0, batch <= 1024, runs > 0, threads >= 0
        else {
            throw FailureRecord(
                kind: .usage, code: "USE-RANGE",
                message: FailureMessage(
                    "an option is out of its range.",
                    cure:
                        "--input-size is a multiple of 16 up to 4096, --batch 1 to 1024, --runs at least 1, --threads at least 0."
                ))
        }
        ThreadPool.start(threads: threads)
        var configuration = Configuration()
        configuration.apply(size)
        // vit_t is trained from nothing, the others by LoRA on SAM's encoder.
        configuration.apply(size == .vitT ? .scratch : .ablation3)
        configuration.stem = size == .vitT ? .conv : .patch
        configuration.inputSize = inputSize
        let step = BenchStep(configuration, batch: batch, training: what == .train)
        var seconds: [Double] = []
        for run in 0...runs {
            let start = ContinuousClock.now
            step.run()
            let taken = start.duration(to: .now) / .seconds(1)
            if run > 0 { seconds.append(taken) }
        }
        seconds.sort()
        let result = Result(
            vit: vit, what: what.rawValue, isa: InstructionSet.current, inputSize: inputSize, batch: batch,
            threads: ThreadPool.threads,
            runs: runs, secondsMin: seconds[0], secondsMedian: seconds[seconds.count / 2],
            secondsMax: seconds[seconds.count - 1],
            peakRssBytes: peakMemory())
        if json {
            let encoder = JSONEncoder()
            encoder.keyEncodingStrategy = .convertToSnakeCase
            encoder.outputFormatting = [.prettyPrinted, .sortedKeys]
            try StandardOutput.line(String(decoding: try encoder.encode(result), as: UTF8.self))
        } else {
            try StandardOutput.line(
                String(
                    format:
                        "%@ %@ %d×%d batch %d, %@, %d threads: min %.3f s, median %.3f s, max %.3f s of %d; peak %.2f GB",
                    vit, what.rawValue, inputSize, inputSize, batch, result.isa, result.threads, result.secondsMin,
                    result.secondsMedian,
                    result.secondsMax, runs, Double(result.peakRssBytes) / 1e9))
        }
    }
}

/// The process's largest resident memory so far, bytes.
func peakMemory() -> Int {
    var usage = rusage()
    unsafe getrusage(__rusage_who_t(RUSAGE_SELF.rawValue), &usage)
    return Int(usage.ru_maxrss) * 1024
}
