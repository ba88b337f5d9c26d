package import Storage

/// Where the service's folders and files stand.
package struct ServicePaths: Sendable {
    package let inbox: String
    package let work: String
    package let outbox: String
    package let quarantine: String
    package let kept: String
    package let control: String
    package let state: String
    /// Where `inbox` stands unless the site file says otherwise, and where the receiver's unit drops.
    package let spoolInbox: String
    private let spool: String
    private let hasCluster: Bool
    private let mountTable: String
    /// Holds the key of the result that was published last, so that an older copy of the outbox is not taken for it.
    let newestResult: String
    /// Says which spool this is, so that an empty folder on another disk is not taken for it.
    package let spoolIdentity: String

    package init(_ settings: ServiceSettings) {
        inbox = settings.inbox
        spool = settings.spool
        work = Folder.join(settings.spool, "work")
        outbox = Folder.join(settings.spool, "outbox")
        quarantine = Folder.join(settings.spool, "quarantine")
        newestResult = Folder.join(outbox, "newest-result")
        kept = Folder.join(settings.spool, "kept")
        control = Folder.join(settings.spool, "control")
        spoolIdentity = Folder.join(settings.spool, ".hspsam-spool")
        state = settings.state
        spoolInbox = Folder.join(settings.spool, "inbox")
        hasCluster = settings.cluster != nil
        mountTable = settings.mountTable
    }

    /// Makes the folders that are missing. An inbox elsewhere is made once: where it has gone since, or `MountTable` says so, its disk is not mounted, and nobody
    /// would drop anything into one made here.
    package func prepare() throws(StorageFailure) {
        let isAway = try MountTable(path: mountTable).isAway(inbox)
        if inbox == spoolInbox || !FileStatus.exists(ledger) && !isAway { try Folder.make(inbox, mode: 0o750) }
        for path in [
            work, outbox, quarantine, kept, newRequests, answers, state, backups, deliveryTickets,
            deliveryReceipts, arrivalQuestions, arrivalAnswers, receiving,
        ] + (hasCluster ? [arrays] : []) {
            try Folder.make(path, mode: 0o750)
        }
    }

    /// Whether the outbox holds any study.
    func outboxHoldsResults() throws(StorageFailure) -> Bool {
        try Folder.list(outbox).contains { $0.status.kind == .directory && $0.name != Night.folder }
    }

    /// Folders that are the service's own, its sender's and its receiver's, whatever the site file names beside them: those of the spool, and
    /// `backups`. The state's own files beside these: `isOwn(inState:)`.
    package var own: [String] { [work, outbox, quarantine, kept, control, deliver, receive, cluster, backups] }

    /// Whether the service writes a file of this name in the state's folder.
    package func isOwn(inState name: String) -> Bool {
        name.hasPrefix(Folder.split(ledger).name)
            || [lock, heartbeat, batchFailed, known(in: state)].contains(Folder.join(state, name))
    }

    /// Whether the service writes a file of this name in the spool's folder.
    package func isOwn(inSpool name: String) -> Bool { name.hasPrefix(".hspsam") }

    /// Folders that the service alone writes files to, but for those of results and of jobs in quarantine.
    var written: [String] {
        [spool, outbox, Folder.join(outbox, Night.folder), answers, deliveryTickets, arrivalQuestions, state, cluster]
    }

    /// What people ask of the running service, and what it answered.
    package var newRequests: String { Folder.join(control, "new") }
    package var answers: String { Folder.join(control, "done") }
    private var deliver: String { Folder.join(spool, "deliver") }
    private var receive: String { Folder.join(spool, "receive") }
    /// What is to be sent, what became of it, and where the sender puts files of its own.
    package var deliveryTickets: String { Folder.join(deliver, "new") }
    package var deliveryReceipts: String { Folder.join(deliver, "receipts") }
    package var deliveryScratch: String { Folder.join(deliver, "scratch") }
    /// What the sender remembers of folders that it copies to.
    package var deliveryFolders: String { Folder.join(deliver, "folders") }
    /// Drops that an archive is asked about, and what it said.
    package var arrivalQuestions: String { Folder.join(deliver, "questions") }
    package var arrivalAnswers: String { Folder.join(deliver, "answers") }
    /// Held by the process that sends.
    package var senderLock: String { Folder.join(deliver, "lock") }
    /// Where a receiver writes what is sent to it, before it moves it to the inbox.
    package var receiving: String { Folder.join(receive, "in") }
    /// Made by the receiver's unit whenever the receiver ends by itself.
    var receiverEnded: String { Folder.join(receive, "ended") }
    package var backups: String { Folder.join(state, "backups") }
    package var heartbeat: String { Folder.join(state, "heartbeat") }
    package var ledger: String { Folder.join(state, "ledger.sqlite") }
    /// Where `BatchFailure` is told.
    var batchFailed: String { Folder.join(state, "batch-failed") }
    var batchFailedElsewhere: String { Folder.join(control, "batch-failed") }
    package var lock: String { Folder.join(state, "lock") }
    package var inboxLock: String { Folder.join(inbox, ".hspsam-lock") }
    package var spoolLock: String { Folder.join(spool, ".hspsam-service-lock") }
    /// Keys of complete results that stand in the outbox, one a line: what a worker need not do again. Where nodes work, they see it.
    package var knownResults: String { known(in: hasCluster ? cluster : state) }
    private func known(in folder: String) -> String { Folder.join(folder, "known-results") }
    /// What the coordinator of a cluster shares with the nodes beside the jobs' folders.
    private var cluster: String { Folder.join(spool, "cluster") }
    /// Arrays of tasks.
    package var arrays: String { Folder.join(cluster, "arrays") }

    /// A job's work folder.
    package func folder(_ job: String) -> String { Folder.join(work, job) }
    package func input(_ job: String) -> String { Folder.join(folder(job), "input") }
    package func output(_ job: String, attempt: Int) -> String { Folder.join(folder(job), "out.\(attempt)") }

    /// Removes what earlier attempts at a job left: it takes room that the next one needs.
    func removeOutputs(_ job: String) throws(StorageFailure) {
        for entry in try Folder.list(folder(job)) where entry.name.hasPrefix("out.") {
            try Folder.remove(Folder.join(folder(job), entry.name))
        }
    }
    package func log(_ job: String) -> String { Folder.join(folder(job), "worker.log") }

    /// Where a study's result stands, relative to the outbox.
    package func result(study: String, key: String) -> String { "\(study)/\(key.prefix(8))" }

    /// Where the input of a job stands, in `work`, in the quarantine or among the kept originals; nil when it is in none of them.
    ///
    /// *Throws* `StorageFailure` when that cannot be known. *Cost*: one look for each kept day.
    package func standingInput(of job: String) throws(StorageFailure) -> String? {
        if FileStatus.exists(input(job)) { return input(job) }
        let quarantined = Folder.join(quarantine, "\(job)/input")
        if FileStatus.exists(quarantined) { return quarantined }
        return try keptInputs(of: job).first
    }

    /// Where the input of a job stands among the kept originals.
    func keptInputs(of job: String) throws(StorageFailure) -> [String] {
        try Folder.list(kept).filter { $0.status.kind == .directory }.map { Folder.join(kept, "\($0.name)/\(job)") }
            .filter { FileStatus.exists($0) }
    }
}
