internal import Failures
internal import GRDB
internal import Storage

extension Ledger {
    /// A person asks for it: it is tried at once, with all its attempts before it.
    package func hurry(_ job: String) throws {
        try write {
            try $0.execute(
                sql: """
                    UPDATE job SET returns = 0, attempts = 0, lost = 0, reason_class = NULL, reason_code = NULL,
                        reason_text = NULL
                    WHERE id = ? AND reason_class IS NOT 'partial'
                    """, arguments: [job])
            try $0.execute(sql: "UPDATE job SET not_before = NULL WHERE id = ?", arguments: [job])
        }
    }

    // MARK: backups

    private static let backupPrefix = "ledger-"

    /// A copy under today's name, if there is none yet.
    package func backUpDaily(to folder: String, keeping count: Int) throws {
        let path = Folder.join(folder, "\(Self.backupPrefix)\(Moment.day(Moment.now)).sqlite")
        if !FileStatus.exists(path) { try backUp(to: folder, keeping: count) }
    }

    /// Writes a whole, checked copy as `ledger-<day>.sqlite` and keeps that many.
    ///
    /// *Throws* `DaemonFailure.backupFailed`, `StorageFailure`. *Cost*: reads the whole ledger.
    package func backUp(to folder: String, keeping count: Int) throws {
        let name = "\(Self.backupPrefix)\(Moment.day(Moment.now)).sqlite"
        let temporary = Folder.join(folder, ".\(name).new")
        try Folder.remove(temporary)
        try copy(to: temporary)
        try Folder.sync(temporary)
        let path = Folder.join(folder, name)
        if FileStatus.exists(path) {
            try Folder.exchange(temporary, with: path)
            try Folder.remove(temporary)
        } else {
            try Folder.rename(temporary, to: path)
        }
        try Folder.sync(folder)
        let copies = try Folder.list(folder).map(\.name).filter { $0.hasPrefix(Self.backupPrefix) }
        for old in copies.sorted().dropLast(max(1, count)) { try Folder.remove(Folder.join(folder, old)) }
    }

    // MARK: what is old

    /// Folders of results that were published before then and have no delivery left to do.
    package func expiredResults(before: Int64) throws -> [String] {
        try read {
            try String.fetchAll(
                $0,
                sql: """
                    SELECT path FROM result WHERE published_at < ? AND whole AND NOT EXISTS(
                        SELECT 1 FROM delivery WHERE result_key = result.key AND state IN ('pending', 'sending'))
                    ORDER BY published_at LIMIT 1000
                    """, arguments: [before])
        }
    }

    /// Its files are gone: a study that comes again is worked on again.
    package func forgetResult(path: String) throws {
        try write { try $0.execute(sql: "UPDATE result SET whole = 0 WHERE path = ?", arguments: [path]) }
    }

    /// *Cost*: as many lines as it removes, at most 10,000 a call.
    package func removeEvents(before: Int64) throws {
        try write {
            try $0.execute(
                sql: "DELETE FROM event WHERE id IN (SELECT id FROM event ORDER BY id LIMIT 10000) AND at < ?",
                arguments: [before])
        }
    }
}
