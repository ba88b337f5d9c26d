package import Failures
internal import Storage

/// What `hspsam doctor` looks at, each a line with what to do.
package struct Doctor: Sendable, Encodable {
    package enum Level: String, Sendable, Encodable { case ok, warn, fail }

    package struct Finding: Sendable, Encodable {
        package let level: Level
        package let what: String
        /// Empty where there is nothing to do.
        package let cure: String

        package init(_ level: Level, _ what: String, cure: String = "") {
            self.level = level
            self.what = what
            self.cure = cure
        }
    }

    package private(set) var findings: [Finding]

    /// - Parameters:
    ///   - first: what the caller has looked at itself.
    ///   - units: where systemd's units stand; in the first of these folders is told what it starts by itself.
    package init(
        _ settings: ServiceSettings, first: [Finding],
        units: [String] = ["/etc/systemd/system", "/usr/lib/systemd/system", "/lib/systemd/system"]
    ) {
        findings = first
        let paths = ServicePaths(settings)
        ledger(paths)
        places(settings, paths)
        service(paths)
        enabled(settings, units)
        if let cluster = settings.cluster { look(cluster) }
    }

    private mutating func add(_ level: Level, _ what: String, _ cure: String = "") {
        findings.append(Finding(level, what, cure: cure))
    }

    private mutating func ledger(_ paths: ServicePaths) {
        do {
            guard let complaints = try LedgerView.integrity(path: paths.ledger) else {
                return add(.warn, "ledger: none yet", "Start the service once.")
            }
            if let first = complaints.first {
                add(.fail, "ledger: \(first)", "Stop the service, then: hspsam ledger rebuild")
            } else {
                add(.ok, "ledger: whole")
            }
        } catch {
            let failure = FailureRecord(error)
            add(.fail, "ledger: \(failure.code) \(failure.message.explanation)", failure.message.cure)
        }
        let newest = (try? Folder.list(paths.backups))?.filter { $0.name.hasSuffix(".sqlite") }
            .map(\.status.modifiedNS).max()
        guard let newest else { return add(.warn, "backup: none", "hspsam ledger backup") }
        let hours = (Moment.now - newest / 1_000_000) / 3_600_000
        add(hours < 48 ? .ok : .warn, "backup: \(hours) h old", hours < 48 ? "" : "hspsam ledger backup")
    }

    private mutating func places(_ settings: ServiceSettings, _ paths: ServicePaths) {
        let view = SpoolView(paths)
        for place in view.unlistable {
            add(.fail, "\(place) cannot be listed", "Give the service's user the right to.")
        }
        for place in view.unwritable {
            add(.fail, "\(place) cannot be written", "Give the service's user the right to.")
        }
        if view.unlistable.isEmpty, view.unwritable.isEmpty { add(.ok, "folders can be listed and written") }
        do {
            let room = try Folder.freeRoom(settings.spool)
            let isEnough = room.bytes >= settings.reserve && room.files >= settings.reserveFiles
            add(
                isEnough ? .ok : .fail,
                "disk: \(room.bytes >> 20) MiB and \(room.files) files free, the reserve is \(settings.reserve >> 20) MiB",
                isEnough ? "" : "Free space; below the reserve nothing is claimed.")
            func disk(_ path: String) throws(StorageFailure) -> UInt64 {
                try FileStatus(of: path, followingLinks: true).device
            }
            let work = try disk(paths.work)
            for path in [paths.outbox, paths.quarantine, paths.kept] where try disk(path) != work {
                add(
                    .fail,
                    "\(Folder.split(path).name)/: on another disk than work/; what is to go there waits for ever",
                    "Put the whole spool on one file system.")
            }
            if try disk(paths.inbox) != work {
                add(
                    .warn, "inbox: on another disk; every drop is copied",
                    "Put the inbox beside work/ on one file system.")
            }
        } catch { add(.fail, "spool: \(error.code)", error.message.cure) }
        let overview = try? Overview.read(path: paths.ledger, view)
        if overview == nil, let stray = Overview.strayNote(view) {
            add(.warn, "\(stray.code) \(stray.text)", stray.cure)
        }
        for note in overview?.notes ?? [] where !["PLACE-UNREADABLE", "PLACE-UNWRITABLE"].contains(note.code) {
            // Nothing can be worked on there.
            let isAway = ["SPOOL-OTHER", "PLACE-MISSING"].contains(note.code)
            add(isAway ? .fail : .warn, "\(note.code) \(note.text)", note.cure)
        }
    }

    private mutating func look(_ cluster: ClusterSettings) {
        let missing = Slurm.programs.filter { OtherProgram.path($0, in: cluster.programs) == nil }
        missing.isEmpty
            ? add(.ok, "cluster: \(Slurm.programs.joined(separator: ", ")) are installed")
            : add(
                .fail, "cluster: \(missing.joined(separator: ", ")) cannot be found",
                "apt-get install slurm-client, or set cluster.programs.")
    }

    private mutating func service(_ paths: ServicePaths) {
        if let cut = try? Overview.batchCut(paths, SpoolView(paths)) {
            return add(.fail, "\(cut.code) \(cut.text)", cut.cure)
        }
        guard let owner = try? FileLock.owner(paths.lock) else {
            return add(.warn, "service: not running", "systemctl start hspsam")
        }
        guard let sign = Heartbeat.read(paths.heartbeat) else {
            return add(.warn, "service: \(owner); no sign of life yet")
        }
        if let waiting = sign.waiting { return add(.fail, "service: waits: \(waiting)") }
        Heartbeat.isAlive(sign)
            ? add(.ok, "service: \(owner)") : add(.fail, "service: gives no sign of life", "systemctl restart hspsam")
    }

    /// What systemd starts after a reboot, where it starts any of ours.
    private mutating func enabled(_ settings: ServiceSettings, _ folders: [String]) {
        guard let first = folders.first,
            folders.contains(where: { FileStatus.exists(Folder.join($0, "hspsam.service")) })
        else { return }
        func isEnabled(_ unit: String, by target: String) -> Bool {
            FileStatus.exists(Folder.join(first, "\(target).target.wants/\(unit)"))
        }
        let watch = isEnabled("hspsam.service", by: "multi-user")
        let batch = isEnabled("hspsam-batch.timer", by: "timers")
        if watch, batch {
            add(
                .warn, "units: hspsam.service and hspsam-batch.timer are both enabled, and each stops the other",
                "systemctl disable --now hspsam-batch.timer, or hspsam.service")
        } else if !watch, !batch {
            add(
                .warn, "units: neither hspsam.service nor hspsam-batch.timer is enabled: after a reboot nobody works",
                "systemctl enable --now hspsam.service, or hspsam-batch.timer")
        }
        if !settings.destinations.isEmpty || settings.arrival != nil,
            !isEnabled("hspsam-deliver.service", by: "multi-user")
        {
            add(
                .warn, "units: hspsam-deliver.service is not enabled: after a reboot nobody sends",
                "systemctl enable --now hspsam-deliver.service")
        }
        if settings.arrival != nil, !isEnabled("hspsam-receive.service", by: "multi-user") {
            add(
                .warn, "units: hspsam-receive.service is not enabled: after a reboot nobody receives",
                "systemctl enable --now hspsam-receive.service")
        }
    }

    /// 3 when something failed, else 0.
    package var status: ExitStatus { findings.contains { $0.level == .fail } ? .refusedOrFailed : .done }

    /// For a person at a terminal.
    package var text: String {
        let marks: [Level: String] = [.ok: "ok  ", .warn: "warn", .fail: "FAIL"]
        return findings.map { finding in
            "  \(marks[finding.level] ?? "")  \(finding.what)\(finding.cure.isEmpty ? "" : " → \(finding.cure)")"
        }.joined(separator: "\n")
    }
}
