package import Storage

/// Where the service's folders and files stand.
package struct ServicePaths: Sendable {
    package let inbox: String
    package let work: String
    package let outbox: String
    package let quarantine: String
    package let kept: String
    package let state: String

    package init(_ settings: ServiceSettings) {
        inbox = settings.inbox
        work = Folder.join(settings.spool, "work")
        outbox = Folder.join(settings.spool, "outbox")
        quarantine = Folder.join(settings.spool, "quarantine")
        kept = Folder.join(settings.spool, "kept")
        state = settings.state
    }

    /// Makes the folders that are missing.
    package func prepare() throws(StorageFailure) {
        for path in [inbox, work, outbox, quarantine, kept, state] { try Folder.make(path, mode: 0o750) }
    }

    package var ledger: String { Folder.join(state, "ledger.sqlite") }
    package var lock: String { Folder.join(state, "lock") }
    package var inboxLock: String { Folder.join(inbox, ".hspsam-lock") }
    /// Keys of complete results that stand in the outbox, one a line: what a worker need not do again.
    package var knownResults: String { Folder.join(state, "known-results") }

    /// A job's work folder.
    package func folder(_ job: String) -> String { Folder.join(work, job) }
    package func input(_ job: String) -> String { Folder.join(folder(job), "input") }
    package func output(_ job: String, attempt: Int) -> String { Folder.join(folder(job), "out.\(attempt)") }
    package func log(_ job: String) -> String { Folder.join(folder(job), "worker.log") }

    /// Where a study's result stands, relative to the outbox.
    package func result(study: String, key: String) -> String { "\(study)/\(key.prefix(8))" }
}
