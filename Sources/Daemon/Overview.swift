internal import Failures
internal import Foundation
internal import GRDB
package import Storage

/// The service at one instant, as the ledger knows it: for the outbox page and for `status`.
package struct Overview: Sendable {
    /// Something that waits for a person.
    package struct Trouble: Sendable {
        package let job: String
        package let at: Int64
        package let kind: Reason.Class
        package let code: String
        package let text: String
        package let attempts: Int
    }

    /// One result, or a job that ended without any.
    package struct Line: Sendable {
        package let at: Int64
        package let job: String
        /// The study's digest name and the folder in the outbox; nil when nothing was published.
        package let study: String?
        package let path: String?
        package let findings: String?
        package let reason: Reason?
        package let seconds: Double?
        package let files: Int
    }

    package private(set) var jobs: [Job.State: Int]
    /// Milliseconds since 1970; nil when nothing waits.
    package let oldestWaiting: Int64?
    package private(set) var troubles: [Trouble]
    /// Newest first, at most 200.
    package let lines: [Line]
    /// Results of the last 24 hours.
    package let publishedToday: Int
    package let lastSuccess: Int64?
    /// Drops in the inbox that still settle, and those that cannot be read.
    package let settling: Int
    package let unreadable: Int
    /// Why the queue rests, if it does.
    package let paused: String?
    package let startedAt: Int64?

    /// Reads the ledger without writing to it, while a service may run.
    ///
    /// *Throws* `DaemonFailure.ledgerUnusable`. Gives nil when there is no ledger yet.
    package static func read(path: String) throws -> Overview? {
        guard FileManager.default.fileExists(atPath: path) else { return nil }
        do {
            var configuration = GRDB.Configuration()
            configuration.readonly = true
            configuration.busyMode = .timeout(10)
            return try DatabaseQueue(path: path, configuration: configuration).read { try Overview($0) }
        } catch let error as DatabaseError {
            throw DaemonFailure.ledgerUnusable(path: path, problem: error.message ?? "\(error.resultCode)")
        }
    }

    init(_ db: Database) throws {
        var jobs: [Job.State: Int] = [:]
        for row in try Row.fetchAll(db, sql: "SELECT state, COUNT(*) AS count FROM job GROUP BY state") {
            if let state = Job.State(rawValue: row["state"]) { jobs[state] = row["count"] }
        }
        self.jobs = jobs
        oldestWaiting = try Int64.fetchOne(
            db, sql: "SELECT MIN(created_at) FROM job WHERE state IN ('queued', 'retry')")
        troubles = try Row.fetchAll(
            db,
            sql: """
                SELECT id, changed_at, reason_class, reason_code, attempts,
                       (SELECT detail FROM event WHERE job_id = job.id AND code = job.reason_code ORDER BY event.id DESC LIMIT 1) AS text
                FROM job
                WHERE state = 'quarantined' OR (reason_class = 'partial' AND state IN ('published', 'done') AND changed_at > ?)
                ORDER BY state = 'quarantined' DESC, changed_at DESC LIMIT 1000
                """, arguments: [Moment.now - Self.partialShown]
        ).map { row in
            Trouble(
                job: row["id"], at: row["changed_at"],
                kind: Reason.Class(rawValue: row["reason_class"] as String? ?? "") ?? .failed,
                code: row["reason_code"] ?? "UNKNOWN", text: row["text"] ?? "", attempts: row["attempts"])
        }
        lines = try Row.fetchAll(
            db,
            sql: """
                SELECT job.id, COALESCE(result.published_at, job.changed_at) AS at, study.uid_hash, result.path, study.files,
                       "drop".files AS dropped, job.reason_class, job.reason_code,
                       (SELECT detail FROM event WHERE job_id = job.id AND code = 'RESULT' AND detail LIKE '%' || result.key || '%' LIMIT 1)
                           AS findings,
                       (SELECT detail FROM event WHERE job_id = job.id AND code = job.reason_code ORDER BY event.id DESC LIMIT 1) AS text,
                       (SELECT wall_s FROM attempt WHERE job_id = job.id ORDER BY n DESC LIMIT 1) AS seconds
                FROM job JOIN "drop" ON "drop".id = job.drop_id
                LEFT JOIN result ON result.job_id = job.id LEFT JOIN study ON study.id = result.study_id
                WHERE job.state IN ('published', 'done') ORDER BY at DESC, job.id DESC LIMIT 200
                """
        ).map { row in
            let kind = Reason.Class(rawValue: row["reason_class"] as String? ?? "")
            return Line(
                at: row["at"], job: row["id"], study: row["uid_hash"], path: row["path"], findings: row["findings"],
                reason: kind.map { Reason($0, code: row["reason_code"] ?? "", text: row["text"] ?? "") },
                seconds: row["seconds"],
                files: row["files"] ?? row["dropped"])
        }
        publishedToday =
            try Int.fetchOne(
                db, sql: "SELECT COUNT(*) FROM result WHERE published_at > ?", arguments: [Moment.now - 86_400_000])
            ?? 0
        lastSuccess = try Int64.fetchOne(db, sql: "SELECT MAX(published_at) FROM result")
        func fact(_ key: String) throws -> String? {
            try String.fetchOne(db, sql: "SELECT value FROM meta WHERE key = ?", arguments: [key])
        }
        settling = try fact("settling").flatMap(Int.init) ?? 0
        unreadable = try fact("unreadable").flatMap(Int.init) ?? 0
        paused = try [fact("full"), fact("paused")].compactMap(\.self).first { !$0.isEmpty }
        startedAt = try fact("started").flatMap(Int64.init)
    }

    /// A study that was published incomplete is told for three days: a weekend and its Monday.
    private static let partialShown: Int64 = 3 * 86_400_000

    /// The same without quarantined jobs whose folder a person has moved or removed: those are settled.
    package func asking(quarantine folder: String) throws(StorageFailure) -> Overview {
        let present = Set(try Folder.list(folder).map(\.name))
        var left = self
        left.troubles.removeAll { $0.kind != .partial && !present.contains($0.job) }
        left.jobs[.quarantined] = left.troubles.count { $0.kind != .partial }
        return left
    }

    /// Whether a person should look.
    package var needsPerson: Bool { !troubles.isEmpty || unreadable > 0 || paused != nil }
}
