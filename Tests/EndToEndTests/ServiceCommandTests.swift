import Foundation
import Testing

/// The commands about the service, as a person uses them at night.
@Suite("commands about the service", .serialized)
final class ServiceCommandTests {
    private let workplace: Workplace
    private let site: String

    init() throws {
        workplace = try Workplace()
        site = try workplace.writeSite()
    }

    private func run(_ words: String...) throws -> Program.Ending {
        try Program.run(words + ["--config", site])
    }

    private func json(_ words: String...) throws -> Any {
        let ending = try Program.run(words + ["--config", site, "--json"])
        return try JSONSerialization.jsonObject(with: Data(ending.output.utf8), options: .fragmentsAllowed)
    }

    /// A cut file of a phantom, which can never work.
    private func dropCut(_ name: String) throws {
        let phantom = workplace.path + "/phantom"
        if !FileManager.default.fileExists(atPath: phantom) {
            try #require(try Program.run(["phantom", "body", "--out", phantom, "--seed", "1"]).status == 0)
        }
        let slice = try #require(try FileManager.default.contentsOfDirectory(atPath: phantom).sorted().first)
        let whole = try Data(contentsOf: URL(fileURLWithPath: "\(phantom)/\(slice)"))
        try workplace.write("spool/inbox/\(name)", whole.prefix(whole.count / 2))
    }

    @Test("a quarantined study: found, explained, tried again, given back, settled")
    func quarantine() throws {
        #expect(try run("jobs").status == 4)
        try dropCut("cut.dcm")
        #expect(try run("batch").status == 3)
        let listed = try #require(try json("quarantine", "list") as? [[String: Any]])
        let job = try #require(listed.first?["job"] as? String)
        #expect(listed.count == 1 && listed[0]["code"] as? String == "PIX-TRUNCATED")
        // The beginning of a name suffices.
        let shown = try run("quarantine", "show", String(job.prefix(20)))
        #expect(shown.status == 0 && shown.output.contains("hspsam quarantine drop \(job)"), "\(shown)")
        let detail = try #require(try json("show", job) as? [String: Any])
        #expect((detail["attempts"] as? [Any])?.count == 1 && (detail["events"] as? [Any])?.isEmpty == false)
        #expect(try run("jobs", "--state", "quarantined", "--since", "1d").output.contains(job))
        #expect(try run("jobs", "--state", "done").status == 4)
        #expect(try run("show", "01NONE").status == 2)
        #expect(try run("retry").status == 2)
        #expect(try run("cancel", job).status == 3)
        #expect(try run("settle", job).status == 3 && run("settle").status == 2)
        #expect(try run("settle", "--all").status == 0 && run("settle", "--all", "--pipeline", "x").status == 2)
        for what in ["--pipeline", "--destination"] { #expect(try run("settle", what, "none").status == 3, "\(what)") }

        let retried = try run("retry", job)
        #expect(retried.status == 0 && retried.output.contains("RETRY"), "\(retried)")
        #expect(try run("batch").status == 3)
        let released = try run("quarantine", "release", job)
        #expect(released.status == 0, "\(released)")
        #expect(FileManager.default.fileExists(atPath: workplace.path + "/spool/inbox/released-" + job))
        #expect(try run("batch").status == 3)
        let again = try #require((try json("quarantine", "list") as? [[String: Any]])?.first?["job"] as? String)
        #expect(again != job)
        #expect(try run("quarantine", "drop", again).status == 0)
        #expect(try run("quarantine", "list").status == 4)
        #expect(try run("status").status == 0)
    }

    @Test(
        "a received file goes to the inbox of the site file; another one beside it is refused and leaves the file where it is"
    )
    func receive() throws {
        let (folder, inbox) = (workplace.path + "/spool/receive/in", workplace.path + "/spool/inbox")
        func receive(_ name: String, _ options: String...) throws -> Program.Ending {
            try workplace.write("spool/receive/in/\(name)", "no DICOM")
            return try Program.run(["receive", folder, name] + options)
        }
        func came(_ name: String) -> Bool {
            FileManager.default.fileExists(atPath: "\(inbox)/dicom-unreadable/\(name).dcm")
                && !FileManager.default.fileExists(atPath: "\(folder)/\(name)")
        }
        func stayed(_ name: String) -> Bool { FileManager.default.fileExists(atPath: "\(folder)/\(name)") }
        #expect(try receive("one", "--config", site).status == 0 && came("one"))
        #expect(try receive("two", "--inbox", inbox).status == 0 && came("two"))
        // The same folder by another name.
        #expect(try receive("three", "--config", site, "--inbox", "\(inbox)/../inbox/").status == 0 && came("three"))
        let other = workplace.path + "/spool/other"
        try FileManager.default.createDirectory(atPath: other, withIntermediateDirectories: true)
        let refused = try receive("four", "--config", site, "--inbox", other)
        #expect(refused.status == 2 && refused.errors.contains("inbox.path of \(site)") && stayed("four"), "\(refused)")
        let wrong = try workplace.write("wrong.yaml", "inbox: {pth: /x}\n")
        let unread = try receive("five", "--config", wrong)
        #expect(unread.status == 2 && unread.errors.contains("SET-UNKNOWN") && stayed("five"), "\(unread)")
        #expect(try receive("six", "--config", "").status == 2 && stayed("six"))
    }

    @Test("the ledger is checked, copied, and made anew without publishing anything twice")
    func ledger() throws {
        #expect(try run("ledger", "check").status == 4)
        let phantom = workplace.path + "/phantom"
        try #require(try Program.run(["phantom", "body", "--out", phantom, "--seed", "1"]).status == 0)
        let inbox = workplace.path + "/spool/inbox"
        try FileManager.default.copyItem(atPath: phantom, toPath: inbox + "/.one")
        try FileManager.default.moveItem(atPath: inbox + "/.one", toPath: inbox + "/one")
        #expect(try run("batch").status == 0)
        try dropCut("cut.dcm")
        #expect(try run("batch").status == 3)
        #expect(try run("ledger", "check").status == 0)
        #expect(try run("ledger", "backup").status == 0)
        // Damaged, and the backup too.
        let state = workplace.path + "/state"
        for file in try FileManager.default.subpathsOfDirectory(atPath: state) where file.hasSuffix(".sqlite") {
            try Data(repeating: 7, count: 50_000).write(to: URL(fileURLWithPath: "\(state)/\(file)"))
        }
        for file in ["ledger.sqlite-wal", "ledger.sqlite-shm"] {
            try? FileManager.default.removeItem(atPath: "\(state)/\(file)")
        }
        let damaged = try run("batch")
        #expect(damaged.status == 2 && damaged.errors.contains("hspsam ledger rebuild"), "\(damaged)")
        let rebuilt = try #require(try json("ledger", "rebuild") as? [String: Any])
        #expect(rebuilt["results"] as? Int == 1 && rebuilt["quarantined"] as? Int == 1, "\(rebuilt)")
        try FileManager.default.copyItem(atPath: phantom, toPath: inbox + "/.two")
        try FileManager.default.moveItem(atPath: inbox + "/.two", toPath: inbox + "/two")
        let next = try run("batch", "--json")
        #expect(next.output.contains(#""results":0"#), "\(next)")
        #expect(try run("quarantine", "list").status == 0)
    }

    @Test("what root does beside the service is done as the service's user", .enabled(if: geteuid() == 0))
    func root() throws {
        let nobody: uid_t = 65_534
        try dropCut("cut.dcm")
        #expect(try run("batch").status == 3)
        for place in ["spool", "state"] {
            let folder = "\(workplace.path)/\(place)"
            let below = try FileManager.default.subpathsOfDirectory(atPath: folder).map { "\(folder)/\($0)" }
            for path in [folder] + below { try #require(chown(path, nobody, nobody) == 0) }
        }
        let listed = try #require(try json("quarantine", "list") as? [[String: Any]])
        let job = try #require(listed.first?["job"] as? String)
        #expect(try run("retry", job).status == 0)
        for place in ["spool", "state"] {
            let folder = "\(workplace.path)/\(place)"
            for name in try FileManager.default.subpathsOfDirectory(atPath: folder) {
                let owner = try FileManager.default.attributesOfItem(atPath: "\(folder)/\(name)")[.ownerAccountID]
                #expect(owner as? Int == Int(nobody), "\(name)")
            }
        }
    }

    @Test(
        "a site file whose places share a folder, or that can never work, is refused with its line, whatever reads it")
    func placesApart() throws {
        let root = workplace.path
        try workplace.write("file", "x")
        let places = "places: {spool: \(root)/spool, state: \(root)/state, pipelines: \(workplace.pipelines)}\n"
        let folder = "destinations: [{name: a, kind: folder, path: "
        let node = "destinations: [{name: a, kind: dicom, host: h, aet: "
        let peer = "destinations: [{name: a, kind: dicom, aet: A, host: "
        let web = "destinations: [{name: a, kind: dicomweb, url: "
        for wrong in [
            "inbox: {path: \(root)/spool}", "inbox: {path: \(root)/spool/outbox}", "inbox: {path: \(root)/spool/kept/}",
            "inbox: {path: \(root)/state}", "inbox: {path: \(root)}", "inbox: {path: \(workplace.pipelines)}",
            "inbox: {path: \"\"}", "inbox: {path: in}", "inbox: {path: \(root)/file}",
            "metrics: {textfile: \(root)/state/ledger.sqlite}", "metrics: {textfile: \(root)/spool/inbox/m.prom}",
            folder + "\(root)/spool/inbox}]", folder + "\"\"}]", folder + "\(root)/out, give_up: 0s}]",
            folder + "\(root)/out}, {name: b, kind: folder, path: \(root)/x/../out}]",
            folder + "\(root)/out, doubtful: never}]", folder + "\(root)/out, backoff: {first: 2h, max: 1m}}]",
            node + "ABCDEFGHIJKLMNOPQ}]", node + "\"\"}]",
            node + "A, report: {port: 11113}}]", node + "A, confirm: query, report: {wait: 5s}}]",
            node + "A, tls: {ca: \(root)/none}}]", "settle: {quiet: 2h, give_up: 1h}",
            "metrics: {textfile: \(root)/wrong.yaml}", "late: {window: 30d}",
            "late: {window: 1d}\nretention: {kept: 12h}", "retention: {events: 6d}",
            "destinations: [{name: \"a\\nb\", kind: folder, path: \(root)/out}]",
            peer + "\"pacs:104\"}]", peer + "\"-v\"}]", peer + "\"http://pacs\"}]", web + "\"https://\"}]",
            web + "\"https://h/x?y=1\"}]",
            web + "\"http://h/x\", tls: {ca: \(root)/file}}]",
        ] {
            let file = try workplace.write("wrong.yaml", places + wrong + "\n")
            let ending = try Program.run(["config", "check", "--config", file])
            #expect(ending.status == 2 && ending.errors.contains("wrong.yaml:2"), "\(wrong): \(ending)")
        }
        try FileManager.default.createDirectory(atPath: root + "/real", withIntermediateDirectories: true)
        try FileManager.default.createSymbolicLink(atPath: root + "/link", withDestinationPath: root + "/real")
        for right in [
            "inbox: {path: \(root)/spool/inbox}", "inbox: {path: \(root)/link}", "inbox: {path: \(root)/elsewhere/}",
            "metrics: {textfile: \(root)/spool/m.prom}", "metrics: {textfile: \(root)/state/m.prom}",
            folder + "\(root)/out}, {name: b, kind: folder, path: \(root)/out2}]",
            node + "ABCDEFGHIJKLMNOP, backoff: {first: 2h}, give_up: 1d}]", node + "A, doubtful: send}]",
            folder + "\(root)/out, doubtful: hold}]",
            "settle: {mode: ready-only, quiet: 2h, give_up: 1h}", "retention: {kept: 12h}",
            "late: {window: 12h}\nretention: {kept: 12h}", "retention: {kept: forever}", "retention: {events: 7d}",
            "destinations: [{name: \"a b\", kind: folder, path: \(root)/out}]", peer + "pacs.example.org}]",
            peer + "\"fd00::1\"}]",
            web + "\"http://h:8042/dicom-web\"}]", web + "\"https://h/x\", tls: {ca: \(root)/file}}]",
        ] {
            let file = try workplace.write("right.yaml", places + right + "\n")
            let ending = try Program.run(["config", "check", "--config", file])
            #expect(ending.status == 0, "\(right): \(ending)")
        }
        // Folders of the spool may be links, but not to each other.
        try FileManager.default.createDirectory(atPath: root + "/linked", withIntermediateDirectories: true)
        for (target, status) in [("real/outbox", 0), ("linked/work", 2)] {
            try? FileManager.default.removeItem(atPath: root + "/linked/outbox")
            try FileManager.default.createSymbolicLink(
                atPath: root + "/linked/outbox", withDestinationPath: "\(root)/\(target)")
            let file = try workplace.write(
                "linked.yaml",
                "places: {spool: \(root)/linked, state: \(root)/state, pipelines: \(workplace.pipelines)}\n")
            let ending = try Program.run(["config", "check", "--config", file])
            #expect(ending.status == status, "\(target): \(ending)")
        }
        #expect(try run("deliver", "--status", "--retry").status == 2)
        #expect(try run("jobs", "--limit", "0").status == 2)
    }

    @Test("the installed site file names every key with its default, and says so when asked")
    func configuration() throws {
        let installed = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
            .appendingPathComponent("../../deploy/hspsam.yaml").standardizedFileURL.path
        let empty = try workplace.write("empty.yaml", "inbox: {}\n")
        func shown(_ file: String) throws -> [String: String] {
            let ending = try Program.run(["config", "show", "--config", file, "--json"])
            try #require(ending.status == 0, "\(ending)")
            return try #require(
                try JSONSerialization.jsonObject(with: Data(ending.output.utf8)) as? [String: String])
        }
        let text = try String(contentsOfFile: installed, encoding: .utf8)
        // With a cluster every key of it counts too.
        let clustered = try workplace.write(
            "clustered.yaml", text.replacingOccurrences(of: "engine: none", with: "engine: slurm"))
        let clusteredEmpty = try workplace.write("clustered-empty.yaml", "cluster: {engine: slurm}\n")
        #expect(
            try shown(clustered).filter { $0.key.hasPrefix("cluster.") }
                == shown(clusteredEmpty).filter { $0.key.hasPrefix("cluster.") })
        var (full, defaults) = (try shown(installed), try shown(empty))
        full["places.pipelines"] = nil
        defaults["places.pipelines"] = nil
        #expect(full == defaults)
        for key in full.keys { #expect(text.contains("\(key.split(separator: ".").last ?? ""):"), "\(key)") }
        #expect(try run("config", "check").status == 0)
        #expect(try run("config", "show").output.contains("settle.quiet: 1s"))
        for line in ["limits: {drop_files: 0}", "cluster: {engine: pbs}", "cluster: {isa: 'avx9; rm'}"] {
            let wrong = try workplace.write("wrong.yaml", line + "\n")
            #expect(try Program.run(["config", "check", "--config", wrong]).status == 2, "\(line)")
        }
        let doctor = try run("doctor")
        #expect(doctor.output.contains("configuration; 1 pipelines"), "\(doctor)")
        try workplace.write("pipelines/tiny/model/config.json", "{}")
        let sick = try run("doctor")
        #expect(sick.status == 3 && sick.output.contains("FAIL"), "\(sick)")
    }

    @Test(
        "the running service tells its supervisor that it is ready and alive, answers, rereads its settings, and stops when asked",
        .timeLimit(.minutes(60)))
    func running() throws {
        let socket = try Datagrams(workplace.path + "/notify")
        let log = workplace.path + "/log"
        let service = try Program.start(
            ["watch", "--config", site], log: log, environment: ["NOTIFY_SOCKET": socket.path])
        defer { kill(service.processIdentifier, SIGKILL) }
        try socket.wait(for: "READY=1")
        try socket.wait(for: "WATCHDOG=1")
        // Wrong: refused, and the service goes on.
        try workplace.write("site.yaml", "inbox: {scna: 1s}\n")
        kill(service.processIdentifier, SIGHUP)
        let deadline = Date(timeIntervalSinceNow: 500)
        func logged(_ words: String) throws -> Bool { try String(contentsOfFile: log, encoding: .utf8).contains(words) }
        while try !logged("the old settings stay"), Date() < deadline { Thread.sleep(forTimeInterval: 0.1) }
        #expect(try logged("the old settings stay"))
        try workplace.write(
            "site.yaml",
            """
            inbox: {scan: 1s}
            settle: {quiet: 2s}
            reserve: 1MiB
            places: {spool: \(workplace.path)/spool, state: \(workplace.path)/state, pipelines: \(workplace.pipelines)}
            """)
        kill(service.processIdentifier, SIGHUP)
        while try !logged("settings read again"), Date() < deadline { Thread.sleep(forTimeInterval: 0.1) }
        #expect(try logged("settings read again"))
        #expect(service.isRunning)
        kill(service.processIdentifier, SIGTERM)
        try socket.wait(for: "STOPPING=1")
        service.waitUntilExit()
        #expect(service.terminationStatus == 0)
    }
}

/// A supervisor's end of the notification socket.
private final class Datagrams {
    let path: String
    private let socket: Int32

    init(_ path: String) throws {
        self.path = path
        socket = Foundation.socket(AF_UNIX, Int32(SOCK_DGRAM.rawValue), 0)
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        let name = Array(path.utf8)
        try #require(name.count < 100, "the temporary folder's path is too long for a socket")
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: name) }
        let bound = withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(socket, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
            }
        }
        try #require(bound == 0)
    }

    deinit { close(socket) }

    /// Reads until this comes.
    func wait(for message: String) throws {
        var buffer = [UInt8](repeating: 0, count: 4096)
        for _ in 0..<10_000 {
            let count = recv(socket, &buffer, buffer.count, 0)
            try #require(count > 0)
            if String(decoding: buffer.prefix(count), as: UTF8.self).contains(message) { return }
        }
        Issue.record("\(message) did not come")
    }
}
