internal import Foundation
internal import GRDB

/// Which images of one series a drop holds.
struct SeriesImages: Sendable, Equatable {
    /// Names as in the folders.
    let study: String
    let series: String
    /// The first 64 bits of each image's digest, of what reaches a result where that is known: enough to tell a study's images apart.
    let images: Set<UInt64>

    /// Eight bytes an image, sorted.
    fileprivate var bytes: [UInt8] {
        images.sorted().flatMap { image in (0..<8).map { UInt8(truncatingIfNeeded: image >> (56 - 8 * $0)) } }
    }

    fileprivate static func images(_ bytes: [UInt8]) -> Set<UInt64> {
        Set(
            stride(from: 0, to: bytes.count - 7, by: 8).map { start in
                bytes[start..<start + 8].reduce(0) { $0 << 8 | UInt64($1) }
            })
    }
}

// Images that come late: which jobs hold others of the same studies and series.

extension Ledger {
    /// What the images of a job are.
    func note(_ series: [SeriesImages], of job: String) throws {
        guard !series.isEmpty else { return }
        try write { db in
            for one in series {
                try db.execute(sql: "INSERT OR IGNORE INTO job_study VALUES (?, ?)", arguments: [job, one.study])
                try db.execute(
                    sql: "INSERT OR REPLACE INTO job_series VALUES (?, ?, ?, ?)",
                    arguments: [job, one.study, one.series, Data(one.bytes)])
            }
        }
    }

    /// Jobs that came since then and were not put aside.
    private static let standing = """
        job.id <> ? AND job.created_at >= ? AND job.state IN ('publishing', 'published', 'done')
        """

    /// The same, and those that wait for parts or were put aside because parts were missing.
    private static let standingOrLacking = """
        job.id <> ? AND job.created_at >= ? AND (job.state IN ('publishing', 'published', 'done')
            OR job.state IN ('queued', 'quarantined') AND job.reason_code IN (\(lackingCodes)))
        """
    private static let lackingCodes = JobReason.missingParts.sorted().map { "'\($0)'" }.joined(separator: ", ")

    /// Other jobs with images of these studies.
    func jobs(ofStudies studies: [String], except job: String, since: Int64) throws -> Set<String> {
        try read { db in
            let marks = Array(repeating: "?", count: studies.count).joined(separator: ", ")
            return try String.fetchSet(
                db,
                sql: """
                    SELECT job.id FROM job_study JOIN job ON job.id = job_study.job_id
                    WHERE job_study.study IN (\(marks)) AND \(Self.standing)
                    """, arguments: StatementArguments(studies) + [job, since])
        }
    }

    /// Other jobs with images of these series that are not among these, whatever became of them.
    ///
    /// - Parameter lacking: whether those count that were refused because parts were missing.
    func jobs(
        withMoreOf series: [SeriesImages], lacking: Bool, except job: String, since: Int64
    ) throws -> Set<String> {
        try read { db in
            var found: Set<String> = []
            for own in series {
                let rows = try Row.fetchCursor(
                    db,
                    sql: """
                        SELECT job.id, job_series.images FROM job_series JOIN job ON job.id = job_series.job_id
                        WHERE job_series.series = ? AND job_series.study = ?
                            AND \(lacking ? Self.standingOrLacking : Self.standing)
                        """, arguments: [own.series, own.study, job, since])
                while let row = try rows.next() {
                    let images = SeriesImages.images(Array(row["images"] as Data))
                    if !images.isSubset(of: own.images) { found.insert(row["id"]) }
                }
            }
            return found
        }
    }

    /// What is known of a job's images.
    func images(of job: String) throws -> Set<UInt64> {
        try read { db in
            try Data.fetchAll(db, sql: "SELECT images FROM job_series WHERE job_id = ?", arguments: [job])
                .reduce(into: []) { $0.formUnion(SeriesImages.images(Array($1))) }
        }
    }

    /// Images of jobs that no late one is waited for any more.
    func forgetImages(before: Int64) throws {
        // Names of jobs begin with the time.
        try write {
            try $0.execute(sql: "DELETE FROM job_series WHERE job_id < ?", arguments: [Identifier.make(at: before)])
        }
    }

    /// The job is done anew together with the inputs of others.
    func join(_ others: [String], to job: String) throws {
        try write {
            try $0.execute(
                sql: "UPDATE job SET joined = ? WHERE id = ?", arguments: [others.joined(separator: "\n"), job])
        }
    }

    /// The job is done anew alone; its result tells why.
    func separate(_ job: String, _ remark: JobReason) throws {
        try write {
            try $0.execute(
                sql: "UPDATE job SET joined = '', remark_code = ?, remark_text = ? WHERE id = ?",
                arguments: [remark.code, remark.text, job])
        }
    }

    /// What a person learns with the job's result.
    func remark(_ job: String, _ remark: JobReason) throws {
        try write {
            try $0.execute(
                sql: "UPDATE job SET remark_code = ?, remark_text = ? WHERE id = ?",
                arguments: [remark.code, remark.text, job])
        }
    }

    /// A person has changed its input, and asks for what is there now.
    func recount(_ job: String, files: Int) throws {
        try write {
            try $0.execute(sql: "UPDATE \"drop\" SET files = ? WHERE id = ?", arguments: [files, job])
            try $0.execute(
                sql: """
                    UPDATE job SET remark_code = NULL, remark_text = NULL WHERE id = ? AND remark_code = 'INPUT-FEWER'
                    """, arguments: [job])
        }
    }

    /// Where the results that a job has published stand, relative to the outbox.
    func resultPaths(of job: String) throws -> [String] {
        try read { try String.fetchAll($0, sql: "SELECT path FROM result WHERE job_id = ?", arguments: [job]) }
    }

    func markHeld(_ job: String) throws {
        try write { try $0.execute(sql: "UPDATE job SET held = 1 WHERE id = ?", arguments: [job]) }
    }
}
