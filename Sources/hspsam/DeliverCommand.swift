import ArgumentParser
import DICOM
import Daemon
import Failures
import Logging
import Processes
import Storage

struct DeliverCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "deliver",
        abstract: "Sends results to the site file's destinations; the only command with a network.",
        discussion: """
            Example: hspsam deliver --config /etc/hspsam/hspsam.yaml
            Runs until stopped, beside hspsam watch, which tells it what to send. With --once it ends when nothing waits.
            """)

    @OptionGroup var service: ServiceOptions
    @Flag(help: "End when nothing waits.") var once = false
    @Flag(help: "Only say how the deliveries stand.") var status = false
    @Flag(help: "Let everything that failed or was refused be tried again.") var retry = false

    func run() throws {
        let settings = try service.settings()
        if retry { return try service.ask(.redeliver) }
        if status { return try show(settings) }
        let stop = StopRequest()
        StopRequest.listen()
        try waiting {
            let log = Logger(label: "hspsam") { _ in JSONLog(standardError: false) }
            let sender = Sender(settings, log: log) { path in
                guard let file = try? InputFile(path), let dicom = try? DICOMFile(file),
                    let study = dicom.dataSet.uid(.studyInstanceUID),
                    let series = dicom.dataSet.uid(.seriesInstanceUID),
                    let instance = dicom.dataSet.uid(.sopInstanceUID)
                else { return nil }
                return Sender.Identity(study: study, series: series, instance: instance)
            }
            ServiceNotification.send("READY=1")
            try await sender.run(stop, once: once)
        }
        if stop.wasInterrupted { throw ExitStatus.interrupted }
    }

    private func show(_ settings: ServiceSettings) throws {
        let troubles = try LedgerView.deliveries(path: ServicePaths(settings).ledger) ?? []
        if service.json { return try service.print(troubles) }
        for line in troubles {
            try StandardOutput.line("\(line.destination)  \(line.state)  \(line.code ?? "")  outbox/\(line.file)")
        }
        if troubles.isEmpty { try StandardOutput.line("nothing waits, nothing was refused") }
    }
}
