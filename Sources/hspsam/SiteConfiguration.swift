import Daemon
import Failures
import Foundation
import Pipelines
import Settings
import Storage
import Tensors

/// The site file of the unattended service (`--config`): folders, times and limits. `deploy/hspsam.yaml` names every key with its
/// default; a key that does not stand there is unknown.
struct SiteConfiguration {
    let service: ServiceSettings

    /// *Throws* a configuration failure with file and line.
    init(path: String, version: String) throws {
        let bytes: [UInt8]
        do { bytes = try DurableFile.read(path, limit: 1 << 20) } catch {
            throw FailureRecord(kind: .configuration, code: error.code, message: error.message)
        }
        service = try Section.read(bytes, file: path) { try Self.settings($0, version: version) }
    }

    private static func settings(_ root: Section, version: String) throws -> ServiceSettings {
        let inbox = try root.section("inbox")
        let settle = try root.section("settle")
        let folders = try root.section("places")
        var places = SitePlaces()
        let spool = try SitePlaces.absolute(folders.string("spool", default: "/var/spool/hspsam"), folders, "spool")
        let state = try places.add(
            folders.string("state", default: "/var/lib/hspsam"), SitePlaces.state, folders, "state")
        let pipelines = try folders.string("pipelines", default: Self.installedPipelines)
        // Kept as it is named: a link may be turned to newer pipelines while the service runs.
        _ = try places.add(pipelines, "places.pipelines", folders, "pipelines")
        var settings = ServiceSettings(
            inbox: try places.add(
                inbox.string("path", default: Folder.join(spool, "inbox")), "inbox.path", inbox, "path"),
            spool: spool, state: state, pipelines: pipelines,
            scan: try inbox.duration("scan", in: .seconds(1) ... .seconds(3600), default: .seconds(5)),
            quiet: try settle.duration("quiet", in: .zero ... .seconds(86_400), default: .seconds(60)),
            reserve: try root.size("reserve", default: 20 << 30), program: Self.program, version: version)
        settings.lookAtPipelines = { Self.known(in: pipelines) }
        try read(inbox, settle, &settings.settling)
        guard settings.settling.mode == .readyOnly || settings.settling.quiet <= settings.settling.giveUp else {
            throw settle.failure(
                "SET-RANGE", at: "quiet", "settle.quiet is longer than settle.give_up: no drop would ever settle.",
                cure: "Make quiet shorter than give_up.")
        }
        settings.arrival = try settle.optionalSection("ask").map(arrival)
        settings.gapWait = try settle.duration("gap_wait", default: settings.gapWait)
        let late = try root.section("late")
        settings.lateWindow = try late.duration("window", default: settings.lateWindow)
        try limits(root.section("limits"), &settings)
        try worker(root.section("worker"), &settings)
        settings.cluster = try cluster(root.section("cluster"))
        settings.stopGrace = try root.section("stop").duration(
            "grace", in: .zero ... .seconds(3600), default: settings.stopGrace)
        let retention = try root.section("retention")
        try Self.retention(retention, &settings)
        // Late images are worked on together with the originals of their study.
        if let kept = settings.retention.kept, kept < settings.lateWindow {
            guard !late.has("window") else {
                throw late.failure(
                    "SET-RANGE", at: "window",
                    "originals are removed (retention.kept) before late.window ends: late images of a study would be worked on without those that came before.",
                    cure: "Make late.window no longer than retention.kept.")
            }
            settings.lateWindow = kept
        }
        settings.destinations = try destinations(root, &places)
        try places.check(settings, folders)
        settings.showsAccession = try root.section("outbox").choice("show", default: Shown.none) == .accession
        let metrics = try root.section("metrics")
        settings.metrics = try metrics.optionalString("textfile").map {
            try places.textfile($0, settings, metrics, "textfile")
        }
        settings.metricsEvery = try metrics.duration(
            "every", in: .seconds(1) ... .seconds(3600), default: settings.metricsEvery)
        return settings
    }

    /// Nil where one of them cannot be read now.
    private static func known(in folder: String) -> [KnownPipeline]? {
        guard let pipelines = try? PipelineDirectory.allSettings(in: folder) else { return nil }
        return pipelines.map { KnownPipeline(name: $0.name, kinds: Set($0.outputs.kinds.map(\.rawValue))) }
    }

    private static func read(_ inbox: Section, _ settle: Section, _ rules: inout SettlingRules) throws {
        rules.copies = try inbox.choice("claim", default: Claim.rename) == .copy
        rules.mode = try settle.choice("mode", default: rules.mode)
        rules.giveUp = try settle.duration(
            "give_up", in: .seconds(60) ... .seconds(86_400 * 365), default: rules.giveUp)
    }

    /// Whom to ask whether a received study is complete.
    private static func arrival(_ section: Section) throws -> ArrivalRule {
        ArrivalRule(
            peer: try node(section), wait: try section.duration("wait", default: .seconds(900)),
            every: try section.duration("every", in: .seconds(1) ... .seconds(3600), default: .seconds(30)))
    }

    private enum Shown: String, CaseIterable { case none, accession }
    private enum Claim: String, CaseIterable { case rename, copy }

    private static func limits(_ limits: Section, _ settings: inout ServiceSettings) throws {
        settings.settling.mostBytes = try limits.size(
            "drop_bytes", in: 1 ... .max, default: settings.settling.mostBytes)
        settings.settling.mostFiles = try limits.int(
            "drop_files", in: 1...Fingerprint.mostEntries, default: settings.settling.mostFiles)
        settings.waitingJobs = try limits.int("waiting_jobs", in: 1 ... .max, default: settings.waitingJobs)
    }

    private static func worker(_ worker: Section, _ settings: inout ServiceSettings) throws {
        settings.threads = try worker.int("threads", in: ThreadPool.counts, default: 0)
        settings.attempts = try worker.int("attempts", in: 1...20, default: settings.attempts)
        settings.selfTest = try worker.bool("self_test", default: settings.selfTest)
        settings.memory = try worker.optionalSize("memory", in: (64 << 20) ... .max)
        settings.hang = try worker.duration("hang", in: .seconds(10) ... .seconds(86_400), default: settings.hang)
        let wall = try worker.section("wall")
        settings.wallBase = try wall.duration("base", in: .seconds(10) ... .seconds(86_400), default: settings.wallBase)
        settings.wallPerFile = try wall.duration("per_file", default: settings.wallPerFile)
    }

    private enum Engine: String, CaseIterable { case none, slurm }

    /// Nil when this machine makes the attempts; the other keys are read all the same, so that a wrong one is told.
    private static func cluster(_ section: Section) throws -> ClusterSettings? {
        let engine = try section.choice("engine", default: Engine.none)
        var cluster = ClusterSettings()
        cluster.partition = try section.optionalString("partition")
        cluster.tasks = try section.int("tasks", in: 1...1000, default: cluster.tasks)
        cluster.pack = try section.duration("pack", in: .seconds(1) ... .seconds(86_400), default: cluster.pack)
        cluster.lostAfter = try section.duration(
            "lost_after", in: .seconds(1) ... .seconds(86_400), default: cluster.lostAfter)
        cluster.memory = try section.size("memory", in: (64 << 20) ... .max, default: cluster.memory)
        cluster.time = try section.optionalDuration("time", in: .seconds(60) ... .seconds(86_400 * 30))
        cluster.isa = try section.optionalString("isa")
        if let name = cluster.isa, !InstructionSet.names.contains(name) {
            throw section.failure(
                "SET-CHOICE", at: "isa", found: name, "no instruction set has this name.",
                cure: "Write one of \(InstructionSet.names.joined(separator: ", ")), or leave it out.")
        }
        cluster.poll = try section.duration("poll", in: .seconds(1) ... .seconds(600), default: cluster.poll)
        cluster.programs = try section.optionalString("programs")
        return engine == .slurm ? cluster : nil
    }

    private static func retention(_ section: Section, _ settings: inout ServiceSettings) throws {
        settings.retention.kept = try period(section, "kept", settings.retention.kept)
        settings.retention.outbox = try period(section, "outbox", settings.retention.outbox)
        settings.retention.quarantine = try period(section, "quarantine", settings.retention.quarantine)
        // A batch tells at its end what became of each drop by the history since it began.
        settings.retention.events = try period(
            section, "events", settings.retention.events, shortest: .seconds(604_800))
        settings.backups = try section.int("backups", in: 1...366, default: settings.backups)
    }

    /// A duration, or `forever`.
    private static func period(
        _ section: Section, _ key: String, _ value: Duration?, shortest: Duration = .seconds(3600)
    ) throws -> Duration? {
        if let text = try? section.optionalString(key), text == "forever" { return nil }
        return try section.optionalDuration(key, in: shortest ... .seconds(86_400 * 36_500)) ?? value
    }

    /// What becomes of results that ask for a person.
    private enum Doubtful: String, CaseIterable { case hold, send }

    private enum DestinationKind: String, CaseIterable { case dicom, dicomweb, folder }

    private static func destinations(_ root: Section, _ places: inout SitePlaces) throws -> [Destination] {
        var found: [Destination] = []
        for section in try root.sections("destinations") {
            let name = try section.string("name")
            // It stands in lines of `status`, of the log and of metrics.
            guard name.unicodeScalars.allSatisfy({ $0.properties.generalCategory != .control }), name.utf8.count <= 64
            else {
                throw section.failure(
                    "SET-DESTINATION", at: "name", "a name has at most 64 characters, and no line feed or tab.",
                    cure: "Write name: pacs-main.")
            }
            guard !found.contains(where: { $0.name == name }), !name.isEmpty else {
                throw section.failure(
                    "SET-DESTINATION", at: "name", "two destinations have one name, or none.",
                    cure: "Name each differently.")
            }
            let word = try section.choice("kind", DestinationKind.self)
            let kind: Destination.Kind =
                switch word {
                case .folder:
                    .folder(path: try places.add(section.string("path"), "destination \(name)", section, "path"))
                case .dicom: .dicom(try dicomPeer(section))
                case .dicomweb: .dicomWeb(try webPeer(section))
                }
            let (firstWait, longestWait) = try waits(section.section("backoff"))
            let (parts, areExpected) = try parts(section, isFolder: word == .folder)
            found.append(
                Destination(
                    name: name, kind: kind, parts: parts,
                    firstWait: firstWait, longestWait: longestWait,
                    giveUp: try section.duration(
                        "give_up", in: .seconds(1) ... .seconds(86_400 * 3650), default: .seconds(7 * 86_400)),
                    // A folder's readers have the report beside it.
                    holdsDoubtful: try section.choice("doubtful", default: word == .folder ? Doubtful.send : .hold)
                        == .hold, expectsParts: areExpected))
        }
        return found
    }

    /// The first and the longest wait after a failure; one that is not written gives way to the other.
    private static func waits(_ backoff: Section) throws -> (first: Duration, longest: Duration) {
        let range: ClosedRange<Duration> = .seconds(1) ... .seconds(86_400)
        let first = try backoff.optionalDuration("first", in: range)
        let longest = try backoff.optionalDuration("max", in: range)
        if let first, let longest, first > longest {
            throw backoff.failure(
                "SET-RANGE", at: "first", "the first wait is longer than the longest one (backoff.max).",
                cure: "Write backoff: {first: 1m, max: 1h}.")
        }
        return (
            first ?? min(.seconds(60), longest ?? .seconds(60)), longest ?? max(.seconds(3600), first ?? .seconds(3600))
        )
    }

    /// Whoever names all that is sent anyhow does not expect each part.
    private static func parts(
        _ section: Section, isFolder: Bool
    ) throws -> (parts: [Destination.Part], areExpected: Bool) {
        // A folder gets all of a result, an archive each object in one form. Instances are a LABELMAP without a BINARY twin, which an
        // archive may not take: only where somebody asks for them.
        let standard: [Destination.Part] =
            isFolder
            ? Destination.Part.allCases : [.seg, .sr, .sc, .rtstruct, .annotations, .regular, .image]
        guard let words = try section.optionalStrings("send", count: 1...Destination.Part.allCases.count) else {
            return (standard, false)
        }
        let parts = try words.map { word in
            guard let part = Destination.Part(rawValue: word), isFolder || part.isDICOM else {
                let known = Destination.Part.allCases.filter { isFolder || $0.isDICOM }.map(\.rawValue)
                throw section.failure(
                    "SET-DESTINATION", at: "send", found: word,
                    "this can be sent there: \(known.joined(separator: ", ")).", cure: "Write send: [seg, sr].")
            }
            return part
        }
        return (parts, !Set(parts).isSuperset(of: standard))
    }

    private static func dicomPeer(_ section: Section) throws -> DICOMPeer {
        let tls = try tls(section)
        if let tls, tls.authorities == nil {
            throw section.failure(
                "SET-DESTINATION", at: "tls", "DICOM over TLS needs to know whose certificates are believed.",
                cure: "Write tls: {ca: FILE}.")
        }
        let confirmation = try section.choice("confirm", default: DeliveryConfirmation.none)
        let report = try section.section("report")
        guard confirmation == .commitment || !section.has("report") else {
            throw section.failure(
                "SET-DESTINATION", at: "report",
                "nobody reports where storage commitment is not asked for: this would have no effect.",
                cure: "Write confirm: commitment, or take report out.")
        }
        if confirmation == .commitment, tls != nil {
            throw section.failure(
                "SET-DESTINATION", at: "confirm", "storage commitment is asked for without TLS only.",
                cure: "Write confirm: query.")
        }
        return try node(
            section, confirmation: confirmation, tls: tls, reportPort: report.optionalInt("port", in: 1...65_535),
            // Shorter than the watchdog of the sender's unit.
            reportWait: report.duration("wait", in: .seconds(1) ... .seconds(240), default: .seconds(60)))
    }

    /// Who a DICOM node is, and who we are to it.
    private static func node(
        _ section: Section, confirmation: DeliveryConfirmation = .none, tls: TLSFiles? = nil, reportPort: Int? = nil,
        reportWait: Duration = .seconds(60)
    ) throws -> DICOMPeer {
        let host = try section.string("host")
        // An address of IPv6 has two colons or more, one stands before a port. What begins with - would be an option of DCMTK's programs.
        let isHost =
            !host.isEmpty && !host.contains { $0.isWhitespace || $0 == "/" } && !host.hasPrefix("-")
            && host.count { $0 == ":" } != 1
        guard isHost else {
            throw section.failure(
                "SET-DESTINATION", at: "host", found: host, "this is no name or address of a machine.",
                cure: "Write host: 192.0.2.10, and the port as port: 104.")
        }
        return DICOMPeer(
            host: host, port: try section.int("port", in: 1...65_535, default: 104),
            called: try title(section, "aet", section.string("aet")),
            calling: try title(section, "calling", section.string("calling", default: "HSPSAM")),
            confirmation: confirmation, tls: tls, reportPort: reportPort, reportWait: reportWait)
    }

    /// An application entity title: 1 to 16 printable ASCII characters, not only blanks, no backslash.
    ///
    /// *Source*: DICOM PS3.5, table 6.2-1, AE.
    private static func title(_ section: Section, _ key: String, _ text: String) throws -> String {
        let isTitle =
            (1...16).contains(text.utf8.count) && text.utf8.contains { $0 != 0x20 }
            && text.utf8.allSatisfy { (0x20...0x7E).contains($0) && $0 != UInt8(ascii: "\\") }
        guard isTitle else {
            throw section.failure(
                "SET-DESTINATION", at: key, found: text,
                "an application entity title has 1 to 16 ASCII characters, not only blanks, and no backslash.",
                cure: "Write the title that the archive's administrator gives.")
        }
        return text
    }

    /// A file that a destination needs. One that cannot be looked at may be readable for the sender alone.
    private static func file(_ section: Section, _ key: String) throws -> String? {
        guard let path = try section.optionalString(key) else { return nil }
        guard !path.isEmpty, FileStatus.exists(path) else {
            throw section.failure(
                "SET-DESTINATION", at: key, found: path, "there is no such file.",
                cure: "Name the file, or put it there.")
        }
        return path
    }

    private static func webPeer(_ section: Section) throws -> DICOMWebPeer {
        let url = try section.string("url")
        let host = ["https://", "http://"].first(where: url.hasPrefix).map {
            url.dropFirst($0.count).prefix { $0 != "/" }
        }
        // Each request's path is put behind it.
        guard let host, !host.isEmpty, !url.contains(where: { $0.isWhitespace || "?#".contains($0) }) else {
            throw section.failure(
                "SET-DESTINATION", at: "url", found: url, "this is no address of a web server.",
                cure: "Write url: https://pacs.example.org/dicom-web.")
        }
        let tls = try tls(section)
        guard tls == nil || url.hasPrefix("https://") else {
            throw section.failure(
                "SET-DESTINATION", at: "tls", "the address begins with http://: nothing would be encrypted.",
                cure: "Write url: https://..., or take tls out.")
        }
        let confirmation = try section.choice("confirm", default: DeliveryConfirmation.none)
        guard confirmation != .commitment else {
            throw section.failure(
                "SET-DESTINATION", at: "confirm", "a web server is asked for objects, it knows no storage commitment.",
                cure: "Write confirm: query.")
        }
        return DICOMWebPeer(
            url: url, headers: try file(section, "headers"), confirmation: confirmation, tls: tls)
    }

    private static func tls(_ section: Section) throws -> TLSFiles? {
        guard let files = try section.optionalSection("tls") else { return nil }
        let (certificate, key) = (try file(files, "certificate"), try file(files, "key"))
        guard (certificate == nil) == (key == nil) else {
            throw files.failure(
                "SET-DESTINATION", at: "certificate", "a certificate and its key go together; one is missing.",
                cure: "Write tls: {ca: FILE, certificate: FILE, key: FILE}.")
        }
        return TLSFiles(authorities: try file(files, "ca"), certificate: certificate, key: key)
    }

    /// This program: its workers are its own `run`. Where it stood when it was first asked: once an upgrade has replaced the file, the
    /// system calls it deleted.
    private static let program =
        (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")) ?? CommandLine.arguments[0]

    /// `../share/hspsam/pipelines` beside the program, where `make install` puts them.
    private static var installedPipelines: String {
        let beside = Folder.join(Folder.split(Folder.split(program).folder).folder, "share/hspsam/pipelines")
        return FileStatus.exists(beside) ? beside : "/usr/share/hspsam/pipelines"
    }
}
