internal import Failures
internal import Foundation
internal import Logging
internal import Processes
internal import Records
internal import Storage
internal import Synchronization

// The queue: which job is next, attempts, and what they come to.

extension WatchService {
    /// Works until asked to stop, or until `drained` holds and no job waits.
    ///
    /// A job that cannot go on for a cause that is not its own waits by itself, and the next one is tried. Only when two in a row
    /// cannot, or no other is there, the cause is everybody's, and the queue rests.
    func work(drained: () -> Bool) async throws {
        try await ledger.remember(ClusterState.fact, "")
        if settings.cluster != nil { return try await workOnCluster(drained: drained) }
        var stuck: Set<String> = []
        while !stop.isAsked {
            heartbeat.beat(.queue)
            // Asked before the queue is looked at: what was taken last is seen by the look that follows.
            let last = drained()
            if try await ledger.fact("held") != nil {
                if last { return }
                try await pause(.milliseconds(500), .queue)
            } else if let job = try await nextDue() {
                if let cause = try await proveInstallation() {
                    try await rest(cause)
                    if last { return }
                    continue
                }
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
                try await pause(min(settings.scan, .milliseconds(500)), .queue)
            }
        }
    }

    /// Before a night's work: why none may begin, when a phantom does not come out right.
    func proveInstallation() async throws -> JobReason? {
        let test = SelfTest(settings)
        guard try await test.isDue(ledger.fact("self-test")) else { return nil }
        let cause = try await test.run(stop) { [heartbeat] in heartbeat.beat(.queue) }
        if stop.isAsked { return cause }
        try await ledger.remember("self-test", cause == nil ? test.mark() : "")
        let code = cause?.code ?? "SELF-TEST-OK"
        cause == nil
            ? log.notice("proven", metadata: ["code": "\(code)"])
            : log.error("not proven", metadata: ["code": "\(code)"])
        return cause
    }

    private func nextDue() async throws -> Job? {
        if let job = try await ledger.nextDue([.publishing], longestWait: longestWait) { return job }
        return try await ledger.nextDue([.queued, .retry], longestWait: longestWait)
    }

    /// No job waits longer before it may go on.
    var longestWait: Duration { max(settings.longestBackoff, settings.gapWait) }

    /// One step of a job. Gives a reason when something that is not its own keeps it from going on.
    func advance(_ job: Job) async throws -> JobReason? {
        shared.withLock { $0.current = [job.id] }
        defer { shared.withLock { $0.current = [] } }
        if job.state == .publishing { return try await publish(job) }
        return try await attempt(job)
    }

    /// Nobody's fault, and everybody's trouble: the queue rests, and says why.
    private func rest(_ cause: JobReason) async throws {
        try await announceRest(cause)
        try await pause(settings.pause, .queue)
    }

    func announceRest(_ cause: JobReason) async throws {
        log.error("the queue rests", metadata: ["code": "\(cause.code)"])
        try await ledger.remember("paused", "\(cause.code): \(cause.text)")
        try await writeIndex()
    }

    /// What becomes of a job that is next.
    enum Preparation {
        case ready(WorkOrder)
        /// It went elsewhere, or waits: then why.
        case settled(JobReason?)
    }

    /// Looks at a job's input and makes room for its next attempt. A job without an input, or with one that is never worked on, is
    /// settled here.
    func prepare(_ job: Job) async throws -> Preparation {
        func settle(_ verdict: Verdict) async throws -> Preparation {
            let n = try await ledger.start(job, host: ProcessInfo.processInfo.hostName)
            return .settled(try await finish(job, n, nil, verdict))
        }
        do {
            let print = try Fingerprint(of: paths.input(job.id), changeTimes: true)
            if let odd = print.odd {
                let text =
                    "the drop holds a \(odd.rawValue): such things are never followed or read. Drop regular files."
                return try await settle(.quarantine(JobReason(.refused, code: "DROP-KIND", text: text)))
            }
            // Nobody asks whether all of it is there once it was taken: what is worked on later is what is left.
            var (dropped, left) = (job.files, min(job.files, print.files))
            let joined = try job.joined.compactMap { id in try paths.standingInput(of: id).map { (id: id, input: $0) } }
            guard joined.count == job.joined.count else {
                // Removed since: what was left undone of those jobs is not dealt with by this one.
                try await ledger.join(joined.map(\.id), to: job.id)
                return .settled(nil)
            }
            for (id, input) in joined {
                guard let files = try await ledger.job(id)?.files else { continue }
                dropped += files
                left += min(files, try Fingerprint(of: input).files)
            }
            if left < dropped, job.remark == nil {
                let text =
                    "\(dropped - left) of the \(dropped) files that were dropped\(joined.isEmpty ? "" : ", in its earlier drops too,") are not in its input any more: somebody has removed them. Drop the study again."
                try await ledger.remark(job.id, JobReason(.partial, code: "INPUT-FEWER", text: text))
                log.error("an input lacks files", metadata: ["job": "\(job.id)", "code": "INPUT-FEWER"])
                return .settled(nil)
            }
            try paths.removeOutputs(job.id)
            // Somebody who tidied up; no worker starts without it.
            if !FileStatus.exists(paths.knownResults) { try await known.write(ledger.knownKeys()) }
            return .ready(
                WorkOrder(
                    job, attempt: job.lastAttempt + 1, joined: joined.map(\.input), fingerprint: print, paths: paths,
                    settings))
        } catch let failure as StorageFailure {
            if failure.systemError == .notFound, try await settleMissing(job) { return .settled(nil) }
            return try await settle(.requeue(Self.waiting(failure, "its input cannot be read.")))
        }
    }

    private func attempt(_ job: Job) async throws -> JobReason? {
        let order: WorkOrder
        switch try await prepare(job) {
        case .ready(let ready): order = ready
        case .settled(let cause): return cause
        }
        let n = try await ledger.start(job, host: ProcessInfo.processInfo.hostName)
        log.info("attempt", metadata: ["job": "\(job.id)", "attempt": "\(n)"])
        let ending: Worker.Ending
        do {
            ending = try await worker.run(order, each: { [heartbeat] in heartbeat.beat(.queue) }) { pid in
                try await self.ledger.started(job.id, attempt: n, pid: pid)
            }
        } catch let failure as DaemonFailure where failure == .workerNotStarted {
            let reason = JobReason(.waiting, code: failure.code, text: failure.message.withoutSubject)
            return try await finish(job, n, nil, .requeue(reason))
        }
        // The log is a help, not a result: a full disk must not cost the job its verdict.
        try? DurableFile.write(ending.log, to: paths.log(job.id), mode: 0o640)
        if shared.withLock({ $0.cancelled.remove(job.id) }) != nil {
            return try await finish(job, n, ending, .cancelled)
        }
        return try await finish(job, n, ending, verdict(job, n, ending, fingerprint: order.fingerprint))
    }

    /// What the attempt came to, all things considered.
    func verdict(
        _ job: Job, _ n: Int, _ ending: Worker.Ending, fingerprint: String
    ) async throws -> Verdict {
        let settings = settings
        var record: RunRecord?
        var isOtherVersion = false
        do { record = try RunRecord.read(output: paths.output(job.id, attempt: n)) } catch {
            if case RecordFailure.version = error { isOtherVersion = true }
        }
        if let record { try await ledger.note(record.images, of: job.id) }
        var last = job.attempts + 1 >= settings.attempts
        var verdict = Verdict(ending, record, last: last)
        // What other programs leave of the machine's memory changes; a limit of ours is the same in every attempt.
        if case .retry(let reason) = verdict, reason.code == Verdict.memory, settings.memory != nil {
            last = true
            verdict = Verdict(ending, record, last: last)
        }
        if case .stopped = verdict { return verdict }
        if isOtherVersion { return .requeue(Self.otherVersion) }
        // Somebody who had a file open could write to it all the while, and set its times back; not those of its inode.
        guard try Fingerprint(of: paths.input(job.id), changeTimes: true).digest == fingerprint else {
            return .requeue(
                JobReason(
                    .waiting, code: "IN-CHANGED",
                    text: "its input was changed while it was read. Nothing of that attempt is used."))
        }
        if case .retry(let reason) = verdict {
            if last { verdict = .quarantine(reason) }
            if let room = try? Folder.freeRoom(settings.spool),
                room.bytes < settings.reserve / 2 || room.files < settings.reserveFiles / 2
            {
                verdict = .requeue(
                    JobReason(
                        .waiting, code: "DISK-FULL", text: "less than half of the reserve is free on the spool's disk.")
                )
            }
        }
        guard let record else { return verdict }
        if !job.joined.isEmpty, let contradiction = contradiction(job, record) { return .separate(contradiction) }
        let lacking = lackingCode(job, record)
        let mayWait = !job.wasHeld && settings.gapWait > .zero && !shared.withLock { $0.isBatch }
        switch verdict {
        case .publish(let reason):
            let late = try await lateJobs(job, record, attempt: n, lacking: lacking != nil)
            if !late.isEmpty { return Self.joined(job.joined + late) }
            if record.lacksSlices || lacking != nil, mayWait { return .hold(Self.together(reason, job.remark)) }
            return .publish(Self.together(reason, job.remark))
        case .quarantine(let reason) where reason.kind == .refused:
            guard let lacking else { return verdict }
            let late = try await lateJobs(job, record, attempt: n, lacking: true)
            if !late.isEmpty { return Self.joined(job.joined + late) }
            guard mayWait, settings.lateWindow > .zero else { return verdict }
            return .wait(JobReason(.waiting, code: lacking, text: reason.text))
        case .unwanted:
            // Too few of them alone; those that came before may be the rest.
            let late = try await lateJobs(job, record, attempt: n, lacking: false)
            if !late.isEmpty { return Self.joined(late) }
            // What is missing may be why no pipeline wanted the rest.
            if let remark = job.remark {
                return .quarantine(JobReason(.refused, code: remark.code, text: remark.text))
            }
            return try contradicted(record).map(Verdict.quarantine) ?? verdict
        default: return verdict
        }
    }

    private static let otherVersion = JobReason(
        .waiting, code: "WORKER-VERSION",
        text:
            "the worker is of another version than the running service, as after an upgrade: systemctl restart hspsam. No attempt is counted."
    )

    /// What a person should know of a result, of its files and of its drop.
    private static func together(_ reason: JobReason?, _ remark: JobReason?) -> JobReason? {
        guard let reason, let remark else { return reason ?? remark }
        return JobReason(reason.kind, code: reason.code, text: "\(reason.text) \(remark.text)")
    }

    static func waiting(_ failure: StorageFailure, _ text: String) -> JobReason {
        JobReason(.waiting, code: failure.code, text: "\(text) \(failure.message.cure)")
    }

    /// Writes what an attempt came to, then moves files accordingly. Gives why it waits, if it does for no fault of its own.
    func finish(
        _ job: Job, _ n: Int, _ ending: Worker.Ending?, host: String? = nil, _ verdict: Verdict
    ) async throws -> JobReason? {
        let step: Ledger.Step
        var cause: JobReason?
        switch verdict {
        case .publish(let reason): step = .init("processed", to: .publishing, reason)
        case .hold(let reason):
            step = .init("held", to: .publishing, reason, notBefore: Moment.now + settings.gapWait.milliseconds)
            try await ledger.markHeld(job.id)
        case .wait(let reason):
            step = .init(
                "waits", to: .queued, reason, counts: false, notBefore: Moment.now + settings.gapWait.milliseconds)
            try await ledger.markHeld(job.id)
        case .join(let others):
            try await ledger.join(others, to: job.id)
            step = .init("joined", to: .queued, nil, counts: false)
        case .separate(let remark):
            try await ledger.separate(job.id, remark)
            step = .init("separated", to: .queued, nil, counts: false)
        case .unwanted(let reason): step = .init("skipped", to: .done, reason)
        case .quarantine(let reason): step = .init(reason.kind.rawValue, to: .quarantined, reason)
        case .cancelled: step = .init("cancelled", to: .cancelled, Self.cancelled, counts: false)
        case .retry(let reason):
            step = .init("failed", to: .retry, reason, notBefore: Moment.now + backoff(after: job.attempts + 1))
        case .requeue(let reason):
            step = .init(
                "returned", to: .queued, reason, counts: false, isReturn: true, notBefore: Moment.now + wait(job))
            cause = reason
        case .stopped: step = .init("stopped", to: .queued, nil, counts: false)
        }
        try await ledger.end(job.id, attempt: n, ending, host: host, step)
        log.notice(
            "\(step.state.rawValue)",
            metadata: [
                "job": "\(job.id)", "attempt": "\(n)", "code": "\(step.reason?.code ?? "")",
                "seconds": "\(ending?.seconds ?? 0)",
            ])
        if cause == nil { try await ledger.remember("paused", "") }
        if let job = try await ledger.job(job.id) {
            if case .hold = verdict {} else if job.state == .publishing { return try await publish(job) }
            try await tidy(job)
        }
        try await writeIndex()
        return cause
    }

    static let cancelled = JobReason(.cancelled, code: "CANCELLED", text: "a person ended it; its input is kept.")

    /// Milliseconds until the attempt after the `n`th, ± 20 % so that jobs which failed together do not return together.
    private func backoff(after n: Int) -> Int64 {
        let waits = settings.backoff
        guard !waits.isEmpty else { return 0 }
        return waits[min(max(n, 1), waits.count) - 1].milliseconds * Int64.random(in: 800...1200) / 1000
    }

    /// Milliseconds that a job waits by itself: twice as long each time, at most as long as the longest back-off.
    private func wait(_ job: Job) -> Int64 {
        min(settings.pause.milliseconds << Int64(min(job.returns, 12)), settings.longestBackoff.milliseconds)
    }

    // MARK: the end of a job

    /// Results into the outbox, then into the ledger. Gives why that must be tried again later, if it must.
    func publish(_ job: Job) async throws -> JobReason? {
        var isNew = false
        do {
            let published = try await publication.publish(job) { [heartbeat] in heartbeat.beat(.queue) }
            var fresh = published.results
            for result in published.stood where try await !ledger.isPublished(key: result.key) { fresh.append(result) }
            isNew = !fresh.isEmpty
            let reason = Self.reason(job, published, isNew: isNew)
            if let reason, reason.kind == .partial { try await publication.mark(fresh, asking: reason.code) }
            if let newest = fresh.last { try await noteNewest(newest.key) }
            try await ledger.publish(job.id, fresh, reason: reason)
            try await ledger.settleJoined(job)
            try await notePipelines(fresh)
            await known.append(fresh.filter(\.complete).map(\.key))
            log.notice("published", metadata: ["job": "\(job.id)", "code": "\(reason?.code ?? "PUBLISHED")"])
            try await ledger.remember("paused", "")
        } catch let missing as Publication.KnownResultsMissing {
            // Somebody changed or removed what the list of known results names: done anew, as if it were not known.
            try await ledger.markDamaged(missing.keys)
            try await known.write(ledger.knownKeys())
            try await ledger.move(job.id, from: .publishing, to: .queued, reason: nil)
        } catch let failure as RecordFailure {
            log.error("a worker's record cannot be read", metadata: ["job": "\(job.id)", "code": "\(failure.code)"])
            try await redo(job, failure)
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
        if isNew { try await retryLacking(job.joined) }
        if let job = try await ledger.job(job.id) { try await tidy(job) }
        try await writeIndex()
        return nil
    }

    /// The work is lost, the input is not: once more, unless it has come to that again and again.
    private func redo(_ job: Job, _ failure: RecordFailure) async throws {
        let text =
            "what its worker left cannot be read: it is of another version than the running service (systemctl restart hspsam), or its disk damages files."
        guard job.attempts < settings.lostAttempts else {
            return try await ledger.move(
                job.id, from: .publishing, to: .quarantined, reason: JobReason(.failed, code: failure.code, text: text))
        }
        try await ledger.move(job.id, from: .publishing, to: .queued, reason: nil)
        try await ledger.postpone(
            job.id, until: Moment.now + backoff(after: job.attempts),
            JobReason(.waiting, code: failure.code, text: text))
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
        let against = contradictions(published)
        if !against.isEmpty {
            let partial = job.reason.flatMap { $0.kind == .partial ? $0 : nil }
            // Whose images they are comes before anything else that there is to say of them.
            let code =
                !published.ofOthers.isEmpty
                ? "GRP-IDENTITY" : partial?.code ?? (published.contradicted.isEmpty ? "LATE-PARTS" : "DUP-CONFLICT")
            let said = [partial?.text].compactMap(\.self) + against
            return JobReason(.partial, code: code, text: said.joined(separator: " "))
        }
        let text = parts.joined(separator: " ")
        if let partial = job.reason, partial.kind == .partial {
            return text.isEmpty || isNew
                ? partial : JobReason(.partial, code: partial.code, text: "\(partial.text) The rest: \(text)")
        }
        if isNew { return nil }
        return JobReason(.duplicate, code: standing.isEmpty ? "COVERED" : "DUPLICATE", text: text)
    }

    /// How a job's results contradict older ones of their studies.
    private static func contradictions(_ published: Published) -> [String] {
        func older(_ paths: [String]) -> String { paths.map { "outbox/\($0)" }.joined(separator: ", ") }
        let cure = "both results stand. Find out which images are right; do not use the other result."
        var found: [String] = []
        if !published.contradicted.isEmpty {
            found.append(
                "its images have the SOP Instance UIDs of those of \(older(published.contradicted)) and other content: \(cure)"
            )
        }
        if !published.ofOthers.isEmpty {
            let keywords = published.differing.sorted().joined(separator: ", ")
            found.append(
                "its images say another \(keywords) than those of \(older(published.ofOthers)), whose study is the same: whose images they are is uncertain, and \(cure)"
            )
        }
        if !published.divided.isEmpty {
            found.append(
                "its slices are of a series of which \(older(published.divided)) holds others, which came too long before or are no longer here: each result measures a part of the volume. Drop the whole study; its result takes the place of both."
            )
        }
        return found
    }

    /// Moves the input of a finished job to where it stays. What cannot be moved now is moved later.
    func tidy(_ job: Job) async throws {
        do {
            switch job.state {
            case .published:
                try await publication.keep(job)
                try await ledger.move(job.id, from: .published, to: .done, reason: nil)
            case .done, .cancelled: try await publication.keep(job)
            case .quarantined: try await publication.quarantine(job)
            case .queued, .running, .retry, .publishing: break
            }
        } catch let failure as StorageFailure {
            log.error("an input cannot be moved aside", metadata: ["job": "\(job.id)", "code": "\(failure.code)"])
        }
    }
}
