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

    /// What an attempt came to: a reason when it could not go on for a cause that is not its own.
    private typealias News = [(job: String, reason: JobReason?)]

    /// Works until asked to stop, or until `drained` holds and nothing waits or is under way. Tasks that run go on without us.
    ///
    /// When two jobs in a row could not go on for a cause that is not their own, or the only one, or when Slurm takes nothing, nothing is
    /// submitted for a while.
    func workOnCluster(drained: () -> Bool) async throws {
        var fleet = Fleet(try await ledger.openAttempts())
        removeArrays(except: fleet.arrays)
        var asked: ContinuousClock.Instant?
        var news: News = []
        var stuck: (job: String, reason: JobReason)?
        var told: ClusterState?
        var rest: (cause: JobReason, until: ContinuousClock.Instant)?
        while !stop.isAsked, let cluster = settings.cluster {
            heartbeat.beat(.queue)
            let last = drained()
            let slurm = Slurm(
                cluster: cluster, program: settings.program, threads: settings.threads,
                each: { [heartbeat] in heartbeat.beat(.queue) })
            let arrays = fleet.arrays
            news += try await collect(&fleet)
            let isDue = asked.map { ContinuousClock.now - $0 >= cluster.poll } ?? true
            // When the last attempt has ended nobody shall read of tasks that are gone.
            let isOutdated = fleet.isEmpty && told.map { $0.jobs > 0 } ?? false
            if isDue && (!fleet.isEmpty || !fleet.unwanted.isEmpty || told?.trouble != nil) || isOutdated {
                asked = .now
                let (state, lost) = try await look(&fleet, told, slurm, cluster)
                told = state
                news += lost
            }
            while !stop.isAsked, let job = try await ledger.nextDue([.publishing], longestWait: longestWait) {
                news.append((job.id, try await advance(job)))
            }
            if fleet.arrays != arrays { removeArrays(except: fleet.arrays) }
            var cause: JobReason?
            for (job, reason) in news {
                if let reason, let before = stuck, before.job != job { cause = cause ?? reason }
                stuck = reason.map { (job, $0) }
            }
            if cause == nil, let stuck, fleet.isEmpty, try await !hasDue() { cause = stuck.reason }
            let isIdle = news.isEmpty
            news = []
            if let until = rest?.until, until <= .now { rest = nil }
            let isHeld = try await ledger.fact("held") != nil
            if cause == nil, rest == nil, !isHeld {
                (cause, news) = try await submit(&fleet, slurm, cluster)
            }
            if let cause {
                stuck = nil
                try await announceRest(cause)
                rest = (cause, .now + settings.pause)
            } else if let rest, try await ledger.fact("paused") == nil {
                // A job that ended well has taken it for over.
                try await ledger.remember("paused", "\(rest.cause.code): \(rest.cause.text)")
            }
            if last, try await isOver(fleet, told, cluster, isResting: isHeld || rest != nil) { return }
            if isIdle, news.isEmpty { try await pause(min(settings.scan, .milliseconds(500)), .queue) }
        }
    }

    private func hasDue() async throws -> Bool {
        try await ledger.nextDue([.queued, .retry, .publishing], longestWait: longestWait) != nil
    }

    /// Whether a batch has nothing left to do, or nothing that it can: what is under way then is the next one's.
    private func isOver(
        _ fleet: Fleet, _ told: ClusterState?, _ cluster: ClusterSettings, isResting: Bool
    ) async throws -> Bool {
        if fleet.isEmpty {
            if isResting { return true }
            return try await !ledger.hasWaiting()
        }
        guard let told, let trouble = told.trouble, told.isStuck(for: cluster.lostAfter) else { return false }
        try await announceRest(JobReason(.waiting, code: "CLUSTER-WAITS", text: trouble))
        return true
    }

    private func array(_ id: String) -> TaskArray { TaskArray(folder: Folder.join(paths.arrays, id)) }

    /// Removes the folders of arrays of which nothing is under way: all has ended, or their service died before it submitted them. What
    /// a node writes into one that is gone is lost, and wanted by nobody.
    private func removeArrays(except ids: Set<String>) {
        do throws(StorageFailure) {
            for entry in try Folder.list(paths.arrays) where !ids.contains(entry.name) {
                try Folder.remove(Folder.join(paths.arrays, entry.name))
            }
        } catch { log.error("an old array cannot be removed", metadata: ["code": "\(error.code)"]) }
    }

    // MARK: out

    /// Gives Slurm as many jobs as there are tasks free. Why it takes none, if it does not, and the jobs that went elsewhere.
    private func submit(
        _ fleet: inout Fleet, _ slurm: Slurm, _ cluster: ClusterSettings
    ) async throws -> (refusal: JobReason?, News) {
        // What no task is free for stays here, where it can be cancelled.
        let room = cluster.tasks - fleet.tasks.count
        guard room > 0 else { return (nil, []) }
        let due = try await ledger.due([.queued, .retry], limit: Self.mostSubmitted, longestWait: longestWait)
        guard !due.isEmpty else { return (nil, []) }
        if let cause = try await proveInstallation() { return (cause, []) }
        let pipelines: String
        do { pipelines = try pipelinesDigest() } catch {
            return (Self.waiting(error, "the pipelines cannot be read."), [])
        }
        let packing = Packing(cluster, secondsPerFile: try await ledger.secondsPerFile())
        let packs = packing.divided(due, room: room, files: \.files)
        // From here on nobody else moves them on.
        shared.withLock { $0.current = Set(packs.joined().map(\.id)) }
        defer { shared.withLock { $0.current = [] } }
        let id = Identifier.make()
        var news: News = []
        var tasks: [TaskArray.Task] = []
        var jobs: [(job: Job, task: ClusterTask)] = []
        for pack in packs {
            var orders: [WorkOrder] = []
            for job in pack where news.suffix(2).count(where: { $0.reason != nil }) < 2 {
                heartbeat.beat(.queue)
                // A person may have ended it since.
                guard let job = try await ledger.job(job.id), [.queued, .retry].contains(job.state) else { continue }
                switch try await prepare(job) {
                case .settled(let reason): news.append((job.id, reason))
                case .ready(let order):
                    news.append((job.id, nil))
                    orders.append(order)
                    let task = TaskID(array: id, index: tasks.count)
                    jobs.append((job, ClusterTask(id: task, fingerprint: order.fingerprint)))
                }
            }
            if orders.isEmpty { continue }
            tasks.append(TaskArray.Task(version: settings.version, pipelinesDigest: pipelines, orders: orders))
        }
        let last = news.suffix(2).compactMap(\.reason)
        let trouble = last.count == 2 ? last[1] : nil
        guard !tasks.isEmpty, !stop.isAsked else { return (trouble, news) }
        // Whether they can go on their ends will tell: what is only submitted proves nothing.
        news = []
        do { try array(id).write(tasks, isa: cluster.isa) } catch let failure as StorageFailure {
            try? Folder.remove(array(id).folder)
            return (Self.waiting(failure, "an array of tasks cannot be written."), news)
        }
        try await ledger.start(jobs)
        for (job, task) in jobs { fleet.add(job.id, job.lastAttempt + 1, task) }
        let submission = try await slurm.submit(array(id), name: id, tasks: tasks.count)
        log.notice(
            "submitted", metadata: ["code": "CLUSTER-SUBMIT", "jobs": "\(jobs.count)", "tasks": "\(tasks.count)"])
        guard case .refused(let text) = submission else {
            if case .accepted = submission { fleet.take(id) }
            if try await ledger.fact("paused") != nil { try await ledger.remember("paused", "") }
            return (trouble, news)
        }
        let reason = JobReason(.waiting, code: "CLUSTER-SUBMIT", text: "Slurm takes no task: \(text)")
        for attempt in fleet.attempts where attempt.task.id.array == id {
            heartbeat.beat(.queue)
            // A person may have cancelled it meanwhile, and cannot any more from here on.
            let own = AttemptEnd(obstacle: .neverBegun)
            let isFirst = try? array(id).record(own, job: attempt.job, attempt: attempt.n)
            if isFirst == false {
                _ = try await conclude(attempt, AttemptEnd(isCancelled: true))
            } else if let job = try await ledger.job(attempt.job) {
                _ = try await finish(job, attempt.n, nil, .requeue(reason))
            }
            fleet.remove(attempt)
        }
        try? Folder.remove(array(id).folder)
        return (reason, news)
    }

    /// Of the folder of pipelines. *Cost*: reads all of it, after a change.
    private func pipelinesDigest() throws(StorageFailure) -> String {
        // Behind the last slash a link to the folder is followed.
        let print = try Fingerprint(of: Folder.join(settings.pipelines, "."), changeTimes: true).digest
        if let known = shared.withLock({ $0.pipelines }), known.fingerprint == print { return known.digest }
        let digest = try FileDigest(ofTree: settings.pipelines) { [heartbeat] in heartbeat.beat(.queue) }.hex
        shared.withLock { $0.pipelines = (print, digest) }
        return digest
    }

    // MARK: back

    /// Takes the ends that have been written.
    private func collect(_ fleet: inout Fleet) async throws -> News {
        var news: News = []
        for id in fleet.arrays.sorted() {
            let ended: Set<String>
            do throws(StorageFailure) { ended = try array(id).ended() } catch {
                log.error("ends cannot be listed", metadata: ["code": "\(error.code)"])
                continue
            }
            for attempt in fleet.open where attempt.task.id.array == id && !stop.isAsked {
                guard ended.contains(TaskArray.name(job: attempt.job, attempt: attempt.n)) else { continue }
                do {
                    guard let end = try array(id).end(job: attempt.job, attempt: attempt.n) else { continue }
                    if let known = try await conclude(attempt, end) { news.append(known) }
                    fleet.remove(attempt, isCancelled: end.isCancelled)
                } catch let failure as StorageFailure {
                    log.error("an end cannot be taken", metadata: ["job": "\(attempt.job)", "code": "\(failure.code)"])
                    fleet.postpone(attempt, by: settings.pause)
                }
            }
        }
        return news
    }

    /// Brings an attempt's output to where the service looks for it, and judges it as if this machine had made it. Nil when the job was
    /// moved on before, by a service that died.
    ///
    /// *Throws* `StorageFailure` when that has to be tried again.
    private func conclude(_ attempt: Fleet.Attempt, _ end: AttemptEnd) async throws -> News.Element? {
        heartbeat.beat(.queue)
        guard let job = try await ledger.job(attempt.job), job.state == .running, job.lastAttempt == attempt.n else {
            return nil
        }
        shared.withLock { $0.current = [job.id] }
        defer { shared.withLock { $0.current = [] } }
        if let name = end.output { try takeOutput(name, of: attempt) }
        // The log is a help, not a result.
        let log =
            end.isLost || end.obstacle == .neverBegun
            ? array(attempt.task.id.array).log(attempt.task.id.index) : end.ending.log
        if !log.isEmpty { try? DurableFile.write(log, to: paths.log(job.id), mode: 0o640) }
        let verdict: Verdict
        if end.isCancelled {
            verdict = .cancelled
        } else if end.isLost || !FileStatus.exists(paths.input(job.id)) {
            // A missing input is settled when it is the job's turn again.
            verdict = .stopped
        } else if let obstacle = end.obstacle {
            verdict = .requeue(obstacle.reason(end.node ?? "unknown"))
        } else {
            verdict = try await self.verdict(job, attempt.n, end.ending, fingerprint: attempt.task.fingerprint)
        }
        // Its task died under it, or Slurm ended it: perhaps because of it.
        if case .stopped = verdict, end.output != nil {
            try await giveBack(job, attempt.n, because: "its task on the cluster ended", host: end.node)
            if let job = try await ledger.job(job.id) { try await tidy(job) }
            try await writeIndex()
            return (job.id, nil)
        }
        return (job.id, try await finish(job, attempt.n, end.ending, host: end.node, verdict))
    }

    /// Moves what a node has written to where the output of an attempt stands. A worker that died early has written nothing.
    private func takeOutput(_ name: String, of attempt: Fleet.Attempt) throws(StorageFailure) {
        let output = paths.output(attempt.job, attempt: attempt.n)
        let written = Folder.join(paths.folder(attempt.job), name)
        // Moved by a service that died before it wrote so.
        guard FileStatus.exists(written), !FileStatus.exists(output) else { return }
        try Folder.rename(written, to: output)
        try Folder.sync(paths.folder(attempt.job))
    }

    /// What Slurm says of our tasks; unwanted ones are ended, and attempts settled that it has lost.
    private func look(
        _ fleet: inout Fleet, _ before: ClusterState?, _ slurm: Slurm, _ cluster: ClusterSettings
    ) async throws -> (ClusterState, News) {
        let arrays = fleet.arrays.union(fleet.unwanted.map(\.array))
        var queue = try await slurm.queue()
        if case .tasks(let all) = queue {
            let ours = all.filter { arrays.contains($0.id.array) }
            fleet.see(ours)
            // Its other attempts, if it has any, are still wanted.
            let idle = fleet.unwanted.subtracting(fleet.tasks)
            if try await slurm.cancel(ours.filter { idle.contains($0.id) }) { fleet.unwanted.subtract(idle) }
            queue = .tasks(ours.filter { !idle.contains($0.id) })
        }
        let state = ClusterState(fleet, queue, before: before)
        if let trouble = state.trouble, trouble != before?.trouble {
            log.error("\(trouble)", metadata: ["code": "CLUSTER-WAITS"])
        }
        if try await ledger.remember(ClusterState.fact, state.text) { try await writeIndex() }
        guard !state.isSilent else { return (state, []) }
        var news: News = []
        for attempt in fleet.lost(after: cluster.lostAfter) {
            do {
                guard let end = try endOfLost(attempt) else {
                    fleet.postpone(attempt, by: settings.pause)
                    continue
                }
                if let known = try await conclude(attempt, end) { news.append(known) }
                fleet.remove(attempt, isCancelled: end.isCancelled)
            } catch let failure as StorageFailure {
                log.error("a lost attempt cannot be settled", metadata: ["code": "\(failure.code)"])
                fleet.postpone(attempt, by: settings.pause)
            }
        }
        return (state, news)
    }

    /// An attempt has no end, and its task is gone: its node died, or Slurm ended the task. A result that is whole is taken all the same.
    /// Nil when it has one after all, which the file system does not show yet.
    private func endOfLost(_ attempt: Fleet.Attempt) throws(StorageFailure) -> AttemptEnd? {
        let array = array(attempt.task.id.array)
        let folder = paths.folder(attempt.job)
        let begun = "\(Folder.split(paths.output(attempt.job, attempt: attempt.n)).name)."
        let outputs =
            FileStatus.exists(folder) ? try Folder.list(folder).map(\.name).filter { $0.hasPrefix(begun) } : []
        var end = AttemptEnd(output: outputs.first)
        // A task that Slurm took and of which nothing came: that is the cluster's trouble. What waited for its turn in a task that
        // began, or never got to Slurm, just goes back to the queue.
        let isTrouble = outputs.isEmpty && attempt.isTaken && !hasBegun(attempt.task.id)
        if isTrouble { end.obstacle = .neverBegun } else { end.isLost = true }
        for name in outputs {
            guard let record = try? RunRecord.read(output: Folder.join(folder, name)) else { continue }
            end = AttemptEnd(ending: .init(how: .exited(record.exitStatus.rawValue), seconds: 0), output: name)
        }
        // From now on nothing counts that a node writes of it; what it wrote in this moment does.
        guard FileStatus.exists(array.folder), try !array.record(end, job: attempt.job, attempt: attempt.n) else {
            return end
        }
        return try array.end(job: attempt.job, attempt: attempt.n)
    }

    /// Whether an attempt of the task has an end.
    private func hasBegun(_ task: TaskID) -> Bool {
        let orders = (try? array(task.array).head(task.index))?.orders ?? []
        let ended = (try? array(task.array).ended()) ?? []
        return orders.contains { ended.contains(TaskArray.name(job: $0.job, attempt: $0.attempt)) }
    }

    // MARK: people

    /// Ends an attempt that is under way, on a person's word: nothing counts that its node writes from now on. False when it has ended
    /// already.
    func endOnCluster(_ job: Job) async throws -> Bool {
        guard let open = try await ledger.openAttempts().first(where: { $0.job == job.id }), let task = open.task else {
            return false
        }
        return try array(task.id.array).record(AttemptEnd(isCancelled: true), job: job.id, attempt: open.n)
    }
}
