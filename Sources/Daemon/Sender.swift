internal import Failures
internal import Foundation
package import Logging
package import Processes
internal import Storage

/// Sends what the service's tickets ask for, and answers each with a receipt. The only process with a network; it never opens the
/// ledger, and sending anything twice harms nobody: objects have the same UIDs and bytes.
package struct Sender: Sendable {
    /// What a query needs to know of an object.
    package struct Identity: Sendable, Equatable {
        package let study: String
        package let series: String
        package let instance: String
        /// Its SOP class.
        package let kind: String

        package init(study: String, series: String, instance: String, kind: String = "") {
            self.study = study
            self.series = series
            self.instance = instance
            self.kind = kind
        }
    }

    /// What an archive says of an object that it was asked to answer for.
    package enum Commitment: Sendable, Equatable {
        case committed
        /// With the Failure Reason (0008,1197).
        case denied(UInt16)
        /// No report came in time.
        case unanswered
        /// Nobody there, or it knows no storage commitment.
        case notAsked
    }

    private(set) var settings: ServiceSettings
    let paths: ServicePaths
    let log: Logger
    private let commit: @Sendable (DICOMPeer, [Identity]) async -> [Commitment]
    let identify: @Sendable (String) -> Identity?
    private let read = ReadDigests()
    private let siteFile: String?
    private let reread: (@Sendable () throws -> ServiceSettings)?

    /// - Parameter commit: asks an archive to answer for objects; an answer for each.
    /// - Parameter identify: the UIDs of a DICOM file; nil when it has none.
    /// - Parameter siteFile: read again, by `reread`, whenever it was changed.
    package init(
        _ settings: ServiceSettings, log: Logger,
        commit: @escaping @Sendable (DICOMPeer, [Identity]) async -> [Commitment] = { $1.map { _ in .notAsked } },
        siteFile: String? = nil, reread: (@Sendable () throws -> ServiceSettings)? = nil,
        identify: @escaping @Sendable (String) -> Identity?
    ) {
        self.settings = settings
        self.siteFile = siteFile
        self.reread = reread
        paths = ServicePaths(settings)
        self.log = log
        self.commit = commit
        self.identify = identify
    }

    /// Until asked to stop, or, with `once`, until no ticket waits.
    ///
    /// *Throws* `DaemonFailure.locked` while another process sends for this spool.
    package func run(_ stop: StopRequest, once: Bool) async throws { _ = try await work(stop, once: once) }

    /// Until no ticket waits. Gives how many files were not taken: they are sent again later, or refused.
    ///
    /// *Throws* `DaemonFailure.locked` while another process sends for this spool.
    package func sendOnce(_ stop: StopRequest) async throws -> Int { try await work(stop, once: true) }

    private func work(_ stop: StopRequest, once: Bool) async throws -> Int {
        var untaken = 0
        try paths.prepare()
        let lock = try await ServiceLocks.lock(paths.senderLock)
        defer { withExtendedLifetime(lock) {} }
        let mail = DeliveryMail(paths)
        // What a sender that died has left.
        for folder in [paths.deliveryReceipts, paths.arrivalAnswers] { try DurableFile.removeTemporaries(in: folder) }
        try Folder.remove(paths.deliveryScratch)
        var sender = self
        var seen: FileStatus?
        while !stop.isAsked {
            if let siteFile, let now = try? FileStatus(of: siteFile, followingLinks: true), now != seen {
                seen = now
                sender.useSiteFile()
            }
            var sent = try await sender.answerQuestions()
            for id in try mail.waiting(in: mail.tickets) where !stop.isAsked {
                // Answered, and not booked yet.
                if FileStatus.exists(Folder.join(mail.receipts, id + ".json")) { continue }
                guard let ticket = try mail.ticket(id) else {
                    try Folder.remove(Folder.join(mail.tickets, id + ".json"))
                    continue
                }
                let files: [DeliveryReceipt.File]
                do { files = try await sender.send(ticket) } catch let failure as DaemonFailure {
                    // One destination's program is missing: the others go on.
                    files = ticket.files.map { .init($0, .failed, code: failure.code) }
                }
                let receipt = DeliveryReceipt(ticket: ticket, files: files)
                try mail.put(receipt, id: id)
                sent += 1
                untaken += files.count { $0.outcome == .failed || $0.outcome == .refused }
                let worst = receipt.files.first { $0.outcome == .failed || $0.outcome == .refused }
                log.notice("sent", metadata: ["code": "\(worst?.code ?? "SENT")"])
            }
            if once, sent == 0 { return untaken }
            ServiceNotification.send("WATCHDOG=1")
            if sent == 0 { try await Task.sleep(for: .milliseconds(500)) }
        }
        return untaken
    }

    /// A site file that is wrong, or names another spool, changes nothing: its service does not use it either.
    private mutating func useSiteFile() {
        guard let reread else { return }
        do {
            let new = try reread()
            if new.spool == settings.spool { settings = new }
        } catch { log.error("the old settings stay", metadata: ["code": "\(FailureRecord(error).code)"]) }
    }

    /// What became of each file. *Throws* nothing of the destination's: that is an outcome.
    package func send(_ ticket: DeliveryTicket) async throws -> [DeliveryReceipt.File] {
        func all(_ outcome: DeliveryReceipt.Outcome, _ code: String) -> [DeliveryReceipt.File] {
            ticket.files.map { .init($0, outcome, code: code) }
        }
        guard let destination = settings.destinations.first(where: { $0.name == ticket.destination }) else {
            return all(.failed, "DESTINATION-UNKNOWN")
        }
        // The service has not read the site file again, or we could not: nobody knows where it is to go.
        if let address = ticket.address, address != destination.address { return all(.failed, "DESTINATION-DIFFERS") }
        let folder = Folder.join(paths.outbox, ticket.folder)
        let (fit, unfit) = OutboxResult.checked(ticket.files, in: folder, read, each: SignOfLife.give())
        let names = ticket.files.filter { unfit[$0] == nil }
        // Removed by hand, it does not come back by itself; an outbox without any result may be one whose disk is away.
        let isGone = unfit.values.contains(OutboxResult.gone) ? (try? paths.outboxHoldsResults()) ?? false : false
        let kept = ticket.files.compactMap { name in
            unfit[name].map { code in
                let isFinal = code == OutboxResult.damaged || isGone && code == OutboxResult.gone
                return DeliveryReceipt.File(name, isFinal ? .refused : .failed, code: code)
            }
        }
        return names.isEmpty ? kept : try await send(names, fit, in: folder, of: ticket, to: destination) + kept
    }

    private func send(
        _ names: [String], _ digests: [String: FileDigest], in folder: String, of ticket: DeliveryTicket,
        to destination: Destination
    ) async throws -> [DeliveryReceipt.File] {
        switch destination.kind {
        case .folder(let path):
            return FolderDestination(
                root: path, folder: ticket.folder, memory: Folder.join(paths.deliveryFolders, FileDigest(of: path).hex),
                mounts: MountTable(path: settings.mountTable)
            ).copy(names, digests, from: folder)
        case .dicom(let peer):
            return try await inScratch { scratch in
                let user = StorageUser(peer: peer, scratch: scratch)
                let files = try await user.send(names, in: folder)
                switch peer.confirmation {
                case .none: return files
                case .query: return try await confirmed(files, identities(of: Self.sent(files), in: folder), user.has)
                case .commitment: return await committed(files, identities(of: Self.sent(files), in: folder), peer)
                }
            }
        case .dicomWeb(let peer):
            return try await inScratch { scratch in
                let user = WebStorageUser(peer: peer, scratch: scratch)
                let identities = identities(of: names, in: folder)
                let files = try await user.send(names, identities, in: folder)
                return peer.confirmation == .query ? try await confirmed(files, identities, user.has) : files
            }
        }
    }

    func inScratch<Answer: Sendable>(_ body: (String) async throws -> Answer) async throws -> Answer {
        let scratch = Folder.join(paths.deliveryScratch, Identifier.make())
        defer { try? Folder.remove(scratch) }
        try Folder.make(scratch, mode: 0o750)
        return try await body(scratch)
    }

    /// Nobody can be asked for what has no name: that it is there is not known, and never will be by itself.
    static func unnamed(_ name: String) -> DeliveryReceipt.File { .init(name, .failed, code: "UID-UNREADABLE") }

    /// Of files, by name: each is read once.
    private func identities(of names: [String], in folder: String) -> [String: Identity] {
        var identities: [String: Identity] = [:]
        for name in names { identities[name] = identify(Folder.join(folder, name)) }
        return identities
    }

    private static func sent(_ files: [DeliveryReceipt.File]) -> [String] {
        files.filter { $0.outcome == .sent }.map(\.name)
    }

    /// What was sent is asked for; what is not there is sent again later.
    private func confirmed(
        _ files: [DeliveryReceipt.File], _ identities: [String: Identity], _ has: (Identity) async throws -> Bool
    ) async throws -> [DeliveryReceipt.File] {
        var confirmed: [DeliveryReceipt.File] = []
        for file in files {
            guard file.outcome == .sent else {
                confirmed.append(file)
                continue
            }
            guard let identity = identities[file.name] else {
                confirmed.append(Self.unnamed(file.name))
                continue
            }
            let isThere = try await has(identity)
            confirmed.append(
                .init(file.name, isThere ? .confirmed : .failed, code: isThere ? file.code : "NOT-FOUND"))
        }
        return confirmed
    }

    /// What was sent is asked for all at once; what the archive does not answer for is sent again later.
    private func committed(
        _ files: [DeliveryReceipt.File], _ identities: [String: Identity], _ peer: DICOMPeer
    ) async -> [DeliveryReceipt.File] {
        let asked = identities.keys.sorted()
        let answers = asked.isEmpty ? [] : await commit(peer, asked.compactMap { identities[$0] })
        let said = Dictionary(zip(asked, answers)) { first, _ in first }
        return files.map { file in
            guard file.outcome == .sent else { return file }
            switch said[file.name] {
            case nil: return Self.unnamed(file.name)
            case .committed: return .init(file.name, .confirmed, code: file.code)
            case .denied(let reason): return .init(file.name, .failed, code: DCMSendReport.Status.answered(reason).code)
            case .unanswered: return .init(file.name, .failed, code: "NOT-COMMITTED")
            case .notAsked: return .init(file.name, .failed, code: "NO-COMMITMENT")
            }
        }
    }
}
