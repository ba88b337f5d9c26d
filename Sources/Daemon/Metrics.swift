internal import Failures
internal import Numbers
internal import Storage

/// What a monitoring system reads of the service: a text file in Prometheus' format for node_exporter; no port is opened.
///
/// Nothing of a study is in it: states, places and names of destinations are its only labels. *Source*: the exposition format 0.0.4.
struct Metrics {
    private var lines: [String] = []

    init(_ overview: Overview, version: String, free: (bytes: Int, files: Int)?, now: Int64 = Moment.now) {
        gauge("hspsam_build_info", "The program that runs.", [(["version": version], 1)])
        gauge("hspsam_start_time_seconds", "When the service was started.", value(overview.startedAt))
        gauge(
            "hspsam_jobs", "Jobs by state.",
            Job.State.allCases.map { (["state": $0.rawValue], overview.jobs[$0] ?? 0) })
        gauge(
            "hspsam_oldest_waiting_seconds", "Age of the job that waits longest.",
            [([:], overview.oldestWaiting.map { Int(max(0, now - $0) / 1000) } ?? 0)])
        gauge("hspsam_inbox_settling", "Drops that are not complete yet.", [([:], overview.settling)])
        gauge(
            "hspsam_inbox_unreadable", "Drops that cannot be read or taken.",
            [([:], overview.unreadable + overview.untaken)])
        gauge("hspsam_inbox_unremovable", "Copied originals that may not be removed.", [([:], overview.unremovable)])
        gauge("hspsam_results_24h", "Results of the last day.", [([:], overview.publishedToday)])
        gauge("hspsam_unwanted_24h", "Drops of the last day that no pipeline wants.", [([:], overview.unwantedToday)])
        gauge("hspsam_last_success_timestamp_seconds", "When a result was published last.", value(overview.lastSuccess))
        gauge(
            "hspsam_self_test_timestamp_seconds", "When a phantom last came out right.", value(overview.provenAt))
        gauge(
            "hspsam_night_end_timestamp_seconds", "When the last night ended.", value(overview.nights.first?.ended))
        gauge(
            "hspsam_night_needed_person", "Whether the last night left something for a person.",
            overview.nights.first.map { [([:], $0.counts.status == .done ? 0 : 1)] } ?? [])
        if let cluster = overview.cluster {
            gauge(
                "hspsam_cluster_tasks", "Tasks in Slurm's queue.",
                [(["state": "running"], cluster.running), (["state": "waiting"], cluster.waiting)])
            gauge("hspsam_cluster_nodes", "Nodes that run some of them.", [([:], cluster.nodes.count)])
            gauge("hspsam_cluster_jobs", "Jobs in them that have not ended.", [([:], cluster.jobs)])
            gauge(
                "hspsam_cluster_up", "0 while Slurm does not answer or holds tasks.",
                [([:], cluster.trouble == nil ? 1 : 0)])
        }
        gauge("hspsam_needs_person", "Whether somebody should look.", [([:], overview.needsPerson ? 1 : 0)])
        gauge("hspsam_queue_held", "Whether a person has stopped the queue.", [([:], overview.held == nil ? 0 : 1)])
        if let free {
            gauge("hspsam_disk_free_bytes", "Room on the spool's disk.", [([:], free.bytes)])
            gauge("hspsam_disk_free_files", "Files that can be made on it.", [([:], free.files)])
        }
        gauge(
            "hspsam_destination_up", "0 while the newest attempt at a destination failed.",
            overview.deliveries.map { (["destination": $0.destination], $0.trouble == nil ? 1 : 0) })
        gauge(
            "hspsam_delivery_backlog", "Files that wait for a destination.",
            overview.deliveries.map { (["destination": $0.destination], $0.waiting) })
        gauge(
            "hspsam_delivery_lost", "Files that a destination would not take, or not in time.",
            overview.deliveries.map { (["destination": $0.destination], $0.untaken) })
    }

    private func value(_ milliseconds: Int64?) -> [([String: String], Int)] {
        milliseconds.map { [([:], Int($0 / 1000))] } ?? []
    }

    private mutating func gauge(_ name: String, _ help: String, _ values: [([String: String], Int)]) {
        guard !values.isEmpty else { return }
        lines.append("# HELP \(name) \(help)")
        lines.append("# TYPE \(name) gauge")
        for (labels, value) in values {
            let pairs = labels.sorted { $0.key < $1.key }.map { "\($0.key)=\"\(Self.escaped($0.value))\"" }
            lines.append("\(name)\(pairs.isEmpty ? "" : "{\(pairs.joined(separator: ","))}") \(value)")
        }
    }

    private static func escaped(_ text: String) -> String {
        text.flatMap { character -> String in
            switch character {
            case "\\": "\\\\"
            case "\"": "\\\""
            case "\n": "\\n"
            default: String(character)
            }
        }.reduce(into: "") { $0.append($1) }
    }

    var text: String { lines.joined(separator: "\n") + "\n" }
}
