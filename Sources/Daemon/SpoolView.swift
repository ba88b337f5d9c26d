internal import Failures
internal import Storage

/// What stands in the service's folders at this instant, whoever looks: the ledger knows only what somebody told it.
package struct SpoolView: Sendable, Equatable {
    /// Drops in the inbox, claimed ones included; nil when it cannot be listed.
    package let inbox: Int?
    /// Drops in the spool's own `inbox` where the service looks into another folder.
    package let stray: Int
    /// Jobs that have a folder in `work`.
    package let work: [String]
    /// Names in `work` that are no job's.
    package let strangeWork: Int
    /// Jobs that have a folder in the quarantine.
    package let quarantined: [String]
    /// Names in the quarantine that are no job's.
    package let strangeQuarantine: Int
    /// Results stand in the outbox, or originals that were put away: something was dropped here.
    package let holdsResults: Bool
    /// Folders of the service that cannot be listed, by their own names, with the code of why.
    package let unlistable: [String]
    /// Folders that the service cannot write to, by their own names.
    package let unwritable: [String]
    /// Folders of the service that are not there, by their own names: it makes them at its start.
    package let missing: [String]
    /// By what the spool's disk is known; empty where nothing says it, nil where that cannot be read.
    package let identity: String?
    /// Received files that nobody has written to for longer than an association pauses, and that are not in the inbox.
    package let unmoved: Int
    /// Whether the receiver ended by itself a moment ago: it is started again and again then.
    package let hasReceiverEnded: Bool
    /// Received drops of which the process that sends results on is to ask an archive whether they are complete.
    package let questions: Int
    /// Whether the process that sends results on is running.
    package let isSending: Bool

    /// Nanoseconds.
    private static let longestPause: Int64 = 600_000_000_000
    /// Nanoseconds: a receiver that cannot start is tried again within them.
    private static let receiverTry: Int64 = 120_000_000_000

    package init(_ paths: ServicePaths) {
        var unlistable: [String] = []
        func names(_ path: String) -> [Folder.Entry]? {
            do throws(StorageFailure) { return try Folder.list(path) } catch {
                // What was never made yet is empty.
                if error.systemError == .notFound, !FileStatus.exists(path) { return [] }
                unlistable.append("\(Folder.split(path).name)/ (\(error.code))")
                return nil
            }
        }
        inbox = names(paths.inbox).map { Self.drops($0, in: paths.inbox) }
        stray = Self.isOther(paths) ? names(paths.spoolInbox).map { Self.drops($0, in: paths.spoolInbox) } ?? 0 : 0
        let inWork = names(paths.work) ?? []
        work = inWork.map(\.name).filter(Identifier.isOne)
        strangeWork = inWork.count - work.count
        let inQuarantine = names(paths.quarantine) ?? []
        quarantined = inQuarantine.map(\.name).filter(Identifier.isOne)
        strangeQuarantine = inQuarantine.count - quarantined.count
        let put = [paths.outbox, paths.kept].map { names($0) ?? [] }
        holdsResults = put.joined().contains { $0.status.kind == .directory }
        missing = [paths.inbox, paths.work, paths.outbox, paths.quarantine, paths.kept]
            .filter { !FileStatus.exists($0) }
            .map { Folder.split($0).name + "/" }
        do throws(StorageFailure) {
            identity = String(decoding: try DurableFile.read(paths.spoolIdentity, limit: 99), as: UTF8.self)
        } catch { identity = error.systemError == .notFound ? "" : nil }
        let latest = Moment.now * 1_000_000 - Self.longestPause
        unmoved = names(paths.receiving)?.count { $0.status.isUntouched(since: latest) } ?? 0
        let ended = (try? FileStatus(of: paths.receiverEnded))?.modifiedNS
        hasReceiverEnded = ended.map { abs(Moment.now * 1_000_000 - $0) < Self.receiverTry } ?? false
        questions = names(paths.arrivalQuestions)?.count { $0.name.hasSuffix(".json") } ?? 0
        // Who may not look at the lock knows nothing bad of it.
        do throws(StorageFailure) { isSending = try FileLock.owner(paths.senderLock) != nil } catch { isSending = true }
        self.unlistable = unlistable
        unwritable = [paths.work, paths.outbox, paths.quarantine, paths.kept].filter {
            // Whoever looks may be another user than the service's, with fewer rights.
            guard let status = try? FileStatus(of: $0, followingLinks: true) else { return false }
            return [status.owner, 0].contains(FileStatus.currentUser) && !Folder.isWritable($0)
        }.map { Folder.split($0).name + "/" }
    }

    private static func drops(_ entries: [Folder.Entry], in folder: String) -> Int {
        entries.count { DropName.isDrop($0) && !isEmptyFolder($0, in: folder) }
    }

    /// Whether the spool has an `inbox` that is not the one that the service looks into, links followed.
    private static func isOther(_ paths: ServicePaths) -> Bool {
        guard paths.inbox != paths.spoolInbox,
            let own = try? FileStatus(of: paths.spoolInbox, followingLinks: true), own.kind == .directory
        else { return false }
        guard let used = try? FileStatus(of: paths.inbox, followingLinks: true) else { return true }
        return (own.device, own.inode) != (used.device, used.inode)
    }

    /// A folder that somebody has made and not copied anything into yet is no drop.
    private static func isEmptyFolder(_ entry: Folder.Entry, in inbox: String) -> Bool {
        guard entry.status.kind == .directory else { return false }
        return (try? Folder.list(FilePath(inbox).appending(entry.path)))?.isEmpty == true
    }
}
