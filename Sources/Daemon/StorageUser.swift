internal import Failures
internal import Foundation
internal import Processes
internal import Storage

/// C-STORE and C-FIND by DCMTK's programs. Only the status of each instance in `dcmsend`'s report is believed: its exit status is
/// 0 when the peer refused an object's SOP class.
struct StorageUser: Sendable {
    let peer: DICOMPeer
    /// A folder of its own, removed afterwards.
    let scratch: String

    private static let connectionTimeout = 20
    private static let answerTimeout = 120

    /// One association for all files.
    func send(_ names: [String], in folder: String) async throws -> [DeliveryReceipt.File] {
        let report = Folder.join(scratch, "report")
        let ended = try await run(
            "dcmsend",
            [
                "-q", "-nh", "+crf", report, "-aet", peer.calling, "-aec", peer.called, "-to",
                "\(Self.connectionTimeout)", "-ta", "\(Self.connectionTimeout)", "-td", "\(Self.answerTimeout)",
                peer.host,
                "\(peer.port)",
            ] + names.map { Folder.join(folder, $0) })
        guard ended, let bytes = try? DurableFile.read(report, limit: 64 << 20) else {
            // Nobody there, no association, or it was aborted before an answer.
            return names.map { .init($0, .failed, code: ended ? "ASSOCIATION" : "TIMEOUT") }
        }
        let statuses = DCMSendReport.statuses(String(decoding: bytes, as: UTF8.self))
        return names.map { name in
            let status = statuses[Folder.join(folder, name)] ?? .unanswered
            return .init(name, status.outcome, code: status.code)
        }
    }

    /// Whether the peer finds the object, asked at IMAGE level.
    func has(_ identity: Sender.Identity) async throws -> Bool {
        let answers = Folder.join(scratch, "found-\(Identifier.make())")
        try Folder.make(answers, mode: 0o750)
        let ended = try await run(
            "findscu",
            [
                "-q", "-S", "-X", "-od", answers, "-aet", peer.calling, "-aec", peer.called, "-to",
                "\(Self.connectionTimeout)", "-ta", "\(Self.connectionTimeout)", "-td", "\(Self.answerTimeout)", "-k",
                "0008,0052=IMAGE", "-k", "0020,000d=\(identity.study)", "-k", "0020,000e=\(identity.series)", "-k",
                "0008,0018=\(identity.instance)", peer.host, "\(peer.port)",
            ])
        return try ended && !Folder.list(answers).isEmpty
    }

    /// False when it had to be ended. *Throws* `DaemonFailure.workerNotStarted` when there is no such program.
    private func run(_ program: String, _ arguments: [String]) async throws -> Bool {
        let folders = (ProcessInfo.processInfo.environment["PATH"] ?? "/usr/bin:/bin").split(separator: ":")
        let path = folders.map { Folder.join(String($0), program) }.first { FileStatus.exists($0) }
        guard let path, let child = try? Child(program: path, arguments: arguments) else {
            throw DaemonFailure.workerNotStarted
        }
        let ended = await child.ends(within: .seconds(3600)) { ServiceNotification.send("WATCHDOG=1") }
        if !ended { child.signal(SIGKILL) }
        await child.close()
        return ended
    }
}
