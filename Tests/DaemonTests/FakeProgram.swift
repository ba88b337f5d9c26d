import Daemon
import Failures
import Foundation
import Logging
import Processes
import Records
import Storage
import Testing

/// What a drop makes the fake worker do, and the records that it then leaves.
struct Plan {
    /// How the worker ends: a word of the script below.
    var how: String
    /// Any name; the study's digest name is made of it.
    var study: String
    /// The images that take part.
    var instances: [Int] = [1]
    var pipelines = "pipelines 1"
    /// Another file of the drop is refused, or fails.
    var other: Outcome?
    /// Another file of the drop is passed over: its path and the code of why.
    var passed: (path: String, code: String)?
    /// Codes of findings in the result.
    var findings: [String] = []
    /// The images' series.
    var series = "s"
    /// DICOM objects that the report names, by kind and file; their files stand in the result.
    var objects: [ObjectRecord] = []
    /// Further files of the result.
    var others: [String] = []
    /// Raised where the images of the same UIDs were corrected.
    var edition = 1
    /// Raised where they were sent again with other attributes that reach no result.
    var sending = 1
    /// Whether records tell what of an image reaches a result, as those of older versions do not.
    var tellsImages = true
    /// Why its files are not processed.
    var code = "CODE"
    /// The distance of slices that its report says; nil: pictures that stand alone.
    var sliceMM: Double?
    /// Of the volume, as its report says.
    var frames = 1
    /// Further series of which its report has the same result.
    var alsoOf: [String] = []
    /// The Patient ID that its report says.
    var patient = ""

    var name: String { String(FileDigest(of: study).hex.prefix(12)) }
    private var digests: [String] { instances.map(digest).sorted() }
    private func digest(_ image: Int) -> String {
        FileDigest(
            of: "\(study) \(image)" + (edition == 1 ? "" : " \(edition)") + (sending == 1 ? "" : " sent \(sending)")
        ).hex
    }
    private func content(_ image: Int) -> StudyRecord.Content {
        StudyRecord.Content(
            uid: FileDigest(of: "UID \(study) \(image)").hex, digest: digest(image),
            image: tellsImages ? FileDigest(of: "image \(study) \(image) \(edition)").hex : nil)
    }
    private var contents: [String] { instances.map { content($0).line }.sorted() }
    private var isComplete: Bool { how != "partial" }
    /// K, made as it likes: of what takes part and of completeness.
    var key: String { FileDigest(of: (digests + [pipelines, "\(isComplete)"]).joined(separator: " ")).hex }
    /// Where the result stands in the outbox.
    var path: String { "\(name)/\(key.prefix(8))" }

    private var outcome: Outcome {
        switch how {
        case "refuse": .refused
        case "skip", "ask-skip": .skipped
        case "fail": .failed
        default: .processed
        }
    }

    private func record(known: Bool) -> RunRecord {
        let processed = outcome == .processed
        var inputs = instances.map {
            RunRecord.Input(
                path: "/in/plan", contentSHA256: digest($0), status: known ? .skipped : outcome,
                code: processed && !known ? nil : code, reason: processed && !known ? nil : "it is so.", study: name,
                series: series, image: content($0).imageLine)
        }
        if how == "partial" {
            inputs.append(.init(path: "/in/x", status: .refused, code: "PIX-TRUNCATED", reason: "cut.", study: name))
        }
        if let passed {
            inputs.append(.init(path: passed.path, status: .skipped, code: passed.code, reason: "so it is."))
        }
        if let other { inputs.append(.init(path: "/in/y", status: other, code: "IN-CORRUPT", reason: "torn.")) }
        return RunRecord(
            started: "", finished: "",
            program: ProgramIdentity(version: "0", instructionSet: "", precision: "", threads: 1), inputs: inputs,
            studies: [
                .init(
                    study: name, key: processed ? key : nil, intendedKey: key, complete: isComplete,
                    folder: known ? nil : name, pipelines: pipelines, instances: instances.count)
            ],
            results: known || !processed
                ? []
                : [
                    .init(
                        study: name, series: "s", pipeline: "skin", file: "\(name)/a.seg.dcm",
                        segments: [.init(number: 1, label: "Lesion <1>", pixels: 5, areaMM2: 2.5, confidence: 0.9)],
                        findings: findings.map { .init(code: $0, severity: .warning, text: "it is so.") }, frames: 1,
                        pipelineVersion: "1", pipelineDigest: "", modelDigest: "", secondsByStep: [:])
                ])
    }

    private var report: StudyRecord {
        StudyRecord(
            study: name, key: key, complete: isComplete, pipelines: pipelines, instances: digests,
            identity: .init(patientName: "", patientID: patient, studyDate: "", studyDescription: ""),
            program: ProgramIdentity(version: "0", instructionSet: "", precision: "", threads: 1), created: "",
            results: ([series] + alsoOf).map { series in
                .init(
                    source: .init(
                        series: series, description: "", modality: "", rows: 1, columns: 1, frames: frames,
                        spacingMM: nil, sliceMM: sliceMM), pipeline: "skin", pipelineVersion: "1", pipelineDigest: "",
                    modelDigest: "", weightsDigest: "", file: objects.first?.file ?? "a.seg.dcm", objects: objects,
                    images: [], segments: [], findings: [], window: "", secondsByStep: [:])
            }, unused: [], contents: contents)
    }

    /// The file `plan` of a drop: for the script, one thing a line.
    func text() throws -> String {
        func line(_ record: some VersionedRecord) throws -> String {
            String(decoding: try record.json(), as: UTF8.self).split(separator: "\n").joined(separator: " ")
        }
        let (fresh, known) = (record(known: false), record(known: true))
        return [
            how, name, outcome == .processed ? key : "", try line(fresh), "\(fresh.exitStatus.rawValue)",
            try line(known), "\(known.exitStatus.rawValue)", try line(report),
            (objects.map(\.file) + others).joined(separator: " "), "",
        ].joined(separator: "\n")
    }
}

/// A spool in a temporary folder, and a shell script that stands in for `hspsam run` and leaves the records of a `Plan`.
final class Site {
    let root: String
    /// Whether the folder goes with this object; one that was named belongs to somebody else.
    private let isOwner: Bool
    var settings: ServiceSettings

    init(_ root: String? = nil) throws {
        isOwner = root == nil
        self.root =
            root ?? FileManager.default.temporaryDirectory.appendingPathComponent("service-\(UUID().uuidString)").path
        try Folder.make(self.root + "/pipelines")
        try Folder.make(self.root + "/inbox")
        let program = self.root + "/program"
        if !FileStatus.exists(program) { try writeProgram(Self.script, to: program) }
        settings = ServiceSettings(
            inbox: self.root + "/inbox", spool: self.root, state: self.root + "/state",
            pipelines: self.root + "/pipelines",
            scan: .milliseconds(20), quiet: .milliseconds(60), reserve: 0, program: program, version: "0.0.0")
        settings.backoff = [.milliseconds(50)]
        settings.pause = .milliseconds(100)
        settings.killGrace = .milliseconds(300)
        settings.stopGrace = .milliseconds(100)
        settings.resumeWait = .milliseconds(50)
        // A study that comes in parts is the matter of the tests that say so.
        settings.lateWindow = .zero
        settings.gapWait = .zero
        settings.senderWait = .zero
    }

    deinit { if isOwner { try? Folder.remove(root) } }

    func drop(_ name: String, _ how: String, study: String? = nil) throws {
        try drop(name, Plan(how: how, study: study ?? name))
    }

    /// - Parameter joined: the plan for the case that it is worked on together with another's input.
    func drop(_ name: String, _ plan: Plan, joined: Plan? = nil) throws {
        let hidden = root + "/.making-\(name)"
        try Folder.make(hidden)
        try DurableFile.write(plan.text(), to: hidden + "/plan")
        if let joined { try DurableFile.write(joined.text(), to: hidden + "/joined") }
        try Folder.rename(hidden, to: root + "/inbox/" + name)
    }

    func service(_ stop: StopRequest = StopRequest()) async throws -> WatchService {
        try await WatchService(settings, log: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }, stop: stop)
    }

    @discardableResult
    func batch() async throws -> BatchOutcome { try await service().batch() }

    /// A batch that goes on beside the test.
    func beginBatch(_ stop: StopRequest = StopRequest()) async throws -> Task<BatchOutcome, any Error> {
        let service = try await service(stop)
        return Task { try await service.batch() }
    }

    /// A service for a while; afterwards its ledger is closed and its locks are free.
    func withService(_ stop: StopRequest = StopRequest(), _ body: (WatchService) async throws -> Void) async throws {
        let service = try await service(stop)
        try await body(service)
        try await service.close()
    }

    /// What `hspsam status` says.
    func notes() throws -> String { try StatusReport(settings).json }

    /// The name of a job that there is not.
    static let job = "01JCK3000000000000000000AA"

    /// The studies' result folders in the outbox.
    func results() throws -> [String] {
        guard FileStatus.exists(root + "/outbox") else { return [] }
        return try Folder.walk(root + "/outbox").map(\.name).filter { $0.hasSuffix("/report.json") }
    }

    /// The report of a result in the outbox.
    func report(_ plan: Plan) throws -> StudyRecord {
        try StudyRecord(json: DurableFile.read("\(root)/outbox/\(plan.path)/report.json", limit: 1 << 20))
    }

    /// Digests of a result's files as they are now, in the place of those that were published.
    func sum(_ plan: Plan) throws {
        let folder = "\(root)/outbox/\(plan.path)"
        let lines = try Folder.walk(folder).filter {
            $0.status.kind == .regular && $0.name != "SHA256SUMS"
        }.map { "\(try FileDigest(ofFile: "\(folder)/\($0.name)").hex)  \($0.name)\n" }
        try DurableFile.write(lines.joined(), to: folder + "/SHA256SUMS")
    }

    /// The reasons in the quarantine.
    func quarantined() throws -> [ReasonRecord] {
        guard FileStatus.exists(root + "/quarantine") else { return [] }
        return try Folder.list(root + "/quarantine").map {
            try ReasonRecord(json: DurableFile.read(root + "/quarantine/\($0.name)/reason.json", limit: 1 << 20))
        }
    }

    func page() throws -> String {
        String(decoding: try DurableFile.read(root + "/outbox/index.html", limit: 1 << 20), as: UTF8.self)
    }

    /// How often the script has made a result.
    func runs() throws -> Int {
        FileStatus.exists(root + "/runs")
            ? try DurableFile.read(root + "/runs", limit: 1 << 20).count { $0 == 10 } : 0
    }

    private static let script = #"""
        #!/bin/sh
        # phantom body --seed N --out DIR, and the run of a self-test, as the folder `self-test` says
        if [ "$1" = phantom ]; then
            mkdir -p "$6" "$6.truth"; cp "${0%/*}/self-test/truth.json" "$6.truth"; exit 0
        fi
        if [ "$7" = --pipeline ]; then
            echo x >> "${0%/*}/self-test/runs"; mkdir -p "$4"; cp "${0%/*}/self-test/run.json" "$4"; exit 0
        fi
        # run INPUT... --out OUT --pipelines DIR --known FILE --json
        [ "$1" = run ] || exit 2
        in="$2"; shift 2; plan=plan
        # Together with the input of another job, the drop has another plan.
        while [ "$1" != --out ]; do plan=joined; shift; done
        out="$2"; known="$6"
        [ "$3" = --pipelines ] && [ "$5" = --known ] && [ "$7" = --json ] || exit 2
        line() { sed -n "$1p" "$in/$plan"; }
        how=$(line 1); study=$(line 2); key=$(line 3)
        mkdir -p "$out"; status=; change=; report=
        result() {
            if [ -n "$key" ] && grep -qx "$key" "$known"; then line 6 > "$out/run.json"; exit "${status:-$(line 7)}"; fi
            echo "$study" >> "${0%/*}/runs"
            if [ -n "$key" ]; then
                mkdir "$out/$study"; line 8 | sed "$report" > "$out/$study/report.json"; echo "$key" > "$out/$study/a.seg.dcm"
                for file in $(line 9); do
                    mkdir -p "$(dirname "$out/$study/$file")"; echo "$file" > "$out/$study/$file"
                done
            fi
            line 4 | sed "s|\"/in/|\"$in/|g" | sed "$change" > "$out/run.json"; exit "${status:-$(line 5)}"
        }
        case "$how" in
            ok) sleep 0.0"$(( $$ % 8 ))"; result ;;
            partial|refuse|skip|fail) result ;;
            ask|ask-skip) status=3; result ;;
            newer) change='s/"version" : [0-9][0-9]*/"version" : 99/'; result ;;
            newer-report) report='s/"version" : [0-9][0-9]*/"version" : 99/'; result ;;
            crash) echo oops >&2; kill -9 $$ ;;
            crash-once) if [ -e "$in/../crashed" ]; then result; fi; touch "$in/../crashed"; kill -9 $$ ;;
            hang) while :; do echo '{"event": "same"}'; sleep 0.1; done ;;
            slow) for i in 1 2 3 4 5 6 7 8; do echo "{\"frame\": $i}"; sleep 0.15; done; result ;;
            meddled)
                if [ ! -e "${0%/*}/calm" ]; then echo >> "$in/plan"; fi; result ;;
            silent) exit 0 ;;
            memory)
                echo "4 of 9" >&2
                echo "MEMORY there is no memory for another 3 MB of the network's numbers, so this was given up." >&2
                exit 3 ;;
            nostart) exit 2 ;;
            flood) head -c 3000000 /dev/zero; head -c 300000 /dev/zero >&2; result ;;
        esac
        """#
}

/// Writes a script that will be run, by a process of its own. A file of ours is open in each child that another test starts in that
/// moment, until that runs its program; and what somebody holds open for writing the system does not run (ETXTBSY).
func writeProgram(_ text: String, to path: String) throws {
    let source = path + ".text"
    try DurableFile.write(text, to: source)
    let install = Process()
    install.executableURL = URL(fileURLWithPath: "/usr/bin/install")
    install.arguments = ["-m", "755", source, path]
    try install.run()
    install.waitUntilExit()
    try #require(install.terminationStatus == 0)
    try Folder.remove(source)
}

/// Waits until it holds. Patience, not a bound: tests beside this one may hold every thread of a small machine for minutes.
func eventually(_ condition: () async throws -> Bool) async throws {
    let deadline = ContinuousClock.now + .seconds(900)
    while try await !condition() {
        try #require(ContinuousClock.now < deadline, "waited too long")
        try await Task.sleep(for: .milliseconds(20))
    }
}
