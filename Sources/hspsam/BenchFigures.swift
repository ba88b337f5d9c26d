import Foundation
import References
import Tensors

/// What `hspsam bench` measured.
struct BenchFigures {
    let vit, what, precision: String
    let inputSize, batch: Int
    /// Of the counted runs, ascending; at least one.
    let seconds: [Double]
    /// From the command's start to the encoder's first block, or a training's first step.
    let loadSeconds: Double
    let peakRssBytes: Int
    /// Of all counted runs together.
    let profile: [KernelProfile.Entry]
    /// Operations a second in registers alone, all threads; 0: not known.
    let peak: Double

    private var fastest: Double { seconds.first ?? 0 }
    private var median: Double { seconds[seconds.count / 2] }
    private var runs: Int { seconds.count }
    /// Multiplications and additions of one run.
    private var operations: Double { profile.reduce(0) { $0 + $1.operations } / Double(runs) }

    private struct Object: Encodable {
        struct Operation: Encodable {
            let name: String
            let seconds, gflops: Double
            let calls: Int
        }

        let vit, what, precision, isa: String
        let inputSize, batch, threads, runs: Int
        let secondsMin, secondsMedian, secondsMax, loadSeconds, gflops, peakGflops: Double
        let peakRssBytes: Int
        /// A run, the longest first; `other` is what no kernel counts.
        let operations: [Operation]
    }

    /// A kind of kernel, a run.
    private var rows: [Object.Operation] {
        let count = Double(runs)
        let kernels = profile.map {
            Object.Operation(
                name: $0.name, seconds: $0.seconds / count,
                gflops: $0.seconds > 0 ? $0.operations / $0.seconds / 1e9 : 0, calls: $0.calls / runs)
        }
        let other = seconds.reduce(0, +) / count - kernels.reduce(0) { $0 + $1.seconds }
        return kernels + [Object.Operation(name: "other", seconds: max(other, 0), gflops: 0, calls: 0)]
    }

    func json() throws -> String {
        let object = Object(
            vit: vit, what: what, precision: precision, isa: InstructionSet.current, inputSize: inputSize, batch: batch,
            threads: ThreadPool.threads, runs: runs, secondsMin: fastest, secondsMedian: median,
            secondsMax: seconds[runs - 1], loadSeconds: loadSeconds, gflops: operations / fastest / 1e9,
            peakGflops: peak / 1e9, peakRssBytes: peakRssBytes, operations: rows)
        return try Self.encoded(object)
    }

    static func encoded(_ object: some Encodable) throws -> String {
        let encoder = JSONEncoder()
        encoder.keyEncodingStrategy = .convertToSnakeCase
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys]
        return String(decoding: try encoder.encode(object), as: UTF8.self)
    }

    private struct Kernels: Encodable {
        struct Kernel: Encodable {
            let name, precision: String
            let secondsMin, gflops, peakGflops: Double
        }

        let what, isa: String
        let threads: Int
        let kernels: [Kernel]
    }

    /// The kernels one by one.
    static func json(_ rows: [KernelBench.Row]) throws -> String {
        try encoded(
            Kernels(
                what: "kernels", isa: InstructionSet.current, threads: ThreadPool.threads,
                kernels: rows.map {
                    Kernels.Kernel(
                        name: $0.name, precision: $0.precision.rawValue, secondsMin: $0.seconds, gflops: $0.rate / 1e9,
                        peakGflops: $0.peak / 1e9)
                }))
    }

    var text: String {
        let head = String(
            format: """
                %@ %@ %@ %d×%d batch %d, %@, %d threads: min %.3f s, median %.3f s, max %.3f s of %d; load %.2f s; peak %.2f GB; \
                %.0f of %.0f Gflop/s
                """,
            vit, what, precision, inputSize, inputSize, batch, InstructionSet.current, ThreadPool.threads, fastest,
            median, seconds[runs - 1], runs, loadSeconds, Double(peakRssBytes) / 1e9, operations / fastest / 1e9,
            peak / 1e9)
        let lines = rows.map {
            let name = $0.name.padding(toLength: 24, withPad: " ", startingAt: 0)
            return String(format: "  %@ %7.3f s  %6.1f Gflop/s", name, $0.seconds, $0.gflops)
        }
        return ([head] + lines).joined(separator: "\n")
    }
}

/// The process's largest resident memory so far, bytes; of children the largest of those that have ended.
func peakMemory(ofChildren: Bool = false) -> Int {
    var usage = rusage()
    let who: __rusage_who = ofChildren ? RUSAGE_CHILDREN : RUSAGE_SELF
    unsafe getrusage(__rusage_who_t(who.rawValue), &usage)
    return Int(usage.ru_maxrss) * 1024
}
