internal import Failures
internal import Logging
internal import Storage

extension WatchService {
    /// Settles what an earlier service left, wherever it died. Every step can be repeated, and what cannot be read now is left for
    /// the next start.
    func recover() async throws {
        for open in try await ledger.openAttempts() {
            if let pid = open.pid { try await worker.endLeftover(job: open.job, attempt: open.n, pid: pid) }
            if try await ledger.job(open.job)?.state == .running {
                // The service died, not the job: tried again, not counted.
                try await ledger.end(
                    open.job, attempt: open.n, nil, Ledger.Step("lost", to: .queued, nil, counts: false))
            }
        }
        // A page that was being written when the service died.
        for entry in try Folder.list(paths.outbox) where entry.name.hasPrefix(".index.html.tmp-") {
            try Folder.remove(Folder.join(paths.outbox, entry.name))
        }
        for job in try await ledger.jobs(.publishing) { _ = try await publish(job) }
        for job in try await ledger.jobs(.published) { try await tidy(job) }
        for entry in try Folder.list(paths.work) where Identifier.isOne(entry.name) {
            do { try await recover(entry.name) } catch let failure as StorageFailure {
                log.error(
                    "a work folder cannot be read", metadata: ["job": "\(entry.name)", "code": "\(failure.code)"])
            }
        }
    }

    /// A folder in `work`.
    private func recover(_ id: String) async throws {
        if let job = try await ledger.job(id) { return try await tidy(job) }
        // Taken, and not yet in the ledger.
        if FileStatus.exists(paths.input(id)) {
            let print = try Fingerprint(of: paths.input(id))
            if print.files > 0 {
                try await ledger.enqueue(
                    TakenDrop(
                        id: id, kind: .directory, firstSeen: Moment.now, files: print.files, bytes: print.bytes,
                        fingerprint: print.digest))
                return
            }
        }
        // Nothing, or a copy that was not finished: its original is in the inbox still.
        try Folder.remove(paths.folder(id))
    }
}
