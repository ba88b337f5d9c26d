internal import Storage

/// The settings as the service uses them, under the names of the site file; durations in seconds, sizes in bytes.
package struct SettingsView: Sendable, Encodable {
    /// In the order of the site file.
    package let lines: [(key: String, value: String)]

    package init(_ settings: ServiceSettings) {
        let seconds = Self.seconds
        let rules = settings.settling
        lines =
            [
                ("inbox.path", settings.inbox), ("inbox.scan", seconds(settings.scan)),
                ("inbox.claim", rules.copies ? "copy" : "rename"),
                ("settle.mode", rules.mode.rawValue), ("settle.quiet", seconds(rules.quiet)),
                ("settle.gap_wait", seconds(settings.gapWait)), ("settle.give_up", seconds(rules.giveUp)),
                (
                    "settle.ask",
                    settings.arrival.map { "\($0.peer.called)@\($0.peer.host):\($0.peer.port)" } ?? "nobody"
                ),
                ("late.window", seconds(settings.lateWindow)),
                ("limits.drop_bytes", "\(rules.mostBytes)B"), ("limits.drop_files", "\(rules.mostFiles)"),
                ("limits.waiting_jobs", "\(settings.waitingJobs)"), ("reserve", "\(settings.reserve)B"),
                ("places.spool", settings.spool), ("places.state", settings.state),
                ("places.pipelines", settings.pipelines),
                ("worker.self_test", "\(settings.selfTest)"),
                ("outbox.show", settings.showsAccession ? "accession" : "none"),
                ("worker.threads", "\(settings.threads)"), ("worker.attempts", "\(settings.attempts)"),
                ("worker.memory", settings.memory.map { "\($0)B" } ?? "none"), ("worker.hang", seconds(settings.hang)),
                ("worker.wall.base", seconds(settings.wallBase)),
                ("worker.wall.per_file", seconds(settings.wallPerFile)), ("stop.grace", seconds(settings.stopGrace)),
            ] + Self.cluster(settings) + [
                ("retention.kept", seconds(settings.retention.kept)),
                ("retention.outbox", seconds(settings.retention.outbox)),
                ("retention.quarantine", seconds(settings.retention.quarantine)),
                ("retention.events", seconds(settings.retention.events)), ("retention.backups", "\(settings.backups)"),
                ("metrics.textfile", settings.metrics ?? "none"), ("metrics.every", seconds(settings.metricsEvery)),
                ("destinations", settings.destinations.map(\.name).joined(separator: ", ")),
            ]
    }

    /// Tells whether two processes have read the same.
    static func digest(_ settings: ServiceSettings) -> String {
        var lines = SettingsView(settings).lines.map { "\($0.key) \($0.value)" }
        for destination in settings.destinations {
            let waits = [destination.firstWait, destination.longestWait, destination.giveUp].map(seconds)
            let parts = destination.parts.map(\.rawValue)
            lines.append(
                ([destination.name, destination.address, "\(destination.holdsDoubtful)"] + parts + waits)
                    .joined(separator: " "))
        }
        return FileDigest(of: lines.joined(separator: "\n")).hex
    }

    private static func cluster(_ settings: ServiceSettings) -> [(String, String)] {
        guard let cluster = settings.cluster else { return [("cluster.engine", "none")] }
        return [
            ("cluster.engine", "slurm"), ("cluster.partition", cluster.partition ?? "Slurm's default"),
            ("cluster.tasks", "\(cluster.tasks)"), ("cluster.pack", seconds(cluster.pack)),
            ("cluster.lost_after", seconds(cluster.lostAfter)), ("cluster.memory", "\(cluster.memory)B"),
            ("cluster.time", cluster.time.map(seconds) ?? "the partition's"),
            ("cluster.isa", cluster.isa ?? "the node's best"), ("cluster.poll", seconds(cluster.poll)),
            ("cluster.programs", cluster.programs ?? "PATH"),
        ]
    }

    private static func seconds(_ duration: Duration?) -> String {
        duration.map { "\($0.milliseconds / 1000)s" } ?? "forever"
    }

    package func encode(to encoder: any Encoder) throws {
        try Dictionary(lines.map { ($0.key, $0.value) }) { first, _ in first }.encode(to: encoder)
    }
}
