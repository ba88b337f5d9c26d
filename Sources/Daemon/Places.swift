package import Storage

/// The folders of the service and the names in them.
package struct Places: Sendable {
    package let inbox: String
    package let work: String
    package let outbox: String
    package let quarantine: String
    package let kept: String
    package let ledger: String
    package let lock: String
    package let inboxLock: String

    package init(_ settings: ServiceSettings) {
        inbox = settings.inbox
        work = Folder.join(settings.spool, "work")
        outbox = Folder.join(settings.spool, "outbox")
        quarantine = Folder.join(settings.spool, "quarantine")
        kept = Folder.join(settings.spool, "kept")
        ledger = Folder.join(settings.state, "ledger.sqlite")
        lock = Folder.join(settings.state, "lock")
        inboxLock = Folder.join(settings.inbox, ".hspsam-lock")
    }

    /// Makes what is missing.
    package func prepare() throws(StorageFailure) {
        for path in [inbox, work, outbox, quarantine, kept, Folder.split(ledger).folder] {
            try Folder.make(path, mode: 0o750)
        }
    }

    /// One job's room.
    package func room(_ job: String) -> String { Folder.join(work, job) }
    package func input(_ job: String) -> String { Folder.join(room(job), "input") }
    package func output(_ job: String, attempt: Int) -> String { Folder.join(room(job), "out.\(attempt)") }
    package func log(_ job: String) -> String { Folder.join(room(job), "worker.log") }

    /// Where a study's result stands, relative to the outbox.
    package func result(study: String, key: String) -> String { "\(study)/\(key.prefix(8))" }
}
