import Failures
import Foundation
import Phantoms
import Processes
import Records
import SegmentAnything
import Storage

/// Times `hspsam run` on a phantom of 300 slices of 512 × 512, from files to verified segmentation and report, as a user starts it.
struct PipelineBench {
    static let slices = 300
    static let side = 512
    let program: String
    let folder: String
    let pipeline: String
    let pipelines: String?
    let precision: PrecisionChoice
    let threads: Int
    let runs: Int

    struct Figures: Encodable {
        let what = "pipeline"
        let pipeline: String
        let slices: Int
        let rows: Int
        let columns: Int
        let runs: Int
        let secondsMin: Double
        let secondsMedian: Double
        /// Of the fastest run: all but the step `infer`.
        let secondsOutsideInference: Double
        /// Of the fastest run; `other` is start, reading of headers, the model and the pages.
        let secondsByStep: [String: Double]
        /// The largest of all runs.
        let peakRssBytes: Int
    }

    /// *Throws* what keeps the phantom from being written or a run from ending well.
    func figures() throws -> Figures {
        let study = Folder.join(folder, "study")
        let matrix = BodyPhantom.Matrix(rows: Self.side, columns: Self.side, slices: Self.slices)
        try PhantomStudy(.body, seed: 1, matrix: matrix).write(to: study)
        var seconds: [Double] = []
        var best: (seconds: Double, steps: [String: Double]) = (.infinity, [:])
        for run in 0...runs {
            let out = Folder.join(folder, "result")
            let taken = try time(study, out)
            // The first one brings files and program into memory.
            guard run > 0 else { continue }
            seconds.append(taken)
            if taken < best.seconds { best = (taken, try steps(out)) }
        }
        seconds.sort()
        best.steps["other"] = best.seconds - best.steps.values.reduce(0, +)
        return Figures(
            pipeline: pipeline, slices: Self.slices, rows: Self.side, columns: Self.side, runs: runs,
            secondsMin: best.seconds, secondsMedian: seconds[seconds.count / 2],
            secondsOutsideInference: best.seconds - (best.steps["infer"] ?? 0), secondsByStep: best.steps,
            peakRssBytes: peakMemory(ofChildren: true))
    }

    /// One run in a process of its own; seconds.
    private func time(_ study: String, _ out: String) throws -> Double {
        var arguments = ["run", study, "--out", out, "--pipeline", pipeline, "--threads", "\(threads)"]
        arguments += ["--precision", precision.rawValue]
        if let pipelines { arguments += ["--pipelines", pipelines] }
        let start = ContinuousClock.now
        let child = try Child(program: program, arguments: arguments)
        let (ending, end) = try waiting {
            _ = await child.ends(within: .seconds(3600))
            let end = ContinuousClock.now
            child.signal(SIGKILL)
            await child.close()
            return (child.ending, end)
        }
        guard ending == .exited(0) else {
            throw FailureRecord(
                kind: .failed, code: "USE-BENCH",
                message: FailureMessage(
                    "hspsam run did not end well: \(String(decoding: child.log.suffix(1000), as: UTF8.self))",
                    cure: "Run it by hand on \(study).", subject: "bench --what pipeline"))
        }
        return start.duration(to: end) / .seconds(1)
    }

    private func steps(_ out: String) throws -> [String: Double] {
        let bytes = try DurableFile.read(Folder.join(out, RunRecord.fileName), limit: 64 << 20)
        let record = try JSONDecoder().decode(RunRecord.self, from: Data(bytes))
        return record.results.reduce(into: [:]) { $0.merge($1.secondsByStep) { $0 + $1 } }
    }
}

extension PipelineBench.Figures {
    var text: String {
        let head = String(
            format: """
                %@, %d slices of %d × %d: min %.2f s, median %.2f s of %d; outside inference %.2f s; peak %.0f MB
                """,
            pipeline, slices, rows, columns, secondsMin, secondsMedian, runs, secondsOutsideInference,
            Double(peakRssBytes) / 1e6)
        let lines = secondsByStep.sorted { $0.value > $1.value }.map {
            "  " + $0.key.padding(toLength: 24, withPad: " ", startingAt: 0) + String(format: " %7.3f s", $0.value)
        }
        return ([head] + lines).joined(separator: "\n")
    }
}
