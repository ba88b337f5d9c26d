internal import Failures
internal import Foundation
internal import Processes
internal import Logging
internal import Storage

// The queue: attempts, what they come to, and the end of each job.

extension WatchService {
    /// Works until asked to stop, or until `drained` holds and no job waits.
    func work(drained: () -> Bool) async throws {
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
                .refused, code: "DROP-KIND",
                text: "the drop holds a \(odd.rawValue): such things are never followed or read. Drop regular files.")
            try await finish(job, n, nil, .quarantine(reason))
            return nil
        }
        let ending: Worker.Ending
        do {
            ending = try await worker.run(job, attempt: n) { pid in
                try await self.ledger.started(job.id, attempt: n, pid: pid)
            }
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
        func end(_ outcome: String, counts: Bool, to state: Job.State, _ reason: Reason?, notBefore: Int64? = nil)
            async throws
        {
            try await ledger.end(
                job.id, attempt: n, ending, outcome: outcome, counts: counts, to: state, reason: reason,
                notBefore: notBefore)
            log.notice(
                "\(state.rawValue)",
                metadata: [
                    "job": "\(job.id)", "attempt": "\(n)", "code": "\(reason?.code ?? "")",
                    "seconds": "\(ending?.seconds ?? 0)",
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
            try await end(
                "failed", counts: true, to: .retry, reason, notBefore: Moment.now + wait(after: job.attempts + 1))
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
    func publish(_ job: Job) async throws -> Bool {
        do {
            let all = try await publication.publish(job)
            var fresh: [PublishedResult] = []
            for result in all where try await !ledger.isPublished(key: result.key) { fresh.append(result) }
            let places = all.map { "outbox/\($0.path)" }.joined(separator: ", ")
            let known = Reason(
                .duplicate, code: "DUPLICATE",
                text: "published before under the same pipelines; that result stands: \(places).")
            try await ledger.publish(job.id, fresh, reason: fresh.isEmpty ? known : nil)
            log.notice(
                "published", metadata: ["job": "\(job.id)", "code": "\(fresh.isEmpty ? known.code : "PUBLISHED")"])
            try await ledger.remember("paused", "")
        } catch DaemonFailure.noRunRecord {
            // The work is lost, the input is not.
            try await ledger.move(job.id, from: .publishing, to: .queued)
        } catch let failure as DaemonFailure where failure.code == "PUB-CONFLICT" {
            log.error("a result cannot be published", metadata: ["job": "\(job.id)", "code": "\(failure.code)"])
            try await ledger.move(
                job.id, from: .publishing, to: .quarantined,
                reason: Reason(.failed, code: failure.code, text: failure.text))
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
    func tidy(_ job: Job) async throws {
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
            try await publication.quarantine(
                job, reason ?? Reason(.failed, code: "UNKNOWN", text: "the ledger holds no reason."))
        case .queued, .running, .retry, .publishing: break
        }
    }

    /// The page is made from the ledger: one that cannot be written now is written after the next change.
    func writeIndex() async throws {
        let overview = try await ledger.overview()
        do { try await publication.writeIndex(overview) } catch {
            log.error("the index cannot be written", metadata: ["code": "\(error.code)"])
        }
    }
}
