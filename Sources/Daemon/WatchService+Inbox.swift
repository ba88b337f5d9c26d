internal import Failures
internal import Logging
internal import Processes
internal import Storage
internal import Synchronization

// The inbox: looks, and drops that have settled taken.

extension WatchService {
    func look() async throws {
        var clock = ClockWatch()
        var reloads = StopRequest.reloads
        var maintained = ContinuousClock.now
        var measured = ContinuousClock.now - settings.metricsEvery
        while !stop.isAsked {
            if reloads != StopRequest.reloads {
                reloads = StopRequest.reloads
                await rereadSettings()
            }
            try await look(at: &clock)
            try await lookAtProgram()
            _ = try await lookOnce()
            try await answerRequests()
            try await deliver()
            if ContinuousClock.now - measured >= settings.metricsEvery {
                measured = .now
                try await writeMetrics()
            }
            if ContinuousClock.now - maintained > settings.maintenance {
                maintained = .now
                try await maintain()
                try await endDay()
            }
            try await waitForLook()
        }
    }

    /// What a batch listens to while it works: people's requests, and the clock.
    func attend(until done: () -> Bool) async throws {
        var clock = ClockWatch()
        while !stop.isAsked, !done() {
            try await look(at: &clock)
            try await answerRequests()
            try await Task.sleep(for: .milliseconds(100))
        }
    }

    private func look(at clock: inout ClockWatch) async throws {
        try ledger.confirmInPlace()
        guard let step = clock.step() else { return }
        log.warning("the clock was set", metadata: ["code": "CLOCK-STEP", "seconds": "\(step / 1000)"])
        try await ledger.shiftWaits(by: step)
        if abs(step) > Self.longestGap { try await ledger.remember(Overview.clockSet, "\(Moment.now)") }
        try await ledger.noteBoot()
    }

    /// Requests of people are answered at once, drops after `scan`.
    private func waitForLook() async throws {
        let deadline = ContinuousClock.now + settings.scan
        while !stop.isAsked, ContinuousClock.now < deadline {
            try await pause(min(.milliseconds(500), deadline - .now), .inbox)
            try await answerRequests()
        }
    }

    /// One look, and the drops that have settled taken. Gives how many still settle or wait for disk space.
    func lookOnce() async throws -> Int {
        let settings = settings
        let beat: @Sendable () -> Void = { [heartbeat] in heartbeat.beat(.inbox) }
        let sight: Inbox.Sight
        var obstacle: String?
        var isAway = false
        do {
            isAway = try await isInboxAway()
            if isAway, try !Folder.list(paths.inbox).contains(where: DropName.isDrop) {
                return try await waitForInbox(Self.away, Self.notMounted)
            }
            sight = try await inbox.scan(each: beat)
            if !sight.settled.isEmpty { obstacle = try await self.obstacle(settings) }
        } catch let failure as StorageFailure {
            return try await waitForInbox(failure.code, failure.code)
        }
        // What unfinished transfers left is told by itself: nobody waits for it.
        var waiting = sight.settling + sight.unreadable + sight.oversized
        for name in sight.settled where !stop.isAsked {
            if obstacle == nil { obstacle = try await self.obstacle(settings) }
            guard obstacle == nil else {
                waiting += 1
                continue
            }
            switch try await arrival(of: name, settings) {
            case .wait: waiting += 1
            case .take(let remark): if try await !take(name, remark, beat) { waiting += 1 }
            }
        }
        try await forgetArrivals(except: Set(sight.settled))
        try await ledger.remember("settling", "\(sight.settling)")
        try await ledger.remember("unreadable", "\(sight.unreadable)")
        try await ledger.remember(Overview.untakenDrops, inbox.untakenCodes.joined(separator: " "))
        try await ledger.remember("oversized", "\(sight.oversized)")
        try await ledger.remember("unmarked", "\(sight.unmarked)")
        try await ledger.remember("unfinished", "\(sight.unfinished)")
        try await ledger.remember("unremovable", "\(sight.unremovable)")
        if isAway, obstacle == nil { return try await waitForInbox(Self.away, Self.notMounted) + waiting }
        try await ledger.remember("full", obstacle ?? "")
        // Also for what changes without us: a person who has dealt with a quarantined drop removes its folder.
        try await writeIndex()
        return waiting
    }

    /// A network share that is away comes back; the queue goes on meanwhile.
    private func waitForInbox(_ code: String, _ why: String) async throws -> Int {
        if try await ledger.remember("full", "the inbox cannot be listed (\(why))") {
            log.error("the inbox cannot be listed", metadata: ["code": "\(code)"])
            try await writeIndex()
        }
        return 1
    }

    private static let away = "INBOX-AWAY"
    private static let notMounted = "its share is not mounted"

    /// Whether the folder is not on what was, or by `MountTable` is to be, mounted there: then drops wait where nobody looks. Where somebody else than our receiver
    /// drops all the same it has been moved.
    private func isInboxAway() async throws -> Bool {
        let depth = try Folder.depthInFileSystem(paths.inbox)
        let place = FileDigest(of: paths.inbox).hex
        let words = try await ledger.fact("inbox")?.split(separator: " ") ?? []
        let known = words.last.map(String.init) == place ? words.first.flatMap { Int($0) } : nil
        let hasGone = known.map { depth > $0 } ?? false
        if try hasGone || MountTable(path: settings.mountTable).isAway(paths.inbox) {
            let drops = try Folder.list(paths.inbox).filter { DropName.isDrop($0) && !ReceivedDrop.isOne($0.path) }
            if drops.allSatisfy({ DropName.claimedIdentifier($0.path) != nil }) { return true }
        }
        if depth != known { try await ledger.remember("inbox", "\(depth) \(place)") }
        return false
    }

    /// Why nothing may be taken now.
    private func obstacle(_ settings: ServiceSettings) async throws -> String? {
        let room = try Folder.freeRoom(settings.spool)
        if room.bytes < settings.reserve {
            return "less than the reserve is free on the spool's disk: nothing is claimed"
        }
        if room.files < settings.reserveFiles {
            return "hardly any more files can be made on the spool's disk: nothing is claimed"
        }
        if try await ledger.waiting() >= settings.waitingJobs {
            return "limits.waiting_jobs are waiting: nothing is claimed until some are done"
        }
        return nil
    }

    /// Whether all of a drop has come, as far as somebody can be asked.
    private func arrival(of name: FilePath, _ settings: ServiceSettings) async throws -> Arrivals.Verdict {
        guard var rule = settings.arrival, let study = ReceivedDrop.study(name),
            let fingerprint = await inbox.fingerprint(of: name)
        else { return .take(nil) }
        // A batch has to end.
        if shared.withLock({ $0.isBatch }) {
            rule = ArrivalRule(
                peer: rule.peer, wait: min(rule.wait, settings.settling.quiet * 5), every: min(rule.every, .seconds(1)))
        }
        do {
            let since = Moment.now - settings.lateWindow.milliseconds
            let earlier = try await ledger.jobs(ofStudies: [study], except: "", since: since)
                .compactMap { try paths.standingInput(of: $0) }
            return try await arrivals.verdict(name, fingerprint: fingerprint, rule, earlier: earlier)
        } catch let failure as StorageFailure {
            log.error("an archive cannot be asked", metadata: ["code": "\(failure.code)"])
            return .wait
        }
    }

    private func forgetArrivals(except settled: Set<FilePath>) async throws {
        do { try await arrivals.forget(except: settled) } catch {
            log.error("a question cannot be withdrawn", metadata: ["code": "\(error.code)"])
        }
    }

    /// Gives false when it has to wait.
    private func take(_ name: FilePath, _ remark: JobReason?, _ beat: @Sendable () -> Void) async throws -> Bool {
        do {
            var isBooked = false
            if let id = DropName.claimedIdentifier(name) { isBooked = try await ledger.job(id) != nil }
            switch try await inbox.take(name, isBooked: isBooked, each: beat) {
            case .taken(var drop):
                drop.remark = remark
                try await ledger.enqueue(drop)
                log.notice("taken", metadata: ["job": "\(drop.id)", "bytes": "\(drop.bytes)", "code": "TAKEN"])
                if drop.refusal != nil, let job = try await ledger.job(drop.id) { try await tidy(job) }
            case .changed: return false
            case .leftover: break
            }
            return true
        } catch let failure as StorageFailure {
            // One drop that cannot be moved stops nothing else; it stays where it is.
            log.error("a drop cannot be taken", metadata: ["code": "\(failure.code)"])
            return false
        }
    }

    func takeAll() async throws -> Int {
        let settings = settings
        let deadline = ContinuousClock.now + max(settings.settling.quiet * 10 + settings.scan * 3, .seconds(10))
        var looks = 0
        while true {
            let waiting = try await lookOnce()
            looks += 1
            // Time alone proves nothing: on a busy machine or a slow disk it may pass within one look, and settling takes two.
            if waiting == 0 || stop.isAsked || (looks >= 5 && ContinuousClock.now >= deadline) { return waiting }
            try await pause(min(settings.scan, .seconds(1)), .inbox)
        }
    }

    /// Folders cannot change while the service runs; everything else can.
    private func rereadSettings() async {
        guard let reread = shared.withLock({ $0.reread }) else { return }
        do {
            let new = try reread()
            let old = settings
            guard [new.inbox, new.spool, new.state] == [old.inbox, old.spool, old.state] else {
                log.error("folders need a restart: the old settings stay", metadata: ["code": "RELOAD-PLACES"])
                return
            }
            guard (new.cluster == nil) == (old.cluster == nil) else {
                log.error("cluster.engine needs a restart: the old settings stay", metadata: ["code": "RELOAD-ENGINE"])
                return
            }
            shared.withLock { $0.settings = new }
            await inbox.use(new.settling)
            try await lookAtPipelines()
            try await ledger.remember(Overview.settingsInUse, SettingsView.digest(new))
            log.notice("settings read again", metadata: ["code": "RELOAD"])
        } catch {
            log.error("the old settings stay", metadata: ["code": "\(FailureRecord(error).code)"])
        }
    }
}

/// Notices that somebody has set the clock: it and the boot clock then differ by more than they did.
struct ClockWatch {
    private var difference = Moment.now - BootClock.milliseconds
    /// Milliseconds: less is a clock that is kept right by small steps.
    private static let smallest: Int64 = 30_000

    /// By how many milliseconds the clock was set since it was asked last; nil when it was not.
    mutating func step() -> Int64? {
        let now = Moment.now - BootClock.milliseconds
        defer { difference = now }
        return abs(now - difference) > Self.smallest ? now - difference : nil
    }
}
