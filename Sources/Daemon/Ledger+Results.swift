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

    /// Where every result stands or stood, relative to the outbox.
    ///
    /// *Cost*: one row a result; asked once a start.
    func resultPaths() throws -> Set<String> { try read { try String.fetchSet($0, sql: "SELECT path FROM result") } }

    /// The key of the one that was published last; nil where none was.
    func newestResult() throws -> String? {
        try read { try String.fetchOne($0, sql: "SELECT key FROM result ORDER BY sequence DESC LIMIT 1") }
    }

    /// Where those are to stand that were published after the one of this key, relative to the outbox: of all, where no key is given; nil
    /// where it is not known.
    ///
    /// *Cost*: one row each of those.
    func resultPaths(after key: String?) throws -> [String]? {
        try read { db in
            var sequence: Int64 = 0
            if let key {
                let found = try Int64.fetchOne(db, sql: "SELECT sequence FROM result WHERE key = ?", arguments: [key])
                guard let found else { return nil }
                sequence = found
            }
            return try String.fetchAll(
                db, sql: "SELECT path FROM result WHERE sequence > ? AND whole AND superseded_by IS NULL",
                arguments: [sequence])
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

    /// The place of the next result in the order of publication.
    static let nextSequence = "(SELECT COALESCE(MAX(sequence), 0) + 1 FROM result)"

    /// All results of a job that now stand in the outbox, what they supersede, and the job as published: one transaction.
    package func publish(_ job: String, _ results: [PublishedResult], reason: JobReason?) throws {
        try write { [epoch] db in
            let now = Moment.now
            for result in results {
                try db.execute(
                    sql: """
                        INSERT INTO result(
                            key, job_id, study, path, complete, files, bytes, findings, published_at, sequence)
                        VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, \(Self.nextSequence))
                        ON CONFLICT(key) DO UPDATE SET job_id = excluded.job_id, complete = excluded.complete,
                            files = excluded.files, bytes = excluded.bytes, findings = excluded.findings,
                            published_at = excluded.published_at, sequence = excluded.sequence, whole = 1
                        """,
                    arguments: [
                        result.key, job, result.study, result.path, result.complete, result.files, result.bytes,
                        result.findings.joined(separator: "\n"), now,
                    ])
                // What was not sent as somebody had changed or removed it.
                try db.execute(
                    sql: """
                        UPDATE delivery SET state = 'pending', code = NULL, tries = 0, not_before = NULL, created_at = ?
                        WHERE state = 'refused' AND state NOT IN ('sent', 'confirmed') AND code IN (?, ?) AND file <> ''
                            AND result_key = ?
                        """, arguments: [now, OutboxResult.damaged, OutboxResult.gone, result.key])
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

    /// What was remembered; nil when it is empty or was never said.
    package func fact(_ key: String) throws -> String? {
        let value = try read {
            try String.fetchOne($0, sql: "SELECT value FROM meta WHERE key = ?", arguments: [key])
        }
        return value?.isEmpty == false ? value : nil
    }

    /// What follows `prefix` in the keys of what was remembered, sorted.
    func facts(_ prefix: String) throws -> [String] {
        try read {
            try String.fetchAll(
                $0, sql: "SELECT substr(key, ?) FROM meta WHERE key LIKE ? AND value <> '' ORDER BY key",
                arguments: [prefix.count + 1, prefix + "%"])
        }
    }

    /// Remembers a fact about the running service for `status`; written, and true, only when it changes.
    @discardableResult
    package func remember(_ key: String, _ value: String) throws -> Bool {
        guard try fact(key) ?? "" != value else { return false }
        try write { try $0.execute(sql: "INSERT OR REPLACE INTO meta VALUES (?, ?)", arguments: [key, value]) }
        return true
    }

    /// Gives the number of the last line of the history: what comes later belongs to the batch, whatever the clock does.
    package func beginBatch(_ id: String) throws -> Int64 {
        try write { db in
            try db.execute(
                sql: "INSERT INTO batch(id, kind, started_at) VALUES (?, 'batch', ?)", arguments: [id, Moment.now])
            return try Int64.fetchOne(db, sql: "SELECT COALESCE(MAX(id), 0) FROM event") ?? 0
        }
    }

    package func endBatch(_ id: String, counts: String) throws {
        try write {
            try $0.execute(
                sql: "UPDATE batch SET ended_at = ?, counts = ? WHERE id = ?", arguments: [Moment.now, counts, id])
        }
    }

    /// What became of the jobs that changed since that line of the history, and of those that still wait.
    ///
    /// - Parameter unbooked: drops that were taken and are no jobs yet.
    package func outcome(
        since event: Int64, unsettled: Int, unbooked: Int = 0, unsent: Int = 0, paused: String?,
        notes: [String] = []
    ) throws -> BatchOutcome {
        try read { db in
            func count(_ sql: String, _ arguments: StatementArguments = []) throws -> Int {
                try Int.fetchOne(db, sql: sql, arguments: arguments) ?? 0
            }
            func changed(_ condition: String) throws -> Int {
                try count(
                    """
                    SELECT COUNT(*) FROM (SELECT DISTINCT job_id FROM event WHERE event.id > ?) AS changed
                    JOIN job ON job.id = changed.job_id WHERE \(condition)
                    """, [event])
            }
            return BatchOutcome(
                results: try count(
                    """
                    SELECT COUNT(*) FROM event JOIN result ON result.job_id = event.job_id
                    WHERE event.id > ? AND event.to_state = 'published'
                    """, [event]),
                done: try changed("job.state IN ('published', 'done')"),
                unwanted: try changed("job.state = 'done' AND job.reason_class = 'unwanted'"),
                quarantined: try changed("job.state = 'quarantined'"),
                partial: try changed("job.reason_class = 'partial' AND job.state IN ('published', 'done')"),
                waiting: try count(
                    "SELECT COUNT(*) FROM job WHERE state IN ('queued', 'retry', 'running', 'publishing')") + unbooked,
                unsettled: unsettled, unsent: unsent, paused: paused, notes: notes)
        }
    }

    package func overview(_ spool: SpoolView) throws -> Overview {
        try read { try Overview($0, spool) }
    }
}
