package import Failures
internal import Foundation
internal import Numbers
internal import Storage

/// `hspsam status`: the service as another process sees it. Reads only.
package struct StatusReport: Sendable, Encodable {
    private struct Person: Sendable, Encodable {
        let job: String
        let code: String
        let text: String
        let at: String
        /// The command that says so once it is dealt with, where it is one alone.
        let cure: String?
    }

    private let version: String
    private let running: Bool
    private let owner: String?
    private let since: String?
    private let diskFree: Int
    private let reserve: Int
    private let settling: Int
    private let inbox: Int?
    private let waitingFor: String?
    private let deliveries: [DeliveryCounts]
    private let cluster: ClusterState?
    private let notes: [Overview.Note]
    private let unreadable: Int
    private let jobs: [String: Int]
    private let oldestWaitingSeconds: Int?
    private let published: Int
    private let unwanted: Int
    private let lastSuccess: String?
    private let paused: String?
    private let needsPerson: [Person]
    private let isEmpty: Bool
    private let attention: Bool

    /// *Throws* `DaemonFailure.ledgerUnusable` and `StorageFailure`.
    package init(_ settings: ServiceSettings) throws {
        let paths = ServicePaths(settings)
        let spool = SpoolView(paths)
        let overview = try Overview.read(path: paths.ledger, spool)
        let now = Moment.now
        inbox = spool.inbox
        deliveries = overview?.deliveries ?? []
        cluster = overview?.cluster
        version = settings.version
        owner = try FileLock.owner(paths.lock)
        running = owner != nil
        let sign = running ? Heartbeat.read(paths.heartbeat) : nil
        waitingFor = sign?.waiting
        let isBatch = overview?.isBatch == true
        // The loops of a batch end one after the other, and its start may read for long.
        let isHanging =
            running
            && (isBatch
                ? sign.map { !Heartbeat.isHeard($0) } ?? true
                    && abs(now - (overview?.startedAt ?? now)) > Int64(Heartbeat.longestWait) * 1000
                : sign.map { !Heartbeat.isAlive($0) } ?? true)
        var notes = overview?.notes ?? []
        if isHanging {
            notes.append(
                Overview.Note(
                    code: "SERVICE-HANGS", text: "it gives no sign of life.",
                    cure: "systemctl restart hspsam\(isBatch ? "-batch" : ""); nothing is lost by it."))
        }
        if running, let overview, !overview.isBatch, let used = overview.settings,
            used != SettingsView.digest(settings)
        {
            notes.append(
                Overview.Note(
                    code: "SETTINGS-OLD",
                    text: "the running service does not use what the site file says: it was changed, or refused.",
                    cure:
                        "systemctl reload hspsam; where that is refused (journalctl -u hspsam: RELOAD-..., SET-...), set it right or restart it."
                ))
        }
        if let waitingFor {
            notes.append(
                Overview.Note(
                    code: "SERVICE-WAITS", text: waitingFor, cure: "It goes on by itself once the cause is gone."))
        }
        if let held = overview?.held {
            notes.append(
                Overview.Note(
                    code: "QUEUE-HELD", text: "a person has stopped the queue at \(Moment.text(held)).",
                    cure: "hspsam resume"))
        }
        let waits = Self.waiting(overview, spool)
        let cut = try Overview.batchCut(paths, spool)
        if let cut { notes.append(cut) }
        // A batch is not there all day; what waits longer than a day and two hours has missed its night. One that has not come yet was
        // before the clock was set back: how long ago nobody knows.
        let sinceBatch = now - (overview?.lastBatch ?? 0)
        let isExpected = overview?.isBatch != true || sinceBatch > 26 * 3_600_000 || sinceBatch < -60_000
        let unsent = isBatch ? 0 : deliveries.reduce(0) { $0 + $1.waiting }
        if cut == nil, !running, waits + unsent > 0, isExpected {
            notes.append(
                Overview.Note(
                    code: "SERVICE-DOWN", text: "the service is not running, and \(waits + unsent) wait for it.",
                    cure: "systemctl start hspsam; journalctl -u hspsam says why it ended."))
        }
        if overview == nil, let stray = Overview.strayNote(spool) { notes.append(stray) }
        if overview == nil, waits > 0 || !spool.quarantined.isEmpty || spool.holdsResults {
            notes.append(
                Overview.Note(
                    code: "LEDGER-NONE", text: "there is no ledger, and the folders are not empty.",
                    cure: "Start the service, or put the ledger back: hspsam ledger rebuild."))
        }
        self.notes = notes
        since = running ? overview?.startedAt.map(Moment.text) : nil
        diskFree = FileStatus.exists(settings.spool) ? try Folder.freeBytes(settings.spool) : 0
        reserve = settings.reserve
        settling = overview?.settling ?? 0
        unreadable = overview?.unreadable ?? 0
        var jobs: [String: Int] = [:]
        for state in Job.State.allCases { jobs[state.rawValue] = overview?.jobs[state] ?? 0 }
        self.jobs = jobs
        oldestWaitingSeconds = overview?.oldestWaiting.map { Int(max(0, now - $0) / 1000) }
        published = overview?.publishedToday ?? 0
        unwanted = overview?.unwantedToday ?? 0
        lastSuccess = overview?.lastSuccess.map(Moment.text)
        paused = overview?.paused
        needsPerson = (overview?.troubles ?? []).map {
            Person(job: $0.job, code: $0.reason.code, text: $0.reason.text, at: Moment.text($0.at), cure: $0.cure)
        }
        isEmpty = overview == nil && notes.isEmpty
        attention = overview?.needsPerson ?? false || !notes.isEmpty
    }

    /// What is there to be done: drops, and jobs that are not done.
    private static func waiting(_ overview: Overview?, _ spool: SpoolView) -> Int {
        let unfinished: [Job.State] = [.queued, .retry, .running, .publishing]
        let jobs = unfinished.reduce(0) { $0 + (overview?.jobs[$1] ?? 0) }
        return (spool.inbox ?? 1) - (overview?.unremovable ?? 0) + (overview == nil ? spool.work.count : jobs)
    }

    /// 0 fine, 3 something needs a person, 4 there is no ledger yet.
    package var status: ExitStatus {
        if isEmpty { return .nothingProcessed }
        return attention ? .refusedOrFailed : .done
    }

    /// What is not known is null, never left out.
    package var json: String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        return (try? encoder.encode(self)).map { String(decoding: $0, as: UTF8.self) } ?? "{}"
    }

    private enum CodingKeys: String, CodingKey {
        case version, running, owner, since, settling, unreadable, jobs, paused, inbox, notes, deliveries, cluster
        case waitingFor = "waiting_for"
        case diskFree = "disk_free_bytes"
        case reserve = "reserve_bytes"
        case oldestWaitingSeconds = "oldest_waiting_seconds"
        case published = "published_24h"
        case unwanted = "unwanted_24h"
        case lastSuccess = "last_success"
        case needsPerson = "needs_person"
    }

    package func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(version, forKey: .version)
        try container.encode(running, forKey: .running)
        try container.encode(owner, forKey: .owner)
        try container.encode(since, forKey: .since)
        try container.encode(diskFree, forKey: .diskFree)
        try container.encode(reserve, forKey: .reserve)
        try container.encode(settling, forKey: .settling)
        try container.encode(unreadable, forKey: .unreadable)
        try container.encode(jobs, forKey: .jobs)
        try container.encode(oldestWaitingSeconds, forKey: .oldestWaitingSeconds)
        try container.encode(published, forKey: .published)
        try container.encode(unwanted, forKey: .unwanted)
        try container.encode(lastSuccess, forKey: .lastSuccess)
        try container.encode(paused, forKey: .paused)
        try container.encode(inbox, forKey: .inbox)
        try container.encode(notes, forKey: .notes)
        try container.encode(deliveries, forKey: .deliveries)
        try container.encode(cluster, forKey: .cluster)
        try container.encode(waitingFor, forKey: .waitingFor)
        try container.encode(needsPerson, forKey: .needsPerson)
    }

    private static let mostLines = 20

    /// For a person at a terminal.
    package var text: String {
        let gib = { (bytes: Int) in "\(NumberText.fixed(Double(bytes) / Double(1 << 30), 1)) GiB" }
        let life = running ? "running since \(since ?? "just now")" : "not running"
        var lines = ["hspsam \(version) · \(life) · disk \(gib(diskFree)) free (reserve \(gib(reserve)))"]
        if isEmpty { return lines[0] + "\n  no ledger yet: nothing was ever dropped here" }
        let oldest = oldestWaitingSeconds.map { " (oldest \($0 / 60) min)" } ?? ""
        let count = { (state: Job.State) in jobs[state.rawValue] ?? 0 }
        lines.append(
            "  settling \(settling)   queued \(count(.queued) + count(.retry))\(oldest)   running \(count(.running) + count(.publishing))"
                + "   quarantined \(count(.quarantined))   done \(count(.done) + count(.published))   results in 24 h \(published)"
                + (unwanted > 0 ? "   wanted by no pipeline in 24 h \(unwanted)" : "")
        )
        if let cluster { lines.append("  cluster: \(cluster.summary)") }
        for note in notes { lines.append("  needs you: \(note.code) \(note.text) → \(note.cure)") }
        if let paused { lines.append("  the queue rests: \(paused)") }
        if unreadable > 0 {
            lines.append(
                "  needs you: \(unreadable) in the inbox cannot be read → setfacl -R -m u:hspsam:rwX on them"
            )
        }
        for counts in deliveries {
            let trouble =
                (counts.altered > 0 ? "   altered as you know \(counts.altered)" : "")
                + (counts.trouble.map { " · trouble: \($0)" } ?? "")
            lines.append(
                "  \(counts.destination)   waiting \(counts.waiting)   not taken \(counts.untaken)\(trouble)"
            )
        }
        for person in needsPerson.prefix(Self.mostLines) {
            let cure = person.cure.map { " → \($0)" } ?? ""
            lines.append("  needs you: \(person.job) \(person.code) \(person.text)\(cure)")
        }
        if needsPerson.count > Self.mostLines {
            let rest = needsPerson.count - Self.mostLines
            lines.append("  needs you: \(rest) more → hspsam quarantine list; hspsam status --json")
        }
        return lines.joined(separator: "\n")
    }
}
