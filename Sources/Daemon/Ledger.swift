internal import Failures
internal import Foundation
internal import GRDB
internal import Processes
internal import Storage

/// The memory of the service: what was dropped, tried, published. Its only writer.
///
/// SQLite in WAL mode with `synchronous=FULL`: what a call has written when it returns survives a power failure. A call that
/// throws may have written all the same; the service then ends, and its next start reads what is true.
package actor Ledger {
    private let pool: DatabasePool
    private nonisolated let path: String
    /// Of the file that is open, whatever the path names meanwhile.
    private nonisolated let file: FileStatus?
    /// Counts the starts; rows of an older epoch belong to a service that is gone.
    package nonisolated let epoch: Int

    /// Opens or makes the ledger, checks it, brings its tables up to date and begins a new epoch.
    ///
    /// *Throws* `DaemonFailure.ledgerUnusable` when it is damaged, `.ledgerNewer`, `.ledgerNotSynchronous`, and
    /// `.ledgerCallFailed` for what passes: a full disk, another process that holds it.
    /// - Parameter wait: how long a call waits while another process holds the file.
    /// - Parameter holdsResults: whether the outbox holds results: an empty ledger has lost them then. Otherwise a start that was cut
    ///   off may have left it.
    package init(path: String, wait: Duration = .seconds(10), holdsResults: Bool = false) throws {
        self.path = path
        let wasThere = FileStatus.exists(path)
        try LedgerLook.confirmOwn(path: path)
        do {
            var configuration = GRDB.Configuration()
            configuration.busyMode = .timeout(Double(wait.milliseconds) / 1000)
            configuration.foreignKeysEnabled = true
            pool = try DatabasePool(path: path, configuration: configuration)
            // GRDB sets NORMAL while it opens, so FULL is set afterwards and read back.
            let level = try pool.writeWithoutTransaction { db in
                try db.execute(sql: "PRAGMA synchronous = FULL")
                return try Int.fetchOne(db, sql: "PRAGMA synchronous") ?? -1
            }
            guard level == 2 else { throw DaemonFailure.ledgerNotSynchronous(path: path, level: level) }
            try pool.read { db in
                let complaint = try String.fetchOne(db, sql: "PRAGMA quick_check(1)") ?? "no answer"
                guard complaint == "ok" else { throw DaemonFailure.ledgerUnusable(path: path, problem: complaint) }
                try LedgerSchema.checkOwn(db, path: path)
                try LedgerSchema.checkVersion(db, path: path)
                if wasThere, holdsResults, try LedgerSchema.isBlank(db) {
                    throw DaemonFailure.ledgerUnusable(path: path, problem: "it is empty: what it held is lost")
                }
            }
            try LedgerSchema.migrator.migrate(pool)
            file = try? FileStatus(of: path, followingLinks: true)
            epoch = try pool.write { db in
                try db.execute(sql: "UPDATE meta SET value = CAST(value AS INTEGER) + 1 WHERE key = 'epoch'")
                return try Int.fetchOne(db, sql: "SELECT CAST(value AS INTEGER) FROM meta WHERE key = 'epoch'") ?? 1
            }
        } catch let error as DatabaseError {
            throw DaemonFailure.opening(path, error)
        }
    }

    /// *Throws* `DaemonFailure.ledgerCallFailed` when another file stands in the place of the one that is open, as after a copy was put back:
    /// what is written to that one nobody ever reads.
    nonisolated func confirmInPlace() throws {
        guard let file, let now = try? FileStatus(of: path, followingLinks: true) else { return }
        guard (now.inode, now.device) == (file.inode, file.device) else {
            throw DaemonFailure.ledgerCallFailed(problem: "another file was put in its place")
        }
    }

    /// Closes the file; the object cannot be used afterwards.
    package func close() throws { try pool.close() }

    // MARK: drops and jobs

    /// A drop that was taken into `work/<id>`, and its job: waiting, or put aside for a person. A drop that is known stays as it is.
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
                sql: """
                    INSERT INTO job(id, state, epoch, created_at, changed_at, remark_code, remark_text)
                    VALUES (?, 'queued', ?, ?, ?, ?, ?)
                    """,
                arguments: [drop.id, epoch, now, now, drop.remark?.code, drop.remark?.text])
            try Self.event(db, job: drop.id, from: nil, to: .queued, reason: nil)
            if let refusal = drop.refusal {
                try Self.move(db, drop.id, from: .queued, to: .quarantined, epoch: epoch, reason: refusal)
            }
        }
    }

    package func job(_ id: String) throws -> Job? { try read { try Self.jobs($0, "job.id = ?", [id]).first } }

    /// The jobs in one state, the oldest first. For states that few jobs are in.
    package func jobs(_ state: Job.State) throws -> [Job] {
        try read { try Self.jobs($0, "job.state = ? ORDER BY job.created_at, job.id", [state.rawValue]) }
    }

    /// Whether any job waits in the queue, due or not.
    package func hasWaiting() throws -> Bool {
        try read {
            try Bool.fetchOne(
                $0, sql: "SELECT EXISTS(SELECT 1 FROM job WHERE state IN ('queued', 'retry', 'publishing'))") ?? false
        }
    }

    /// How many jobs wait.
    package func waiting() throws -> Int {
        try read {
            try Int.fetchOne(
                $0, sql: "SELECT SUM(jobs) FROM job_count WHERE state IN ('queued', 'retry', 'publishing')") ?? 0
        }
    }

    /// The clock was set by so much: times that jobs wait for are moved with it, so that they wait as long as was meant.
    package func shiftWaits(by milliseconds: Int64) throws {
        try write { db in
            try db.execute(
                sql: "UPDATE job SET not_before = not_before + ? WHERE not_before IS NOT NULL",
                arguments: [milliseconds])
            try db.execute(
                sql: "UPDATE delivery SET not_before = not_before + ? WHERE not_before IS NOT NULL",
                arguments: [milliseconds])
            // What is given up after a while is so by the time that has passed.
            try db.execute(
                sql: """
                    UPDATE delivery SET created_at = created_at + ?
                    WHERE state NOT IN ('sent', 'confirmed') AND state IN ('pending', 'sending')
                    """, arguments: [milliseconds])
            try db.execute(
                sql: "INSERT INTO event(at, code, detail) VALUES (?, 'CLOCK-STEP', ?)",
                arguments: [Moment.now, "the clock was set by \(milliseconds / 1000) s"])
        }
    }

    /// The job of these states that waits longest and may go on now. A time that lies further ahead than any wait, or that was
    /// written in what is the future now, is of a clock that has been set back since, and holds nobody up.
    ///
    /// *Cost*: as many rows as jobs wait for their time; history costs nothing.
    package func nextDue(_ states: [Job.State], longestWait: Duration) throws -> Job? {
        try due(states, limit: 1, longestWait: longestWait).first
    }

    /// The same of as many jobs as `limit`, the one that waits longest first.
    package func due(_ states: [Job.State], limit: Int, longestWait: Duration) throws -> [Job] {
        let now = Moment.now
        return try read { db in
            let found = try states.flatMap { state in
                try Self.jobs(
                    db,
                    """
                    job.state = ?
                        AND (job.not_before IS NULL OR job.not_before <= ? OR job.not_before > ? OR job.changed_at > ?)
                    ORDER BY job.created_at, job.id LIMIT ?
                    """,
                    [state.rawValue, now, now + longestWait.milliseconds * 2, now + Self.clockTolerance, limit])
            }
            return Array(found.sorted { ($0.createdAt, $0.id) < ($1.createdAt, $1.id) }.prefix(limit))
        }
    }

    /// Milliseconds by which two readings of a clock that nobody has set may differ.
    private static let clockTolerance: Int64 = 60_000

    /// A person has started the service anew: what waited for a disk or a model may try at once.
    package func forgetReturns() throws {
        try write {
            try $0.execute(
                sql: """
                    UPDATE job SET not_before = NULL, returns = 0 WHERE state IN ('queued', 'publishing') AND returns > 0
                    """)
        }
    }

    /// Makes sure that the spool is the one that this ledger belongs to; the first time the two get to know each other.
    ///
    /// *Throws* `DaemonFailure.otherSpool`, `StorageFailure`.
    package func checkSpool(_ path: String) throws {
        let known = try fact("spool")
        if FileStatus.exists(path) {
            let found = String(decoding: try DurableFile.read(path, limit: 99), as: UTF8.self)
            if let known, known != found { throw DaemonFailure.otherSpool(path: path) }
            try remember("spool", found)
        } else {
            guard known == nil else { throw DaemonFailure.otherSpool(path: path) }
            let new = Identifier.make()
            try DurableFile.write(new, to: path, mode: 0o640)
            try remember("spool", new)
        }
    }

    /// Whether the machine was started again since this was asked last: then no job was the cause that it ended.
    ///
    /// - Parameter bootedAt: when the machine was started, in milliseconds since 1970 as the clock says now. Setting the clock
    ///   changes it too: then this is asked at once.
    @discardableResult
    package func noteBoot(bootedAt: Int64 = Moment.now - BootClock.milliseconds) throws -> Bool {
        let before = try fact("booted_at").flatMap(Int64.init)
        try remember("booted_at", "\(bootedAt)")
        return before.map { abs(bootedAt - $0) > Self.bootTolerance } ?? false
    }

    /// Milliseconds: no machine starts anew within so few, and two readings of the clocks differ by less.
    private static let bootTolerance: Int64 = 5_000

    // MARK: attempts

    /// Moves a waiting job to running and opens its next attempt.
    package func start(_ job: Job, host: String) throws -> Int {
        try write { [epoch] db in
            try Self.start(db, job, host: host, epoch: epoch)
            return job.lastAttempt + 1
        }
    }

    /// The same for all jobs of an array on a cluster, in one transaction.
    func start(_ jobs: [(job: Job, task: ClusterTask)]) throws {
        try write { [epoch] db in
            for (job, task) in jobs { try Self.start(db, job, task: task, epoch: epoch) }
        }
    }

    private static func start(
        _ db: Database, _ job: Job, host: String? = nil, task: ClusterTask? = nil, epoch: Int
    ) throws {
        try move(db, job.id, from: job.state, to: .running, epoch: epoch, reason: nil)
        try db.execute(
            sql: """
                INSERT INTO attempt(job_id, n, started_at, host, array, task, fingerprint) VALUES (?, ?, ?, ?, ?, ?, ?)
                """,
            arguments: [
                job.id, job.lastAttempt + 1, Moment.now, host, task?.id.array, task?.id.index, task?.fingerprint,
            ])
    }

    package func started(_ job: String, attempt n: Int, pid: Int32) throws {
        try write {
            try $0.execute(sql: "UPDATE attempt SET pid = ? WHERE job_id = ? AND n = ?", arguments: [Int(pid), job, n])
        }
    }

    /// An attempt that was opened and never closed.
    package struct OpenAttempt: Sendable {
        package let job: String
        package let n: Int
        /// Of the worker on this machine.
        package let pid: Int32?
        /// Where it is to be made on a cluster; nil for this machine.
        let task: ClusterTask?
    }

    /// Those of an earlier service, and those that are under way on a cluster.
    package func openAttempts() throws -> [OpenAttempt] {
        try read {
            try Row.fetchAll(
                $0, sql: "SELECT job_id, n, pid, array, task, fingerprint FROM attempt WHERE ended_at IS NULL"
            ).map { row in
                OpenAttempt(
                    job: row["job_id"], n: row["n"], pid: (row["pid"] as Int?).map { Int32(clamping: $0) },
                    task: (row["array"] as String?).map { array in
                        ClusterTask(
                            id: TaskID(array: array, index: row["task"] ?? 0), fingerprint: row["fingerprint"] ?? "")
                    })
            }
        }
    }

    /// What a worker has taken for each file of late, in seconds; nil when there was none.
    ///
    /// *Cost*: a hundred rows.
    func secondsPerFile() throws -> Double? {
        try read {
            try Double.fetchOne(
                $0,
                sql: """
                    SELECT SUM(wall_s) / SUM(MAX(files, 1)) FROM (
                        SELECT wall_s, files FROM attempt JOIN "drop" ON "drop".id = job_id WHERE outcome = 'processed'
                        ORDER BY job_id DESC LIMIT 100)
                    """)
        }
    }

    /// How an attempt moves its job on.
    package struct Step: Sendable {
        package var outcome: String
        package var state: Job.State
        package var reason: JobReason?
        /// Whether it used up one of the attempts.
        package var counts = true
        /// Whether it could not go on for a cause that is not its own.
        package var isReturn = false
        /// Whether the service died while it ran.
        package var isLost = false
        /// When it may go on.
        package var notBefore: Int64?

        package init(
            _ outcome: String, to state: Job.State, _ reason: JobReason?, counts: Bool = true, isReturn: Bool = false,
            isLost: Bool = false, notBefore: Int64? = nil
        ) {
            self.outcome = outcome
            self.state = state
            self.reason = reason
            self.counts = counts
            self.isReturn = isReturn
            self.isLost = isLost
            self.notBefore = notBefore
        }
    }

    /// Closes the attempt and moves its job on, in one transaction.
    ///
    /// - Parameter host: the machine that made it, where that is not the one that it was opened with.
    package func end(
        _ job: String, attempt n: Int, _ ending: Worker.Ending?, host: String? = nil, _ step: Step
    ) throws {
        try write { [epoch] db in
            var (exit, signal): (Int?, Int?) = (nil, nil)
            switch ending?.how {
            case .exited(let status): exit = Int(status)
            case .signalled(let number): signal = Int(number)
            case nil: break
            }
            try db.execute(
                sql: """
                    UPDATE attempt SET ended_at = ?, exit = ?, signal = ?, wall_s = ?, outcome = ?, host = COALESCE(?, host)
                    WHERE job_id = ? AND n = ?
                    """,
                arguments: [Moment.now, exit, signal, ending?.seconds, step.outcome, host, job, n])
            try Self.move(db, job, from: .running, to: step.state, epoch: epoch, reason: step.reason)
            try db.execute(
                sql: """
                    UPDATE job SET attempts = attempts + ?, returns = CASE WHEN ? THEN returns + 1 ELSE 0 END,
                        lost = CASE WHEN ? THEN lost + 1 ELSE 0 END, not_before = ?,
                        reason_class = ?, reason_code = ?, reason_text = ?
                    WHERE id = ?
                    """,
                arguments: [
                    step.counts ? 1 : 0, step.isReturn, step.isLost, step.notBefore, step.reason?.kind.rawValue,
                    step.reason?.code,
                    step.reason?.text, job,
                ])
        }
    }

    /// Any other change of a job's state.
    package func move(_ job: String, from: Job.State, to: Job.State, reason: JobReason?) throws {
        try write { [epoch] db in try Self.move(db, job, from: from, to: to, epoch: epoch, reason: reason) }
    }

    /// A job stays where it is for now, for a cause that is not its own.
    package func postpone(_ job: String, until: Int64, _ reason: JobReason) throws {
        try write { db in
            try db.execute(
                sql: "UPDATE job SET not_before = ?, returns = returns + 1, changed_at = ? WHERE id = ?",
                arguments: [until, Moment.now, job])
            try db.execute(
                sql: "INSERT INTO event(at, job_id, code, detail) VALUES (?, ?, ?, ?)",
                arguments: [Moment.now, job, reason.code, reason.text])
        }
    }

    // MARK: how

    /// One transaction. SQLite's complaints become ours: the service ends, and its next start reads what is true.
    func write<Value>(_ body: (Database) throws -> Value) throws -> Value {
        do { return try pool.write(body) } catch let error as DatabaseError { throw DaemonFailure.ledgerFailed(error) }
    }

    /// Writes a copy of all of it at `path`, where nothing may stand: what SQLite does not do within a transaction.
    func copy(to path: String) throws {
        do {
            try pool.writeWithoutTransaction { try $0.execute(sql: "VACUUM INTO ?", arguments: [path]) }
        } catch let error as DatabaseError {
            throw DaemonFailure.backupFailed(problem: error.message ?? "\(error.resultCode)")
        }
    }

    func read<Value>(_ body: (Database) throws -> Value) throws -> Value {
        do { return try pool.read(body) } catch let error as DatabaseError { throw DaemonFailure.ledgerFailed(error) }
    }

    private static func jobs(_ db: Database, _ condition: String, _ arguments: StatementArguments) throws -> [Job] {
        try Row.fetchAll(
            db,
            sql: """
                SELECT job.id, job.state, job.attempts, job.returns, job.lost, job.held, job.joined, job.created_at, "drop".files,
                       job.reason_class, job.reason_code, job.reason_text, job.remark_code, job.remark_text,
                       COALESCE((SELECT MAX(n) FROM attempt WHERE job_id = job.id), 0) AS last
                FROM job JOIN "drop" ON "drop".id = job.id WHERE \(condition)
                """, arguments: arguments
        ).compactMap { row in
            guard let state = Job.State(rawValue: row["state"]) else { return nil }
            return Job(
                id: row["id"], state: state, attempts: row["attempts"], lastAttempt: row["last"],
                returns: row["returns"], lost: row["lost"], wasHeld: row["held"],
                joined: (row["joined"] as String).split(separator: "\n").map(String.init), createdAt: row["created_at"],
                files: row["files"], reason: JobReason(row),
                remark: (row["remark_code"] as String?).map {
                    JobReason(.partial, code: $0, text: row["remark_text"] ?? "")
                })
        }
    }

    /// Compare and set: the one row must have been in state `from`.
    static func move(
        _ db: Database, _ job: String, from: Job.State, to: Job.State, epoch: Int, reason: JobReason?
    ) throws {
        try db.execute(
            sql: "UPDATE job SET state = ?, epoch = ?, changed_at = ? WHERE id = ? AND state = ?",
            arguments: [to.rawValue, epoch, Moment.now, job, from.rawValue])
        guard db.changesCount == 1 else { throw DaemonFailure.stale(job: job, from: from.rawValue, to: to.rawValue) }
        if let reason {
            try db.execute(
                sql: "UPDATE job SET reason_class = ?, reason_code = ?, reason_text = ? WHERE id = ?",
                arguments: [reason.kind.rawValue, reason.code, reason.text, job])
        }
        try event(db, job: job, from: from, to: to, reason: reason)
    }

    private static func event(
        _ db: Database, job: String, from: Job.State?, to: Job.State, reason: JobReason?
    ) throws {
        try db.execute(
            sql: "INSERT INTO event(at, job_id, from_state, to_state, code, detail) VALUES (?, ?, ?, ?, ?, ?)",
            arguments: [Moment.now, job, from?.rawValue, to.rawValue, reason?.code, reason?.text])
    }
}

extension JobReason {
    /// From columns `reason_class`, `reason_code`, `reason_text`; nil when there is none.
    init?(_ row: Row) {
        guard let kind = (row["reason_class"] as String?).flatMap(Class.init) else { return nil }
        self.init(kind, code: row["reason_code"] ?? "", text: row["reason_text"] ?? "")
    }
}
