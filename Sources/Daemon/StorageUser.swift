internal import Failures
internal import Foundation
internal import Processes
internal import Storage

/// C-STORE and C-FIND by DCMTK's programs. Only the peer's status for each instance is believed, as `dcmsend` reports it: its exit
/// status is 0 when the peer refused an object's SOP class. Debian's `dcmsend` knows no TLS: then it is `storescu`, an object each.
struct StorageUser: Sendable {
    let peer: DICOMPeer
    /// A folder of its own, removed afterwards.
    let scratch: String

    private static let connectionTimeout = 20
    private static let answerTimeout = 120
    private static let largestAnswer = 16 << 20

    /// One association for all files.
    func send(_ names: [String], in folder: String) async throws -> [DeliveryReceipt.File] {
        if peer.tls != nil {
            var files: [DeliveryReceipt.File] = []
            for name in names { files.append(try await sendOverTLS(name, in: folder)) }
            return files
        }
        let report = Folder.join(scratch, "report")
        let ended = try await SendingProgram.run(
            "dcmsend",
            ["-q", "-nh", "+crf", report] + common + [peer.host, "\(peer.port)"]
                + names.map { Folder.join(folder, $0) })
        guard ended != nil, let bytes = try? DurableFile.read(report, limit: 64 << 20) else {
            // Nobody there, no association, or it was aborted before an answer.
            return names.map { .init($0, .failed, code: ended != nil ? "ASSOCIATION" : "TIMEOUT") }
        }
        let statuses = DCMSendReport.statuses(String(decoding: bytes, as: UTF8.self))
        return names.map { name in
            let status = statuses[Folder.join(folder, name)] ?? .unanswered
            return .init(name, status.outcome, code: status.code)
        }
    }

    /// Label maps are in RLE Lossless; `dcmsend` proposes that by itself, and sends them native where the peer does not know it.
    private func sendOverTLS(_ name: String, in folder: String) async throws -> DeliveryReceipt.File {
        let log = try await SendingProgram.run(
            "storescu", ["-d", "-R", "-xr"] + common + [peer.host, "\(peer.port)", Folder.join(folder, name)])
        guard let log else { return .init(name, .failed, code: "TIMEOUT") }
        guard let status = DCMSendReport.status(inLog: String(decoding: log, as: UTF8.self)) else {
            return .init(name, .failed, code: "ASSOCIATION")
        }
        return .init(name, status.outcome, code: status.code)
    }

    /// How many images the peer says that a study has, asked at STUDY level; nil when it does not say.
    ///
    /// *Source*: PS3.4 C.6.2.1 (Study Root), Number of Study Related Instances (0020,1208).
    func images(ofStudy study: String) async throws -> Int? {
        let log = try await SendingProgram.run(
            "findscu",
            ["-v", "-S"] + common + [
                "-k", "0008,0052=STUDY", "-k", "0020,000d=\(study)", "-k", "0020,1208", peer.host, "\(peer.port)",
            ])
        return log.flatMap { DCMSendReport.relatedInstances(inLog: String(decoding: $0, as: UTF8.self)) }
    }

    /// Whether the peer finds the object, asked at IMAGE level.
    func has(_ identity: Sender.Identity) async throws -> Bool {
        let answers = Folder.join(scratch, "found-\(Identifier.make())")
        try Folder.make(answers, mode: 0o750)
        let ended = try await SendingProgram.run(
            "findscu",
            ["-q", "-S", "-X", "-od", answers] + common + [
                "-k", "0008,0052=IMAGE", "-k", "0020,000d=\(identity.study)", "-k", "0020,000e=\(identity.series)",
                "-k",
                "0008,0018=\(identity.instance)", peer.host, "\(peer.port)",
            ])
        // Some archives answer with all objects of the series, whatever they are asked for.
        return try ended != nil
            && Folder.list(answers).contains { answer in
                let bytes = try DurableFile.read(Folder.join(answers, answer.name), limit: Self.largestAnswer)
                return DCMSendReport.names(identity.instance, inAnswer: bytes)
            }
    }

    /// Who speaks to whom, how long each waits, and how they are sure of each other.
    private var common: [String] {
        let security: [String] =
            peer.tls.map { tls in
                let own = tls.certificate.flatMap { file in tls.key.map { ["+tls", $0, file, "-pw"] } }
                return (own ?? ["+tla"]) + (tls.authorities.map { ["+cf", $0] } ?? []) + ["-rc"]
            } ?? []
        return [
            "-aet", peer.calling, "-aec", peer.called, "-to", "\(Self.connectionTimeout)", "-ta",
            "\(Self.connectionTimeout)", "-td", "\(Self.answerTimeout)",
        ] + security
    }
}
