import Daemon
import Foundation
import GRDB
import Testing

/// Jobs of the past.
enum History {
    /// Adds jobs to a ledger, each with its attempt, its event and its result.
    static func fill(_ path: String, _ count: Int, from first: Int) async throws {
        let queue = try DatabaseQueue(path: path)
        try await queue.write { db in
            try db.execute(
                sql: """
                    WITH RECURSIVE n(i) AS (SELECT ? UNION ALL SELECT i + 1 FROM n WHERE i < ?)
                    INSERT INTO "drop"(id, first_seen, origin, kind, files, bytes, state)
                    SELECT printf('%026d', i), i, 'inbox', 'directory', 1, 1, 'taken' FROM n
                    """, arguments: [first, first + count - 1])
            try db.execute(
                sql: """
                    INSERT INTO job(id, state, epoch, created_at, changed_at)
                    SELECT id, 'done', 1, first_seen, first_seen FROM "drop" WHERE first_seen >= ?
                    """, arguments: [first])
            try db.execute(
                sql: """
                    INSERT INTO attempt(job_id, n, started_at, ended_at, wall_s) SELECT id, 1, 1, 2, 3.0 FROM job WHERE created_at >= ?
                    """, arguments: [first])
            try db.execute(
                sql: """
                    INSERT INTO event(at, job_id, code, detail) SELECT 1, id, 'RESULT', 'x' FROM job WHERE created_at >= ?
                    """, arguments: [first])
            try db.execute(
                sql: """
                    INSERT INTO result(key, job_id, study, path, complete, files, bytes, findings, published_at)
                    SELECT 'K' || id, id, id, id, 1, 1, 1, 'skin: nothing found', created_at FROM job WHERE created_at >= ?
                    """, arguments: [first])
        }
        try queue.close()
    }
}

/// What the service costs after years. Long, so only when it is asked for; figures are in `docs/performance.md`.
@Suite(
    "the service after many jobs", .serialized,
    .enabled(if: ProcessInfo.processInfo.environment["HSPSAM_SCALE"] != nil))
struct ScaleTests {
    @Test("ten drops and the status after thousands of jobs", arguments: [0, 1000, 10_000, 100_000])
    func tenDrops(jobs: Int) async throws {
        let site = try Site()
        _ = try await site.service()
        if jobs > 0 { try await History.fill(site.root + "/state/ledger.sqlite", jobs, from: 0) }
        for index in 0..<10 { try site.drop("\(index)", "ok") }
        let clock = ContinuousClock()
        let start = clock.now
        let service = try await site.service()
        let began = clock.now
        let outcome = try await service.batch()
        let done = clock.now
        _ = try StatusReport(site.settings).json
        let status = clock.now
        func seconds(_ from: ContinuousClock.Instant, _ to: ContinuousClock.Instant) -> Double {
            (from.duration(to: to) / .milliseconds(1)).rounded() / 1000
        }
        #expect(outcome.results == 10)
        print(
            "SCALE \(jobs) jobs: start \(seconds(start, began)) s, ten drops \(seconds(began, done)) s, status \(seconds(done, status)) s"
        )
    }
}
