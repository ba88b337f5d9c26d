internal import Failures
internal import Foundation
internal import GRDB

/// The memory of the service: what was dropped, tried, published. Its only writer.
///
/// SQLite in WAL mode with `synchronous=FULL`: what a call has written when it returns survives a power failure. A call that
/// throws may have written all the same; the service then ends, and its next start reads what is true.
package actor Ledger {
    private let pool: DatabasePool
    /// Counts the starts; rows of an older epoch belong to a service that is gone.
    package nonisolated let epoch: Int

    /// Opens or makes the ledger, checks it and begins a new epoch.
    ///
    /// *Throws* `DaemonFailure.ledgerUnusable`, `.ledgerNewer`, `.ledgerNotSynchronous`.
    package init(path: String) throws {
        do {
            var configuration = GRDB.Configuration()
            configuration.busyMode = .timeout(10)
            configuration.foreignKeysEnabled = true
            pool = try DatabasePool(path: path, configuration: configuration)
            // GRDB sets NORMAL while it opens, so FULL is set afterwards and read back.
            let level = try pool.writeWithoutTransaction { db in
                try db.execute(sql: "PRAGMA synchronous = FULL")
                return try Int.fetchOne(db, sql: "PRAGMA synchronous") ?? -1
            }
            guard level == 2 else { throw DaemonFailure.ledgerNotSynchronous(path: path, level: level) }
            epoch = try pool.write { db in
                let complaint = try String.fetchOne(db, sql: "PRAGMA quick_check(1)") ?? "no answer"
                guard complaint == "ok" else { throw DaemonFailure.ledgerUnusable(path: path, problem: complaint) }
                try LedgerSchema.install(db, path: path)
                try db.execute(sql: "UPDATE meta SET value = CAST(value AS INTEGER) + 1 WHERE key = 'epoch'")
                return try Int.fetchOne(db, sql: "SELECT CAST(value AS INTEGER) FROM meta WHERE key = 'epoch'") ?? 1
            }
        } catch let failure as DaemonFailure {
            throw failure
        } catch let error as DatabaseError {
            throw DaemonFailure.ledgerUnusable(path: path, problem: error.message ?? "\(error.resultCode)")
        }
    }

    /// Closes the file; the object cannot be used afterwards.
    package func close() throws { try pool.close() }

    // MARK: drops and jobs

    /// A drop that was taken into `work/<id>`, and its job. A drop that is known stays as it is.
    package func enqueue(_ drop: TakenDrop) throws {
        let now = Moment.now
        try write { [epoch] db in
            try db.execute(
                sql: """
                    INSERT INTO "drop"(id, first_seen, claimed_at, origin, kind, files, bytes, fingerprint, state)
                    VALUES (?, ?, ?, 'inbox', ?, ?, ?, ?, 'taken') ON CONFLICT DO NOTHING
                    """,
                arguments: [drop.id, drop.firstSeen, now, drop.kind.rawValue, drop.files, drop.bytes, drop.fingerprint])
            guard db.changesCount == 1 else { return }
            try db.execute(
                sql:
                    "INSERT INTO job(id, drop_id, state, epoch, created_at, changed_at) VALUES (?, ?, 'queued', ?, ?, ?)",
                arguments: [drop.id, drop.id, epoch, now, now])
            try Self.event(db, job: drop.id, from: nil, to: .queued, code: nil, detail: nil)
        }
    }

    package func job(_ id: String) throws -> Job? {
        try read { try Self.jobs($0, "WHERE job.id = ?", [id]).first }
    }

    package func jobs(_ states: [Job.State]) throws -> [Job] {
        let names = states.map { "'\($0.rawValue)'" }.joined(separator: ", ")
        return try read { try Self.jobs($0, "WHERE job.state IN (\(names)) ORDER BY job.created_at, job.id") }
    }

    /// The job that waits longest and may start now. A retry whose time lies further ahead than any back-off was
    /// written by a clock that has been set back since, and may start too.
    package func nextDue(longestWait: Duration) throws -> Job? {
        let now = Moment.now
        return try read {
            try Self.jobs(
                $0,
                """
                WHERE job.state = 'queued' OR (job.state = 'retry' AND (job.not_before <= ? OR job.not_before > ?))
                ORDER BY job.priority DESC, job.created_at, job.id LIMIT 1
                """, [now, now + longestWait.milliseconds * 2])
        }.first
    }

    // MARK: attempts

    /// Moves a waiting job to running and opens its next attempt.
    package func start(_ job: Job, host: String) throws -> Int {
        try write { [epoch] db in
            let n = job.lastAttempt + 1
            try Self.move(db, job.id, from: job.state, to: .running, epoch: epoch, code: nil, detail: nil)
            try db.execute(
                sql: "INSERT INTO attempt(job_id, n, started_at, host) VALUES (?, ?, ?, ?)",
                arguments: [job.id, n, Moment.now, host])
            return n
        }
    }

    package func started(_ job: String, attempt n: Int, pid: Int32) throws {
        try write {
            try $0.execute(sql: "UPDATE attempt SET pid = ? WHERE job_id = ? AND n = ?", arguments: [Int(pid), job, n])
        }
    }

    /// The process ids of attempts that an earlier service opened and never closed.
    package func openAttempts() throws -> [(job: String, n: Int, pid: Int32?)] {
        try read { db in
            try Row.fetchAll(db, sql: "SELECT job_id, n, pid FROM attempt WHERE ended_at IS NULL").map { row in
                (row["job_id"], row["n"], (row["pid"] as Int?).map { Int32(clamping: $0) })
            }
        }
    }

    /// Closes the attempt and moves its job on, in one transaction.
    ///
    /// `counts` says whether it used up one of the attempts; `notBefore` is when a retry may start.
    package func end(
        _ job: String, attempt n: Int, _ ending: Worker.Ending?, outcome: String, counts: Bool, to state: Job.State,
        reason: Reason?,
        notBefore: Int64? = nil
    ) throws {
        try write { [epoch] db in
            try db.execute(
                sql:
                    "UPDATE attempt SET ended_at = ?, exit = ?, signal = ?, wall_s = ?, outcome = ? WHERE job_id = ? AND n = ?",
                arguments: [
                    Moment.now, ending?.exit.map { Int($0) }, ending?.signal.map { Int($0) }, ending?.seconds, outcome,
                    job, n,
                ])
            try Self.move(db, job, from: .running, to: state, epoch: epoch, code: reason?.code, detail: reason?.text)
            try db.execute(
                sql:
                    "UPDATE job SET attempts = attempts + ?, not_before = ?, reason_class = ?, reason_code = ? WHERE id = ?",
                arguments: [counts ? 1 : 0, notBefore, reason?.kind.rawValue, reason?.code, job])
        }
    }

    /// Any other change of a job's state.
    package func move(_ job: String, from: Job.State, to: Job.State, reason: Reason? = nil) throws {
        try write { [epoch] db in
            try Self.move(db, job, from: from, to: to, epoch: epoch, code: reason?.code, detail: reason?.text)
            guard let reason else { return }
            try db.execute(
                sql: "UPDATE job SET reason_class = ?, reason_code = ? WHERE id = ?",
                arguments: [reason.kind.rawValue, reason.code, job])
        }
    }

    // MARK: results

    package func isPublished(key: String) throws -> Bool {
        try read {
            try Bool.fetchOne($0, sql: "SELECT EXISTS(SELECT 1 FROM result WHERE key = ?)", arguments: [key]) ?? false
        }
    }

    /// All results of a job that now stand in the outbox, and the job as published: one transaction.
    package func publish(_ job: String, _ results: [PublishedResult], reason: Reason?) throws {
        try write { [epoch] db in
            let now = Moment.now
            for result in results {
                let version = try Int.fetchOne(
                    db, sql: "SELECT 1 + COALESCE(MAX(version), 0) FROM study WHERE uid_hash = ?",
                    arguments: [result.study])
                try db.execute(
                    sql: "INSERT INTO study(uid_hash, version, job_id, files) VALUES (?, ?, ?, ?)",
                    arguments: [result.study, version ?? 1, job, result.files])
                try db.execute(
                    sql: """
                        INSERT INTO result(key, job_id, study_id, path, report_sha256, bytes, published_at) VALUES (?, ?, ?, ?, ?, ?, ?)
                        """,
                    arguments: [
                        result.key, job, db.lastInsertedRowID, result.path, result.reportDigest, result.bytes, now,
                    ])
                try db.execute(
                    sql: "INSERT INTO event(at, job_id, code, detail) VALUES (?, ?, 'RESULT', ?)",
                    arguments: [now, job, result.findings])
            }
            try Self.move(
                db, job, from: .publishing, to: .published, epoch: epoch, code: reason?.code, detail: reason?.text)
            if let reason {
                try db.execute(
                    sql: "UPDATE job SET reason_class = ?, reason_code = ? WHERE id = ?",
                    arguments: [reason.kind.rawValue, reason.code, job])
            }
        }
    }

    // MARK: what the service says of itself

    /// Remembers a fact about the running service for `status`; written, and true, only when it changes.
    @discardableResult
    package func remember(_ key: String, _ value: String) throws -> Bool {
        let known = try read {
            try String.fetchOne($0, sql: "SELECT value FROM meta WHERE key = ?", arguments: [key])
        }
        guard known ?? "" != value else { return false }
        try write { try $0.execute(sql: "INSERT OR REPLACE INTO meta VALUES (?, ?)", arguments: [key, value]) }
        return true
    }

    package func beginBatch(_ id: String) throws {
        try write {
            try $0.execute(
                sql: "INSERT INTO batch(id, kind, started_at) VALUES (?, 'batch', ?)", arguments: [id, Moment.now])
        }
    }

    package func endBatch(_ id: String, counts: String) throws {
        try write {
            try $0.execute(
                sql: "UPDATE batch SET ended_at = ?, counts = ? WHERE id = ?", arguments: [Moment.now, counts, id])
        }
    }

    /// What became of the jobs that changed since then, and of those that still wait.
    package func outcome(since: Int64, unsettled: Int, paused: String?) throws -> BatchOutcome {
        try read { db in
            func count(_ what: String, _ arguments: StatementArguments) throws -> Int {
                try Int.fetchOne(db, sql: "SELECT COUNT(*) FROM " + what, arguments: arguments) ?? 0
            }
            let changed: StatementArguments = [since]
            return BatchOutcome(
                results: try count("result WHERE published_at >= ?", changed),
                done: try count("job WHERE changed_at >= ? AND state IN ('published', 'done')", changed),
                quarantined: try count("job WHERE changed_at >= ? AND state = 'quarantined'", changed),
                partial: try count(
                    "job WHERE changed_at >= ? AND state IN ('published', 'done') AND reason_class = 'partial'", changed
                ),
                waiting: try count("job WHERE state IN ('queued', 'retry', 'running', 'publishing')", []),
                unsettled: unsettled, paused: paused)
        }
    }

    /// Why a job is where it is.
    package func reason(_ job: String) throws -> Reason? {
        try read { db in
            let row = try Row.fetchOne(
                db,
                sql: """
                    SELECT reason_class, reason_code, detail FROM job LEFT JOIN event ON job_id = job.id AND code = reason_code
                    WHERE job.id = ? ORDER BY event.id DESC LIMIT 1
                    """, arguments: [job])
            guard let row, let kind = (row["reason_class"] as String?).flatMap(Reason.Class.init) else { return nil }
            return Reason(kind, code: row["reason_code"] ?? "", text: row["detail"] ?? "")
        }
    }

    package func overview() throws -> Overview { try read { try Overview($0) } }

    // MARK: how

    /// One transaction. SQLite's complaints become ours: the service ends, and its next start reads what is true.
    private func write<Value>(_ body: (Database) throws -> Value) throws -> Value {
        do { return try pool.write(body) } catch let error as DatabaseError { throw DaemonFailure.ledgerFailed(error) }
    }

    private func read<Value>(_ body: (Database) throws -> Value) throws -> Value {
        do { return try pool.read(body) } catch let error as DatabaseError { throw DaemonFailure.ledgerFailed(error) }
    }

    private static func jobs(_ db: Database, _ condition: String, _ arguments: StatementArguments = []) throws -> [Job]
    {
        try Row.fetchAll(
            db,
            sql: """
                SELECT job.id, job.state, job.attempts, job.created_at, "drop".files,
                       COALESCE((SELECT MAX(n) FROM attempt WHERE job_id = job.id), 0) AS last
                FROM job JOIN "drop" ON "drop".id = job.drop_id \(condition)
                """, arguments: arguments
        ).compactMap { row in
            guard let state = Job.State(rawValue: row["state"]) else { return nil }
            return Job(
                id: row["id"], state: state, attempts: row["attempts"], lastAttempt: row["last"],
                createdAt: row["created_at"],
                files: row["files"])
        }
    }

    /// Compare and set: the one row must have been in state `from`.
    private static func move(
        _ db: Database, _ job: String, from: Job.State, to: Job.State, epoch: Int, code: String?, detail: String?
    ) throws {
        try db.execute(
            sql: "UPDATE job SET state = ?, epoch = ?, changed_at = ? WHERE id = ? AND state = ?",
            arguments: [to.rawValue, epoch, Moment.now, job, from.rawValue])
        guard db.changesCount == 1 else { throw DaemonFailure.stale(job: job, from: from.rawValue, to: to.rawValue) }
        try event(db, job: job, from: from, to: to, code: code, detail: detail)
    }

    private static func event(
        _ db: Database, job: String, from: Job.State?, to: Job.State, code: String?, detail: String?
    ) throws {
        try db.execute(
            sql:
                "INSERT INTO event(at, job_id, drop_id, from_state, to_state, code, detail) VALUES (?, ?, ?, ?, ?, ?, ?)",
            arguments: [Moment.now, job, job, from?.rawValue, to.rawValue, code, detail])
    }
}
