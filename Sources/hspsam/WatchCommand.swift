import ArgumentParser
import Daemon
import Processes
import Failures
import Logging

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
    /// What keeps a service from starting is a matter of configuration, whatever it would be later.
    static func start(_ settings: ServiceSettings, log: Logger, stop: StopRequest) async throws -> WatchService {
        do { return try await WatchService(settings, log: log, stop: stop) } catch let failure as any Failure
            where failure.kind == .failed
        {
            throw FailureRecord(kind: .configuration, code: failure.code, text: failure.text)
        }
    }
}
