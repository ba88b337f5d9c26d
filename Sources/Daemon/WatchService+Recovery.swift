internal import Storage

extension WatchService {
    /// Settles what an earlier service left, wherever it died. Every step can be repeated.
    func recover() async throws {
        for open in try await ledger.openAttempts() {
            if let pid = open.pid { try await worker.endLeftover(job: open.job, attempt: open.n, pid: pid) }
            if try await ledger.job(open.job)?.state == .running {
                // The service died, not the job: tried again, not counted.
                try await ledger.end(
                    open.job, attempt: open.n, nil, outcome: "lost", counts: false, to: .queued, reason: nil)
            }
        }
        // A page that was being written when the service died.
        for entry in try Folder.list(places.outbox) where entry.name.hasPrefix(".index.html.tmp-") {
            try Folder.remove(Folder.join(places.outbox, entry.name))
        }
        for job in try await ledger.jobs([.publishing]) { _ = try await publish(job) }
        for job in try await ledger.jobs([.published]) { try await tidy(job) }
        for entry in try Folder.list(places.work) where Identifier.isOne(entry.name) {
            if let job = try await ledger.job(entry.name) {
                try await tidy(job)
            } else if FileStatus.exists(places.input(entry.name)),
                let print = try? Fingerprint(of: places.input(entry.name)), print.files > 0
            {
                // Taken, and not yet in the ledger.
                try await ledger.enqueue(
                    TakenDrop(
                        id: entry.name, kind: .directory, firstSeen: Moment.now, files: print.files, bytes: print.bytes,
                        fingerprint: print.digest, odd: print.odd))
            } else {
                try Folder.remove(places.room(entry.name))
            }
        }
    }
}
