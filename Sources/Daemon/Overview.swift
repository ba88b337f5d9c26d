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
    /// A controller may be started anew without anybody's help.
    private static let clusterPatience: Int64 = 60_000
    /// An archive may be started anew, and a network mended, without anybody's help.
    private static let deliveryPatience: Int64 = 3_600_000
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
            + Self.unknownNotes(fact(Self.unknown))
            + Self.untakenNotes(untakenCodes) + Self.undoneNotes(db)
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
    private struct Work {
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

    /// That drops lie where nobody looks, if any do; whether there is a ledger or not.
    static func strayNote(_ spool: SpoolView) -> Note? {
        guard spool.stray > 0 else { return nil }
        return Note(
            code: "PLACE-STRANGE", text: "\(spool.stray) in the spool's inbox/, and inbox.path is another folder.",
            cure:
                "Move them to inbox.path, where whoever dropped them is to drop (hspsam-receive.service: by --config).")
    }

    /// That the spool's disk, or a folder of the service's, is not there: what stands in it is not seen.
    ///
    /// - Parameter own: by what the ledger knows its spool.
    private static func placeNotes(_ spool: SpoolView, _ own: String?) -> [Note] {
        if let own, let found = spool.identity, found != own {
            return [
                Note(
                    code: "SPOOL-OTHER", text: "an empty folder, or another disk, stands where the spool was.",
                    cure: "Mount it.")
            ]
        }
        guard own != nil, !spool.missing.isEmpty else { return [] }
        return [
            Note(
                code: "PLACE-MISSING", text: "\(spool.missing.joined(separator: ", ")) is not there.",
                cure:
                    "Mount its disk, or make a new inbox yourself; what the spool lacks is made at the service's start."
            )
        ]
    }

    /// That the program was replaced while the service runs.
    static let replaced = "program replaced"

    private static func replacedNotes(_ isReplaced: String?) -> [Note] {
        guard isReplaced?.isEmpty == false else { return [] }
        return [
            Note(
                code: "PROGRAM-REPLACED",
                text: "the program was replaced while the service runs: its workers are of another version than it is.",
                cure: "systemctl restart hspsam; nothing is lost by it.")
        ]
    }

    /// How many results stand in the outbox that the ledger knows nothing of; empty or nil: none.
    static let unknown = "unknown results"

    private static func unknownNotes(_ count: String?) -> [Note] {
        guard let count, !count.isEmpty else { return [] }
        return [
            Note(
                code: "RESULTS-UNKNOWN",
                text:
                    "\(count) results in the outbox are not in the ledger: an older copy of it was put back, or it was lost. They are not sent, and nobody is asked for what they lack.",
                cure:
                    "Stop the service, then: hspsam ledger rebuild. What that does not take in is damaged, or not ours: move it out of the outbox."
            )
        ]
    }

    /// The code of why each drop that has settled cannot be taken.
    static let untakenDrops = "untaken"

    /// A line for each cause: what to do depends on it.
    private static func untakenNotes(_ codes: [String]) -> [Note] {
        Set(codes).sorted().map { code in
            let cure =
                switch code {
                case "DISK-FULL": "Free room on the spool's disk: what is another disk's or user's is copied there."
                case "FILE-DENIED", "FILE-READONLY":
                    "Let the service's user write to the inbox and to what is in it: setfacl -R -m u:hspsam:rwX on it; mount its share writable."
                case "FILE-KIND": "Take links and devices out of them, or drop regular files: a copy would lose those."
                default: "journalctl -u hspsam says when it began; look at the disk (dmesg)."
                }
            return Note(
                code: "DROP-UNTAKEN",
                text: "\(codes.count { $0 == code }) in the inbox cannot be taken, though complete (\(code)).",
                cure: "\(cure) They are taken by themselves then.")
        }
    }

    /// Begins what the ledger remembers of each thing that is done from time to time and could not be, with the code of why.
    static let undone = "undone "

    /// When the clock had gone on by more than it should have, or back.
    static let clockInDoubt = "clock in doubt"
    /// When it was last set by so much, beyond doubt: what was written before says nothing of its age.
    static let clockSet = "clock set"

    private static func clockNotes(_ since: String?) -> [Note] {
        // Set back since, it is in doubt no more.
        guard let since = since.flatMap({ Int64($0) }), since <= Moment.now else { return [] }
        return [
            Note(
                code: "CLOCK-DOUBT",
                text:
                    "the clock has gone on by more than three days since the service last looked, or back by as much: where that is wrong, everything seems old, or new. Nothing is removed or given up before \(Moment.text(since + WatchService.longestGap)).",
                cure: "timedatectl: set the clock right if it is wrong; else there is nothing to do.")
        ]
    }

    /// How many results are not sent before a person has dealt with what is wrong with them.
    static let heldBack = "held back"

    private static func heldNotes(_ count: Int) -> [Note] {
        guard count > 0 else { return [] }
        return [
            Note(
                code: "DELIVERY-HELD",
                text: "\(count) results that ask for you are not sent to archives before you say so.",
                cure: "Look at their reports; then hspsam settle JOB sends them.")
        ]
    }

    /// That a destination took objects with a warning: what it holds may not be what was sent.
    private static func alteredNotes(_ db: Database) throws -> [Note] {
        try Ledger.altered(db).filter { $0.knownAt == nil }.map { found in
            let what = DCMSendReport.Status.alteration(found.code) ?? ""
            return Note(
                code: "DELIVERY-ALTERED",
                text: "\(found.destination) took \(found.objects) objects (\(found.kind)) and \(what) (\(found.code)).",
                cure:
                    "Compare one that it holds with the outbox. Where that is as it should be: hspsam settle --destination \(found.destination) (it is not told again of such objects)."
            )
        }
    }

    /// What destinations are to get and no pipeline writes, and pipelines that gave results and are there no more; empty or nil: none.
    static let unwritten = "unwritten"
    static let gone = "gone"

    private static func pipelineNotes(unwritten: String?, gone: String?) -> [Note] {
        var notes: [Note] = []
        if let unwritten, !unwritten.isEmpty {
            notes.append(
                Note(
                    code: "DESTINATION-PARTS", text: "no pipeline writes what is to be sent: \(unwritten).",
                    cure:
                        "Write it (outputs in pipeline.yaml), or take it out of the destination's send; then systemctl reload hspsam."
                ))
        }
        for name in (gone ?? "").split(separator: " ") {
            notes.append(
                Note(
                    code: "PIPELINE-GONE",
                    text: "\(name) has given results and is not in places.pipelines: nothing is made of its studies.",
                    cure: "Put it back. Where it was taken out for good: hspsam settle --pipeline \(name)."))
        }
        return notes
    }

    private static func undoneNotes(_ db: Database) throws -> [Note] {
        try Row.fetchAll(
            db,
            sql: "SELECT substr(key, ?) AS place, value FROM meta WHERE key LIKE ? AND value <> '' ORDER BY key",
            arguments: [undone.count + 1, undone + "%"]
        ).map { row in
            Note(
                code: "MAINTENANCE",
                text:
                    "\(row["place"] as String): what is done there from time to time failed (\(row["value"] as String)).",
                cure:
                    "Give the service's user the right to write there (a unit's drop-in: ReadWritePaths=), and its disk room; it is done anew by itself."
            )
        }
    }

    private static func notes(
        _ spool: SpoolView, _ work: Work, oversized: Int, unmarked: Int, unfinished: Int,
        _ deliveries: [DeliveryCounts], _ cluster: ClusterState?
    ) -> [Note] {
        var notes: [Note] = []
        if !spool.unlistable.isEmpty {
            notes.append(
                Note(
                    code: "PLACE-UNREADABLE", text: "\(spool.unlistable.joined(separator: ", ")) cannot be listed.",
                    cure: "Give the service's user the right to; look at the disk (dmesg)."))
        }
        if !spool.unwritable.isEmpty {
            notes.append(
                Note(
                    code: "PLACE-UNWRITABLE", text: "\(spool.unwritable.joined(separator: ", ")) cannot be written.",
                    cure: "Give the service's user the right to; remount a disk that became read-only."))
        }
        if work.unbooked > 0 {
            notes.append(
                Note(
                    code: "WORK-UNBOOKED", text: "\(work.unbooked) taken and not in the ledger.",
                    cure: "The running service books them by itself; start it."))
        }
        if work.unkept > 0 {
            notes.append(
                Note(
                    code: "WORK-UNMOVED", text: "\(work.unkept) finished, and their originals not moved out of work/.",
                    cure: "Make kept/ and quarantine/ writable; the service moves them by itself."))
        }
        let strange = spool.strangeWork + spool.strangeQuarantine
        if strange > 0 {
            notes.append(
                Note(
                    code: "PLACE-STRANGE", text: "\(strange) in work/ and quarantine/ that are no job's.",
                    cure: "Move them away."))
        }
        if let stray = strayNote(spool) { notes.append(stray) }
        if oversized > 0 {
            notes.append(
                Note(
                    code: "DROP-LARGE",
                    text:
                        "\(oversized) in the inbox of more files or bytes than limits.drop_files and drop_bytes allow.",
                    cure: "Raise the limits, or drop it in parts."))
        }
        if unmarked > 0 {
            notes.append(
                Note(
                    code: "NEVER-SETTLED", text: "\(unmarked) in the inbox got no marker within settle.give_up.",
                    cure: "Put NAME.ready beside what is complete; remove what is not."))
        }
        if unfinished > 0 {
            notes.append(
                Note(
                    code: "UPLOAD-LEFT",
                    text:
                        "\(unfinished) in the inbox are no drops, and nothing came for settle.give_up: of unfinished transfers (.part, .tmp, ~ ...), hidden images, folders without files, or NAME.ready without NAME.",
                    cure: "Send them again under their own names, or rename what is complete; remove the rest."))
        }
        if spool.unmoved > 0 {
            notes.append(
                Note(
                    code: "RECEIVE-LEFT", text: "\(spool.unmoved) received files did not get to the inbox.",
                    cure:
                        "The running service moves them there within the hour; make the inbox writable for the receiver."
                ))
        }
        if spool.hasReceiverEnded {
            notes.append(
                Note(
                    code: "RECEIVER-DOWN",
                    text: "the receiver ended by itself a moment ago: what is sent does not arrive.",
                    cure:
                        "journalctl -u hspsam-receive says why; another program has its port: ss -ltnp. It is started again every ten seconds."
                ))
        }
        if let cluster, let trouble = cluster.trouble, let since = cluster.troubleSince,
            Moment.now - since > clusterPatience
        {
            notes.append(
                Note(
                    code: "CLUSTER-WAITS", text: "\(trouble) Since \(Moment.text(since)).",
                    cure: "sinfo -R; squeue --me; scontrol show job. Jobs go on by themselves once the cause is gone."))
        }
        let unsent = deliveries.reduce(0) { $0 + $1.waiting }
        if unsent + spool.questions > 0, !spool.isSending {
            let studies = "\(spool.questions) received drops wait for what the archive says of them"
            notes.append(
                Note(
                    code: "SENDER-DOWN",
                    text: "nobody sends: \(unsent) files wait\(spool.questions > 0 ? ", and \(studies)" : "").",
                    cure:
                        "systemctl start hspsam-deliver, or run: hspsam deliver --once; hspsam deliver --retry lets go of what the site file asks for no longer."
                ))
        } else {
            notes += deliveries.compactMap(silence)
        }
        let damaged = deliveries.reduce(0) { $0 + $1.damaged }
        if damaged > 0 {
            notes.append(
                Note(
                    code: OutboxResult.damaged,
                    text: "\(damaged) files are not sent: the outbox does not hold them as they were published.",
                    cure:
                        "hspsam deliver --status names them. Put them back and run hspsam deliver --retry, or remove the rest of their results and drop the studies again."
                ))
        }
        for counts in deliveries where counts.untaken > counts.damaged {
            notes.append(
                Note(
                    code: "DELIVERY",
                    text: "\(counts.destination) did not take \(counts.untaken - counts.damaged) files.",
                    cure: "hspsam deliver --status says why; once the cause is gone: hspsam deliver --retry."))
        }
        return notes
    }

    /// That a destination takes nothing: it may come back by itself, but not for ever.
    private static func silence(_ counts: DeliveryCounts) -> Note? {
        // A time that has not come yet was written before the clock was set back.
        guard let since = counts.silentSince, abs(Moment.now - since) > deliveryPatience else { return nil }
        let trouble = counts.trouble.map { " (\($0))" } ?? ""
        return Note(
            code: "DESTINATION-DOWN",
            text:
                "\(counts.destination) has taken nothing since \(Moment.text(since)), and \(counts.waiting) files wait\(trouble).",
            cure:
                "Look at its machine or share, network, certificate and token: they are sent by themselves once it takes them. Where the site file names it no longer, hspsam deliver --retry lets go of them."
        )
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
