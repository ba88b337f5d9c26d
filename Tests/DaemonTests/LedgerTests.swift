import Daemon
import Failures
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

    /// Settings of a service whose folders do not exist.
    private var empty: ServiceSettings {
        ServiceSettings(
            inbox: path + "-none", spool: path + "-none", state: path + "-none", pipelines: "", scan: .zero,
            quiet: .zero,
            reserve: 0, program: "", version: "")
    }

    @Test("when the clock is set, jobs wait as long as was meant")
    func clockSet() async throws {
        let ledger = try Ledger(path: path)
        try await ledger.enqueue(drop("A"))
        let job = try #require(try await ledger.nextDue([.queued], longestWait: .seconds(60)))
        let n = try await ledger.start(job, host: "h")
        // Written when the clock was 50 minutes ahead; it has been set back since.
        let wait = Moment.now + 3_000_000 + 60_000
        try await ledger.end("A", attempt: n, nil, .init("x", to: .retry, nil, notBefore: wait))
        #expect(try await ledger.nextDue([.retry], longestWait: .seconds(3600)) == nil)
        try await ledger.shiftWaits(by: -3_000_000)
        #expect(try await ledger.nextDue([.retry], longestWait: .seconds(3600)) == nil)
        try await ledger.shiftWaits(by: -60_000)
        #expect(try await ledger.nextDue([.retry], longestWait: .seconds(3600)) != nil)
    }

    @Test("a batch counts what came after its begin, whatever the clock does meanwhile")
    func batchAndClock() async throws {
        let ledger = try Ledger(path: path)
        let begun = try await ledger.beginBatch("B")
        try await ledger.enqueue(drop("A"))
        let job = try #require(try await ledger.nextDue([.queued], longestWait: .seconds(60)))
        let n = try await ledger.start(job, host: "h")
        try await ledger.end("A", attempt: n, nil, .init("x", to: .done, nil))
        let queue = try DatabaseQueue(path: path)
        try await queue.write { try $0.execute(sql: "UPDATE job SET changed_at = 1") }
        #expect(try await ledger.outcome(since: begun, unsettled: 0, paused: nil).done == 1)
    }

    @Test("a machine that was started again is known by when it was, however short it ran")
    func boots() async throws {
        let ledger = try Ledger(path: path)
        #expect(try await !ledger.noteBoot(bootedAt: 1_000_000))
        #expect(try await !ledger.noteBoot(bootedAt: 1_000_400))
        // A minute later, with a boot clock that counts from zero again.
        #expect(try await ledger.noteBoot(bootedAt: 1_060_000))
        #expect(try await !ledger.noteBoot(bootedAt: 1_060_000))
        // The clock was set, as after a power cut of a machine whose own clock is empty.
        #expect(try await ledger.noteBoot(bootedAt: 12_000))
    }

    private func drop(_ id: String) -> TakenDrop {
        TakenDrop(id: id, kind: .directory, firstSeen: 1, files: 1, bytes: 1, fingerprint: "f")
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
                "attempt", "batch", "delivery", "drop", "event", "job", "job_count", "job_series", "job_study", "meta",
                "result",
            ])
    }

    @Test("a change that begins from another state is refused and leaves no event")
    func compareAndSet() async throws {
        let ledger = try Ledger(path: path)
        try await ledger.enqueue(drop("A"))
        try await ledger.enqueue(drop("A"))
        let job = try #require(try await ledger.nextDue([.queued, .retry], longestWait: .zero))
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
        #expect(throws: DaemonFailure.ledgerNewer(path: path, schema: 99, known: 5)) { _ = try Ledger(path: path) }
        for file in try Folder.list(Folder.split(path).folder) {
            try Folder.remove(Folder.join(Folder.split(path).folder, file.name))
        }
        try DurableFile.write([UInt8](repeating: 7, count: 8192), to: path)
        #expect { _ = try Ledger(path: path) } throws: { ($0 as? DaemonFailure)?.code == "LEDGER-UNUSABLE" }
    }

    @Test(
        "a file of another program's tables is refused and stays as it is, also where one of them has a name of ours",
        arguments: [
            "CREATE TABLE music(id INTEGER)", "CREATE TABLE meta(key TEXT, value TEXT)",
            "CREATE TABLE meta(id INTEGER)",
            "CREATE TABLE meta(key TEXT, value TEXT); PRAGMA user_version = 99",
        ])
    func foreign(sql: String) throws {
        func opened<Value>(_ body: (Database) throws -> Value) throws -> Value {
            let queue = try DatabaseQueue(path: path)
            defer { try? queue.close() }
            return try queue.writeWithoutTransaction(body)
        }
        func tables() throws -> [String] {
            try opened { try String.fetchAll($0, sql: "SELECT name FROM sqlite_master ORDER BY name") }
        }
        try opened { try $0.execute(sql: sql) }
        let before = try tables()
        #expect { _ = try Ledger(path: path) } throws: { ($0 as? DaemonFailure)?.code == "LEDGER-UNUSABLE" }
        #expect { _ = try LedgerView.jobs(path: path) } throws: { ($0 as? DaemonFailure)?.code == "LEDGER-UNUSABLE" }
        #expect(try tables() == before)
    }

    /// What stands beside the ledger, with the digests of its files.
    private func standing() throws -> [String: String] {
        let folder = Folder.split(path).folder
        return try Dictionary(
            uniqueKeysWithValues: Folder.list(folder).map { entry in
                (entry.name, try FileDigest(ofFile: Folder.join(folder, entry.name)).hex)
            })
    }

    /// Files as a program leaves them that dies: written by `body`, and copied while it has them open.
    private func left(withLog: Bool = true, by body: (DatabaseQueue) throws -> Void) throws {
        let folder = Folder.join(Folder.split(path).folder, "made")
        try Folder.make(folder)
        let made = Folder.join(folder, "made.sqlite")
        let queue = try DatabaseQueue(path: made)
        try body(queue)
        if !withLog { try queue.close() }
        for ending in ["", "-wal"] where FileStatus.exists(made + ending) {
            try DurableFile.write(DurableFile.read(made + ending, limit: 1 << 24), to: path + ending)
        }
        if withLog { try queue.close() }
        try Folder.remove(folder)
    }

    @Test(
        "another program's file is refused before a byte of it or beside it is changed",
        arguments: [("DELETE", false, true), ("WAL", false, true), ("WAL", true, true), ("WAL", true, false)])
    func foreignUntouched(mode: String, withLog: Bool, isInFile: Bool) throws {
        try left(withLog: withLog) { queue in
            try queue.writeWithoutTransaction { db in
                try db.execute(sql: "PRAGMA journal_mode = \(mode)")
                try db.execute(sql: "CREATE TABLE music(id INTEGER)")
                if isInFile, mode == "WAL" { try db.execute(sql: "PRAGMA wal_checkpoint(TRUNCATE)") }
                try db.execute(sql: "INSERT INTO music VALUES (1)")
            }
        }
        let before = try standing()
        #expect((before["ledger.sqlite-wal"] != nil) == (withLog && mode == "WAL"))
        #expect { _ = try Ledger(path: path) } throws: { ($0 as? DaemonFailure)?.code == "LEDGER-UNUSABLE" }
        #expect { _ = try LedgerView.jobs(path: path) } throws: { ($0 as? DaemonFailure)?.code == "LEDGER-UNUSABLE" }
        #expect(try standing() == before)
    }

    @Test("a ledger whose service died before anything got from the log into the file is opened as ever")
    func ownLog() async throws {
        let made = path + ".made"
        let first = try Ledger(path: made)
        for ending in ["", "-wal"] {
            try DurableFile.write(DurableFile.read(made + ending, limit: 1 << 24), to: path + ending)
        }
        #expect(try LedgerView.jobs(path: path) == [])
        let second = try Ledger(path: path)
        #expect(second.epoch == first.epoch + 1)
        try await first.close()
        try await second.close()
    }

    @Test(
        "a ledger of the version before is brought up to date: results keep their order, destinations what they are owed"
    )
    func migrated() async throws {
        let site = try Site()
        for name in ["a", "b", "c"] { try site.drop(name, "ok") }
        try await site.batch()
        let queue = try DatabaseQueue(path: site.root + "/state/ledger.sqlite")
        let before = try await queue.read {
            try String.fetchAll($0, sql: "SELECT key FROM result ORDER BY published_at, key")
        }
        try await queue.write { db in
            try db.execute(
                sql: """
                    UPDATE result SET published_at = sequence * 1000;
                    INSERT INTO meta VALUES ('destination archive', '2500');
                    DROP INDEX result_sequence; ALTER TABLE result DROP COLUMN sequence; DROP TABLE job_series;
                    ALTER TABLE job DROP COLUMN remark_code; ALTER TABLE job DROP COLUMN remark_text;
                    DELETE FROM grdb_migrations WHERE identifier LIKE '4 %';
                    """)
        }
        try await queue.writeWithoutTransaction { try $0.execute(sql: "PRAGMA user_version = 3") }
        try queue.close()
        try site.drop("d", "ok")
        #expect(try await site.batch().results == 1)
        let reread = try DatabaseQueue(path: site.root + "/state/ledger.sqlite")
        try await reread.read { db in
            let keys = try String.fetchAll(db, sql: "SELECT key FROM result ORDER BY sequence")
            #expect(keys.count == 4 && Set(keys.prefix(3)) == Set(before))
            #expect(try Int.fetchAll(db, sql: "SELECT sequence FROM result ORDER BY sequence") == [1, 2, 3, 4])
            // It is owed the third, which was published after it was known.
            #expect(try String.fetchOne(db, sql: "SELECT value FROM meta WHERE key = 'destination archive'") == "2")
        }
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
        let job = try #require(try await ledger.nextDue([.queued, .retry], longestWait: .seconds(60)))
        let n = try await ledger.start(job, host: "h")
        let reason = JobReason(.failed, code: "X", text: "x")
        try await ledger.end("A", attempt: n, nil, .init("failed", to: .retry, reason, notBefore: Moment.now + 50_000))
        #expect(try await ledger.job("A")?.reason == reason)
        #expect(try await ledger.nextDue([.queued, .retry], longestWait: .seconds(60)) == nil)
        #expect(try await ledger.nextDue([.queued, .retry], longestWait: .seconds(10))?.attempts == 1)
    }

    /// What the first released version wrote.
    private static let firstVersion = """
        CREATE TABLE meta(key TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT;
        CREATE TABLE "drop"(
            id TEXT PRIMARY KEY, first_seen INTEGER NOT NULL, claimed_at INTEGER, origin TEXT NOT NULL, kind TEXT NOT NULL,
            files INTEGER NOT NULL, bytes INTEGER NOT NULL, fingerprint TEXT, digest TEXT, state TEXT NOT NULL, reason TEXT
        ) STRICT;
        CREATE TABLE job(
            id TEXT PRIMARY KEY, drop_id TEXT NOT NULL UNIQUE REFERENCES "drop"(id), priority INTEGER NOT NULL DEFAULT 0,
            state TEXT NOT NULL, attempts INTEGER NOT NULL DEFAULT 0, not_before INTEGER, epoch INTEGER NOT NULL,
            reason_class TEXT, reason_code TEXT, superseded_by TEXT REFERENCES job(id), created_at INTEGER NOT NULL,
            changed_at INTEGER NOT NULL
        ) STRICT;
        CREATE INDEX job_state ON job(state, created_at);
        CREATE TABLE attempt(
            job_id TEXT NOT NULL REFERENCES job(id), n INTEGER NOT NULL, started_at INTEGER NOT NULL, ended_at INTEGER, host TEXT,
            pid INTEGER, exit INTEGER, signal INTEGER, wall_s REAL, cpu_s REAL, max_rss INTEGER, outcome TEXT, PRIMARY KEY(job_id, n)
        ) STRICT;
        CREATE TABLE study(
            id INTEGER PRIMARY KEY, uid_hash TEXT NOT NULL, version INTEGER NOT NULL, digest TEXT,
            job_id TEXT NOT NULL REFERENCES job(id), files INTEGER NOT NULL, bytes INTEGER, incomplete INTEGER NOT NULL DEFAULT 0,
            supersedes INTEGER REFERENCES study(id), UNIQUE(uid_hash, version)
        ) STRICT;
        CREATE TABLE result(
            key TEXT PRIMARY KEY, job_id TEXT NOT NULL REFERENCES job(id), study_id INTEGER NOT NULL REFERENCES study(id),
            path TEXT NOT NULL UNIQUE, report_sha256 TEXT, bytes INTEGER NOT NULL, isa TEXT, published_at INTEGER NOT NULL
        ) STRICT;
        CREATE TABLE object(
            uid TEXT PRIMARY KEY, result_key TEXT NOT NULL REFERENCES result(key), pipeline TEXT NOT NULL, role TEXT NOT NULL,
            sop_class TEXT NOT NULL, sha256 TEXT NOT NULL
        ) STRICT;
        CREATE TABLE delivery(
            object_uid TEXT NOT NULL REFERENCES object(uid), destination TEXT NOT NULL, state TEXT NOT NULL,
            tries INTEGER NOT NULL DEFAULT 0, not_before INTEGER, status TEXT, sent_at INTEGER, confirmed_at INTEGER,
            PRIMARY KEY(object_uid, destination)
        ) STRICT;
        CREATE TABLE event(
            id INTEGER PRIMARY KEY, at INTEGER NOT NULL, job_id TEXT, drop_id TEXT, from_state TEXT, to_state TEXT, code TEXT, detail TEXT
        ) STRICT;
        CREATE INDEX event_job ON event(job_id, id);
        CREATE TABLE batch(id TEXT PRIMARY KEY, kind TEXT NOT NULL, started_at INTEGER NOT NULL, ended_at INTEGER, counts TEXT) STRICT;
        CREATE TABLE review(
            result_key TEXT NOT NULL REFERENCES result(key), at INTEGER NOT NULL, verdict TEXT NOT NULL, by_hash TEXT, corrected_sha256 TEXT
        ) STRICT;
        PRAGMA user_version = 1;
        INSERT INTO meta VALUES ('install_id', 'X'), ('epoch', '7');
        """

    @Test("a ledger of the first version opens, and nothing that it knew is lost")
    func firstVersion() async throws {
        let queue = try DatabaseQueue(path: path)
        let (waiting, done, key) = ("01JCK3000000000000000000AA", "01JCK3000000000000000000BB", FileDigest(of: "K").hex)
        try await queue.write { db in
            try db.execute(sql: Self.firstVersion)
            for (id, state) in [(waiting, "retry"), (done, "done")] {
                try db.execute(
                    sql: "INSERT INTO \"drop\" VALUES (?, 1, 1, 'inbox', 'directory', 3, 9, 'f', NULL, 'taken', NULL)",
                    arguments: [id])
                try db.execute(
                    sql: "INSERT INTO job VALUES (?, ?, 0, ?, 2, 1, 7, 'partial', 'PIX-SIZE', NULL, 5, 6)",
                    arguments: [id, id, state])
                try db.execute(
                    sql: "INSERT INTO event(at, job_id, code, detail) VALUES (1, ?, 'PIX-SIZE', 'it is cut.')",
                    arguments: [id])
                try db.execute(
                    sql: "INSERT INTO attempt(job_id, n, started_at, ended_at) VALUES (?, 4, 1, 2)", arguments: [id])
            }
            try db.execute(
                sql: "INSERT INTO study(id, uid_hash, version, job_id, files) VALUES (1, 'abc', 1, ?, 2)",
                arguments: [done])
            try db.execute(
                sql: "INSERT INTO result VALUES (?, ?, 1, 'abc/1', 'd', 77, NULL, 8)", arguments: [key, done])
            try db.execute(
                sql: "INSERT INTO event(at, job_id, code, detail) VALUES (1, ?, 'RESULT', ?)",
                arguments: [done, "\(key) skin: Lesion 2 ml · body: nothing found"])
        }
        try queue.close()

        let ledger = try Ledger(path: path)
        #expect(ledger.epoch == 8)
        let job = try #require(try await ledger.job(waiting))
        #expect(job.state == .retry && job.attempts == 2 && job.lastAttempt == 4 && job.files == 3)
        #expect(job.reason == JobReason(.partial, code: "PIX-SIZE", text: "it is cut."))
        #expect(try await ledger.isPublished(key: key))
        // It was incomplete: its study is worked on again.
        #expect(try await ledger.knownKeys().isEmpty)
        let overview = try await ledger.overview(.init(ServicePaths(empty)))
        #expect(overview.jobs[.retry] == 1 && overview.jobs[.done] == 1)
        let line = try #require(overview.lines.first)
        #expect(
            line.findings == ["skin: Lesion 2 ml", "body: nothing found"] && line.path == "abc/1" && line.files == 2)
        try await ledger.close()
        // And once more, as an ordinary ledger.
        #expect(try Ledger(path: path).epoch == 9)
    }

    @Test("a ledger that cannot be opened now is no reason to give up; one of an older version is named by status")
    func passing() async throws {
        #expect {
            _ = try Ledger(path: path + "/no/such/folder")
        } throws: { error in
            (error as? DaemonFailure)?.kind == .failed
        }
        let queue = try DatabaseQueue(path: path)
        try await queue.write { try $0.execute(sql: Self.firstVersion) }
        try queue.close()
        #expect(throws: DaemonFailure.ledgerOlder(path: path)) {
            _ = try Overview.read(path: path, .init(ServicePaths(empty)))
        }
        _ = try Ledger(path: path)
        #expect(try Overview.read(path: path, .init(ServicePaths(empty)))?.jobs[.queued] == 0)
    }

    @Test("commands that only read name the ledger that they cannot open, and why")
    func unreadable() throws {
        try FileManager.default.createSymbolicLink(atPath: path, withDestinationPath: path + "-gone")
        #expect {
            try LedgerView.jobs(path: path)
        } throws: { error in
            let failure = error as? any Failure
            return failure?.code == "FILE-NOT-FOUND" && failure?.text.contains(path) == true
        }
    }

    @Test("a job whose cause is elsewhere waits by itself and leaves its turn to the next")
    func returned() async throws {
        let ledger = try Ledger(path: path)
        try await ledger.enqueue(drop("A"))
        try await ledger.enqueue(drop("B"))
        let first = try #require(try await ledger.nextDue([.queued], longestWait: .seconds(60)))
        let n = try await ledger.start(first, host: "h")
        let reason = JobReason(.waiting, code: "DISK-FULL", text: "full.")
        try await ledger.end(
            "A", attempt: n, nil,
            .init("returned", to: .queued, reason, counts: false, isReturn: true, notBefore: Moment.now + 50_000))
        #expect(try await ledger.nextDue([.queued], longestWait: .seconds(60))?.id == "B")
        let job = try #require(try await ledger.job("A"))
        #expect(job.attempts == 0 && job.returns == 1 && job.reason == reason)
        try await ledger.forgetReturns()
        #expect(try await ledger.nextDue([.queued], longestWait: .seconds(60))?.id == "A")
    }

    @Test("lists of what is in quarantine and of what was not sent are whole, however long they are")
    func wholeLists() async throws {
        let ledger = try Ledger(path: path)
        try await History.fill(path, 5_100, from: 0)
        let queue = try DatabaseQueue(path: path)
        try await queue.write { db in
            try db.execute(
                sql: """
                    UPDATE job SET state = 'quarantined';
                    INSERT INTO delivery(result_key, file, destination, state, created_at)
                        SELECT key, 'a', 'archive', 'pending', published_at FROM result;
                    UPDATE delivery SET state = 'refused' WHERE created_at = (SELECT MAX(created_at) FROM delivery);
                    """)
        }
        #expect(try LedgerView.jobs(path: path, states: [.quarantined])?.count == 5_100)
        #expect(try LedgerView.jobs(path: path, limit: 200)?.count == 200)
        let deliveries = try #require(try LedgerView.deliveries(path: path))
        #expect(deliveries.count == 5_100 && deliveries.last?.needsPerson == true)
        try await ledger.close()
    }

    @Test(
        "the overview costs the same after ten and after twenty thousand jobs: every query has its index and its bound")
    func overviewCost() async throws {
        let ledger = try Ledger(path: path)
        func seconds() async throws -> Double {
            var best = Double.infinity
            for _ in 0..<5 {
                let begin = ContinuousClock.now
                _ = try await ledger.overview(.init(ServicePaths(empty)))
                best = min(best, begin.duration(to: .now) / .seconds(1))
            }
            return best
        }
        try await History.fill(path, 300, from: 0)
        let few = try await seconds()
        try await History.fill(path, 20_000, from: 300)
        #expect(try await ledger.overview(.init(ServicePaths(empty))).jobs[.done] == 20_300)
        // Sixty-seven times the history: a cost that grew with it would never come below this, while tests beside this one can
        // make any single look slow.
        try await eventually { try await seconds() < few * 6 + 0.02 }
    }
}
