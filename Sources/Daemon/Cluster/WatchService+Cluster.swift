internal import Failures
internal import Logging
internal import Processes
internal import Records
internal import Storage
internal import Synchronization

// The queue on a cluster: jobs go out as tasks of job arrays, and come back by the ends that nodes write. This process alone touches
// ledger, inbox and outbox. It may die at any time: the next one finds in the ledger what is under way.

extension WatchService {
    /// Jobs that are looked at for one array.
    private static let mostSubmitted = 4096

    /// Works until asked to stop, or until `drained` holds and nothing waits or is under way. Tasks that run go on without us.
    ///
    /// When two attempts in a row come back for a cause that is not their own, or Slurm takes nothing, nothing is submitted for a while.
    func workOnCluster(drained: () -> Bool) async throws {
        try await removeOldArrays()
        var fleet = Fleet(try await ledger.openAttempts())
        var asked: ContinuousClock.Instant?
        var stuck: String?
        var restsUntil = ContinuousClock.now
        while !stop.isAsked, let cluster = settings.cluster {
            heartbeat.beat(.queue)
            let last = drained()
            let slurm = Slurm(
                cluster: cluster, program: settings.program, threads: settings.threads,
                each: { [heartbeat] in heartbeat.beat(.queue) })
            try await giveUpCancelled(&fleet, slurm)
            var news = try await collect(&fleet)
            // Also when the last attempt has ended: nobody shall read of tasks that are gone.
            let isDue = asked.map { ContinuousClock.now - $0 >= cluster.poll } ?? true
            if isDue || fleet.isEmpty && !news.isEmpty {
                asked = .now
                news += try await look(&fleet, slurm, cluster)
            }
            let longest = max(settings.longestBackoff, settings.gapWait)
            while !stop.isAsked, let job = try await ledger.nextDue([.publishing], longestWait: longest) {
                news.append((job.id, try await publish(job)))
            }
            var cause: JobReason?
            for (job, reason) in news {
                if let reason, stuck != nil, stuck != job { cause = reason }
                stuck = reason == nil ? nil : job
            }
            let isHeld = try await ledger.fact("held") != nil
            if cause == nil, ContinuousClock.now >= restsUntil, !isHeld {
                cause = try await submit(&fleet, slurm, cluster)
            }
            if let cause {
                try await announceRest(cause)
                restsUntil = .now + settings.pause
            }
            let isResting = isHeld || ContinuousClock.now < restsUntil
            if last, try await isOver(fleet, cluster, isResting: isResting) { return }
            if news.isEmpty { try await pause(min(settings.scan, .milliseconds(500)), .queue) }
        }
    }

    /// Whether a batch has nothing left to do, or nothing that it can: what is under way then is the next one's.
    private func isOver(_ fleet: Fleet, _ cluster: ClusterSettings, isResting: Bool) async throws -> Bool {
        if fleet.isEmpty {
            if isResting { return true }
            return try await !ledger.hasWaiting()
        }
        guard let state = ClusterState(try await ledger.fact(ClusterState.fact)), state.running == 0,
            let trouble = state.trouble, let since = state.troubleSince,
            Moment.now - since > cluster.lostAfter.milliseconds
        else { return false }
        try await announceRest(JobReason(.waiting, code: "CLUSTER-WAITS", text: trouble))
        return true
    }

    /// Folders of arrays that the ledger knows nothing of: their service died before anything was submitted, or after all was done.
    private func removeOldArrays() async throws {
        let known = Set(try await ledger.openAttempts().compactMap(\.task?.array))
        do throws(StorageFailure) {
            for entry in try Folder.list(paths.arrays) where !known.contains(entry.name) {
                try Folder.remove(Folder.join(paths.arrays, entry.name))
            }
        } catch { log.error("an old array cannot be removed", metadata: ["code": "\(error.code)"]) }
    }

    private func array(_ id: String) -> TaskArray { TaskArray(folder: Folder.join(paths.arrays, id)) }

    // MARK: out

    /// Gives Slurm as many jobs as it has room for. Why it takes none, if it does not.
    private func submit(_ fleet: inout Fleet, _ slurm: Slurm, _ cluster: ClusterSettings) async throws -> JobReason? {
        // What no task is free for stays here, where it can be cancelled.
        let room = cluster.tasks - fleet.tasks.count
        guard room > 0 else { return nil }
        let longest = max(settings.longestBackoff, settings.gapWait)
        let due = try await ledger.due([.queued, .retry], limit: Self.mostSubmitted, longestWait: longest)
        guard !due.isEmpty else { return nil }
        if let cause = try await proveInstallation() { return cause }
        let pipelines: String
        do { pipelines = try pipelinesDigest() } catch {
            return Self.waiting(error, "the pipelines cannot be read.")
        }
        let packing = Packing(cluster, secondsPerFile: try await ledger.secondsPerFile())
        var tasks: [TaskArray.Task] = []
        var jobs: [(job: Job, task: Int, fingerprint: String)] = []
        for pack in packing.divided(due, room: room, files: \.files) {
            var orders: [WorkOrder] = []
            for job in pack {
                heartbeat.beat(.queue)
                guard case .ready(let order) = try await prepare(job) else { continue }
                orders.append(order)
                jobs.append((job, tasks.count, order.fingerprint))
            }
            if !orders.isEmpty {
                tasks.append(TaskArray.Task(version: settings.version, pipelinesDigest: pipelines, orders: orders))
            }
        }
        guard !tasks.isEmpty, !stop.isAsked else { return nil }
        let id = Identifier.make()
        do { try array(id).write(tasks, isa: cluster.isa) } catch let failure as StorageFailure {
            return Self.waiting(failure, "an array of tasks cannot be written.")
        }
        try await ledger.start(jobs, array: id)
        for (job, task, fingerprint) in jobs {
            fleet.add(
                job.id, job.lastAttempt + 1, ClusterTask(array: id, index: task, fingerprint: fingerprint))
        }
        let wall = tasks.map { $0.orders.reduce(.seconds(300)) { $0 + $1.wall + $1.killGrace } }.max() ?? .zero
        let submission = try await slurm.submit(array(id), name: id, tasks: tasks.count, wall: wall)
        log.notice(
            "submitted", metadata: ["code": "CLUSTER-SUBMIT", "jobs": "\(jobs.count)", "tasks": "\(tasks.count)"])
        guard case .refused(let text) = submission else {
            try await ledger.remember("paused", "")
            return nil
        }
        let reason = JobReason(.waiting, code: "CLUSTER-SUBMIT", text: "Slurm takes no task: \(text)")
        for attempt in fleet.attempts where attempt.task.array == id {
            if let job = try await ledger.job(attempt.job) {
                _ = try await finish(job, attempt.n, nil, .requeue(reason))
            }
            fleet.remove(attempt)
        }
        try? Folder.remove(array(id).folder)
        return reason
    }

    /// Of the folder of pipelines. *Cost*: reads all of it, after a change.
    private func pipelinesDigest() throws(StorageFailure) -> String {
        // Behind the last slash a link to the folder is followed.
        let print = try Fingerprint(of: Folder.join(settings.pipelines, "."), changeTimes: true).digest
        if let known = shared.withLock({ $0.pipelines }), known.fingerprint == print { return known.digest }
        let digest = try FileDigest(ofTree: settings.pipelines).hex
        shared.withLock { $0.pipelines = (print, digest) }
        return digest
    }

    // MARK: back

    /// What an attempt came to: a reason when it could not go on for a cause that is not its own.
    private typealias News = [(job: String, reason: JobReason?)]

    /// Takes the ends that nodes have written.
    private func collect(_ fleet: inout Fleet) async throws -> News {
        var news: News = []
        for id in fleet.arrays.sorted() where !stop.isAsked {
            do {
                let ended = try array(id).ended()
                for attempt in fleet.attempts where attempt.task.array == id {
                    guard ended.contains(TaskArray.name(job: attempt.job, attempt: attempt.n)) else { continue }
                    guard let end = try array(id).end(job: attempt.job, attempt: attempt.n) else { continue }
                    news.append((attempt.job, try await conclude(attempt, end)))
                    fleet.remove(attempt)
                }
                if !fleet.arrays.contains(id) { try Folder.remove(array(id).folder) }
            } catch let failure as StorageFailure {
                log.error("an end cannot be taken", metadata: ["code": "\(failure.code)"])
            }
        }
        return news
    }

    /// Brings an attempt's output to where the service looks for it, and judges it as if this machine had made it.
    private func conclude(_ attempt: Fleet.Attempt, _ end: AttemptEnd) async throws -> JobReason? {
        guard let job = try await ledger.job(attempt.job), job.state == .running, job.lastAttempt == attempt.n else {
            return nil
        }
        shared.withLock { $0.current = job.id }
        defer { shared.withLock { $0.current = nil } }
        let output = paths.output(job.id, attempt: attempt.n)
        // Moved by a service that died before it wrote so.
        if let name = end.output, !FileStatus.exists(output) {
            try Folder.rename(Folder.join(paths.folder(job.id), name), to: output)
            try Folder.sync(paths.folder(job.id))
        }
        try? DurableFile.write(end.ending.log, to: paths.log(job.id), mode: 0o640)
        if end.isCancelled {
            _ = shared.withLock { $0.cancelled.remove(job.id) }
            return try await finish(job, attempt.n, end.ending, .cancelled)
        }
        let node = end.node ?? ""
        if let obstacle = end.obstacle {
            return try await finish(job, attempt.n, end.ending, host: node, .requeue(obstacle.reason(node)))
        }
        if end.ending.stopped, end.ending.how == nil {
            // It had not begun when Slurm ended its task.
            return try await finish(job, attempt.n, nil, .stopped)
        }
        let verdict = try await verdict(job, attempt.n, end.ending, fingerprint: attempt.task.fingerprint)
        if case .stopped = verdict {
            try await giveBack(job, attempt.n, because: Self.endedBySlurm, host: node)
            return nil
        }
        return try await finish(job, attempt.n, end.ending, host: node, verdict)
    }

    /// What Slurm says of our tasks, and the attempts settled that it has lost.
    private func look(_ fleet: inout Fleet, _ slurm: Slurm, _ cluster: ClusterSettings) async throws -> News {
        let arrays = fleet.arrays
        let tasks = try await slurm.tasks()?.filter { arrays.contains($0.array) }
        let before = ClusterState(try await ledger.fact(ClusterState.fact))
        if let tasks { fleet.see(tasks) }
        let state = ClusterState(fleet, tasks, before: before)
        if state.trouble != before?.trouble, let trouble = state.trouble {
            log.error("\(trouble)", metadata: ["code": "CLUSTER-WAITS"])
        }
        if try await ledger.remember(ClusterState.fact, state.text) { try await writeIndex() }
        guard tasks != nil else { return [] }
        var news: News = []
        for attempt in fleet.lost(after: cluster.lostAfter) {
            do {
                news.append((attempt.job, try await settleLost(attempt)))
                fleet.remove(attempt)
            } catch let failure as StorageFailure {
                log.error("a lost attempt cannot be settled", metadata: ["code": "\(failure.code)"])
            }
        }
        return news
    }

    /// An attempt has no end, and its task is gone: its node died, or Slurm ended the task. A result that is whole is taken all the same.
    private func settleLost(_ attempt: Fleet.Attempt) async throws -> JobReason? {
        let array = array(attempt.task.array)
        if let end = try array.end(job: attempt.job, attempt: attempt.n) { return try await conclude(attempt, end) }
        let begun = "\(Folder.split(paths.output(attempt.job, attempt: attempt.n)).name)."
        let outputs = try Folder.list(paths.folder(attempt.job)).map(\.name).filter { $0.hasPrefix(begun) }
        // From now on nothing counts that a node writes of it.
        var end = AttemptEnd(ending: Worker.Ending(stopped: true, seconds: 0))
        for name in outputs {
            guard let record = try? RunRecord.read(output: Folder.join(paths.folder(attempt.job), name)) else {
                continue
            }
            end.output = name
            end.ending = Worker.Ending(how: .exited(record.exitStatus.rawValue), seconds: 0)
        }
        if FileStatus.exists(array.folder) {
            guard try array.record(end, job: attempt.job, attempt: attempt.n) else {
                return try await settleLost(attempt)
            }
        }
        if end.output != nil { return try await conclude(attempt, end) }
        guard let job = try await ledger.job(attempt.job), job.state == .running else { return nil }
        try? DurableFile.write(array.log(attempt.task.index), to: paths.log(job.id), mode: 0o640)
        guard outputs.isEmpty else {
            try await giveBack(job, attempt.n, because: Self.endedBySlurm)
            return nil
        }
        return try await finish(job, attempt.n, nil, .requeue(Self.neverBegun))
    }

    private static let endedBySlurm = "its task on the cluster ended"
    private static let neverBegun = JobReason(
        .waiting, code: "CLUSTER-LOST",
        text:
            "a task ended before it had begun. Do all nodes see the spool, as the same user? Look at slurmd.log of the node."
    )

    /// What a person has cancelled: its end is written before a node can write another, and a task with nothing left is ended.
    private func giveUpCancelled(_ fleet: inout Fleet, _ slurm: Slurm) async throws {
        let cancelled = shared.withLock { $0.cancelled }
        guard !cancelled.isEmpty else { return }
        var emptied: Set<Fleet.Key> = []
        for attempt in fleet.attempts where cancelled.contains(attempt.job) {
            do {
                let end = AttemptEnd(ending: Worker.Ending(seconds: 0), isCancelled: true)
                try array(attempt.task.array).record(end, job: attempt.job, attempt: attempt.n)
                if let end = try array(attempt.task.array).end(job: attempt.job, attempt: attempt.n) {
                    _ = try await conclude(attempt, end)
                }
                fleet.remove(attempt)
                emptied.insert(Fleet.Key(array: attempt.task.array, index: attempt.task.index))
            } catch let failure as StorageFailure {
                log.error("a job cannot be cancelled yet", metadata: ["code": "\(failure.code)"])
            }
        }
        emptied.subtract(fleet.tasks)
        guard !emptied.isEmpty, let tasks = try await slurm.tasks() else { return }
        try await slurm.cancel(tasks.filter { emptied.contains(Fleet.Key(array: $0.array, index: $0.index)) })
    }
}
