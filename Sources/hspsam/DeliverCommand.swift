import ArgumentParser
import DICOM
import Daemon
import Failures
import Foundation
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
            Exit status 3 with --once where a destination did not take something, with --status where it was refused or given up.
            """)

    @OptionGroup var service: ServiceOptions
    @Flag(help: "End when nothing waits.") var once = false
    @Flag(help: "Only say how the deliveries stand.") var status = false
    @Flag(help: "Let what failed or was refused be tried again, and what nobody asks for any more be let go.")
    var retry = false

    func validate() throws {
        guard [once, status, retry].filter({ $0 }).count <= 1 else {
            throw ValidationError("--once, --status and --retry ask for different things: give one of them.")
        }
    }

    func run() throws {
        let settings = try service.settings()
        if retry { return try service.ask(.redeliver) }
        if status { return try show(settings) }
        let stop = StopRequest()
        StopRequest.listen()
        let untaken = try waiting {
            let log = Logger(label: "hspsam") { _ in JSONLog(standardError: false) }
            let file = service.config
            let sender = Sender(
                settings, log: log, commit: Self.commit, siteFile: file,
                reread: { try SiteConfiguration(path: file, version: HSPSAMCommand.version).service },
                identify: Self.identify)
            ServiceNotification.send("READY=1")
            if once { return try await sender.sendOnce(stop) }
            try await sender.run(stop, once: false)
            return 0
        }
        if stop.wasInterrupted { throw ExitStatus.interrupted }
        if untaken > 0 { throw ExitStatus.refusedOrFailed }
    }

    /// Nil also for what is cut: it has not come whole.
    @Sendable private static func identify(_ path: String) -> Sender.Identity? {
        guard let file = try? InputFile(path), let dicom = try? DICOMFile(file), !dicom.pixelDataIsCut,
            let study = dicom.dataSet.uid(.studyInstanceUID), let series = dicom.dataSet.uid(.seriesInstanceUID),
            let instance = dicom.dataSet.uid(.sopInstanceUID), let kind = dicom.dataSet.uid(.sopClassUID)
        else { return nil }
        return Sender.Identity(study: study, series: series, instance: instance, kind: kind)
    }

    /// On a thread of its own: the archive may take a minute to report.
    @Sendable private static func commit(_ peer: DICOMPeer, _ objects: [Sender.Identity]) async -> [Sender.Commitment] {
        await withCheckedContinuation { continuation in
            Thread.detachNewThread {
                let answers = StorageCommitment.ask(
                    host: peer.host, port: UInt16(clamping: peer.port), called: peer.called, calling: peer.calling,
                    reportPort: peer.reportPort.map { UInt16(clamping: $0) },
                    patience: UInt32(clamping: peer.reportWait.components.seconds),
                    about: objects.map { (sopClass: $0.kind, sopInstance: $0.instance) })
                continuation.resume(
                    returning: answers.map { answer in
                        switch answer {
                        case .committed: .committed
                        case .denied(let reason): .denied(reason)
                        case .unanswered: .unanswered
                        case .notAsked: .notAsked
                        }
                    })
            }
        }
    }

    private func show(_ settings: ServiceSettings) throws {
        let troubles = try LedgerView.deliveries(path: ServicePaths(settings).ledger) ?? []
        if service.json { try service.print(troubles) }
        for line in troubles where !service.json {
            try StandardOutput.line("\(line.destination)  \(line.state)  \(line.code ?? "")  outbox/\(line.file)")
        }
        if troubles.isEmpty, !service.json { try StandardOutput.line("nothing waits, nothing was refused") }
        if troubles.contains(where: \.needsPerson) { throw ExitStatus.refusedOrFailed }
    }
}
