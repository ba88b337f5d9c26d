internal import Storage

/// The settings of the unattended service: paths, times, limits. Plain values; `SiteConfiguration` reads them from YAML.
package struct ServiceSettings: Sendable {
    /// Where drops appear.
    package var inbox: String
    /// Holds `work`, `outbox`, `quarantine`, `kept` and `control`, on one file system.
    package var spool: String
    /// Holds the ledger, its lock and its backups.
    package var state: String
    package var pipelines: String
    /// The pipelines that are there now; nil where that is not known, as while one of them is being changed.
    package var lookAtPipelines: (@Sendable () -> [KnownPipeline]?)?
    /// The file that says what is to be mounted on this machine.
    package var mountTable = MountTable.path

    /// Time between two looks into the inbox.
    package var scan: Duration
    /// When a drop is complete, and how much of one is accepted.
    package var settling: SettlingRules
    /// Jobs at most that wait; more drops stay in the inbox.
    package var waitingJobs = 5000
    /// Bytes that stay free on the spool's disk: below, nothing is claimed.
    package var reserve: Int
    /// Files that stay free on the spool's disk: below, nothing is claimed.
    package var reserveFiles = 1000

    /// The program that a worker runs as `PROGRAM run ...`, and the version that reports say.
    package var program: String
    package var version: String

    /// Attempts before a transient failure counts as permanent.
    package var attempts = 3
    /// Services that may die while a job runs before the job counts as their cause.
    package var lostAttempts = 5
    /// The wait after the first, second, ... failed attempt; the last one holds for all further, each ± 20 %.
    package var backoff: [Duration] = [.seconds(60), .seconds(600), .seconds(3600)]
    /// A worker may take `wallBase` and `wallPerFile` for each file of its drop, and longer while it tells new progress:
    /// one file may hold a thousand frames.
    package var wallBase: Duration = .seconds(600)
    package var wallPerFile: Duration = .seconds(30)
    /// A worker that tells nothing new for this long is ended, once its time is up.
    package var hang: Duration = .seconds(600)
    /// Threads of a worker; 0: all cores.
    package var threads = 0
    /// Bytes of address space of a worker; nil: as many as there are.
    package var memory: Int?
    /// When the service stops, a worker has this long to finish by itself.
    package var stopGrace: Duration = .seconds(60)
    /// Between the friendly and the final signal.
    package var killGrace: Duration = .seconds(10)
    /// After trouble that is nobody's fault (disk full, no model), the queue rests this long.
    package var pause: Duration = .seconds(60)
    /// No job waits longer for its next attempt, a gap's late slices aside.
    var longestBackoff: Duration { max(backoff.last ?? .zero, pause) }
    /// After a failure that passes, the service goes on after so long; twice as long each time, at most sixty times.
    package var resumeWait: Duration = .seconds(1)
    /// Time between two rounds of removing what is old, of backups and of comparing ledger and disk.
    package var maintenance: Duration = .seconds(600)
    /// How long a call waits for a ledger that another process holds.
    package var ledgerWait: Duration = .seconds(10)
    /// A result with missing slices is held back this long, for late ones; not in a batch.
    package var gapWait: Duration = .seconds(900)
    /// Late images of a study are worked on together with those that came this long before.
    package var lateWindow: Duration = .seconds(86_400)

    /// Whether a phantom must come out right before a night's work.
    package var selfTest = true
    /// Whether the outbox's page shows each study's accession number.
    package var showsAccession = false

    /// Who makes the attempts; nil: this machine.
    package var cluster: ClusterSettings?

    package var retention = Retention()
    /// The file for node_exporter, and how often it is written; nil: none.
    package var metrics: String?
    package var metricsEvery: Duration = .seconds(15)
    /// Whom to ask whether a study that came by C-STORE is complete; nil: nobody.
    package var arrival: ArrivalRule?
    /// Where results are sent to.
    package var destinations: [Destination] = []
    /// A batch waits this long for somebody who sends, at its end.
    package var senderWait: Duration = .seconds(15)
    /// What lies in the receiver's folder this long without a change is dropped into the inbox: longer than a sender may be silent in
    /// the middle of an object.
    package var receiveWait: Duration = .seconds(3600)
    /// Daily copies of the ledger that are kept.
    package var backups = 7

    package init(
        inbox: String, spool: String, state: String, pipelines: String, scan: Duration, quiet: Duration, reserve: Int,
        program: String, version: String
    ) {
        self.inbox = inbox
        self.spool = spool
        self.state = state
        self.pipelines = pipelines
        self.scan = scan
        settling = SettlingRules(quiet: quiet)
        self.reserve = reserve
        self.program = program
        self.version = version
    }

    /// How long things stay; nil: for ever.
    package struct Retention: Sendable {
        /// Originals of finished studies.
        package var kept: Duration? = .seconds(14 * 86_400)
        package var outbox: Duration?
        package var quarantine: Duration?
        /// Lines of the ledger's history.
        package var events: Duration? = .seconds(400 * 86_400)

        package init() {}
    }
}
