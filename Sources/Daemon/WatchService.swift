internal import Failures
internal import Foundation
package import Logging
package import Processes
internal import Storage

/// The unattended service: looks, takes, works, publishes, until it is asked to stop or, as a batch, until all is done.
///
/// Two loops side by side: one looks into the inbox, one works through the queue. A disk or a folder that is away for a while is
/// waited for. A failure of the ledger ends both loops and the service; its next start reads what is true and goes on from there.
package final class WatchService: Sendable {
    let settings: ServiceSettings
    let paths: ServicePaths
    let log: Logger
    let ledger: Ledger
    let inbox: Inbox
    let worker: Worker
    let publication: Publication
    let known: KnownResults
    let stop: StopRequest
    let locks: [FileLock]

    /// Takes the locks, opens the ledger and settles what an earlier service left.
    ///
    /// *Throws* `DaemonFailure.locked` when another service works here, and what keeps a service from starting.
    package init(_ settings: ServiceSettings, log: Logger, stop: StopRequest) async throws {
        self.settings = settings
        self.log = log
        self.stop = stop
        paths = ServicePaths(settings)
        guard (try? FileStatus(of: settings.pipelines, followingLinks: true))?.kind == .directory else {
            throw DaemonFailure.noPipelines(path: settings.pipelines)
        }
        try paths.prepare()
        locks = [try await Self.lock(paths.lock), try await Self.lock(paths.inboxLock)]
        ledger = try Ledger(path: paths.ledger)
        inbox = Inbox(paths: paths, quiet: settings.quiet)
        worker = Worker(settings: settings, paths: paths)
        publication = Publication(paths: paths, version: settings.version)
        known = KnownResults(path: paths.knownResults)
        log.notice("started", metadata: ["code": "START"])
        try await ledger.remember("started", "\(Moment.now)")
        try await ledger.remember("paused", "")
        try await ledger.forgetReturns()
        try await known.write(ledger.knownKeys())
        try await recover()
        try await writeIndex()
    }

    /// Tried for a second: `status` holds the lock for an instant when it looks.
    private static func lock(_ path: String) async throws -> FileLock {
        let owner =
            "process \(ProcessInfo.processInfo.processIdentifier) on \(ProcessInfo.processInfo.hostName), since \(Moment.text(Moment.now))"
        for _ in 0..<10 {
            if let lock = try FileLock(path, owner: owner) { return lock }
            try await Task.sleep(for: .milliseconds(100))
        }
        throw DaemonFailure.locked(path: path, owner: (try? FileLock.owner(path)) ?? "unknown")
    }

    // MARK: ways to run

    /// Until asked to stop.
    package func watch() async throws {
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
        let begun = Moment.now
        try await ledger.beginBatch(id)
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
            group.addTask { await self.stopWorker { worked.isRaised } }
            try await finish(&group)
        }
        let overview = try await ledger.overview(quarantined: quarantined())
        let outcome = try await ledger.outcome(since: begun, unsettled: unsettled.value, paused: overview.paused)
        try await ledger.endBatch(id, counts: outcome.json)
        try await writeIndex()
        log.notice("batch done", metadata: ["code": "BATCH"])
        return outcome
    }

    /// Waits for all loops; the first that throws ends the others at once: a service with one loop would look alive and do nothing.
    private func finish(_ group: inout ThrowingTaskGroup<Void, any Error>) async throws {
        do {
            while try await group.next() != nil {}
        } catch {
            log.critical("the service ends", metadata: ["code": "\(FailureRecord(error).code)"])
            stop.ask()
            group.cancelAll()
            // Not waited for by the group's end alone: a worker may run for an hour.
            await worker.stop()
            throw error
        }
    }

    // MARK: the inbox

    func look() async throws {
        while !stop.isAsked {
            _ = try await lookOnce()
            try await pause(settings.scan)
        }
    }

    /// One look, and the drops that have settled taken. Gives how many still settle or wait for disk space.
    func lookOnce() async throws -> Int {
        let sight: Inbox.Sight
        let full: Bool
        do {
            sight = try await inbox.scan()
            full = try !sight.settled.isEmpty && Folder.freeBytes(settings.spool) < settings.reserve
        } catch let failure as StorageFailure {
            // A network share that is away comes back; the queue goes on meanwhile.
            if try await ledger.remember("full", "the inbox cannot be listed (\(failure.code))") {
                log.error("the inbox cannot be listed", metadata: ["code": "\(failure.code)"])
                try await writeIndex()
            }
            return 1
        }
        var waiting = sight.settling + sight.unreadable
        for name in sight.settled where !stop.isAsked {
            if full {
                waiting += 1
                continue
            }
            do {
                var known: String?
                if let id = Inbox.claimedIdentifier(name) { known = try await ledger.fingerprint(id) }
                switch try await inbox.take(name, knownFingerprint: known) {
                case .taken(let drop):
                    try await ledger.enqueue(drop)
                    log.notice("taken", metadata: ["job": "\(drop.id)", "bytes": "\(drop.bytes)", "code": "TAKEN"])
                case .changed: waiting += 1
                case .leftover: break
                }
            } catch let failure as StorageFailure {
                // One drop that cannot be moved stops nothing else; it stays where it is.
                log.error("a drop cannot be taken", metadata: ["code": "\(failure.code)"])
                waiting += 1
            }
        }
        try await ledger.remember("settling", "\(sight.settling)")
        try await ledger.remember("unreadable", "\(sight.unreadable + inbox.untakenCount)")
        try await ledger.remember(
            "full", full ? "less than the reserve is free on the spool's disk: nothing is claimed" : "")
        // Also for what changes without us: a person who has dealt with a quarantined drop removes its folder.
        try await writeIndex()
        return waiting
    }

    func takeAll() async throws -> Int {
        let deadline = ContinuousClock.now + max(settings.quiet * 10 + settings.scan * 3, .seconds(10))
        var looks = 0
        while true {
            let waiting = try await lookOnce()
            looks += 1
            // Time alone proves nothing: on a busy machine or a slow disk it may pass within one look, and settling takes two.
            if waiting == 0 || stop.isAsked || (looks >= 5 && ContinuousClock.now >= deadline) { return waiting }
            try await pause(min(settings.scan, .seconds(1)))
        }
    }

    // MARK: waiting

    /// In small steps, so that a request to stop is seen at once.
    func pause(_ duration: Duration) async throws {
        let deadline = ContinuousClock.now + duration
        while !stop.isAsked, ContinuousClock.now < deadline {
            try await Task.sleep(for: min(.milliseconds(100), deadline - .now))
        }
    }

    /// Ends the worker once a stop is asked for: gently at first.
    func stopWorker(done: () -> Bool = { false }) async {
        while !stop.isAsked {
            if done() { return }
            try? await Task.sleep(for: .milliseconds(100))
        }
        let deadline = ContinuousClock.now + settings.stopGrace
        // Short waits, as a second request makes it urgent.
        while !stop.isUrgent, !Task.isCancelled, ContinuousClock.now < deadline, await worker.isBusy {
            try? await Task.sleep(for: .milliseconds(100))
        }
        await worker.stop()
    }

    // MARK: the page

    /// Names of the folders in the quarantine: a person who has dealt with one removes it.
    func quarantined() throws(StorageFailure) -> [String] { try Folder.list(paths.quarantine).map(\.name) }

    /// The page is made from the ledger: one that cannot be written now is written after the next change.
    func writeIndex() async throws {
        do {
            try await publication.writeIndex(ledger.overview(quarantined: quarantined()))
        } catch let failure as StorageFailure {
            log.error("the index cannot be written", metadata: ["code": "\(failure.code)"])
        }
    }
}
