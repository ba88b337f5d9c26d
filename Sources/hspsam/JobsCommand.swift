import ArgumentParser
import Daemon
import Failures
import Foundation
import Processes

struct JobsCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "jobs", abstract: "Lists the service's jobs, the one that changed last first.",
        discussion: """
            Example: hspsam jobs --state quarantined --since 7d
            Exit status 0, 4 when there is none.
            """)

    @OptionGroup var service: ServiceOptions
    @Option(help: "Only in these states: \(Job.State.allCases.map(\.rawValue).joined(separator: ", ")).")
    var state: [Job.State] = []
    @Option(help: "Only what changed in the last 12h, 7d, ...") var since: Period?
    @Option(help: "At most so many.") var limit = 200

    func validate() throws {
        guard limit >= 1 else { throw ValidationError("--limit \(limit): give 1 or more.") }
    }

    func run() throws {
        let path = ServicePaths(try service.settings()).ledger
        let after = since.map { Moment.now - $0.milliseconds } ?? 0
        let found = try LedgerView.jobs(path: path, states: state, since: after, limit: min(limit, .max - 1) + 1) ?? []
        let jobs = Array(found.prefix(limit))
        if found.count > limit {
            StandardError.line("there are more than these \(limit) jobs: --limit shows more of them")
        }
        if service.json {
            try service.print(jobs)
        } else {
            for job in jobs {
                let code = job.code.map { "  \($0)" } ?? ""
                try StandardOutput.line("\(job.job)  \(job.changed)  \(job.state)\(code)  \(job.files) files")
            }
        }
        if jobs.isEmpty { throw ExitStatus.nothingProcessed }
    }
}

/// `30m`, `12h`, `7d` on a command line.
struct Period: ExpressibleByArgument {
    let milliseconds: Int64

    init?(argument: String) {
        let units: [Character: Int64] = ["m": 60_000, "h": 3_600_000, "d": 86_400_000]
        guard let unit = argument.last.flatMap({ units[$0] }), let number = Int64(argument.dropLast()),
            (0...36_500).contains(number)
        else { return nil }
        milliseconds = number * unit
    }
}

extension Job.State: ExpressibleByArgument {}

struct ShowCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "show", abstract: "Says everything about one job: attempts, results, history.",
        discussion: "Example: hspsam show 01JCK3\nThe beginning of a name suffices where only one job has it.")

    @OptionGroup var service: ServiceOptions
    @Argument(help: "The job.") var job: String

    func run() throws {
        let found = try service.job(job, service.settings())
        if service.json { return try service.print(found) }
        let line = found.line
        try StandardOutput.line("\(line.job)  \(line.state)  \(line.files) files, \(line.bytes) bytes")
        if let code = line.code { try StandardOutput.line("  \(code) \(line.text ?? "")") }
        if let until = found.waitsUntil { try StandardOutput.line("  waits until \(until)") }
        for attempt in found.attempts {
            let end = attempt.exit.map { " exit \($0)" } ?? attempt.signal.map { " signal \($0)" } ?? ""
            let host = attempt.host.map { " on \($0)" } ?? ""
            try StandardOutput.line(
                "  attempt \(attempt.n)  \(attempt.started)  \(attempt.outcome ?? "runs")\(end)\(host)")
        }
        for result in found.results {
            let mark = result.supersededBy != nil ? "  superseded" : result.complete ? "" : "  incomplete"
            try StandardOutput.line("  result   outbox/\(result.path)\(mark)")
        }
        for event in found.events {
            try StandardOutput.line("  \(event.at)  \(event.to ?? "") \(event.code ?? "")")
        }
    }
}
