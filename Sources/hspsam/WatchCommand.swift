import ArgumentParser
import Daemon
import Processes
import Failures
import Logging
import Storage

struct WatchCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "watch",
        abstract: "Watches an inbox until stopped: studies dropped there come out as results in the outbox.",
        discussion: """
            Example: hspsam watch --config /etc/hspsam/hspsam.yaml
            SIGTERM lets the study in work finish for a minute; Ctrl-C stops at once. Nothing is lost either way.
            The log goes to standard output, one JSON object a line. See also: hspsam status, hspsam batch.
            """)

    @Option(help: "The site file, YAML.") var config: String

    func run() throws {
        let settings = try SiteConfiguration(path: config, version: HSPSAMCommand.version).service
        let stop = StopRequest()
        StopRequest.listen()
        try waiting {
            let log = Logger(label: "hspsam") { _ in JSONLog(standardError: false) }
            try await WatchService.start(settings, log: log, stop: stop).watch()
        }
        if stop.wasInterrupted { throw ExitStatus.interrupted }
    }
}

extension WatchService {
    /// What a person must mend before a service can start is a matter of configuration, status 2; what passes by itself (a full
    /// disk, a ledger that another process holds) keeps its own: then a supervisor may try again.
    static func start(_ settings: ServiceSettings, log: Logger, stop: StopRequest) async throws -> WatchService {
        do { return try await WatchService(settings, log: log, stop: stop) } catch let failure as StorageFailure {
            switch failure.systemError {
            case .denied, .notFound, .exists, .notEmpty:
                throw FailureRecord(kind: .configuration, code: failure.code, message: failure.message)
            default: throw failure
            }
        }
    }
}
