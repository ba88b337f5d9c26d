import ArgumentParser
import Daemon
import Failures
import Pipelines
import Processes

struct DoctorCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "doctor", abstract: "Looks at everything that the service needs, and says what to do.",
        discussion: "Example: hspsam doctor\nExit status 0 fine, 3 something failed.")

    @OptionGroup var service: ServiceOptions

    func run() throws {
        let settings = try service.settings()
        var first: [Doctor.Finding] = []
        do {
            let pipelines = try PipelineDirectory.openAll(in: settings.pipelines)
            first.append(
                .init(.ok, "configuration; \(pipelines.count) pipelines, every file of their models as recorded"))
        } catch {
            let failure = FailureRecord(error)
            first.append(.init(.fail, "pipelines: \(failure.code) \(failure.message.text)"))
        }
        let doctor = Doctor(settings, first: first)
        if service.json { try service.print(doctor) } else { try StandardOutput.line(doctor.text) }
        if doctor.status != .done { throw doctor.status }
    }
}

struct ConfigCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "config", abstract: "The site file: checked, and shown with all defaults.",
        subcommands: [Check.self, Show.self], defaultSubcommand: Check.self)

    struct Check: ParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Reads it. Exit status 2 when it is wrong.")
        @OptionGroup var service: ServiceOptions

        func run() throws {
            let settings = try service.settings()
            try WatchService.checkPipelines(settings)
            try StandardOutput.line(service.json ? #"{"valid": true}"# : "the site file is right")
        }
    }

    struct Show: ParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Every setting as the service uses it.")
        @OptionGroup var service: ServiceOptions

        func run() throws {
            let shown = SettingsView(try service.settings())
            if service.json { return try service.print(shown) }
            for (key, value) in shown.lines { try StandardOutput.line("\(key): \(value)") }
        }
    }
}
