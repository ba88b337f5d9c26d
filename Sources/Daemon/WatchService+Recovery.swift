internal import Failures
internal import Logging
internal import Records
internal import Storage
internal import Synchronization

// What an earlier service left, and what ledger and disk say differently. Nothing is removed that was not proven redundant, and what
// cannot be read is never taken for empty.

extension WatchService {
    /// Settles what an earlier service left, wherever it died. Every step can be repeated, and what cannot be read now is left for
    /// later.
    ///
    /// - Parameter countsLost: whether a job that was running counts as a possible cause of that death.
    func recover(countsLost: Bool) async throws {
        for open in try await ledger.openAttempts() {
            // What a cluster works on goes on there, whatever becomes of this process.
            if open.task != nil, settings.cluster != nil { continue }
            if let pid = open.pid {
                try await Worker.endLeftover(pid: pid, output: paths.output(open.job, attempt: open.n))
            }
            guard let job = try await ledger.job(open.job), job.state == .running else { continue }
            try await giveBack(job, open.n, because: "the service ended", isCounted: countsLost && open.task == nil)
        }
        // Nodes that work on such an attempt all the same see that nobody waits for it.
        if settings.cluster == nil { try Folder.remove(paths.arrays) }
        // What was being written when the service died.
        let quarantined = try Folder.list(paths.quarantine).filter { $0.status.kind == .directory }
        for folder in paths.written + quarantined.map({ Folder.join(paths.quarantine, $0.name) }) {
            do throws(StorageFailure) { try DurableFile.removeTemporaries(in: folder) } catch {
                log.error("a folder cannot be tidied", metadata: ["code": "\(error.code)"])
            }
        }
        for job in try await ledger.jobs(.publishing) where !job.wasHeld { _ = try await publish(job) }
        for job in try await ledger.jobs(.published) { try await tidy(job) }
        for entry in try Folder.list(paths.work) where Identifier.isOne(entry.name) { try await reconcile(entry.name) }
    }

    /// Counts results that stand in the outbox and that the ledger knows nothing of, as after an older copy of it was put back, or after it
    /// was lost: nobody sends them, and nobody is asked for what they lack.
    ///
    /// *Cost*: a look at every folder of the outbox.
    func countUnknown() async throws {
        let known = try await ledger.resultPaths()
        var count = 0
        do {
            for study in try Folder.list(paths.outbox)
            where study.status.kind == .directory && study.name != Night.folder {
                let folder = Folder.join(paths.outbox, study.name)
                for entry in try Folder.list(folder)
                where entry.name.utf8.count == 8 && !known.contains("\(study.name)/\(entry.name)") {
                    if try OutboxResult(in: Folder.join(folder, entry.name))?.record.key != nil { count += 1 }
                }
            }
        } catch let failure as StorageFailure {
            log.error("the outbox cannot be read", metadata: ["code": "\(failure.code)"])
            return
        }
        try await ledger.remember(Overview.unknown, count == 0 ? "" : "\(count)")
    }

    /// Whether the outbox is an older copy, as after a backup of it was put back: its newest result is not the ledger's, and what was
    /// published since does not stand in it. What somebody removes by hand is no such thing.
    ///
    /// *Cost*: one small file, where nothing is amiss.
    func lookAtOutbox() async throws {
        do {
            // One that is not there now is told as that.
            _ = try FileStatus(of: paths.outbox, followingLinks: true)
            let key = try markedResult()
            let newest = try await ledger.newestResult()
            let missing = key == newest ? [] : try await missingResults(after: key)
            if try await ledger.remember(Overview.outboxOlder, missing.isEmpty ? "" : "\(missing.count)"),
                !missing.isEmpty
            {
                log.error("an older outbox stands there", metadata: ["code": "OUTBOX-OLDER"])
            }
            guard missing.isEmpty, let newest, newest != key else { return }
            // One that the ledger does not know yet, or no more, is newer than what it knows.
            if let key, try await ledger.resultPaths(after: key) == nil { return }
            try await noteNewest(newest)
        } catch let failure as StorageFailure {
            log.error("the outbox cannot be read", metadata: ["code": "\(failure.code)"])
        }
    }

    /// The key of the result that the outbox knows as its newest; nil where it knows none.
    private func markedResult() throws(StorageFailure) -> String? {
        guard FileStatus.exists(paths.newestResult) else { return nil }
        let bytes = try DurableFile.read(paths.newestResult, limit: 99)
        return String(decoding: bytes.prefix { $0 != 0x0A }, as: UTF8.self)
    }

    private func missingResults(after key: String?) async throws -> [String] {
        // An outbox that was never marked is one of version 0.1.0.
        guard try await ledger.fact(Overview.outboxMarked) != nil else { return [] }
        return try await ledger.resultPaths(after: key)?.filter { !FileStatus.exists(Folder.join(paths.outbox, $0)) }
            ?? []
    }

    /// Before the ledger knows it: the outbox then never seems older than it is.
    func noteNewest(_ key: String) async throws {
        // Until somebody has decided what becomes of those that are missing.
        guard try await ledger.fact(Overview.outboxOlder) == nil else { return }
        try DurableFile.write("\(key)\n", to: paths.newestResult, mode: 0o640)
        try await ledger.remember(Overview.outboxMarked, "marked")
    }

    /// A person knows that results are gone: their studies are made anew when they come again. Gives how many those are.
    func settleOutbox() async throws -> Int {
        guard try await ledger.fact(Overview.outboxOlder) != nil else { return 0 }
        let missing = try await missingResults(after: markedResult())
        for path in missing { try await ledger.forgetResult(path: path) }
        try await known.write(ledger.knownKeys())
        try await lookAtOutbox()
        return missing.count
    }

    /// What was working on the job died: it is tried again. A job that was there each of many times is the cause, as far as one can
    /// tell, and is put aside before it takes all others with it.
    func giveBack(
        _ job: Job, _ n: Int, because cause: String, isCounted: Bool = true, host: String? = nil
    ) async throws {
        guard isCounted, job.lost + 1 >= settings.lostAttempts else {
            return try await ledger.end(
                job.id, attempt: n, nil, host: host,
                Ledger.Step("lost", to: .queued, nil, counts: false, isLost: isCounted))
        }
        let reason = JobReason(
            .failed, code: "POISON",
            text: "\(cause) \(job.lost + 1) times in a row while it ran. Run hspsam run on it by hand.")
        try await ledger.end(
            job.id, attempt: n, nil, host: host, Ledger.Step("poison", to: .quarantined, reason, counts: false))
    }

    /// Compares a folder in `work` with the ledger, and finishes what is unfinished of it.
    func reconcile(_ id: String) async throws {
        guard !shared.withLock({ $0.current.contains(id) }) else { return }
        do {
            if let job = try await ledger.job(id) { return try await tidy(job) }
            // Taken, and not yet in the ledger.
            if FileStatus.exists(paths.input(id)) {
                let print = try Fingerprint(of: paths.input(id))
                guard print.files > 0 else { return }
                var drop = TakenDrop(
                    id: id, kind: .directory, firstSeen: Moment.now, files: print.files, bytes: print.bytes,
                    fingerprint: print.digest)
                // What the archive had said of it is lost with the service that asked.
                if settings.arrival != nil { drop.remark = ArrivalAnswer.remark(nil) }
                try await ledger.enqueue(drop)
                log.notice("taken", metadata: ["job": "\(id)", "code": "RECOVERED"])
                return
            }
            // Nothing, or a copy that was not finished, whose original is removed only once it is: anything else stays.
            let content = try Folder.list(paths.folder(id)).map(\.name)
            if content.allSatisfy({ $0 == ".partial-input" }) {
                try Folder.remove(paths.folder(id))
            } else {
                log.error("a work folder belongs to no job", metadata: ["job": "\(id)", "code": "WORK-UNKNOWN"])
            }
        } catch let failure as StorageFailure {
            log.error("a work folder cannot be read", metadata: ["job": "\(id)", "code": "\(failure.code)"])
        }
    }

    /// A job waits in the ledger and its input does not stand in `work`, as after a backup of the ledger was put back: it was
    /// finished before, or somebody has taken it away. Gives false when the whole folder `work` is away.
    func settleMissing(_ job: Job) async throws -> Bool {
        guard (try? FileStatus(of: paths.work, followingLinks: true))?.kind == .directory,
            !FileStatus.exists(paths.input(job.id))
        else {
            return false
        }
        let quarantine = Folder.join(paths.quarantine, job.id)
        if FileStatus.exists(quarantine) {
            try await ledger.move(
                job.id, from: job.state, to: .quarantined, reason: JobReason(quarantined: quarantine))
        } else if try paths.standingInput(of: job.id) != nil {
            try await ledger.move(
                job.id, from: job.state, to: .done,
                reason: JobReason(
                    .duplicate, code: "FINISHED-BEFORE",
                    text: "its input stands in kept/: it was finished before the ledger was put back."))
        } else {
            try await ledger.move(
                job.id, from: job.state, to: .quarantined,
                reason: JobReason(
                    .failed, code: "INPUT-GONE",
                    text:
                        "its input is neither in work/ nor in kept/: somebody has taken it away. Drop the study again."
                ))
        }
        log.error("a job has no input", metadata: ["job": "\(job.id)", "code": "INPUT-GONE"])
        if let job = try await ledger.job(job.id) { try await tidy(job) }
        try await writeIndex()
        return true
    }
}

extension JobReason {
    /// What `reason.json` says of a folder in the quarantine.
    init(quarantined folder: String) {
        let file = Folder.join(folder, ReasonRecord.fileName)
        let record = try? ReasonRecord(json: DurableFile.read(file, limit: 1 << 20))
        self.init(
            record.flatMap { Class(rawValue: $0.kind) } ?? .failed, code: record?.code ?? "UNKNOWN",
            text: record?.text ?? "its reason.json cannot be read.")
    }
}
