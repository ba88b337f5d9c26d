internal import Foundation
internal import GRDB

/// One batch, or one day of the watching service, as its page shows it.
package struct Night: Sendable, Equatable {
    /// A study that came out in it.
    package struct Study: Sendable, Equatable, Encodable {
        package let at: String
        package let study: String
        /// Relative to the outbox.
        package let path: String
        package let complete: Bool
        package let findings: [String]
        package let files: Int
        package let seconds: Double?
    }

    package let id: String
    package let started: Int64
    package let ended: Int64
    package let counts: BatchOutcome

    /// Where its page stands, relative to the outbox.
    package var page: String { "\(Self.folder)/\(id).html" }
    package static let folder = "batches"
    /// So many are shown: a week.
    static let shown = 7

    init?(_ row: Row) {
        let text: String? = row["counts"]
        guard let ended = row["ended_at"] as Int64?, let text,
            let counts = try? JSONDecoder().decode(BatchOutcome.self, from: Data(text.utf8))
        else { return nil }
        id = row["id"]
        started = row["started_at"]
        self.ended = ended
        self.counts = counts
    }

    /// The newest first, whatever the clock did; what has not ended is none yet.
    static func newest(_ db: Database, _ count: Int) throws -> [Night] {
        try Row.fetchAll(
            db, sql: "SELECT * FROM batch WHERE ended_at IS NOT NULL ORDER BY rowid DESC LIMIT ?",
            arguments: [count]
        ).compactMap(Night.init)
    }

    private static let mostStudies = 5000

    /// What was published in it, in that order; at most 5,000. Of a night in which the clock was set back: of the newest night.
    func studies(_ db: Database) throws -> [Study] {
        let (rows, arguments): (String, StatementArguments) =
            started <= ended
            ? (
                "result WHERE published_at BETWEEN ? AND ? ORDER BY published_at, path LIMIT ?",
                [started, ended, Self.mostStudies]
            )
            : (
                "(SELECT * FROM result ORDER BY sequence DESC LIMIT ?) AS result ORDER BY sequence",
                [min(counts.results, Self.mostStudies)]
            )
        return try Row.fetchAll(
            db,
            sql: """
                SELECT result.*, (SELECT wall_s FROM attempt WHERE attempt.job_id = result.job_id ORDER BY n DESC LIMIT 1) AS seconds
                FROM \(rows)
                """, arguments: arguments
        ).map { row in
            Study(
                at: Moment.text(row["published_at"]), study: row["study"], path: row["path"], complete: row["complete"],
                findings: (row["findings"] as String).split(separator: "\n").map(String.init), files: row["files"],
                seconds: row["seconds"])
        }
    }
}

extension Ledger {
    /// The newest nights, and what came out in the newest.
    package func newestNights(_ count: Int) throws -> (nights: [Night], studies: [Night.Study]) {
        try read { db in
            let nights = try Night.newest(db, count)
            return (nights, try nights.first?.studies(db) ?? [])
        }
    }

    /// A day of the watching service, from where the last one ended.
    package func addDay(_ id: String, from started: Int64, counts: String) throws {
        try write {
            try $0.execute(
                sql: "INSERT INTO batch(id, kind, started_at, ended_at, counts) VALUES (?, 'day', ?, ?, ?)",
                arguments: [id, started, Moment.now, counts])
        }
    }

    /// The number of the last line of the history.
    package func lastEvent() throws -> Int64 {
        try read { try Int64.fetchOne($0, sql: "SELECT COALESCE(MAX(id), 0) FROM event") ?? 0 }
    }
}
