/// The settings of the unattended service: paths, times, limits. Plain values; `SiteConfiguration` reads them from YAML.
package struct ServiceSettings: Sendable {
    /// Where drops appear.
    package var inbox: String
    /// Holds `work`, `outbox`, `quarantine` and `kept`, on one file system.
    package var spool: String
    /// Holds the ledger and its lock.
    package var state: String
    package var pipelines: String

    /// Time between two looks into the inbox.
    package var scan: Duration
    /// A drop is settled when nothing of it changed for this long.
    package var quiet: Duration
    /// Bytes that stay free on the spool's disk: below, nothing is claimed.
    package var reserve: Int

    /// The program that a worker runs as `PROGRAM run ...`, and the version that reports say.
    package var program: String
    package var version: String

    /// Attempts before a transient failure counts as permanent.
    package var attempts = 3
    /// The wait after the first, second, ... failed attempt; the last one holds for all further, each ± 20 %.
    package var backoff: [Duration] = [.seconds(60), .seconds(600), .seconds(3600)]
    /// A worker may take `wallBase` and `wallPerFile` for each file of its drop, and longer while it tells new progress:
    /// one file may hold a thousand frames. It is ended when nothing new came for `wallBase`.
    package var wallBase: Duration = .seconds(600)
    package var wallPerFile: Duration = .seconds(30)
    /// When the service stops, a worker has this long to finish by itself.
    package var stopGrace: Duration = .seconds(60)
    /// Between the friendly and the final signal.
    package var killGrace: Duration = .seconds(10)
    /// After trouble that is nobody's fault (disk full, no model), the queue rests this long.
    package var pause: Duration = .seconds(60)

    package init(
        inbox: String, spool: String, state: String, pipelines: String, scan: Duration, quiet: Duration, reserve: Int,
        program: String, version: String
    ) {
        self.inbox = inbox
        self.spool = spool
        self.state = state
        self.pipelines = pipelines
        self.scan = scan
        self.quiet = quiet
        self.reserve = reserve
        self.program = program
        self.version = version
    }
}
