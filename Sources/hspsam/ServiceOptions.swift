import ArgumentParser
import Daemon
import Failures
import Foundation
import Logging
import Processes

/// What every command about the service takes.
struct ServiceOptions: ParsableArguments {
    /// Where the package puts it.
    static let siteFile = "/etc/hspsam/hspsam.yaml"

    @Option(help: "The site file, YAML.") var config = Self.siteFile
    @Flag(help: "As JSON.") var json = false

    /// The site file's. Whoever is root is the service's user from now on.
    func settings() throws -> ServiceSettings {
        let settings = try SiteConfiguration(path: config, version: HSPSAMCommand.version).service
        guard ProcessUser.becomeOwner(of: settings.state) else {
            throw FailureRecord(
                kind: .configuration, code: "SERVICE-USER",
                message: FailureMessage(
                    "the service's folders belong to another user, whom root cannot become here: what root makes there the service cannot use.",
                    cure: "Run this as that user.", subject: settings.state))
        }
        return settings
    }

    /// Asks the running service, or does it here where none runs; says what became of it. `job` is the beginning of a job's name,
    /// `name` that of something else.
    func ask(_ command: ControlRequest.Command, job: String? = nil, name: String? = nil) throws {
        let settings = try settings()
        let request = ControlRequest(command, job: try job.map { try self.job($0, settings).line.job } ?? name)
        let answer = try waiting {
            let log = Logger(label: "hspsam") { _ in JSONLog(standardError: true) }
            return try await Control.ask(request, settings, log: log)
        }
        if json { try print(answer) } else { try StandardOutput.line("\(answer.code) \(answer.text)") }
        if answer.status != .done { throw answer.status }
    }

    /// The full name of a job that a person has given the beginning of.
    func job(_ name: String, _ settings: ServiceSettings) throws -> LedgerView.Detail {
        let name = name.uppercased()
        guard let job = try LedgerView.job(path: ServicePaths(settings).ledger, name) else {
            throw FailureRecord(
                kind: .usage, code: "JOB-UNKNOWN",
                message: FailureMessage(
                    "the ledger knows no job of this name, or several that begin so.", cure: "See: hspsam jobs.",
                    subject: name))
        }
        return job
    }

    /// JSON with every key, sorted.
    func print(_ value: some Encodable) throws {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        try StandardOutput.line(String(decoding: try encoder.encode(value), as: UTF8.self))
    }
}
