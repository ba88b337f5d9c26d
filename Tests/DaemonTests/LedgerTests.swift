import Daemon
import Foundation
import GRDB
import Storage
import Testing

@Suite("the ledger")
final class LedgerTests {
    let path: String

    init() throws {
        let root = FileManager.default.temporaryDirectory.appendingPathComponent("ledger-\(UUID().uuidString)").path
        try Folder.make(root)
        path = root + "/ledger.sqlite"
    }

    deinit { try? Folder.remove(Folder.split(path).folder) }

    private func drop(_ id: String) -> TakenDrop {
        TakenDrop(id: id, kind: .directory, firstSeen: 1, files: 1, bytes: 1, fingerprint: "f", odd: nil)
    }

    @Test("every table is strict and holds its foreign keys")
    func schema() async throws {
        let ledger = try Ledger(path: path)
        try await ledger.close()
        let queue = try DatabaseQueue(path: path)
        let tables = try await queue.read { db in
            try String.fetchAll(
                db, sql: "SELECT name FROM pragma_table_list WHERE schema = 'main' AND strict ORDER BY name")
        }
        #expect(
            tables == [
                "attempt", "batch", "delivery", "drop", "event", "job", "meta", "object", "result", "review", "study",
            ])
    }

    @Test("a change that begins from another state is refused and leaves no event")
    func compareAndSet() async throws {
        let ledger = try Ledger(path: path)
        try await ledger.enqueue(drop("A"))
        try await ledger.enqueue(drop("A"))
        let job = try #require(try await ledger.nextDue(longestWait: .zero))
        #expect(job.id == "A" && job.state == .queued)
        _ = try await ledger.start(job, host: "h")
        await #expect(throws: DaemonFailure.stale(job: "A", from: "queued", to: "running")) {
            _ = try await ledger.start(job, host: "h")
        }
        #expect(try await ledger.openAttempts().count == 1)
    }

    @Test("each start is a new epoch; a newer schema is refused, a damaged file too")
    func opening() async throws {
        let first = try Ledger(path: path)
        let epoch = first.epoch
        try await first.close()
        let second = try Ledger(path: path)
        #expect(second.epoch == epoch + 1)
        try await second.close()
        let queue = try DatabaseQueue(path: path)
        try await queue.write { try $0.execute(sql: "PRAGMA user_version = 99") }
        try queue.close()
        #expect(throws: DaemonFailure.ledgerNewer(path: path, schema: 99, known: 1)) { _ = try Ledger(path: path) }
        for file in try Folder.list(Folder.split(path).folder) {
            try Folder.remove(Folder.join(Folder.split(path).folder, file.name))
        }
        try DurableFile.write([UInt8](repeating: 7, count: 8192), to: path)
        #expect { _ = try Ledger(path: path) } throws: { ($0 as? DaemonFailure)?.code == "LEDGER-UNUSABLE" }
    }

    @Test("a change that SQLite refuses is a failure with a cure, and ends the service")
    func refusedChange() async throws {
        let ledger = try Ledger(path: path)
        let queue = try DatabaseQueue(path: path)
        try await queue.write { try $0.execute(sql: "DROP TABLE event") }
        await #expect {
            try await ledger.enqueue(drop("A"))
        } throws: { error in
            (error as? DaemonFailure)?.code == "LEDGER-FAILED"
        }
        #expect(try await ledger.job("A") == nil)
    }

    @Test("a retry waits for its time, unless the clock was set back behind it")
    func retryTime() async throws {
        let ledger = try Ledger(path: path)
        try await ledger.enqueue(drop("A"))
        let job = try #require(try await ledger.nextDue(longestWait: .seconds(60)))
        let n = try await ledger.start(job, host: "h")
        let reason = Reason(.failed, code: "X", text: "x")
        try await ledger.end(
            "A", attempt: n, nil, outcome: "failed", counts: true, to: .retry, reason: reason,
            notBefore: Moment.now + 50_000)
        #expect(try await ledger.nextDue(longestWait: .seconds(60)) == nil)
        #expect(try await ledger.nextDue(longestWait: .seconds(10))?.attempts == 1)
    }
}
