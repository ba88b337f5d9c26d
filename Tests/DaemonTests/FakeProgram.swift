import Daemon
import Foundation
import Logging
import Processes
import Storage

/// A spool in a temporary folder, and a shell script that stands in for `hspsam run`.
///
/// A drop is a folder with a file `plan`: its first line says how the worker ends, its second names the study.
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
        if !FileStatus.exists(program) { try DurableFile.write(Self.script, to: program, mode: 0o755) }
        settings = ServiceSettings(
            inbox: self.root + "/inbox", spool: self.root, state: self.root + "/state",
            pipelines: self.root + "/pipelines",
            scan: .milliseconds(20), quiet: .milliseconds(60), reserve: 0, program: program, version: "0.0.0")
        settings.backoff = [.milliseconds(50)]
        settings.pause = .milliseconds(100)
        settings.killGrace = .milliseconds(300)
        settings.stopGrace = .milliseconds(100)
    }

    deinit { if isOwner { try? Folder.remove(root) } }

    func drop(_ name: String, _ plan: String, study: String? = nil) throws {
        let hidden = root + "/.making-\(name)"
        try Folder.make(hidden)
        try DurableFile.write("\(plan)\n\(study ?? name)\n", to: hidden + "/plan")
        try Folder.rename(hidden, to: root + "/inbox/" + name)
    }

    func service(_ stop: StopRequest = StopRequest()) async throws -> WatchService {
        try await WatchService(settings, log: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }, stop: stop)
    }

    @discardableResult
    func batch() async throws -> BatchOutcome { try await service().batch() }

    /// The studies' result folders in the outbox.
    func results() throws -> [String] {
        try Folder.walk(root + "/outbox").map(\.name).filter { $0.hasSuffix("/report.json") }
    }

    /// The reasons in the quarantine, by their codes.
    func quarantined() throws -> [[String: Any]] {
        try Folder.list(root + "/quarantine").compactMap {
            let bytes = try DurableFile.read(root + "/quarantine/\($0.name)/reason.json", limit: 1 << 20)
            return try JSONSerialization.jsonObject(with: Data(bytes)) as? [String: Any]
        }
    }

    private static let script = #"""
        #!/bin/sh
        # run INPUT --out OUT --pipelines DIR --json
        in="$2"; out="$4"
        [ "$1" = run ] && [ "$3" = --out ] && [ "$5" = --pipelines ] && [ "$7" = --json ] || exit 2
        plan=$(sed -n 1p "$in/plan"); name=$(sed -n 2p "$in/plan")
        study=$(printf %s "$name" | sha256sum | cut -c1-12); key=$(printf %s "$name" | sha256sum | cut -c1-64)
        mkdir -p "$out"
        result() { # status, exit
            if [ "$1" = processed ]; then mkdir "$out/$study"; printf '{"key": "%s"}' "$key" > "$out/$study/report.json"; fi
            printf '{"inputs": [{"path": "%s/plan", "status": "%s", "code": "CODE", "reason": "%s/plan is so.", "study": "%s"}%s],
              "studies": [{"study": "%s", "key": "%s", "folder": "%s"}], "results": [{"study": "%s", "pipeline": "skin", "segments":
              [{"label": "Lesion <1>", "pixels": 5, "area_mm2": 2.5, "volume_ml": null, "confidence": 0.9}]}]}' \
              "$in" "$1" "$in" "$study" "$3" "$study" "$key" "$study" "$study" > "$out/run.json"
            exit "$2"
        }
        case "$plan" in
            ok) sleep 0.0"$(( $$ % 8 ))"; result processed 0 ;;
            partial) result processed 3 ', {"path": "x", "status": "refused", "code": "PIX-TRUNCATED", "reason": "cut"}' ;;
            refuse) result refused 3 ;;
            skip) result skipped 4 ;;
            fail) result failed 3 ;;
            crash) echo oops >&2; kill -9 $$ ;;
            crash-once) if [ -e "$in/../crashed" ]; then result processed 0; fi; touch "$in/../crashed"; kill -9 $$ ;;
            hang) while :; do echo '{"event": "same"}'; sleep 0.1; done ;;
            slow) for i in 1 2 3 4 5 6 7 8; do echo "{\"frame\": $i}"; sleep 0.15; done; result processed 0 ;;
            silent) exit 0 ;;
            nostart) exit 2 ;;
            flood) head -c 3000000 /dev/zero; head -c 300000 /dev/zero >&2; result processed 0 ;;
        esac
        """#
}
