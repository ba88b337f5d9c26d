internal import Failures
internal import Foundation
package import Logging
package import Processes
package import Storage
internal import Synchronization

/// The unattended service from one opening of its ledger to the next: looks, takes, works, publishes, until it is asked to stop
/// or, as a batch, until all is done.
///
/// Two loops side by side: one looks into the inbox, one works through the queue. A disk or a folder that is away for a while is
/// waited for. A failure of the ledger ends both loops; `Service` then opens it anew and goes on from what it reads there.
package final class WatchService: Sendable {
    /// What both loops tell each other.
    struct Shared: Sendable {
        var settings: ServiceSettings
        /// The jobs that the queue moves on in this moment.
        var current: Set<String> = []
        /// Whether somebody waits for results: a batch holds nothing back.
        var isBatch = false
        /// Gives the settings anew.
        var reread: (@Sendable () throws -> ServiceSettings)?
        /// Digest of the folder of pipelines, which nodes compare, and the fingerprint that it was made at.
        var pipelines: (fingerprint: String, digest: String)?
        /// A worker that a person has asked to end.
        var cancelled: Set<String> = []
    }

    let shared: Mutex<Shared>
    let paths: ServicePaths
    let log: Logger
    package let ledger: Ledger
    let inbox: Inbox
    let arrivals: Arrivals
    let worker: Worker
    let publication: Publication
    let known: KnownResults
    let stop: StopRequest
    let heartbeat: Heartbeat
    private let locks: ServiceLocks
    /// What workers ran when this process began; nil where it was not there.
    private let program: FileStatus?

    var settings: ServiceSettings { shared.withLock { $0.settings } }

    /// Opens the ledger and settles what an earlier service left.
    ///
    /// - Parameter locks: taken anew when there are none.
    /// - Parameter isResumed: whether this process has worked here before: then no job is to blame for the interruption.
    /// - Parameter program: what workers ran when it did so first.
    /// *Throws* `DaemonFailure.locked` when another service works here, and what keeps a service from starting.
    package init(
        _ settings: ServiceSettings, log: Logger, stop: StopRequest, locks: ServiceLocks? = nil,
        heartbeat: Heartbeat? = nil, isResumed: Bool = false, program: FileStatus? = nil
    ) async throws {
        ProcessLimits.forbidCoreDumps()
        shared = Mutex(Shared(settings: settings))
        self.log = log
        self.program = program ?? Self.program(settings)
        // Its own end is not the end of whoever started it.
        self.stop = StopRequest(under: stop)
        paths = ServicePaths(settings)
        self.heartbeat = heartbeat ?? Heartbeat(path: paths.heartbeat)
        try paths.prepare()
        if let locks { self.locks = locks } else { self.locks = try await ServiceLocks(paths) }
        // What an earlier service left there says nothing of this one.
        self.heartbeat.beat(.queue)
        let holdsResults = try paths.outboxHoldsResults()
        if holdsResults, !settings.destinations.isEmpty, !FileStatus.exists(paths.ledger) {
            // Adopted like others, they would count as from before the destinations were known, and never be sent.
            throw DaemonFailure.ledgerUnusable(
                path: paths.ledger, problem: "it is gone, and which results of the outbox were sent stood there alone")
        }
        ledger = try Ledger(path: paths.ledger, wait: settings.ledgerWait, holdsResults: holdsResults)
        inbox = Inbox(paths: paths, rules: settings.settling)
        arrivals = Arrivals(paths: paths)
        worker = Worker()
        publication = Publication(paths: paths, version: settings.version)
        known = KnownResults(path: paths.knownResults)
        try await ledger.checkSpool(paths.spoolIdentity)
        // Before anything is given up for its age.
        try await noteClock()
        // Before anything is published: it goes to them too.
        try await knowDestinations()
        try await tellUnnamed()
        let hasRebooted = try await ledger.noteBoot()
        log.notice("started", metadata: ["code": "START"])
        try await ledger.remember("started", "\(Moment.now)")
        try await ledger.remember("paused", "")
        try await lookAtProgram()
        try await ledger.forgetReturns()
        try await known.write(ledger.knownKeys())
        try await lookAtPipelines()
        try await ledger.remember(Overview.settingsInUse, SettingsView.digest(settings))
        try await recover(countsLost: !isResumed && !hasRebooted)
        try await lookAtOutbox()
        if !isResumed { try await countUnknown() }
        try await writeIndex()
    }

    /// *Throws* `DaemonFailure.noPipelines` when there is no such folder; what cannot be looked at now is another matter.
    package static func checkPipelines(_ settings: ServiceSettings) throws {
        do {
            if try FileStatus(of: settings.pipelines, followingLinks: true).kind == .directory { return }
        } catch {
            guard error.systemError == .notFound else { throw error }
        }
        throw DaemonFailure.noPipelines(path: settings.pipelines)
    }

    /// What workers run now.
    static func program(_ settings: ServiceSettings) -> FileStatus? {
        try? FileStatus(of: settings.program, followingLinks: true)
    }

    /// Whether it was replaced, as by an upgrade, while this process goes on as it was.
    func lookAtProgram() async throws {
        let now = Self.program(settings)
        let isSame =
            [\FileStatus.inode, \.device].allSatisfy { now?[keyPath: $0] == program?[keyPath: $0] }
            && now?.modifiedNS == program?.modifiedNS && now?.size == program?.size
        try await ledger.remember(Overview.replaced, isSame ? "" : "replaced")
    }

    // MARK: ways to run

    /// Takes every drop that is there now, once it has settled, and works on nothing. Gives how many are left.
    package func takeAllNow() async throws -> Int { try await takeAll() }

    /// Closes the ledger; the object cannot be used afterwards.
    package func close() async throws { try await ledger.close() }

    /// Until asked to stop.
    package func watch() async throws {
        try await ledger.remember("mode", "watch")
        BatchFailure.forget(paths)
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await self.look() }
            group.addTask { try await self.work { false } }
            group.addTask { await self.stopWorker() }
            try await finish(&group)
        }
        log.notice("stopped", metadata: ["code": "STOP"])
    }

    /// Takes every drop that is there now, once it has settled, works until nothing waits, and gives what a person needs to know.
    ///
    /// A drop that does not settle within ten times the quiet time, and five looks, is left for the next batch.
    package func batch() async throws -> BatchOutcome {
        let id = Identifier.make()
        shared.withLock { $0.isBatch = true }
        try await ledger.remember("mode", "batch")
        let begun = try await ledger.beginBatch(id)
        BatchFailure.forget(paths)
        let taken = Flag()
        let worked = Flag()
        let unsettled = Counter()
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask {
                defer { taken.raise() }
                unsettled.set(try await self.takeAll())
            }
            group.addTask {
                defer { worked.raise() }
                try await self.work { taken.isRaised }
            }
            group.addTask { try await self.attend { worked.isRaised } }
            group.addTask { await self.stopWorker { worked.isRaised } }
            try await finish(&group)
        }
        let unsent = try await deliverAll()
        func end() async throws -> BatchOutcome {
            let overview = try await overview()
            let outcome = try await ledger.outcome(
                since: begun, unsettled: unsettled.value, unbooked: try await unbooked(), unsent: unsent,
                paused: overview.paused, notes: overview.notes.map(\.code))
            try await ledger.endBatch(id, counts: outcome.json)
            return outcome
        }
        _ = try await end()
        try await maintain()
        try await writeMetrics()
        // What could not be done there is of this night, too; so is a page of it that cannot be written.
        let told = try await end()
        try await writeNight()
        let outcome = try await end()
        if outcome != told { try await writeNight() }
        try await writeIndex()
        log.notice("batch done", metadata: ["code": "BATCH"])
        return outcome
    }

    /// Drops that stand in `work` and that the ledger does not know, as taking them failed behind the move, or knows to have ended, as their
    /// originals could not be moved to where they stay. The next start does both.
    private func unbooked() async throws -> Int {
        var count = 0
        for entry in try Folder.list(paths.work) where Identifier.isOne(entry.name) {
            guard FileStatus.exists(paths.input(entry.name)) else { continue }
            switch try await ledger.job(entry.name)?.state {
            case nil, .published, .done, .cancelled, .quarantined: count += 1
            case .queued, .running, .retry, .publishing: break
            }
        }
        return count
    }

    /// Waits for all loops; the first that throws ends the others at once: a service with one loop would look alive and do nothing.
    private func finish(_ group: inout ThrowingTaskGroup<Void, any Error>) async throws {
        do {
            while try await group.next() != nil {}
        } catch {
            log.critical("the service stops working", metadata: ["code": "\(FailureRecord(error).code)"])
            stop.ask()
            group.cancelAll()
            // Not waited for by the group's end alone: a worker may run for an hour.
            await worker.stop()
            throw error
        }
    }

    // MARK: waiting

    /// In small steps, so that a request to stop is seen at once. Each is a sign of life.
    func pause(_ duration: Duration, _ loop: Heartbeat.Loop) async throws {
        let deadline = ContinuousClock.now + duration
        while !stop.isAsked, ContinuousClock.now < deadline {
            heartbeat.beat(loop)
            try await Task.sleep(for: min(.milliseconds(100), deadline - .now))
        }
    }

    /// Ends the worker once a stop is asked for: gently at first.
    func stopWorker(done: () -> Bool = { false }) async {
        while !stop.isAsked {
            if done() { return }
            try? await Task.sleep(for: .milliseconds(100))
        }
        ServiceNotification.send("STOPPING=1")
        let deadline = ContinuousClock.now + settings.stopGrace
        // Short waits, as a second request makes it urgent.
        while !stop.isUrgent, !Task.isCancelled, ContinuousClock.now < deadline, await worker.isBusy {
            try? await Task.sleep(for: .milliseconds(100))
        }
        await worker.stop()
    }

    // MARK: the page

    /// The service at this instant, from ledger and disk.
    func overview() async throws -> Overview { try await ledger.overview(SpoolView(paths)) }

    /// A file that cannot be written now is written the next time; until then `status` says so.
    package func writeMetrics() async throws {
        let fact = Overview.undone + "metrics.textfile"
        guard let path = settings.metrics else {
            try await ledger.remember(fact, "")
            return
        }
        let metrics = try await Metrics(
            overview(), version: settings.version, free: try? Folder.freeRoom(settings.spool))
        do {
            try DurableFile.write(metrics.text, to: path)
            try await ledger.remember(fact, "")
        } catch let failure as StorageFailure {
            if try await ledger.remember(fact, failure.code) {
                log.error("the metrics cannot be written", metadata: ["code": "\(failure.code)"])
            }
        }
    }

    /// The page is made from the ledger: one that cannot be written now is written after the next change.
    func writeIndex() async throws {
        let showsAccession = settings.showsAccession
        do { try await publication.writeIndex(overview(), showsAccession: showsAccession) } catch let failure
            as StorageFailure
        {
            log.error("the index cannot be written", metadata: ["code": "\(failure.code)"])
        }
    }

    /// The page of the night that ended last.
    func writeNight() async throws {
        let (nights, studies) = try await ledger.newestNights(Night.shown)
        let fact = Overview.undone + "outbox/\(Night.folder)/"
        do {
            try await publication.writeNight(nights, studies)
            try await ledger.remember(fact, "")
        } catch let failure as StorageFailure {
            log.error("the night's page cannot be written", metadata: ["code": "\(failure.code)"])
            try await ledger.remember(fact, failure.code)
        }
    }
}
