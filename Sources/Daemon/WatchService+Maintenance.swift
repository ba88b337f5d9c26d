internal import Failures
internal import Logging
internal import Storage

// What is done from time to time: ledger and disk compared, what is old removed, the ledger copied.

extension WatchService {
    /// Each part by itself: a folder that is away keeps none of the others from being done.
    func maintain() async throws {
        try await attempt("work/") {
            for entry in try Folder.list(self.paths.work) where Identifier.isOne(entry.name) {
                self.heartbeat.beat(.inbox)
                try await self.reconcile(entry.name)
            }
        }
        try await attempt("backups/") {
            try await self.ledger.backUpDaily(to: self.paths.backups, keeping: self.settings.backups)
        }
        if try await noteClock() {
            try await attempt("kept/") { try await self.removeOld() }
            try await ledger.forgetImages(before: Moment.now - settings.lateWindow.milliseconds)
        }
        try await lookAtPipelines()
        // Until they are known, or gone: somebody may have dropped their studies again.
        if try await ledger.fact(Overview.unknown) != nil { try await countUnknown() }
        try await lookAtOutbox()
        try await attempt("receive/") { try self.dropReceived() }
        try await attempt("control/") {
            for folder in [self.paths.answers, self.paths.newRequests] {
                for entry in try Folder.list(folder) where Self.isUntouched(entry.status, for: .seconds(3600)) {
                    try Folder.remove(Folder.join(folder, entry.name))
                }
            }
        }
    }

    /// A service that watches all day ends a night when the day does, so that its mornings have a page too.
    func endDay() async throws {
        let today = Moment.day(Moment.now)
        let words = try await ledger.fact("day")?.split(separator: " ") ?? []
        guard words.first.map(String.init) != today else { return }
        if words.count == 3, let event = Int64(words[1]), let started = Int64(words[2]) {
            let overview = try await overview()
            // What waits for a destination in this moment may be sent in the next.
            let untaken = overview.deliveries.reduce(0) { $0 + $1.untaken }
            let counts = try await ledger.outcome(
                since: event, unsettled: 0, unsent: untaken, paused: overview.paused,
                notes: overview.notes.map(\.code))
            try await ledger.addDay(Identifier.make(), from: started, counts: counts.json)
            try await writeNight()
            try await writeIndex()
        }
        try await ledger.remember("day", "\(today) \(ledger.lastEvent()) \(Moment.now)")
    }

    /// What fails for one place is told until it has been done.
    private func attempt(_ place: String, _ body: () async throws -> Void) async throws {
        var code = ""
        do { try await body() } catch let failure as StorageFailure { code = failure.code } catch let failure
            as DaemonFailure where failure.code == "LEDGER-BACKUP"
        { code = failure.code }
        if !code.isEmpty {
            log.error("maintenance is incomplete", metadata: ["code": "\(code)", "stage": "\(place)"])
        }
        try await ledger.remember(Overview.undone + place, code)
    }

    /// Of what may go at once: what was changed in what is the future now was so before the clock was set back.
    private static func isUntouched(_ status: FileStatus, for duration: Duration) -> Bool {
        status.isUntouched(since: (Moment.now - duration.milliseconds) * 1_000_000)
    }

    /// What the receiver could not move to the inbox, or did not receive whole, is a drop: it is worked on, or a person learns of it.
    private func dropReceived() throws(StorageFailure) {
        for entry in try Folder.list(paths.receiving)
        where Self.isUntouched(entry.status, for: settings.receiveWait) {
            heartbeat.beat(.inbox)
            let file = FilePath(paths.receiving).appending(entry.path)
            try Reception.move(file, drop: ReceivedDrop.late, inbox: paths.inbox)
            log.error("a received file was left", metadata: ["code": "RECEIVE-LEFT"])
        }
    }

    /// Milliseconds that may pass from one maintenance to the next before nothing is removed until another, as much later, agrees: a
    /// weekend.
    static let longestGap: Int64 = 3 * 86_400_000

    /// Whether what is old by the clock may be removed or given up: a clock that was set far ahead by mistake makes everything old, and one
    /// that was far behind has made old what is new.
    @discardableResult
    func noteClock() async throws -> Bool {
        let now = Moment.now
        let last = try await ledger.fact("maintained").flatMap(Int64.init)
        try await ledger.remember("maintained", "\(now)")
        if let since = try await ledger.fact(Overview.clockInDoubt).flatMap(Int64.init), now >= since {
            guard now - since >= Self.longestGap else { return false }
        } else if let last, abs(now - last) > Self.longestGap {
            try await ledger.remember(Overview.clockInDoubt, "\(now)")
            if now < last { try await ledger.remember(Overview.clockSet, "\(now)") }
            let seconds = (now - last) / 1000
            log.error("nothing is removed for three days", metadata: ["code": "CLOCK-STEP", "seconds": "\(seconds)"])
            return false
        }
        try await ledger.remember(Overview.clockInDoubt, "")
        return true
    }

    /// A result, what stood in its place before somebody changed that (`KEY.replaced-ID`), and the study's folder once it is empty.
    private func removeResult(_ path: String) throws(StorageFailure) {
        let (study, key) = Folder.split(Folder.join(paths.outbox, path))
        guard FileStatus.exists(study) else { return }
        for entry in try Folder.list(study) where entry.name == key || entry.name.hasPrefix("\(key).replaced-") {
            try Folder.remove(Folder.join(study, entry.name))
        }
        if try Folder.list(study).isEmpty { try Folder.remove(study) }
    }

    /// Removes what is older than it must stay, a piece at a time.
    private func removeOld() async throws {
        let retention = settings.retention
        let now = Moment.now
        let set = try await ledger.fact(Overview.clockSet).flatMap(Int64.init).flatMap { $0 <= now ? $0 : nil }
        /// Nil where something may seem old that is not, as the clock was set within that time.
        func limit(_ duration: Duration?) -> Int64? {
            guard let duration, set.map({ now - $0 >= duration.milliseconds }) ?? true else { return nil }
            return now - duration.milliseconds
        }
        if let latest = limit(retention.kept) {
            for day in try Folder.list(paths.kept) where day.name <= Moment.day(latest - 86_400_000) {
                guard Moment.isDay(day.name) else { continue }
                let folder = Folder.join(paths.kept, day.name)
                for entry in try Folder.list(folder) {
                    heartbeat.beat(.inbox)
                    try Folder.remove(Folder.join(folder, entry.name))
                }
                try Folder.remove(folder)
            }
        }
        if let latest = limit(retention.quarantine) {
            for entry in try Folder.list(paths.quarantine) where Identifier.isOne(entry.name) {
                guard entry.status.changedNS / 1_000_000 < latest else { continue }
                heartbeat.beat(.inbox)
                if let job = try await ledger.job(entry.name), job.state == .quarantined {
                    try await ledger.move(
                        job.id, from: .quarantined, to: .cancelled,
                        reason: JobReason(
                            .cancelled, code: "EXPIRED", text: "it lay in quarantine for longer than it is kept."))
                }
                try Folder.remove(Folder.join(paths.quarantine, entry.name))
            }
        }
        if let latest = limit(retention.outbox) {
            for path in try await ledger.expiredResults(before: latest) {
                heartbeat.beat(.inbox)
                try removeResult(path)
                try await ledger.forgetResult(path: path)
            }
        }
        if let latest = limit(retention.events) {
            try await ledger.removeEvents(before: latest)
            let pages = Folder.join(paths.outbox, Night.folder)
            for entry in try FileStatus.exists(pages) ? Folder.list(pages) : []
            where entry.status.changedNS / 1_000_000 < latest {
                try Folder.remove(Folder.join(pages, entry.name))
            }
        }
    }
}

extension FileStatus {
    /// Whether nothing of it was changed since then, in nanoseconds since 1970, as far as the clock can tell.
    func isUntouched(since latest: Int64) -> Bool {
        let minute: Int64 = 60_000_000_000
        return changedNS < latest || changedNS > Moment.now * 1_000_000 + minute
    }
}
