internal import Failures
internal import Foundation
internal import Processes
internal import Storage

/// Slurm's programs. *Source*: sbatch(1), squeue(1), scancel(1) of Slurm 22.05.
struct Slurm: Sendable {
    /// A task in Slurm's queue: waiting, running or ending.
    struct Task: Sendable {
        let id: TaskID
        /// Slurm's own name of it, for `scancel`.
        let slurmID: String
        let isRunning: Bool
        /// The node that it runs on.
        let node: String?
        /// Why it waits, in Slurm's words, where that is not its turn.
        let obstacle: String?
    }

    enum Queue {
        /// Ours.
        case tasks([Task])
        /// Nobody answers; with what the program complains of.
        case silent(String)
    }

    enum Submission {
        case accepted
        /// With what sbatch says.
        case refused(String)
        /// Without an answer: it may have been taken all the same, which `queue` tells.
        case unknown
    }

    static let programs = ["sbatch", "squeue", "scancel"]
    private static let prefix = "hspsam-"
    /// A controller that has just been started anew answers within this.
    private static let longest: Duration = .seconds(60)
    /// Reasons for which a task waits that pass by themselves; so do limits of groups and users, and those of jobs at a time.
    private static let ordinary: Set = [
        "None", "Priority", "Resources", "JobArrayTaskLimit", "BeginTime", "Cleaning", "Prolog", "Dependency",
        "Licenses", "Reservation",
    ]

    private static func isOrdinary(_ reason: String) -> Bool {
        if ordinary.contains(reason) { return true }
        guard reason.hasPrefix("QOS") || reason.hasPrefix("Assoc") else { return false }
        return ["Grp", "MaxJobs", "PerUser", "PerAccount"].contains { reason.contains($0) }
    }

    let cluster: ClusterSettings
    let program: String
    /// Cores of a task; 0: a whole node.
    let threads: Int
    /// Called while a program runs.
    let each: @Sendable () -> Void

    /// What a program wrote; or what it complains of when it failed, was not there or did not end.
    private enum Answer {
        case output(String)
        case complaint(String)
    }

    private func run(_ name: String, _ arguments: [String]) async throws -> Answer {
        do {
            let result = try await OtherProgram.run(
                name, arguments, in: cluster.programs, package: "slurm-client", within: Self.longest, each: each)
            guard let result else { return .complaint("\(name) does not end") }
            if result.ending == .exited(0) { return .output(String(decoding: result.output, as: UTF8.self)) }
            return .complaint(Self.lastLine(result.errors))
        } catch let failure as DaemonFailure { return .complaint(failure.message.explanation) }
    }

    /// Submits an array whose folder is written.
    ///
    /// - Parameter tasks: how many it has.
    func submit(_ array: TaskArray, name: String, tasks: Int) async throws -> Submission {
        let arguments =
            [
                "--parsable", "--job-name=\(Self.prefix)\(name)", "--array=0-\(tasks - 1)",
                "--requeue", "--export=NIL", "--input=/dev/null", "--chdir=/", "--open-mode=append",
                "--output=\(array.logPattern)", "--nodes=1", "--ntasks=1",
            ]
            + (threads > 0
                ? ["--cpus-per-task=\(threads)", "--mem=\(max(1, cluster.memory >> 20))M"]
                : ["--exclusive", "--mem=0"])
            + (cluster.time.map { ["--time=\(max(1, ($0.milliseconds + 59_999) / 60_000))"] } ?? [])
            + (cluster.partition.map { ["--partition=\($0)"] } ?? [])
            + [array.scriptPath, program, "array-task", array.folder]
        guard case .complaint(let text) = try await run("sbatch", arguments) else { return .accepted }
        // Slurm's words for a controller that is away; the request may have reached it.
        let away = ["Unable to contact", "timed out", "Zero Bytes", "Connection", "does not end"]
        return away.contains { text.contains($0) } ? .unknown : .refused(text)
    }

    /// Our tasks that wait, run or end.
    func queue() async throws -> Queue {
        let arguments = ["--noheader", "--array", "--me", "--format=%j|%F|%K|%t|%N|%r"]
        switch try await run("squeue", arguments) {
        case .complaint(let text): return .silent(text)
        case .output(let text): return .tasks(text.split(separator: "\n").compactMap(Self.task))
        }
    }

    private static func task(_ line: Substring) -> Task? {
        let fields = line.split(separator: "|", omittingEmptySubsequences: false).map(String.init)
        guard fields.count == 6, fields[0].hasPrefix(prefix), let index = Int(fields[2]) else { return nil }
        let waits = fields[3] == "PD"
        let reason = fields[5]
        return Task(
            id: TaskID(array: String(fields[0].dropFirst(prefix.count)), index: index),
            slurmID: "\(fields[1])_\(index)",
            isRunning: !waits, node: waits || fields[4].isEmpty ? nil : fields[4],
            obstacle: waits && !isOrdinary(reason) ? reason : nil)
    }

    /// Ends tasks; one that is gone is fine. Gives false when that has to be tried again.
    func cancel(_ tasks: [Task]) async throws -> Bool {
        if tasks.isEmpty { return true }
        guard case .output = try await run("scancel", tasks.map(\.slurmID)) else { return false }
        return true
    }

    /// At most 200 letters.
    private static func lastLine(_ bytes: [UInt8]) -> String {
        let lines = String(decoding: bytes, as: UTF8.self).split(separator: "\n")
        return String((lines.last ?? "no word").trimmingCharacters(in: .whitespaces).prefix(200))
    }
}
