internal import Foundation
internal import Failures
package import Logging
internal import Storage

/// The unattended service: looks, takes, works, publishes, until it is asked to stop or, as a batch, until all is done.
///
/// Two loops side by side: one looks into the inbox, one works through the queue. A failure of the ledger or of a place ends
/// the service; its next start reads what is true and goes on from there.
package final class WatchService: Sendable {
    private let settings: ServiceSettings
    private let places: Places
    private let log: Logger
    private let ledger: Ledger
    private let inbox: Inbox
    private let worker: Worker
    private let publication: Publication
    private let stop: StopRequest
    private let locks: [FileLock]

    /// Takes the locks, opens the ledger and settles what an earlier service left.
    ///
    /// *Throws* `DaemonFailure.locked` when another service works here, and what keeps a service from starting.
    package init(_ settings: ServiceSettings, log: Logger, stop: StopRequest) async throws {
        self.settings = settings
        self.log = log
        self.stop = stop
        places = Places(settings)
        guard (try? FileStatus(of: settings.pipelines, followingLinks: true))?.kind == .directory else {
            throw DaemonFailure.noPipelines(path: settings.pipelines)
        }
        try places.prepare()
        locks = [try await Self.lock(places.lock), try await Self.lock(places.inboxLock)]
        ledger = try Ledger(path: places.ledger)
        inbox = Inbox(places: places, quiet: settings.quiet)
        worker = Worker(settings: settings, places: places)
        publication = Publication(places: places, version: settings.version)
        log.notice("started", metadata: ["code": "START"])
        try await ledger.remember("started", "\(Moment.now)")
        try await ledger.remember("paused", "")
        try await recover()
        try await writeIndex()
    }

    /// Tried for a second: `status` holds the lock for an instant when it looks.
    private static func lock(_ path: String) async throws -> FileLock {
        let owner = "process \(ProcessInfo.processInfo.processIdentifier) on \(ProcessInfo.processInfo.hostName), since \(Moment.text(Moment.now))"
        for _ in 0..<10 {
            if let lock = try FileLock(path, owner: owner) { return lock }
            try await Task.sleep(for: .milliseconds(100))
        }
        throw DaemonFailure.locked(path: path, owner: FileLock.owner(path) ?? "unknown")
    }

    // MARK: ways to run

    /// Until asked to stop.
    package func watch() async throws {
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await self.look() }
            group.addTask { try await self.work { false } }
            group.addTask { await self.stopWorker() }
            // The first loop that throws ends the others.
            do { try await group.waitForAll() } catch {
                stop.ask()
                group.cancelAll()
                throw error
            }
        }
        log.notice("stopped", metadata: ["code": "STOP"])
    }

    /// Takes every drop that is there now, once it has settled, works until nothing waits, and gives what a person needs to know.
    ///
    /// A drop that does not settle within ten times the quiet time is left for the next batch.
    package func batch() async throws -> BatchOutcome {
        let id = Identifier.make()
        let begun = Moment.now
        try await ledger.beginBatch(id)
        let taken = Flag()
        let worked = Flag()
        let unsettled = try await withThrowingTaskGroup(of: Int.self) { group in
            group.addTask {
                defer { taken.raise() }
                return try await self.takeAll()
            }
            group.addTask {
                defer { worked.raise() }
                try await self.work { taken.isRaised }
                return 0
            }
            group.addTask {
                await self.stopWorker { worked.isRaised }
                return 0
            }
            do { return try await group.reduce(0, +) } catch {
                stop.ask()
                group.cancelAll()
                throw error
            }
        }
        let overview = try await ledger.overview()
        let outcome = try await ledger.outcome(since: begun, unsettled: unsettled, paused: overview.paused)
        try await ledger.endBatch(id, counts: outcome.json)
        try await writeIndex()
        log.notice("batch done", metadata: ["code": "BATCH"])
        return outcome
    }

    // MARK: the inbox

    private func look() async throws {
        while !stop.isAsked {
            _ = try await lookOnce()
            try await pause(settings.scan)
        }
    }

    /// One look, and the drops that have settled taken. Gives how many still settle or wait for room.
    private func lookOnce() async throws -> Int {
        let sight: Inbox.Sight
        do { sight = try await inbox.scan() } catch {
            // A network share that is away comes back; the queue goes on meanwhile.
            if try await ledger.remember("full", "the inbox cannot be listed (\(error.code))") {
                log.error("the inbox cannot be listed", metadata: ["code": "\(error.code)"])
                try await writeIndex()
            }
            return 1
        }
        var waiting = sight.settling + sight.unreadable
        var changed = false
        let full = try !sight.settled.isEmpty && Folder.freeBytes(settings.spool) < settings.reserve
        for name in sight.settled where !stop.isAsked {
            if full {
                waiting += 1
                continue
            }
            do {
                // A copy of it is in the queue already; only the original could not be removed then.
                if let id = Inbox.claimedIdentifier(name), try await ledger.job(id) != nil {
                    await inbox.discard(name)
                    continue
                }
                guard let drop = try await inbox.take(name) else {
                    waiting += 1
                    continue
                }
                try await ledger.enqueue(drop)
                log.notice("taken", metadata: ["job": "\(drop.id)", "bytes": "\(drop.bytes)", "code": "TAKEN"])
                changed = true
            } catch let failure as StorageFailure {
                // One drop that cannot be moved stops nothing else; it stays where it is.
                log.error("a drop cannot be taken", metadata: ["code": "\(failure.code)"])
                waiting += 1
            }
        }
        let facts = [
            ("settling", "\(sight.settling)"), ("unreadable", "\(sight.unreadable)"),
            // A person who has dealt with a quarantined drop removes its folder: the page then forgets it.
            ("quarantine", "\(try Folder.list(places.quarantine).count)"),
            ("full", full ? "less than the reserve is free on the spool's disk: nothing is claimed" : ""),
        ]
        for (key, value) in facts where try await ledger.remember(key, value) { changed = true }
        if changed { try await writeIndex() }
        return waiting
    }

    private func takeAll() async throws -> Int {
        // However short the quiet time: several looks, on a slow disk too.
        let deadline = ContinuousClock.now + max(settings.quiet * 10 + settings.scan * 3, .seconds(10))
        while true {
            let waiting = try await lookOnce()
            if waiting == 0 || stop.isAsked || ContinuousClock.now >= deadline { return waiting }
            try await pause(min(settings.scan, .seconds(1)))
        }
    }

    // MARK: the queue

    /// Works until asked to stop, or until `drained` holds and no job waits.
    private func work(drained: () -> Bool) async throws {
        while !stop.isAsked {
            // Asked before the queue is looked at: what was taken last is seen by the look that follows.
            let last = drained()
            if let job = try await ledger.jobs([.publishing]).first {
                if try await !publish(job) {
                    if last { return }
                    try await pause(settings.pause)
                }
            } else if let job = try await ledger.nextDue(longestWait: settings.backoff.last ?? .zero) {
                if let reason = try await attempt(job) {
                    try await rest(reason)
                    if last { return }
                }
            } else if last, try await ledger.jobs([.retry, .queued]).isEmpty {
                return
            } else {
                try await pause(min(settings.scan, .milliseconds(500)))
            }
        }
    }

    /// Nobody's fault, and everybody's trouble: the queue rests, and says why.
    private func rest(_ reason: String) async throws {
        log.error("the queue rests: \(reason)", metadata: ["code": "PAUSED"])
        try await ledger.remember("paused", reason)
        try await writeIndex()
        try await pause(settings.pause)
    }

    /// One attempt of a job. Gives a text when the whole queue should rest.
    private func attempt(_ job: Job) async throws -> String? {
        let n = try await ledger.start(job, host: ProcessInfo.processInfo.hostName)
        log.info("attempt", metadata: ["job": "\(job.id)", "attempt": "\(n)"])
        if let odd = try? Fingerprint(of: places.input(job.id)).odd {
            let reason = Reason(
                .refused, code: "DROP-KIND", text: "the drop holds a \(odd.rawValue): such things are never followed or read. Drop regular files.")
            try await finish(job, n, nil, .quarantine(reason))
            return nil
        }
        let ending: Worker.Ending
        do {
            ending = try await worker.run(job, attempt: n) { pid in try await self.ledger.started(job.id, attempt: n, pid: pid) }
        } catch DaemonFailure.workerNotStarted {
            try await finish(job, n, nil, .again(pause: nil))
            return "no worker can be started"
        }
        // The log is a help, not a result: a full disk must not cost the job its verdict.
        try? DurableFile.write(ending.log, to: places.log(job.id), mode: 0o640)
        let summary = RunSummary(output: places.output(job.id, attempt: n))
        var verdict = Verdict(ending, summary, last: job.attempts + 1 >= settings.attempts)
        if case .retry(let reason) = verdict, job.attempts + 1 >= settings.attempts { verdict = .quarantine(reason) }
        if case .retry = verdict, try Folder.freeBytes(settings.spool) < settings.reserve / 2 {
            verdict = .again(pause: "less than half of the reserve is free on the spool's disk")
        }
        try await finish(job, n, ending, verdict)
        if case .again(let pause) = verdict { return pause }
        return nil
    }

    /// Writes what an attempt came to, then moves files accordingly.
    private func finish(_ job: Job, _ n: Int, _ ending: Worker.Ending?, _ verdict: Verdict) async throws {
        func end(_ outcome: String, counts: Bool, to state: Job.State, _ reason: Reason?, notBefore: Int64? = nil) async throws {
            try await ledger.end(
                job.id, attempt: n, ending, outcome: outcome, counts: counts, to: state, reason: reason, notBefore: notBefore)
            log.notice(
                "\(state.rawValue)",
                metadata: [
                    "job": "\(job.id)", "attempt": "\(n)", "code": "\(reason?.code ?? "")", "seconds": "\(ending?.seconds ?? 0)",
                ])
        }
        switch verdict {
        case .publish(let reason):
            try await end("processed", counts: true, to: .publishing, reason)
            if let job = try await ledger.job(job.id) { _ = try await publish(job) }
        case .unwanted(let reason):
            try await end("skipped", counts: true, to: .done, reason)
        case .quarantine(let reason):
            try await end(reason.kind.rawValue, counts: true, to: .quarantined, reason)
        case .retry(let reason):
            try await end("failed", counts: true, to: .retry, reason, notBefore: Moment.now + wait(after: job.attempts + 1))
        case .again:
            try await end(ending?.stopped == true ? "stopped" : "not counted", counts: false, to: .queued, nil)
        }
        if let job = try await ledger.job(job.id) { try await tidy(job) }
        if case .again = verdict {} else { try await ledger.remember("paused", "") }
        try await writeIndex()
    }

    /// Milliseconds until the attempt after the `n`th, ± 20 % so that jobs which failed together do not return together.
    private func wait(after n: Int) -> Int64 {
        let base = settings.backoff.isEmpty ? .zero : settings.backoff[min(n, settings.backoff.count) - 1]
        return Int64(Double(base.milliseconds) * Double.random(in: 0.8...1.2))
    }

    // MARK: the end of a job

    /// Results into the outbox, then into the ledger. False when that must be tried again later.
    private func publish(_ job: Job) async throws -> Bool {
        do {
            let all = try await publication.publish(job)
            var fresh: [PublishedResult] = []
            for result in all where try await !ledger.isPublished(key: result.key) { fresh.append(result) }
            let known =
                fresh.isEmpty
                ? Reason(.duplicate, code: "DUPLICATE", text: "the same study was published before under the same pipelines; that result stands.")
                : nil
            try await ledger.publish(job.id, fresh, reason: known)
            log.notice("published", metadata: ["job": "\(job.id)", "code": "\(known?.code ?? "PUBLISHED")"])
            try await ledger.remember("paused", "")
        } catch DaemonFailure.noRunRecord {
            // The work is lost, the input is not.
            try await ledger.move(job.id, from: .publishing, to: .queued)
        } catch let failure as DaemonFailure where failure.kind == .failed {
            log.error("a result cannot be published", metadata: ["job": "\(job.id)", "code": "\(failure.code)"])
            try await ledger.move(
                job.id, from: .publishing, to: .quarantined, reason: Reason(.failed, code: failure.code, text: failure.text))
        } catch let failure as StorageFailure {
            log.error("publishing waits", metadata: ["job": "\(job.id)", "code": "\(failure.code)"])
            try await ledger.remember("paused", "a result cannot be moved to the outbox: \(failure.code)")
            return false
        }
        if let job = try await ledger.job(job.id) { try await tidy(job) }
        try await writeIndex()
        return true
    }

    /// Moves the input of a finished job to where it stays. What cannot be moved now is moved at the next start.
    private func tidy(_ job: Job) async throws {
        do { try await move(job) } catch let failure as StorageFailure {
            log.error("an input cannot be moved aside", metadata: ["job": "\(job.id)", "code": "\(failure.code)"])
        }
    }

    private func move(_ job: Job) async throws {
        switch job.state {
        case .published:
            try await publication.keep(job)
            try await ledger.move(job.id, from: .published, to: .done)
        case .done:
            try await publication.keep(job)
        case .quarantined:
            let reason = try await ledger.reason(job.id)
            try await publication.quarantine(job, reason ?? Reason(.failed, code: "UNKNOWN", text: "the ledger holds no reason."))
        case .queued, .running, .retry, .publishing: break
        }
    }

    /// The page is made from the ledger: one that cannot be written now is written after the next change.
    private func writeIndex() async throws {
        let overview = try await ledger.overview()
        do { try await publication.writeIndex(overview) } catch {
            log.error("the index cannot be written", metadata: ["code": "\(error.code)"])
        }
    }

    // MARK: after a crash

    private func recover() async throws {
        for open in try await ledger.openAttempts() {
            if let pid = open.pid { try await worker.endLeftover(job: open.job, attempt: open.n, pid: pid) }
            if try await ledger.job(open.job)?.state == .running {
                // The service died, not the job: tried again, not counted.
                try await ledger.end(open.job, attempt: open.n, nil, outcome: "lost", counts: false, to: .queued, reason: nil)
            }
        }
        // A page that was being written when the service died.
        for entry in try Folder.list(places.outbox) where entry.name.hasPrefix(".index.html.tmp-") {
            try Folder.remove(Folder.join(places.outbox, entry.name))
        }
        for job in try await ledger.jobs([.publishing]) { _ = try await publish(job) }
        for job in try await ledger.jobs([.published]) { try await tidy(job) }
        for entry in try Folder.list(places.work) where Identifier.isOne(entry.name) {
            if let job = try await ledger.job(entry.name) {
                try await tidy(job)
            } else if FileStatus.exists(places.input(entry.name)), let print = try? Fingerprint(of: places.input(entry.name)), print.files > 0 {
                // Taken, and not yet in the ledger.
                try await ledger.enqueue(
                    TakenDrop(
                        id: entry.name, kind: .directory, firstSeen: Moment.now, files: print.files, bytes: print.bytes,
                        fingerprint: print.digest, odd: print.odd))
            } else {
                try Folder.remove(places.room(entry.name))
            }
        }
    }

    // MARK: waiting

    /// In small steps, so that a request to stop is seen at once.
    private func pause(_ duration: Duration) async throws {
        let deadline = ContinuousClock.now + duration
        while !stop.isAsked, ContinuousClock.now < deadline {
            try await Task.sleep(for: min(.milliseconds(100), deadline - .now))
        }
    }

    /// Ends the worker once a stop is asked for: gently at first.
    private func stopWorker(done: () -> Bool = { false }) async {
        while !stop.isAsked {
            if done() { return }
            try? await Task.sleep(for: .milliseconds(100))
        }
        let deadline = ContinuousClock.now + settings.stopGrace
        // Short waits, as a second request makes it urgent.
        while !stop.isUrgent, ContinuousClock.now < deadline, await worker.isBusy { try? await Task.sleep(for: .milliseconds(100)) }
        await worker.stop()
    }
}
