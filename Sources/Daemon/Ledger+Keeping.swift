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

    /// Of jobs that were published with something left undone.
    static let isPartial = "reason_class = 'partial' AND state IN ('published', 'done')"

    /// Jobs of which something was left undone, and nobody has said that it is dealt with.
    func partial() throws -> [String] {
        try read {
            try String.fetchAll(
                $0, sql: "SELECT id FROM job INDEXED BY job_partial WHERE \(Self.isPartial) ORDER BY id")
        }
    }

    /// What was left undone of a job is dealt with: nobody is asked for it any more. Gives whether anybody was.
    @discardableResult
    func settle(_ job: String) throws -> Bool { try write { try Self.settle($0, job, code: "SETTLED") } }

    private static func settle(_ db: Database, _ job: String, code: String) throws -> Bool {
        try db.execute(
            sql: "UPDATE job SET reason_class = 'settled' WHERE id = ? AND \(isPartial)", arguments: [job])
        guard db.changesCount == 1 else { return false }
        try db.execute(
            sql: "INSERT INTO event(at, job_id, code) VALUES (?, ?, ?)", arguments: [Moment.now, job, code])
        return true
    }

    /// What was left undone of jobs is told with the one that was worked on together with them, if it has a result: of those that this one
    /// was joined with, and of itself where a later one was joined with it. That images contradict each other stays.
    func settleJoined(_ job: Job) throws {
        try write { db in
            let later = try String.fetchOne(
                db,
                sql: """
                    SELECT newer.id FROM job_study AS own JOIN job_study AS other ON other.study = own.study
                    JOIN job AS newer ON newer.id = other.job_id
                    WHERE own.job_id = ? AND instr(newer.joined, own.job_id) > 0 AND newer.state IN ('published', 'done')
                        AND EXISTS(SELECT 1 FROM result WHERE result.job_id = newer.id) LIMIT 1
                    """, arguments: [job.id])
            for id in job.joined + (later == nil ? [] : [job.id]) {
                let code = try String.fetchOne(db, sql: "SELECT reason_code FROM job WHERE id = ?", arguments: [id])
                guard code.map(JobReason.contradictions.contains) != true else { continue }
                _ = try Self.settle(db, id, code: "JOINED")
            }
        }
    }

    // MARK: backups

    private static let backupPrefix = "ledger-"

    /// A copy under today's name, if there is none yet. One of a later day tells that the clock was set back: today's is an older one then.
    package func backUpDaily(to folder: String, keeping count: Int) throws {
        let name = "\(Self.backupPrefix)\(Moment.day(Moment.now)).sqlite"
        guard FileStatus.exists(Folder.join(folder, name)), try Self.later(than: name, in: folder).isEmpty else {
            return try backUp(to: folder, keeping: count)
        }
    }

    private static func later(than name: String, in folder: String) throws -> [String] {
        try Folder.list(folder).map(\.name).filter { $0.hasPrefix(backupPrefix) && $0 > name }
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
        // Those of a clock that has been set back since are older than this one: the order of names stays the order of copies.
        for later in try Self.later(than: name, in: folder) {
            let day = later.dropFirst(Self.backupPrefix.count)
            let older = Folder.join(folder, "\(name.dropLast(".sqlite".count))-was-\(day)")
            try Folder.remove(older)
            try Folder.rename(Folder.join(folder, later), to: older)
        }
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

    /// Folders of results that were published before then, have no delivery left to do and ask for nobody.
    package func expiredResults(before: Int64) throws -> [String] {
        try read {
            try String.fetchAll(
                $0,
                sql: """
                    SELECT path FROM result WHERE published_at < ? AND whole AND NOT EXISTS(
                        SELECT 1 FROM delivery WHERE result_key = result.key AND state IN ('pending', 'sending'))
                        AND NOT EXISTS(SELECT 1 FROM job WHERE job.id = result.job_id AND reason_class = 'partial')
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
