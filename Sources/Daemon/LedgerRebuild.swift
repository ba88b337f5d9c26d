internal import Failures
internal import Foundation
internal import GRDB
package import Logging
internal import Processes
internal import Records
internal import Storage

/// A ledger made anew from the newest backup that is whole and from what stands in the folders. Nothing is published twice by it:
/// results are known by their keys and the digests of their files.
package enum LedgerRebuild {
    package struct Summary: Sendable, Encodable {
        /// The day of the backup that it began from; nil where there was none.
        package var backup: String?
        /// Under what name the old ledger was put aside.
        package var aside: String?
        package var results = 0
        package var quarantined = 0
        /// Inputs in `work` that wait again.
        package var waiting = 0
        /// Results in the outbox that were not adopted: files of them are missing or changed.
        package var damaged = 0
    }

    /// *Throws* `DaemonFailure.locked` while a service runs.
    package static func run(_ settings: ServiceSettings, log: Logger) async throws -> Summary {
        let paths = ServicePaths(settings)
        try paths.prepare()
        let locks = try await ServiceLocks(paths)
        var summary = Summary()
        if FileStatus.exists(paths.ledger) {
            let name = "ledger.damaged-\(Identifier.make())"
            for ending in ["", "-wal", "-shm"] where FileStatus.exists(paths.ledger + ending) {
                try Folder.rename(paths.ledger + ending, to: Folder.join(paths.state, name + ending))
            }
            summary.aside = name
        }
        for copy in try Folder.list(paths.backups).map(\.name).sorted(by: >) where copy.hasSuffix(".sqlite") {
            let path = Folder.join(paths.backups, copy)
            guard let complaints = try? LedgerView.integrity(path: path), complaints.isEmpty else { continue }
            try DurableFile.write(DurableFile.read(path, limit: .max), to: paths.ledger, mode: 0o640)
            summary.backup = copy
            break
        }
        let ledger = try Ledger(path: paths.ledger)
        try await ledger.remember("spool", "")
        // It begins with what stands there.
        for fact in [Overview.outboxMarked, Overview.outboxOlder] { try await ledger.remember(fact, "") }
        // What is adopted goes to them: without the old ledger nobody knows what they have, and an object sent twice is the same object.
        for destination in settings.destinations { try await ledger.know(destination: destination.name) }
        let found = try standing(paths)
        summary.damaged = found.damaged
        let standing = found.whole.sorted { ($0.at, $0.result.path) < ($1.at, $1.result.path) }
        let keys = Set(standing.map(\.result.key))
        for found in standing where try await !ledger.isPublished(key: found.result.key) {
            // What a result lacked is told with the one that took its place; that images contradict each other stays.
            let isTold =
                found.supersededBy.map(keys.contains) == true
                && found.asking.map(JobReason.contradictions.contains) != true
            try await ledger.adopt(found.result, at: found.at, asking: isTold ? nil : found.asking)
            summary.results += 1
        }
        for found in standing {
            if let newer = found.supersededBy { try await ledger.supersede(found.result.key, by: newer) }
        }
        for entry in try Folder.list(paths.quarantine) where Identifier.isOne(entry.name) {
            let reason = JobReason(quarantined: Folder.join(paths.quarantine, entry.name))
            if try await ledger.adoptQuarantined(entry.name, reason) { summary.quarantined += 1 }
        }
        try await ledger.close()
        // What stands in work/ and is not known is booked as after a crash.
        let service = try await WatchService(settings, log: log, stop: StopRequest(), locks: locks, isResumed: true)
        try await service.countUnknown()
        summary.waiting = try await service.ledger.waiting()
        try await service.close()
        return summary
    }

    /// A result in the outbox whose files are all as they were published.
    private struct Standing {
        let result: PublishedResult
        /// When it was put there, in milliseconds since 1970.
        let at: Int64
        /// The key of the one that took its place.
        let supersededBy: String?
        /// What a person was asked for, by its code where the report has one.
        let asking: String?
    }

    /// Those that are whole, and how many others there are.
    private static func standing(_ paths: ServicePaths) throws -> (whole: [Standing], damaged: Int) {
        var damaged = 0
        var found: [Standing] = []
        for study in try Folder.list(paths.outbox) where study.status.kind == .directory {
            let folder = Folder.join(paths.outbox, study.name)
            for entry in try Folder.list(folder) where entry.name.utf8.count == 8 {
                let place = Folder.join(folder, entry.name)
                guard let result = try OutboxResult(in: place), let key = result.record.key else { continue }
                guard try result.isWhole() else {
                    damaged += 1
                    continue
                }
                let record = result.record
                let bytes = try Fingerprint(of: place).bytes
                found.append(
                    Standing(
                        result: PublishedResult(
                            study: record.study, key: key, path: "\(study.name)/\(entry.name)",
                            complete: record.complete, files: record.instances.count, bytes: bytes, findings: [],
                            supersedes: []), at: entry.status.modifiedNS / 1_000_000,
                        supersededBy: record.supersededBy,
                        asking: record.needsPerson ?? (record.complete ? nil : "incomplete")))
            }
        }
        return (found, damaged)
    }
}

extension Ledger {
    /// A result that stands in the outbox and whose job is not known any more.
    ///
    /// - Parameter asking: what a person was asked for: whether it was dealt with stood in the ledger alone.
    func adopt(_ result: PublishedResult, at: Int64, asking what: String?) throws {
        try write { [epoch] db in
            let id = Identifier.make(at: at)
            try Self.insert(db, id, state: .done, epoch: epoch, at: at, files: result.files)
            if let what {
                try Self.note(
                    db, id,
                    JobReason(
                        .partial, code: "REBUILT",
                        text:
                            "its result asked for somebody (\(what)), and the ledger that said whether it is dealt with is lost: read its report."
                    ))
            }
            try db.execute(
                sql: """
                    INSERT INTO result(
                        key, job_id, study, path, complete, files, bytes, findings, published_at, sequence)
                    VALUES (?, ?, ?, ?, ?, ?, ?, '', ?, \(Self.nextSequence))
                    ON CONFLICT(key) DO UPDATE SET whole = 1
                    """,
                arguments: [
                    result.key, id, result.study, result.path, result.complete, result.files, result.bytes, at,
                ])
        }
    }

    /// As a result's own report says; a newer one that does not stand any more takes nobody's place.
    func supersede(_ key: String, by newer: String) throws {
        try write {
            try $0.execute(
                sql: """
                    UPDATE result SET superseded_by = ? WHERE key = ? AND EXISTS(SELECT 1 FROM result WHERE key = ?)
                    """, arguments: [newer, key, newer])
        }
    }

    /// A folder in the quarantine. Gives whether its job was not known.
    func adoptQuarantined(_ id: String, _ reason: JobReason) throws -> Bool {
        guard try job(id) == nil else { return false }
        try write { [epoch] db in
            try Self.insert(db, id, state: .quarantined, epoch: epoch, at: Identifier.milliseconds(id), files: 0)
            try Self.note(db, id, reason)
        }
        return true
    }

    private static func note(_ db: Database, _ id: String, _ reason: JobReason) throws {
        try db.execute(
            sql: "UPDATE job SET reason_class = ?, reason_code = ?, reason_text = ? WHERE id = ?",
            arguments: [reason.kind.rawValue, reason.code, reason.text, id])
    }

    private static func insert(
        _ db: Database, _ id: String, state: Job.State, epoch: Int, at: Int64, files: Int
    ) throws {
        try db.execute(
            sql: """
                INSERT INTO "drop"(id, first_seen, claimed_at, origin, kind, files, bytes, fingerprint, state)
                VALUES (?, ?, ?, 'rebuild', 'directory', ?, 0, '', 'taken')
                """, arguments: [id, at, at, files])
        try db.execute(
            sql: "INSERT INTO job(id, state, epoch, created_at, changed_at) VALUES (?, ?, ?, ?, ?)",
            arguments: [id, state.rawValue, epoch, at, at])
        try db.execute(
            sql: "INSERT INTO event(at, job_id, to_state, code) VALUES (?, ?, ?, 'REBUILT')",
            arguments: [Moment.now, id, state.rawValue])
    }
}
