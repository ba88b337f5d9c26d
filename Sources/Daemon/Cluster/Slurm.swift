internal import Failures
internal import Foundation
internal import Processes
internal import Storage

/// Slurm's programs. *Source*: sbatch(1), squeue(1), scancel(1) of Slurm 22.05.
struct Slurm: Sendable {
    /// A task in Slurm's queue: waiting, running or ending.
    struct Task: Sendable, Equatable {
        /// Our name of the array.
        let array: String
        let index: Int
        /// Slurm's name of the task, for `scancel`.
        let id: String
        let isRunning: Bool
        /// The node that it runs on.
        let node: String?
        /// Why it waits, in Slurm's words, where that is not its turn.
        let obstacle: String?
    }

    enum Submission: Equatable {
        case accepted
        /// With what sbatch says.
        case refused(String)
        /// It gave no answer, and may have been taken all the same.
        case unknown
    }

    static let programs = ["sbatch", "squeue", "scancel"]
    private static let prefix = "hspsam-"
    /// A controller that has just been started anew answers within this.
    private static let longest: Duration = .seconds(60)
    /// Reasons for which a task waits that pass by themselves.
    private static let ordinary: Set = [
        "None", "Priority", "Resources", "JobArrayTaskLimit", "BeginTime", "Cleaning", "Prolog", "Dependency",
    ]

    let cluster: ClusterSettings
    let program: String
    /// Cores of a task; 0: a whole node.
    let threads: Int
    /// Called while a program runs.
    let each: @Sendable () -> Void

    private func run(_ name: String, _ arguments: [String]) async throws -> OtherProgram.Result? {
        try await OtherProgram.run(
            name, arguments, in: cluster.programs, package: "slurm-client", within: Self.longest, each: each)
    }

    /// Submits an array whose folder is written.
    ///
    /// - Parameters:
    ///   - tasks: how many it has.
    ///   - wall: longest that a task may take.
    func submit(_ array: TaskArray, name: String, tasks: Int, wall: Duration) async throws -> Submission {
        let minutes = max(1, (wall.milliseconds + 59_999) / 60_000)
        let arguments =
            [
                "--parsable", "--job-name=\(Self.prefix)\(name)", "--array=0-\(tasks - 1)",
                "--requeue", "--export=NIL", "--input=/dev/null", "--chdir=/", "--open-mode=append",
                "--output=\(array.logPattern)", "--time=\(minutes)", "--nodes=1", "--ntasks=1",
            ]
            + (threads > 0
                ? ["--cpus-per-task=\(threads)", "--mem=\(max(1, cluster.memory >> 20))M"]
                : ["--exclusive", "--mem=0"])
            + (cluster.partition.map { ["--partition=\($0)"] } ?? [])
            + [array.scriptPath, program, "array-task", array.folder]
        guard let result = try await run("sbatch", arguments) else { return .unknown }
        if result.ending == .exited(0) { return .accepted }
        let text = Self.firstLine(result.errors)
        // Slurm's words for a controller that is away; the request may have reached it.
        return text.contains("Unable to contact") || text.contains("timed out") ? .unknown : .refused(text)
    }

    /// Our tasks that wait, run or end; nil when the controller does not answer.
    func tasks() async throws -> [Task]? {
        let result = try await run(
            "squeue", ["--noheader", "--array", "--me", "--format=%j|%F|%K|%t|%N|%r"])
        guard let result, result.ending == .exited(0) else { return nil }
        return String(decoding: result.output, as: UTF8.self).split(separator: "\n").compactMap { line in
            let fields = line.split(separator: "|", omittingEmptySubsequences: false).map(String.init)
            guard fields.count == 6, fields[0].hasPrefix(Self.prefix), let index = Int(fields[2]) else { return nil }
            let waits = fields[3] == "PD"
            return Task(
                array: String(fields[0].dropFirst(Self.prefix.count)), index: index, id: "\(fields[1])_\(index)",
                isRunning: !waits, node: waits || fields[4].isEmpty ? nil : fields[4],
                obstacle: waits && !Self.ordinary.contains(fields[5]) ? fields[5] : nil)
        }
    }

    /// Ends tasks. One that is gone is fine, and so is a controller that does not answer: what they write is not taken.
    func cancel(_ tasks: [Task]) async throws {
        guard !tasks.isEmpty else { return }
        _ = try await run("scancel", tasks.map(\.id))
    }

    /// What a program complains of, in one line of at most 200 letters.
    private static func firstLine(_ bytes: [UInt8]) -> String {
        let text = String(decoding: bytes, as: UTF8.self)
        let lines = text.split(separator: "\n").map { $0.trimmingCharacters(in: .whitespaces) }
        return String((lines.last ?? "").prefix(200))
    }
}
