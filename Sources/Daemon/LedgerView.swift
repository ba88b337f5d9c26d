internal import Failures
internal import Foundation
internal import GRDB
internal import Storage

/// The ledger as another process reads it, while a service may run: it never writes.
package enum LedgerView {
    /// One job for a list.
    package struct Line: Sendable, Equatable, Encodable {
        package let job: String
        package let state: String
        package let attempts: Int
        package let files: Int
        package let bytes: Int
        package let created: String
        package let changed: String
        package let code: String?
        package let text: String?
    }

    /// Everything about one job.
    package struct Detail: Sendable, Encodable {
        package let line: Line
        package let waitsUntil: String?
        package let studies: [String]
        package let joined: [String]
        package let attempts: [Attempt]
        package let results: [Result]
        package let events: [Event]

        private enum CodingKeys: String, CodingKey {
            case line = "job"
            case waitsUntil = "waits_until"
            case studies, joined, attempts, results, events
        }
    }

    package struct Attempt: Sendable, Encodable {
        package let n: Int
        package let started: String
        package let outcome: String?
        /// The machine that made it.
        package let host: String?
        package let seconds: Double?
        package let exit: Int?
        package let signal: Int?
    }

    package struct Result: Sendable, Encodable {
        package let study: String
        package let path: String
        package let complete: Bool
        package let findings: [String]
        package let supersededBy: String?

        private enum CodingKeys: String, CodingKey {
            case study, path, complete, findings
            case supersededBy = "superseded_by"
        }
    }

    package struct Event: Sendable, Encodable {
        package let at: String
        package let from: String?
        package let to: String?
        package let code: String?
    }

    /// The newest jobs first, all or at most `limit`; nil when there is no ledger.
    ///
    /// *Throws* `DaemonFailure` as `Overview.read` does.
    package static func jobs(
        path: String, states: [Job.State] = [], since: Int64 = 0, limit: Int? = nil
    ) throws -> [Line]? {
        try read(path) { db in
            let marks = Array(repeating: "?", count: states.count).joined(separator: ", ")
            let condition = states.isEmpty ? "" : "job.state IN (\(marks)) AND"
            return try lines(
                db, "\(condition) job.changed_at >= ? ORDER BY job.changed_at DESC, job.id DESC LIMIT ?",
                StatementArguments(states.map(\.rawValue)) + [since, limit ?? Int.max])
        }
    }

    /// Nil when the ledger does not know the job; `id` may be the beginning of one that only one job has.
    package static func job(path: String, _ id: String) throws -> Detail? {
        let found = try read(path) { db -> Detail? in
            let last = id + "\u{7F}"
            let matches = try lines(db, "job.id >= ? AND job.id < ? ORDER BY job.id LIMIT 2", [id, last])
            guard matches.count == 1, let line = matches.first else { return nil }
            return try detail(db, line)
        }
        return found ?? nil
    }

    private static func lines(_ db: Database, _ condition: String, _ arguments: StatementArguments) throws -> [Line] {
        try Row.fetchAll(
            db,
            sql: """
                SELECT job.*, "drop".files, "drop".bytes FROM job JOIN "drop" ON "drop".id = job.id WHERE \(condition)
                """, arguments: arguments
        ).map { row in
            Line(
                job: row["id"], state: row["state"], attempts: row["attempts"], files: row["files"],
                bytes: row["bytes"], created: Moment.text(row["created_at"]), changed: Moment.text(row["changed_at"]),
                code: row["reason_code"], text: row["reason_text"])
        }
    }

    private static func detail(_ db: Database, _ line: Line) throws -> Detail {
        func rows(_ sql: String) throws -> [Row] { try Row.fetchAll(db, sql: sql, arguments: [line.job]) }
        let job = try rows("SELECT not_before, joined FROM job WHERE id = ?").first
        return Detail(
            line: line, waitsUntil: (job?["not_before"] as Int64?).map(Moment.text),
            studies: try rows("SELECT study FROM job_study WHERE job_id = ? ORDER BY study").map { $0["study"] },
            joined: (job?["joined"] as String? ?? "").split(separator: "\n").map(String.init),
            attempts: try rows("SELECT * FROM attempt WHERE job_id = ? ORDER BY n").map {
                Attempt(
                    n: $0["n"], started: Moment.text($0["started_at"]), outcome: $0["outcome"], host: $0["host"],
                    seconds: $0["wall_s"], exit: $0["exit"], signal: $0["signal"])
            },
            results: try rows("SELECT * FROM result WHERE job_id = ? ORDER BY study").map {
                Result(
                    study: $0["study"], path: $0["path"], complete: $0["complete"],
                    findings: ($0["findings"] as String).split(separator: "\n").map(String.init),
                    supersededBy: $0["superseded_by"])
            },
            events: try rows("SELECT * FROM event WHERE job_id = ? ORDER BY id").map {
                Event(at: Moment.text($0["at"]), from: $0["from_state"], to: $0["to_state"], code: $0["code"])
            })
    }

    /// A delivery that is not done.
    package struct Delivery: Sendable, Encodable {
        package let destination: String
        package let state: String
        package let code: String?
        package let tries: Int
        /// Relative to the outbox.
        package let file: String
        package let waitsUntil: String?

        /// It is not sent again by itself.
        package var needsPerson: Bool { ["refused", "expired"].contains(state) }

        private enum CodingKeys: String, CodingKey {
            case destination, state, code, tries, file
            case waitsUntil = "waits_until"
        }
    }

    /// Deliveries that are not done.
    package static func deliveries(path: String) throws -> [Delivery]? {
        try read(path) { db in
            try Row.fetchAll(
                db,
                sql: """
                    SELECT delivery.*, result.path FROM delivery JOIN result ON result.key = result_key
                    WHERE delivery.state NOT IN ('sent', 'confirmed') AND delivery.state <> 'replaced'
                    ORDER BY destination, delivery.created_at
                    """
            ).map { row in
                Delivery(
                    destination: row["destination"], state: row["state"], code: row["code"], tries: row["tries"],
                    file: "\(row["path"] as String)/\(row["file"] as String)",
                    waitsUntil: (row["not_before"] as Int64?).map(Moment.text))
            }
        }
    }

    /// What SQLite says of the file's integrity, nil when there is no ledger; an empty list when all is well.
    ///
    /// *Cost*: reads the whole ledger.
    package static func integrity(path: String) throws -> [String]? {
        try read(path) { db in
            let complaints = try String.fetchAll(db, sql: "PRAGMA integrity_check(20)")
            let broken = try Int.fetchOne(db, sql: "SELECT COUNT(*) FROM pragma_foreign_key_check") ?? 0
            return complaints.filter { $0 != "ok" } + (broken > 0 ? ["\(broken) rows point to none"] : [])
        }
    }

    /// Nil when there is no ledger.
    static func read<Value>(_ path: String, _ body: (Database) throws -> Value) throws -> Value? {
        guard FileStatus.exists(path) else { return nil }
        try LedgerLook.confirmOwn(path: path)
        do {
            var configuration = GRDB.Configuration()
            configuration.readonly = true
            configuration.busyMode = .timeout(10)
            return try DatabaseQueue(path: path, configuration: configuration).read { db in
                try LedgerSchema.checkCurrent(db, path: path)
                return try body(db)
            }
        } catch let error as DatabaseError {
            // SQLite says neither which file it cannot open nor why: most often it is another user's.
            if error.resultCode == .SQLITE_CANTOPEN { _ = try InputFile(path) }
            throw DaemonFailure.opening(path, error)
        }
    }
}
