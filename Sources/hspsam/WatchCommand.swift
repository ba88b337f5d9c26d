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
            SIGHUP reads the site file again; a wrong one is refused, the old settings stay.
            The log goes to standard output, one JSON object a line. See also: hspsam status, hspsam batch.
            """)

    @Option(help: "The site file, YAML.") var config = ServiceOptions.siteFile

    func run() throws {
        let path = config
        let read = { @Sendable in try SiteConfiguration(path: path, version: HSPSAMCommand.version).service }
        let settings = try read()
        let stop = StopRequest()
        StopRequest.listen()
        StopRequest.listenForReloads()
        try waiting {
            let log = Logger(label: "hspsam") { _ in JSONLog(standardError: false) }
            try await Service.watch(settings, log: log, stop: stop, reread: read)
        }
        if stop.wasInterrupted { throw ExitStatus.interrupted }
    }
}
