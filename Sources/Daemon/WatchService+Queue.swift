internal import Failures
internal import Foundation
internal import Logging
internal import Processes
internal import Records
internal import Storage

// The queue: attempts, what they come to, and the end of each job.

extension WatchService {
    /// Works until asked to stop, or until `drained` holds and no job waits.
    ///
    /// A job that cannot go on for a cause that is not its own waits by itself, and the next one is tried. Only when two in a row
    /// cannot, or no other is there, the cause is everybody's, and the queue rests.
    func work(drained: () -> Bool) async throws {
        var stuck: Set<String> = []
        while !stop.isAsked {
            // Asked before the queue is looked at: what was taken last is seen by the look that follows.
            let last = drained()
            if let job = try await nextDue() {
                guard let cause = try await advance(job) else {
                    stuck = []
                    continue
                }
                stuck.insert(job.id)
                if stuck.count == 1, try await nextDue() != nil { continue }
                try await rest(cause)
                if last { return }
            } else if last, try await !ledger.hasWaiting() {
                return
            } else {
                try await pause(min(settings.scan, .milliseconds(500)))
            }
        }
    }

    private func nextDue() async throws -> Job? {
        let longest = settings.backoff.last ?? .zero
        if let job = try await ledger.nextDue([.publishing], longestWait: longest) { return job }
        return try await ledger.nextDue([.queued, .retry], longestWait: longest)
    }

    /// One step of a job. Gives a reason when something that is not its own keeps it from going on.
    private func advance(_ job: Job) async throws -> JobReason? {
        if job.state == .publishing { return try await publish(job) }
        return try await attempt(job)
    }

    /// Nobody's fault, and everybody's trouble: the queue rests, and says why.
    private func rest(_ cause: JobReason) async throws {
        log.error("the queue rests", metadata: ["code": "\(cause.code)"])
        try await ledger.remember("paused", "\(cause.code): \(cause.text)")
        try await writeIndex()
        try await pause(settings.pause)
    }

    private func attempt(_ job: Job) async throws -> JobReason? {
        let n = try await ledger.start(job, host: ProcessInfo.processInfo.hostName)
        log.info("attempt", metadata: ["job": "\(job.id)", "attempt": "\(n)"])
        let odd: FileStatus.Kind?
        do { odd = try Fingerprint(of: paths.input(job.id)).odd } catch {
            return try await finish(job, n, nil, .requeue(Self.waiting(error, "its input cannot be read.")))
        }
        if let odd {
            let text = "the drop holds a \(odd.rawValue): such things are never followed or read. Drop regular files."
            return try await finish(job, n, nil, .quarantine(JobReason(.refused, code: "DROP-KIND", text: text)))
        }
        let ending: Worker.Ending
        do {
            ending = try await worker.run(job, attempt: n) { pid in
                try await self.ledger.started(job.id, attempt: n, pid: pid)
            }
        } catch let failure as DaemonFailure where failure == .workerNotStarted {
            let reason = JobReason(.waiting, code: failure.code, text: failure.message.withoutSubject)
            return try await finish(job, n, nil, .requeue(reason))
        }
        // The log is a help, not a result: a full disk must not cost the job its verdict.
        try? DurableFile.write(ending.log, to: paths.log(job.id), mode: 0o640)
        let record = try? RunRecord.read(output: paths.output(job.id, attempt: n))
        let last = job.attempts + 1 >= settings.attempts
        var verdict = Verdict(ending, record, last: last)
        if case .retry(let reason) = verdict {
            if last { verdict = .quarantine(reason) }
            if let free = try? Folder.freeBytes(settings.spool), free < settings.reserve / 2 {
                verdict = .requeue(
                    JobReason(
                        .waiting, code: "DISK-FULL", text: "less than half of the reserve is free on the spool's disk.")
                )
            }
        }
        return try await finish(job, n, ending, verdict)
    }

    private static func waiting(_ failure: StorageFailure, _ text: String) -> JobReason {
        JobReason(.waiting, code: failure.code, text: "\(text) \(failure.message.cure)")
    }

    /// Writes what an attempt came to, then moves files accordingly. Gives why it waits, if it does for no fault of its own.
    private func finish(_ job: Job, _ n: Int, _ ending: Worker.Ending?, _ verdict: Verdict) async throws -> JobReason? {
        let step: Ledger.Step
        var cause: JobReason?
        switch verdict {
        case .publish(let reason): step = .init("processed", to: .publishing, reason)
        case .unwanted(let reason): step = .init("skipped", to: .done, reason)
        case .quarantine(let reason): step = .init(reason.kind.rawValue, to: .quarantined, reason)
        case .retry(let reason):
            step = .init("failed", to: .retry, reason, notBefore: Moment.now + backoff(after: job.attempts + 1))
        case .requeue(let reason):
            step = .init(
                "returned", to: .queued, reason, counts: false, isReturn: true, notBefore: Moment.now + wait(job))
            cause = reason
        case .stopped: step = .init("stopped", to: .queued, nil, counts: false)
        }
        try await ledger.end(job.id, attempt: n, ending, step)
        log.notice(
            "\(step.state.rawValue)",
            metadata: [
                "job": "\(job.id)", "attempt": "\(n)", "code": "\(step.reason?.code ?? "")",
                "seconds": "\(ending?.seconds ?? 0)",
            ])
        if cause == nil { try await ledger.remember("paused", "") }
        if let job = try await ledger.job(job.id) {
            if job.state == .publishing { return try await publish(job) }
            try await tidy(job)
        }
        try await writeIndex()
        return cause
    }

    /// Milliseconds until the attempt after the `n`th, ± 20 % so that jobs which failed together do not return together.
    private func backoff(after n: Int) -> Int64 {
        guard !settings.backoff.isEmpty else { return 0 }
        return settings.backoff[min(n, settings.backoff.count) - 1].milliseconds * Int64.random(in: 800...1200) / 1000
    }

    /// Milliseconds that a job waits by itself: twice as long each time, at most as long as the longest back-off.
    private func wait(_ job: Job) -> Int64 {
        let longest = max(settings.backoff.last ?? settings.pause, settings.pause).milliseconds
        return min(settings.pause.milliseconds << Int64(min(job.returns, 12)), longest)
    }

    // MARK: the end of a job

    /// Results into the outbox, then into the ledger. Gives why that must be tried again later, if it must.
    func publish(_ job: Job) async throws -> JobReason? {
        do {
            let published = try await publication.publish(job)
            var fresh = published.results
            for result in published.stood where try await !ledger.isPublished(key: result.key) { fresh.append(result) }
            let reason = Self.reason(job, published, isNew: !fresh.isEmpty)
            try await ledger.publish(job.id, fresh, reason: reason)
            await known.append(fresh.filter(\.complete).map(\.key))
            log.notice("published", metadata: ["job": "\(job.id)", "code": "\(reason?.code ?? "PUBLISHED")"])
            try await ledger.remember("paused", "")
        } catch let missing as Publication.KnownResultsMissing {
            // Somebody changed or removed what the list of known results names: done anew, as if it were not known.
            try await ledger.markDamaged(missing.keys)
            try await known.write(ledger.knownKeys())
            try await ledger.move(job.id, from: .publishing, to: .queued, reason: nil)
        } catch let failure as RecordFailure {
            // The work is lost, the input is not.
            log.error("a worker's record cannot be read", metadata: ["job": "\(job.id)", "code": "\(failure.code)"])
            try await ledger.move(job.id, from: .publishing, to: .queued, reason: nil)
        } catch let failure as DaemonFailure where failure.code == "PUB-CONFLICT" {
            log.error("a result cannot be published", metadata: ["job": "\(job.id)", "code": "\(failure.code)"])
            try await ledger.move(
                job.id, from: .publishing, to: .quarantined,
                reason: JobReason(.failed, code: failure.code, text: failure.message.withoutSubject))
        } catch let failure as StorageFailure {
            let reason = Self.waiting(failure, "a result cannot be moved to the outbox.")
            log.error("publishing waits", metadata: ["job": "\(job.id)", "code": "\(failure.code)"])
            try await ledger.postpone(job.id, until: Moment.now + wait(job), reason)
            return reason
        }
        if let job = try await ledger.job(job.id) { try await tidy(job) }
        try await writeIndex()
        return nil
    }

    /// What a person learns of a published job. That something of a drop was refused is never hidden by the rest being known.
    private static func reason(_ job: Job, _ published: Published, isNew: Bool) -> JobReason? {
        let standing = published.stood.map { "outbox/\($0.path)" }
        let covering = published.coveredBy.map { "outbox/\($0)" }
        var parts: [String] = []
        if !standing.isEmpty {
            parts.append(
                "published before under the same pipelines; that result stands: \(standing.joined(separator: ", ")).")
        }
        if !covering.isEmpty {
            parts.append("a result of more images of the study stands: \(covering.joined(separator: ", ")).")
        }
        let text = parts.joined(separator: " ")
        if let partial = job.reason, partial.kind == .partial {
            return text.isEmpty || isNew
                ? partial : JobReason(.partial, code: partial.code, text: "\(partial.text) The rest: \(text)")
        }
        if isNew { return nil }
        return JobReason(.duplicate, code: standing.isEmpty ? "COVERED" : "DUPLICATE", text: text)
    }

    /// Moves the input of a finished job to where it stays. What cannot be moved now is moved at the next start.
    func tidy(_ job: Job) async throws {
        do {
            switch job.state {
            case .published:
                try await publication.keep(job)
                try await ledger.move(job.id, from: .published, to: .done, reason: nil)
            case .done: try await publication.keep(job)
            case .quarantined: try await publication.quarantine(job)
            case .queued, .running, .retry, .publishing: break
            }
        } catch let failure as StorageFailure {
            log.error("an input cannot be moved aside", metadata: ["job": "\(job.id)", "code": "\(failure.code)"])
        }
    }
}
