internal import GRDB

/// A study's result that stands in the outbox, whole.
package struct PublishedResult: Sendable, Equatable {
    /// The study's digest name.
    package let study: String
    /// K.
    package let key: String
    /// Relative to the outbox.
    package let path: String
    package let complete: Bool
    /// Inputs that gave it.
    package let files: Int
    package let bytes: Int
    /// A line for each pipeline.
    package let findings: [String]
    /// Keys of results of the same study that it takes the place of.
    package let supersedes: [String]
}

extension Ledger {
    /// Whether a result of this key stands in the outbox, as far as is known.
    package func isPublished(key: String) throws -> Bool {
        try read {
            try Bool.fetchOne(
                $0, sql: "SELECT EXISTS(SELECT 1 FROM result WHERE key = ? AND whole)", arguments: [key]) ?? false
        }
    }

    /// Keys of complete results that stand in the outbox, one a line.
    ///
    /// *Cost*: one row a result; asked once a start.
    package func knownKeys() throws -> [String] {
        try read { try String.fetchAll($0, sql: "SELECT key FROM result WHERE complete AND whole") }
    }

    /// Somebody has changed or removed files of these results: they are made again when their studies come again.
    package func markDamaged(_ keys: [String]) throws {
        try write { db in
            for key in keys { try db.execute(sql: "UPDATE result SET whole = 0 WHERE key = ?", arguments: [key]) }
        }
    }

    /// All results of a job that now stand in the outbox, what they supersede, and the job as published: one transaction.
    package func publish(_ job: String, _ results: [PublishedResult], reason: JobReason?) throws {
        try write { [epoch] db in
            let now = Moment.now
            for result in results {
                try db.execute(
                    sql: """
                        INSERT INTO result(key, job_id, study, path, complete, files, bytes, findings, published_at)
                        VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
                        ON CONFLICT(key) DO UPDATE SET job_id = excluded.job_id, complete = excluded.complete,
                            files = excluded.files, bytes = excluded.bytes, findings = excluded.findings,
                            published_at = excluded.published_at, whole = 1
                        """,
                    arguments: [
                        result.key, job, result.study, result.path, result.complete, result.files, result.bytes,
                        result.findings.joined(separator: "\n"), now,
                    ])
                for old in result.supersedes {
                    try db.execute(
                        sql: "UPDATE result SET superseded_by = ? WHERE key = ? AND superseded_by IS NULL",
                        arguments: [result.key, old])
                }
            }
            try Self.move(db, job, from: .publishing, to: .published, epoch: epoch, reason: reason)
            // What was said while it waited is over; what is said of an incomplete study stays.
            if reason == nil {
                try db.execute(
                    sql: """
                        UPDATE job SET reason_class = NULL, reason_code = NULL, reason_text = NULL
                        WHERE id = ? AND reason_class IS NOT 'partial'
                        """, arguments: [job])
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
                done: try count(
                    "job INDEXED BY job_changed WHERE changed_at >= ? AND state IN ('published', 'done')", changed),
                quarantined: try count(
                    "job INDEXED BY job_changed WHERE changed_at >= ? AND state = 'quarantined'", changed),
                partial: try count(
                    "job INDEXED BY job_partial WHERE changed_at >= ? AND reason_class = 'partial' AND state IN ('published', 'done')",
                    changed
                ),
                waiting: try count("job WHERE state IN ('queued', 'retry', 'running', 'publishing')", []),
                unsettled: unsettled, paused: paused)
        }
    }

    /// - Parameter quarantined: names of the folders in the quarantine.
    package func overview(quarantined: [String]) throws -> Overview {
        try read { try Overview($0, quarantined: quarantined) }
    }
}
