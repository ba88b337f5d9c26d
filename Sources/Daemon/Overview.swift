internal import Failures
internal import GRDB
internal import Storage

/// The service at one instant, as the ledger and the quarantine know it: for the outbox page and for `status`.
///
/// *Cost*: the same after a hundred jobs and after a hundred thousand; every query is bounded and has its index. Where SQLite
/// would choose the index of states, in which nearly all jobs of the past are *done*, the right one is named.
package struct Overview: Sendable, Equatable {
    /// Something that waits for a person.
    package struct Trouble: Sendable, Equatable {
        package let job: String
        package let at: Int64
        package let state: Job.State
        package let reason: JobReason
        package let attempts: Int

        /// Of a result that lacks something: what a person says once that is dealt with.
        var cure: String? { reason.kind == .partial ? "hspsam settle \(job)" : nil }
    }

    /// One result, or a job that ended without any.
    package struct Line: Sendable, Equatable {
        package let at: Int64
        package let job: String
        /// The study's digest name and the folder in the outbox; nil when nothing was published.
        package let study: String?
        package let path: String?
        package let complete: Bool
        /// The folder in the outbox of the result that took this one's place.
        package let supersededBy: String?
        /// A line for each pipeline.
        package let findings: [String]
        package let reason: JobReason?
        package let seconds: Double?
        package let files: Int
    }

    package let jobs: [Job.State: Int]
    /// Milliseconds since 1970; nil when nothing waits.
    package let oldestWaiting: Int64?
    /// What is in quarantine first, then what waits for something else, then incomplete results; each newest first.
    package let troubles: [Trouble]
    /// Newest first, at most 200.
    package let lines: [Line]
    /// Results of the last 24 hours.
    package let publishedToday: Int
    /// Drops of the last 24 hours that no pipeline wants.
    let unwantedToday: Int
    package let lastSuccess: Int64?
    /// Drops in the inbox that still settle, those that cannot be read, and those that cannot be taken.
    package let settling: Int
    package let unreadable: Int
    package let untaken: Int
    /// Why the queue rests, if it does.
    package let paused: String?
    package let startedAt: Int64?
    /// Since when a person has stopped the queue, if one has.
    package let held: Int64?
    /// What else needs a person, as code and text; about the service itself, not about one job.
    package let notes: [Note]
    package let spool: SpoolView
    /// Digest of the settings that the service uses; nil where it is of a version that does not say so.
    let settings: String?
    static let settingsInUse = "settings"
    /// Whether the service that ran last was a batch, which does not run all the time.
    package let isBatch: Bool
    package let lastBatch: Int64?
    /// Whether the batch that began last has not ended: it runs, or it was cut off.
    package let isBatchOpen: Bool
    /// Drops that stay in the inbox as originals of copies that could not be removed.
    package let unremovable: Int

    /// The last seven, newest first.
    package let nights: [Night]
    /// When this installation last gave what it should of a phantom.
    package let provenAt: Int64?
    /// How the cluster stands that makes the attempts, if one does.
    package let cluster: ClusterState?
    /// How the deliveries stand, by destination.
    package let deliveries: [DeliveryCounts]

    package struct Note: Sendable, Equatable, Encodable {
        package let code: String
        package let text: String
        package let cure: String
    }

    private static let mostLines = 200
    /// A job that could not go on that often in a row needs somebody.
    private static let manyReturns = 3

    /// Reads the ledger without writing to it, while a service may run.
    ///
    /// *Throws* `DaemonFailure.ledgerUnusable`, `.ledgerNewer`, `.ledgerOlder`, `.ledgerCallFailed`. Gives nil when there is no ledger yet.
    package static func read(path: String, _ spool: SpoolView) throws -> Overview? {
        try LedgerView.read(path) { try Overview($0, spool) }
    }

    /// The note that the batch which ran last did not begin, was ended by a failure or cut off, as by a power failure: what waits has
    /// nobody to wait for until the next one. Nil where it ended, or somebody works here.
    ///
    /// *Throws* as `read`, and `StorageFailure`.
    static func batchCut(_ paths: ServicePaths, _ spool: SpoolView) throws -> Note? {
        // Asked on both sides of the ledger: a batch may begin or end in this moment.
        guard try FileLock.owner(paths.lock) == nil, let overview = try read(path: paths.ledger, spool) else {
            return nil
        }
        let failure = BatchFailure.code(paths)
        guard failure != nil || overview.isBatch && overview.isBatchOpen, try FileLock.owner(paths.lock) == nil else {
            return nil
        }
        let why = failure.map { "could not begin, or was ended by a failure\($0.isEmpty ? "" : " (\($0))")." }
        return Note(
            code: "SERVICE-DOWN", text: "the last batch \(why ?? "was cut off before it had ended.")",
            cure:
                "systemctl start hspsam-batch goes on with what is left; journalctl -u hspsam-batch says why it ended.")
    }

    init(_ db: Database, _ spool: SpoolView) throws {
        var jobs: [Job.State: Int] = [:]
        for row in try Row.fetchAll(db, sql: "SELECT state, jobs FROM job_count") {
            if let state = Job.State(rawValue: row["state"]) { jobs[state] = row["jobs"] }
        }
        let work = try Work(db, spool)
        // A person who has dealt with a quarantined drop removes its folder: that settles it. One that the ledger has put aside and
        // whose folder is not made yet does not count as settled.
        let inQuarantine = Set(spool.quarantined + work.unquarantined)
        jobs[.quarantined] = inQuarantine.count
        self.jobs = jobs
        func first(_ state: String) throws -> Int64? {
            try Int64.fetchOne(
                db, sql: "SELECT created_at FROM job WHERE state = ? ORDER BY created_at, id LIMIT 1",
                arguments: [state])
        }
        oldestWaiting = try [first("queued"), first("retry"), first("publishing")].compactMap(\.self).min()
        let shown = inQuarantine.sorted(by: >).prefix(Self.mostLines)
        troubles =
            try Self.troubles(
                db, "id IN (\(Self.marks(shown.count))) ORDER BY changed_at DESC", StatementArguments(shown))
            // Also while it is tried once more: what needs a person would come and go with every try.
            + Self.troubles(
                db,
                "state IN ('queued', 'running', 'publishing') AND returns >= ? ORDER BY created_at LIMIT \(Self.mostLines)",
                [Self.manyReturns])
            + Self.troubles(
                db,
                """
                \(Ledger.isPartial) ORDER BY changed_at DESC LIMIT \(Self.mostLines)
                """, index: "INDEXED BY job_partial")
        lines = try Row.fetchAll(
            db,
            sql: """
                SELECT ended.id, COALESCE(result.published_at, ended.changed_at) AS at, result.study, result.path, result.complete,
                       result.findings, result.files, "drop".files AS dropped, newer.path AS newer,
                       ended.reason_class, ended.reason_code, ended.reason_text,
                       (SELECT wall_s FROM attempt WHERE job_id = ended.id ORDER BY n DESC LIMIT 1) AS seconds
                FROM (SELECT * FROM job INDEXED BY job_ended WHERE state IN ('published', 'done') ORDER BY changed_at DESC, id DESC
                      LIMIT \(Self.mostLines)) AS ended
                JOIN "drop" ON "drop".id = ended.id
                LEFT JOIN result ON result.job_id = ended.id
                LEFT JOIN result AS newer ON newer.key = result.superseded_by
                ORDER BY at DESC, ended.id DESC, result.path LIMIT \(Self.mostLines)
                """
        ).map { row in
            let findings: String = row["findings"] ?? ""
            return Line(
                at: row["at"], job: row["id"], study: row["study"], path: row["path"],
                complete: row["complete"] ?? true,
                supersededBy: row["newer"], findings: findings.split(separator: "\n").map(String.init),
                reason: JobReason(row), seconds: row["seconds"], files: row["files"] ?? row["dropped"])
        }
        publishedToday =
            try Int.fetchOne(
                db, sql: "SELECT COUNT(*) FROM result WHERE published_at > ?", arguments: [Moment.now - 86_400_000])
            ?? 0
        unwantedToday =
            try Int.fetchOne(
                db,
                sql: """
                    SELECT COUNT(*) FROM job INDEXED BY job_ended
                    WHERE state IN ('published', 'done') AND changed_at > ? AND reason_class = 'unwanted'
                    """, arguments: [Moment.now - 86_400_000]) ?? 0
        // In the order of what was done, whatever the clock did.
        lastSuccess = try Int64.fetchOne(db, sql: "SELECT published_at FROM result ORDER BY sequence DESC LIMIT 1")
        func fact(_ key: String) throws -> String? {
            try String.fetchOne(db, sql: "SELECT value FROM meta WHERE key = ?", arguments: [key])
        }
        settling = try fact("settling").flatMap(Int.init) ?? 0
        unreadable = try fact("unreadable").flatMap(Int.init) ?? 0
        let untakenCodes = try (fact(Self.untakenDrops) ?? "").split(separator: " ").map(String.init)
        untaken = untakenCodes.count
        unremovable = try fact("unremovable").flatMap(Int.init) ?? 0
        paused = try [fact("full"), fact("paused")].compactMap(\.self).first { !$0.isEmpty }
        startedAt = try fact("started").flatMap(Int64.init)
        held = try fact("held").flatMap(Int64.init)
        settings = try fact(Self.settingsInUse)
        isBatch = try fact("mode") == "batch"
        lastBatch = try Int64.fetchOne(
            db,
            sql: "SELECT COALESCE(ended_at, started_at) FROM batch WHERE kind = 'batch' ORDER BY rowid DESC LIMIT 1")
        isBatchOpen =
            try Bool.fetchOne(
                db, sql: "SELECT ended_at IS NULL FROM batch WHERE kind = 'batch' ORDER BY rowid DESC LIMIT 1")
            ?? false
        nights = try Night.newest(db, Night.shown)
        provenAt = try fact("self-test").flatMap { $0.split(separator: " ").last.flatMap { Int64($0) } }
        self.spool = spool
        let names = try String.fetchAll(
            db, sql: "SELECT substr(key, 13) FROM meta WHERE key LIKE 'destination %' ORDER BY key")
        deliveries = try DeliveryCounts.read(db, names)
        cluster = ClusterState(try fact(ClusterState.fact))
        let own = try fact("spool").flatMap { $0.isEmpty ? nil : $0 }
        notes =
            try Self.placeNotes(spool, own) + Self.replacedNotes(fact(Self.replaced))
            + Self.unknownNotes(fact(Self.unknown)) + Self.outboxNotes(fact(Self.outboxOlder))
            + Self.untakenNotes(untakenCodes) + Self.leftNotes(unremovable) + Self.undoneNotes(db)
            + Self.clockNotes(fact(Self.clockInDoubt))
            + Self.heldNotes(fact(Self.heldBack).flatMap(Int.init) ?? 0) + Self.alteredNotes(db)
            + Self.pipelineNotes(unwritten: fact(Self.unwritten), gone: fact(Self.gone))
            + Self.notes(
                spool, work, oversized: fact("oversized").flatMap(Int.init) ?? 0,
                unmarked: fact("unmarked").flatMap(Int.init) ?? 0,
                unfinished: fact("unfinished").flatMap(Int.init) ?? 0,
                deliveries, cluster)
    }

    // MARK: ledger and disk

    /// Where the folders in `work` and the ledger differ for longer than a step of the service takes.
    struct Work {
        /// Folders that the ledger knows nothing of.
        var unbooked = 0
        /// Finished jobs whose input stands in `work` still.
        var unkept = 0
        /// Jobs that were put aside and whose input stands in `work` still.
        var unquarantined: [String] = []

        /// Milliseconds that a step of the service may take, between moving a folder and writing so.
        private static let stepTime: Int64 = 60_000

        init(_ db: Database, _ spool: SpoolView) throws {
            let latest = Moment.now - Self.stepTime
            for id in spool.work {
                let job = try Row.fetchOne(db, sql: "SELECT state, changed_at FROM job WHERE id = ?", arguments: [id])
                guard let job else {
                    if Identifier.milliseconds(id) < latest { unbooked += 1 }
                    continue
                }
                guard (job["changed_at"] as Int64) < latest else { continue }
                switch Job.State(rawValue: job["state"]) {
                case .published, .done: unkept += 1
                case .quarantined: unquarantined.append(id)
                default: break
                }
            }
        }
    }

    private static func marks(_ count: Int) -> String { Array(repeating: "?", count: count).joined(separator: ", ") }

    private static func troubles(
        _ db: Database, _ condition: String, _ arguments: StatementArguments = [], index: String = ""
    ) throws -> [Trouble] {
        try Row.fetchAll(
            db,
            sql: """
                SELECT id, changed_at, state, reason_class, reason_code, reason_text, attempts FROM job \(index) WHERE \(condition)
                """, arguments: arguments
        ).map { row in
            let state = Job.State(rawValue: row["state"]) ?? .quarantined
            return Trouble(
                job: row["id"], at: row["changed_at"], state: state,
                reason: JobReason(row)
                    ?? JobReason(
                        .waiting, code: state == .publishing ? "PUB-WAITS" : "UNKNOWN",
                        text: state == .publishing
                            ? "its result cannot be moved to the outbox." : "the ledger holds no reason."),
                attempts: row["attempts"])
        }
    }

    /// Whether a person should look.
    package var needsPerson: Bool {
        !troubles.isEmpty || !notes.isEmpty || unreadable > 0 || paused != nil || held != nil
            || jobs[.quarantined, default: 0] > 0
    }
}
