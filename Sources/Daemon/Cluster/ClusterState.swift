internal import Foundation

/// The cluster as Slurm told last: for `status`, the outbox page and the metrics. A fact of the ledger.
package struct ClusterState: Sendable, Equatable, Codable {
    /// Tasks of ours by what they do.
    package var running = 0
    package var waiting = 0
    /// Nodes that run some of them.
    package var nodes: [String] = []
    /// Jobs in them that have not ended.
    package var jobs = 0
    /// What a person should look at, and since when, in milliseconds since 1970.
    package var trouble: String?
    package var troubleSince: Int64?

    /// Whether Slurm did not answer.
    package var isSilent = false
    /// Since when nothing runs, as far as is known.
    var idleSince: Int64?

    /// The name of the fact.
    static let fact = "cluster"

    init(_ fleet: Fleet, _ queue: Slurm.Queue, before: ClusterState?) {
        jobs = fleet.attempts.count
        switch queue {
        case .tasks(let tasks):
            running = tasks.count { $0.isRunning }
            waiting = tasks.count - running
            nodes = Set(tasks.compactMap(\.node)).sorted()
            let obstacles = Set(tasks.compactMap(\.obstacle)).sorted()
            if !obstacles.isEmpty { trouble = "tasks wait for: \(obstacles.joined(separator: ", "))." }
        case .silent(let complaint):
            (running, waiting, nodes) = (before?.running ?? 0, before?.waiting ?? 0, before?.nodes ?? [])
            isSilent = true
            trouble = "Slurm does not answer (\(complaint)); tasks that run go on."
        }
        troubleSince = trouble == nil ? nil : before?.troubleSince ?? Moment.now
        idleSince = isSilent || running == 0 ? before?.idleSince ?? Moment.now : nil
    }

    /// Whether nothing has gone on for so long, and nothing will before somebody helps.
    func isStuck(for duration: Duration) -> Bool {
        guard let troubleSince, let idleSince else { return false }
        return Moment.now - max(troubleSince, idleSince) > duration.milliseconds
    }

    /// For a person, one line.
    var summary: String {
        let on = nodes.isEmpty ? "" : " on \(nodes.joined(separator: ", "))"
        return
            "\(running) \(running == 1 ? "task" : "tasks") running\(on), \(waiting) waiting, \(jobs) \(jobs == 1 ? "job" : "jobs") in them"
    }

    private enum CodingKeys: String, CodingKey {
        case running, waiting, nodes, jobs, trouble
        case troubleSince = "trouble_since"
        case isSilent = "silent"
        case idleSince = "idle_since"
    }

    init?(_ text: String?) {
        guard let text, let state = try? JSONDecoder().decode(Self.self, from: Data(text.utf8)) else { return nil }
        self = state
    }

    var text: String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = .sortedKeys
        return (try? encoder.encode(self)).map { String(decoding: $0, as: UTF8.self) } ?? ""
    }
}
