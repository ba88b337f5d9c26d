import ArgumentParser
import Daemon
import Failures
import Logging
import Processes

struct LedgerCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "ledger", abstract: "The service's memory: checked, copied, made anew.",
        subcommands: [Check.self, Backup.self, Rebuild.self])

    struct Check: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Reads the whole ledger. Exit status 3 when it is damaged, 4 when there is none.")
        @OptionGroup var service: ServiceOptions

        func run() throws {
            let path = ServicePaths(try service.settings()).ledger
            guard let complaints = try LedgerView.integrity(path: path) else {
                try StandardOutput.line(service.json ? "null" : "there is no ledger")
                throw ExitStatus.nothingProcessed
            }
            if service.json {
                try service.print(complaints)
            } else {
                try StandardOutput.line(complaints.isEmpty ? "the ledger is whole" : complaints.joined(separator: "\n"))
            }
            if !complaints.isEmpty { throw ExitStatus.refusedOrFailed }
        }
    }

    struct Backup: ParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Writes a copy to backups/, as is done every day.")
        @OptionGroup var service: ServiceOptions

        func run() throws { try service.ask(.backup) }
    }

    struct Rebuild: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Makes a new ledger of the newest whole backup and of what stands in the folders.",
            discussion: """
                For a stopped service. The old ledger is put aside, nothing is published twice.
                Exit status 3 where results in the outbox are not whole: they are not in the new ledger.
                """)
        @OptionGroup var service: ServiceOptions

        func run() throws {
            let settings = try service.settings()
            let summary = try waiting {
                let log = Logger(label: "hspsam") { _ in JSONLog(standardError: true) }
                return try await LedgerRebuild.run(settings, log: log)
            }
            let begin = summary.backup.map { "from \($0)" } ?? "from nothing"
            let left =
                summary.damaged == 0
                ? ""
                : "; \(summary.damaged) results in the outbox are not whole and were left out: drop their studies again"
            if service.json {
                try service.print(summary)
            } else {
                try StandardOutput.line(
                    "a new ledger \(begin): \(summary.results) results and \(summary.quarantined) quarantined jobs adopted, "
                        + "\(summary.waiting) waiting\(summary.aside.map { "; the old one is \($0)" } ?? "")\(left)")
            }
            if summary.damaged > 0 { throw ExitStatus.refusedOrFailed }
        }
    }
}
