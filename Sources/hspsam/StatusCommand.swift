import ArgumentParser
import Daemon
import Failures
import Processes

struct StatusCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "status",
        abstract: "Says how the service is: what waits, what is done, what needs a person.",
        discussion: """
            Example: hspsam status --config /etc/hspsam/hspsam.yaml
            Exit status 0 fine, 2 wrong configuration, 3 something needs a person, 4 nothing was ever dropped here.
            """)

    @OptionGroup var service: ServiceOptions

    func run() throws {
        let report = try StatusReport(service.settings())
        try StandardOutput.line(service.json ? report.json : report.text)
        if report.status != .done { throw report.status }
    }
}
