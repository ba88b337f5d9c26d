import Foundation
import Testing

/// The built program between a modality and an archive: DCMTK's `storescu`, `storescp` as the unit starts it, and Orthanc.
@Suite(
    "received by C-STORE, asked for by C-FIND, answered for by storage commitment", .serialized,
    .enabled(if: Orthanc.isThere))
final class ArchiveCommandTests {
    private let workplace: Workplace
    private var running: [Process] = []

    init() throws { workplace = try Workplace() }

    deinit { for process in running { kill(process.processIdentifier, SIGKILL) } }

    private func slices(_ seed: Int, _ count: Int) throws -> [String] {
        let folder = try workplace.phantom(seed)
        return try FileManager.default.contentsOfDirectory(atPath: folder).sorted().dropFirst(15).prefix(count).map {
            "\(folder)/\($0)"
        }
    }

    private func files(_ folder: String) throws -> [String] {
        try FileManager.default.subpathsOfDirectory(atPath: "\(workplace.path)/spool/\(folder)")
    }

    /// Patience, not a bound.
    private func eventually(_ condition: () throws -> Bool) throws {
        let deadline = Date(timeIntervalSinceNow: 600)
        while try !condition() {
            try #require(Date() < deadline, "waited too long")
            Thread.sleep(forTimeInterval: 0.1)
        }
    }

    /// The phantom's name and ID stand in inputs, results and the archive alone: not in what service, sender and their mail leave behind.
    private func tellsNoPatient() throws {
        var looked = 0
        for path in try FileManager.default.subpathsOfDirectory(atPath: workplace.path) {
            let isInput = path.hasPrefix("phantom") || path.contains("/input/") || path.hasPrefix("spool/inbox/")
            let isResult = path.hasPrefix("spool/outbox/") && path.split(separator: "/").count > 3
            var isFolder: ObjCBool = false
            let file = "\(workplace.path)/\(path)"
            guard !isInput, !isResult, !path.hasPrefix("spool/kept/"), !path.contains("orthanc"),
                FileManager.default.fileExists(atPath: file, isDirectory: &isFolder), !isFolder.boolValue
            else { continue }
            let bytes = try Data(contentsOf: URL(fileURLWithPath: file))
            for word in ["PHANTOM-", "Phantom^body"] {
                #expect(bytes.range(of: Data(word.utf8)) == nil && !path.contains(word), "\(path)")
            }
            looked += 1
        }
        #expect(looked > 5)
    }

    /// As the unit starts it, with other folders and another port; gives the port.
    private func receiver() throws -> Int {
        let deploy = URL(fileURLWithPath: #filePath).deletingLastPathComponent().appendingPathComponent("../../deploy")
        let unit = try String(
            contentsOf: deploy.appendingPathComponent("systemd/hspsam-receive.service"), encoding: .utf8)
        let line = try #require(unit.split(separator: "\n").first { $0.hasPrefix("ExecStart=") })
        let port = Orthanc.freePort()
        let command = line.dropFirst("ExecStart=".count).replacing("/var/spool/hspsam", with: workplace.path + "/spool")
            .replacing("/usr/bin/hspsam", with: Program.path).replacing("/etc/hspsam", with: workplace.path)
            .replacing("/hspsam.yaml", with: "/site.yaml").replacing(" 11112", with: " \(port)")
        try workplace.write("spool/receive/in/.keep", "")
        running.append(try Program.start(["-c", "exec \(command)"], of: "/bin/sh"))
        return port
    }

    private func send(_ files: some Sequence<String>, _ port: Int) throws {
        try eventually { try Orthanc.store(Array(files), port: port) }
    }

    @Test("what is received by DICOM stands whole in the inbox, a folder a study, whatever associations it came by")
    func received() throws {
        _ = try workplace.writeSite()
        let port = try receiver()
        let (one, two) = (try slices(1, 4), try slices(2, 1))
        try send(one.prefix(1), port)
        try send(one.dropFirst(1) + two, port)
        func arrived() throws -> [String] { try files("inbox").filter { $0.hasSuffix(".dcm") } }
        try eventually { try arrived().count == 5 }
        let drops = Dictionary(grouping: try arrived()) { $0.split(separator: "/")[0] }
        #expect(drops.values.map(\.count).sorted() == [1, 4], "\(drops)")
        #expect(drops.keys.allSatisfy { $0.hasPrefix("dicom-") && $0.utf8.count == 18 })
        try eventually { try files("receive/in") == [".keep"] }
        // What cannot be read is a drop too.
        try workplace.write("spool/receive/in/junk.part", "no DICOM")
        #expect(
            try Program.run([
                "receive", workplace.path + "/spool/receive/in", "junk.part", "--inbox",
                workplace.path + "/spool/inbox",
            ]).status == 0)
        #expect(try files("inbox").contains("dicom-unreadable/junk.dcm"))
    }

    @Test(
        "a received study waits until as many images have come as the archive has; one that stays short is published as incomplete",
        .timeLimit(.minutes(60)))
    func arrival() throws {
        let archive = try Orthanc(in: workplace, reportPort: Orthanc.freePort())
        let ask = "ask: {aet: ARCHIVE, host: 127.0.0.1, port: \(archive.port), every: 1s"
        func site(_ wait: String) throws -> String {
            let path = try workplace.writeSite()
            let text = try String(contentsOfFile: path, encoding: .utf8)
            return try workplace.write(
                "site.yaml", text.replacing("quiet: 1s", with: "quiet: 1s, \(ask), wait: \(wait)}"))
        }
        let config = try site("1h")
        let port = try receiver()
        let study = try slices(1, 6)
        try #require(try archive.store(study))
        let log = workplace.path + "/sender.log"
        running.append(try Program.start(["deliver", "--config", config], log: log))
        let service = try Program.start(["watch", "--config", config])
        running.append(service)
        try send(study.prefix(3), port)
        // Asked, and asked again, long after it was quiet.
        try eventually {
            try String(contentsOfFile: log, encoding: .utf8).components(separatedBy: "ARRIVAL-WAITS").count > 3
        }
        #expect(try files("work").isEmpty && files("kept").isEmpty)
        try send(study.dropFirst(3), port)
        try eventually { try files("outbox").contains { $0.hasSuffix("/report.json") } }
        kill(service.processIdentifier, SIGTERM)
        service.waitUntilExit()
        let reports = try files("outbox").filter { $0.hasSuffix("/report.json") }
        let text = try String(
            contentsOfFile: "\(workplace.path)/spool/outbox/\(try #require(reports.first))", encoding: .utf8)
        let report = try #require(try JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: Any])
        #expect(reports.count == 1 && (report["instances"] as? [String])?.count == 6)
        #expect(try Program.run(["status", "--config", config]).status == 0)

        // Our own objects, which the archive has got since, are no images that are still to come.
        let own = try files("outbox").filter { $0.hasSuffix(".dcm") }.map { "\(workplace.path)/spool/outbox/\($0)" }
        try #require(try !own.isEmpty && archive.store(["-R"] + own))
        try send(study.dropFirst(0), port)
        try eventually { try files("inbox").count { $0.hasSuffix(".dcm") } == 6 }
        let again = try Program.run(["batch", "--config", config, "--json"])
        #expect(again.status == 0 && again.output.contains(#""partial":0"#), "\(again.output)\(again.errors)")

        // A batch has to end: what has come is worked on, and a person is told.
        let short = try slices(2, 6)
        try #require(try archive.store(short))
        try send(short.prefix(3), port)
        try eventually { try files("inbox").count { $0.hasSuffix(".dcm") } == 3 }
        let batch = try Program.run(["batch", "--config", config, "--json"])
        #expect(batch.status == 3 && batch.output.contains(#""partial":1"#), "\(batch.output)\(batch.errors)")
        let status = try Program.run(["status", "--config", config])
        #expect(status.output.contains("ARRIVAL-FEWER 3 of the 6 images"), "\(status.output)")
        // The rest comes late: with what came before it is all.
        try send(short.dropFirst(3), port)
        try eventually { try files("inbox").count { $0.hasSuffix(".dcm") } == 3 }
        let rest = try Program.run(["batch", "--config", config, "--json"])
        #expect(rest.output.contains(#""partial":0"#) && rest.output.contains(#""results":1"#), "\(rest.output)")
        try tellsNoPatient()
    }

    @Test(
        "an archive answers for what it was sent; one that reports to nobody is not believed", .timeLimit(.minutes(60)))
    func commitment() throws {
        let reportPort = Orthanc.freePort()
        let archive = try Orthanc(in: workplace, reportPort: reportPort)
        func site(_ port: Int, _ wait: Int) throws -> String {
            try workplace.writeSite(
                more: """
                    destinations:
                      - {name: archive, kind: dicom, aet: ARCHIVE, host: 127.0.0.1, port: \(archive.port), confirm: commitment,
                         report: {port: \(port), wait: \(wait)s}, backoff: {first: 1h, max: 1h}}
                    """)
        }
        func batch(_ config: String, seed: Int) throws -> Program.Ending {
            let sender = try Program.start(["deliver", "--config", config])
            running.append(sender)
            try FileManager.default.moveItem(
                atPath: workplace.phantom(seed), toPath: "\(workplace.path)/spool/inbox/\(seed)")
            let batch = try Program.run(["batch", "--config", config, "--json"])
            kill(sender.processIdentifier, SIGTERM)
            sender.waitUntilExit()
            return batch
        }
        let config = try site(reportPort, 200)
        let committed = try batch(config, seed: 1)
        #expect(
            committed.status == 0 && committed.output.contains(#""unsent":0"#), "\(committed.output)\(committed.errors)"
        )
        #expect(committed.output.contains(#""results":1"#))
        // It reports to a port where nobody listens.
        let unheard = try batch(site(Orthanc.freePort(), 3), seed: 2)
        #expect(unheard.status == 3 && unheard.output.contains(#""unsent":1"#), "\(unheard.output)\(unheard.errors)")
        let open = try Program.run(["deliver", "--status", "--config", config])
        #expect(open.output.contains("NOT-COMMITTED"), "\(open.output)")
        try tellsNoPatient()
    }
}
