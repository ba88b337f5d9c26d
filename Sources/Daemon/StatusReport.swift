internal import Foundation
package import Failures
internal import Storage

/// `hspsam status`: the service as another process sees it. Reads only.
package struct StatusReport: Sendable, Encodable {
    private struct Person: Sendable, Encodable {
        let job: String
        let code: String
        let text: String
        let at: String
    }

    private let version: String
    private let running: Bool
    private let owner: String?
    private let since: String?
    private let disk_free_bytes: Int
    private let reserve_bytes: Int
    private let settling: Int
    private let unreadable: Int
    private let jobs: [String: Int]
    private let oldest_waiting_seconds: Int?
    private let published_24h: Int
    private let last_success: String?
    private let paused: String?
    private let needs_person: [Person]
    private let isEmpty: Bool

    private enum CodingKeys: String, CodingKey {
        case version, running, owner, since, disk_free_bytes, reserve_bytes, settling, unreadable, jobs, oldest_waiting_seconds
        case published_24h, last_success, paused, needs_person
    }

    /// *Throws* `DaemonFailure.ledgerUnusable` and `StorageFailure`.
    package init(_ settings: ServiceSettings) throws {
        let places = Places(settings)
        let overview = try Overview.read(path: places.ledger)?.asking(quarantine: places.quarantine)
        let now = Moment.now
        version = settings.version
        owner = FileLock.owner(places.lock)
        running = owner != nil
        since = running ? overview?.startedAt.map(Moment.text) : nil
        disk_free_bytes = FileStatus.exists(settings.spool) ? try Folder.freeBytes(settings.spool) : 0
        reserve_bytes = settings.reserve
        settling = overview?.settling ?? 0
        unreadable = overview?.unreadable ?? 0
        var jobs: [String: Int] = [:]
        for state in Job.State.allCases { jobs[state.rawValue] = overview?.jobs[state] ?? 0 }
        self.jobs = jobs
        oldest_waiting_seconds = overview?.oldestWaiting.map { Int(max(0, now - $0) / 1000) }
        published_24h = overview?.publishedToday ?? 0
        last_success = overview?.lastSuccess.map(Moment.text)
        paused = overview?.paused
        needs_person = (overview?.troubles ?? []).map {
            Person(job: $0.job, code: $0.code, text: $0.text, at: Moment.text($0.at))
        }
        isEmpty = overview == nil
    }

    /// 0 fine, 3 something needs a person, 4 there is no ledger yet.
    package var status: ExitStatus {
        if isEmpty { return .nothingProcessed }
        return !needs_person.isEmpty || paused != nil || unreadable > 0 ? .refusedOrFailed : .done
    }

    package var json: String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        return (try? encoder.encode(self)).map { String(decoding: $0, as: UTF8.self) } ?? "{}"
    }

    /// For a person at a terminal.
    package var text: String {
        let gib = { (bytes: Int) in String(format: "%.1f GiB", Double(bytes) / Double(1 << 30)) }
        let life = running ? "running since \(since ?? "just now")" : "not running"
        var lines = ["hspsam \(version) · \(life) · disk \(gib(disk_free_bytes)) free (reserve \(gib(reserve_bytes)))"]
        if isEmpty { return lines[0] + "\n  no ledger yet: nothing was ever dropped here" }
        let oldest = oldest_waiting_seconds.map { " (oldest \($0 / 60) min)" } ?? ""
        let count = { (state: Job.State) in jobs[state.rawValue] ?? 0 }
        lines.append(
            "  settling \(settling)   queued \(count(.queued) + count(.retry))\(oldest)   running \(count(.running) + count(.publishing))"
                + "   quarantined \(count(.quarantined))   done \(count(.done) + count(.published))   results in 24 h \(published_24h)")
        if let paused { lines.append("  the queue rests: \(paused)") }
        if unreadable > 0 { lines.append("  needs you: \(unreadable) in the inbox cannot be read → setfacl -R -m u:hspsam:rwX on them") }
        for person in needs_person.prefix(20) {
            lines.append("  needs you: \(person.job) \(person.code) \(person.text)")
        }
        return lines.joined(separator: "\n")
    }
}
