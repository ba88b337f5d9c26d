import ArgumentParser
import Daemon
import Processes
import Failures
import Logging

struct BatchCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "batch",
        abstract: "Works through what is in the inbox now, then exits; for timers.",
        discussion: """
            Example: hspsam batch --config /etc/hspsam/hspsam.yaml
            Waits until every drop has settled, at most ten times settle.quiet. Exit status 0 when all went well (an empty
            inbox too), 2 when it could not start, 3 when a person should look: outbox/index.html says at what.
            """)

    @OptionGroup var service: ServiceOptions

    func run() throws {
        let settings = try service.settings()
        let stop = StopRequest()
        StopRequest.listen()
        StopRequest.listenToHangups()
        let outcome = try waiting {
            let log = Logger(label: "hspsam") { _ in JSONLog(standardError: true) }
            return try await Service.batch(settings, log: log, stop: stop)
        }
        try StandardOutput.line(service.json ? outcome.json : outcome.summary)
        if stop.wasInterrupted { throw ExitStatus.interrupted }
        if outcome.status != .done { throw outcome.status }
    }
}
