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

    /// The name of the fact.
    static let fact = "cluster"

    /// - Parameter tasks: nil when Slurm did not answer.
    init(_ fleet: Fleet, _ tasks: [Slurm.Task]?, before: ClusterState?) {
        jobs = fleet.attempts.count
        if let tasks {
            running = tasks.count { $0.isRunning }
            waiting = tasks.count - running
            nodes = Set(tasks.compactMap(\.node)).sorted()
            let obstacles = Set(tasks.compactMap(\.obstacle)).sorted()
            if !obstacles.isEmpty { trouble = "tasks wait for: \(obstacles.joined(separator: ", "))." }
        } else {
            running = before?.running ?? 0
            waiting = before?.waiting ?? 0
            nodes = before?.nodes ?? []
            trouble = "Slurm's controller does not answer; tasks that run go on."
        }
        troubleSince = trouble == nil ? nil : before?.troubleSince ?? Moment.now
    }

    /// For a person, one line.
    var summary: String {
        let on = nodes.isEmpty ? "" : " on \(nodes.joined(separator: ", "))"
        return "\(running) \(running == 1 ? "task" : "tasks") running\(on), \(waiting) waiting, \(jobs) jobs in them"
    }

    private enum CodingKeys: String, CodingKey {
        case running, waiting, nodes, jobs, trouble
        case troubleSince = "trouble_since"
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
