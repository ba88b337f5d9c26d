internal import Failures
internal import Foundation
internal import Storage

/// STOW-RS and QIDO-RS by curl: one request an object, so that each has an answer of its own.
///
/// *Source*: PS3.18 10.5 and 10.6, Annex I.2.2 (status of STOW-RS).
struct WebStorageUser: Sendable {
    let peer: DICOMWebPeer
    /// A folder of its own, removed afterwards.
    let scratch: String

    private static let boundary = "hspsam-object"
    private static let connectionTimeout = 20
    private static let answerTimeout = 3000
    private static let largestAnswer = 16 << 20

    /// - Parameter identities: by name; a file without UIDs is not sent.
    func send(
        _ names: [String], _ identities: [String: Sender.Identity], in folder: String
    ) async throws -> [DeliveryReceipt.File] {
        var files: [DeliveryReceipt.File] = []
        for name in names {
            guard let identity = identities[name] else {
                files.append(Sender.unnamed(name))
                continue
            }
            let (outcome, code) = try await store(Folder.join(folder, name), identity)
            // A server that says no more than "yes" is asked afterwards, where it is to be.
            let isAsked = code == DICOMWebAnswer.silent && peer.confirmation == .query
            files.append(.init(name, isAsked ? .sent : outcome, code: code))
        }
        return files
    }

    private func store(
        _ path: String, _ identity: Sender.Identity
    ) async throws -> (DeliveryReceipt.Outcome, code: String) {
        let body = Folder.join(scratch, "body")
        let object: InputFile
        do { object = try InputFile(path) } catch { return (.failed, error.code) }
        let head = "--\(Self.boundary)\r\nContent-Type: application/dicom\r\n\r\n"
        let end = "\r\n--\(Self.boundary)--\r\n"
        // An object may be larger than the memory that the sender is allowed.
        var file = try DurableFile(body, mode: 0o600)
        try file.append(Array(head.utf8))
        do throws(StorageFailure) { try file.append(object) } catch { return (.failed, error.code) }
        try file.append(Array(end.utf8))
        try file.commit()
        defer { try? Folder.remove(body) }
        let type = "multipart/related; type=\"application/dicom\"; boundary=\(Self.boundary)"
        let answer = try await request(
            "\(peer.url)/studies", ["-X", "POST", "-H", "Content-Type: \(type)", "-H", "Expect:", "-T", body])
        return DICOMWebAnswer.outcome(of: identity.instance, status: answer.status, answer.body)
    }

    /// Whether the peer finds the object.
    func has(_ identity: Sender.Identity) async throws -> Bool {
        let path = "\(peer.url)/studies/\(identity.study)/series/\(identity.series)/instances"
        let answer = try await request("\(path)?SOPInstanceUID=\(identity.instance)", [])
        return answer.status == 200 && DICOMWebAnswer.holds(identity.instance, answer.body)
    }

    /// Status 0: nobody there, or no answer.
    private func request(_ url: String, _ more: [String]) async throws -> (status: Int, body: [UInt8]) {
        let file = Folder.join(scratch, "answer")
        try Folder.remove(file)
        let security =
            (peer.tls?.authorities.map { ["--cacert", $0] } ?? [])
            + (peer.tls?.certificate.map { ["--cert", $0] } ?? []) + (peer.tls?.key.map { ["--key", $0] } ?? [])
        // No configuration of a person's, no other protocol, nothing followed.
        let log = try await SendingProgram.run(
            "curl",
            [
                "-q", "-s", "-o", file, "-w", "%{stderr}\\nHTTP %{exitcode} %{http_code}", "--proto", "=http,https",
                "--max-redirs",
                "0",
                "--connect-timeout", "\(Self.connectionTimeout)", "-m", "\(Self.answerTimeout)", "-H",
                "Accept: application/dicom+json",
            ] + (peer.headers.map { ["-H", "@\($0)"] } ?? []) + security + more + [url])
        guard let log else { return (0, []) }
        // An answer that curl could not read to its end is none.
        let line = String(decoding: log, as: UTF8.self).split(separator: "\n").last { $0.hasPrefix("HTTP 0 ") }
        let body = (try? DurableFile.read(file, limit: Self.largestAnswer)) ?? []
        return (line.flatMap { Int($0.dropFirst(7)) } ?? 0, body)
    }
}
