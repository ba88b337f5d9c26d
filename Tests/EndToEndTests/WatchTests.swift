import Foundation
import Testing

/// The built program, as a hospital starts it: studies dropped into a watched inbox, the service killed in the middle.
@Suite("hspsam watch, batch and status")
final class WatchTests {
    private let workplace: Workplace
    private let site: String

    init() throws {
        workplace = try Workplace()
        site = try workplace.writeSite()
    }

    private func start() throws -> Process { try Program.start(["watch", "--config", site]) }

    private func files(_ folder: String) throws -> [String] {
        try FileManager.default.subpathsOfDirectory(atPath: "\(workplace.path)/spool/\(folder)")
    }

    @Test(
        "thirty phantoms, the service killed in the middle: each study has exactly one result", .timeLimit(.minutes(60))
    )
    func thirtyPhantoms() throws {
        var service = try start()
        defer { kill(service.processIdentifier, SIGKILL) }
        for seed in 1...30 {
            let made = try workplace.phantom(seed)
            try FileManager.default.moveItem(atPath: made, toPath: "\(workplace.path)/spool/inbox/phantom-\(seed)")
            guard seed % 10 == 5 else { continue }
            kill(service.processIdentifier, SIGKILL)
            service.waitUntilExit()
            service = try start()
        }
        kill(service.processIdentifier, SIGTERM)
        service.waitUntilExit()
        #expect(service.terminationStatus == 0)

        let rest = try Program.run(["batch", "--config", site])
        #expect(rest.status == 0, "\(rest.output)\(rest.errors)")
        let results = try files("outbox").filter { $0.hasSuffix("/report.json") }
        #expect(results.count == 30)
        #expect(Set(results.map { $0.prefix(12) }).count == 30)
        #expect(try files("outbox").count { $0.hasSuffix("/report.html") } == 30)
        #expect(try files("outbox").contains("index.html"))
        #expect(try files("work").isEmpty)
        #expect(try files("inbox").sorted() == [".hspsam-lock", ".keep"])
        let status = try Program.run(["status", "--config", site])
        #expect(status.status == 0 && status.output.contains("not running") && status.output.contains("done 30"))
    }

    @Test("a study that cannot work goes to quarantine, and batch and status end with 3")
    func quarantine() throws {
        try #require(
            try Program.run(["phantom", "body", "--out", workplace.path + "/phantom", "--seed", "1"]).status == 0)
        let slices = try FileManager.default.contentsOfDirectory(atPath: workplace.path + "/phantom").sorted()
        let whole = try Data(
            contentsOf: URL(fileURLWithPath: "\(workplace.path)/phantom/\(try #require(slices.first))"))
        try workplace.write("spool/inbox/cut.dcm", whole.prefix(whole.count / 2))
        let batch = try Program.run(["batch", "--config", site, "--json"])
        #expect(batch.status == 3 && batch.output.contains(#""quarantined":1"#), "\(batch.output)\(batch.errors)")
        let status = try Program.run(["status", "--config", site])
        #expect(status.status == 3 && status.output.contains("PIX-TRUNCATED"), "\(status.output)")
        #expect(try files("quarantine").contains { $0.hasSuffix("/reason.json") })
    }

    @Test("a wrong site file, one that is not there, and a second service end with 2 and a line that helps")
    func refusals() throws {
        let wrong = try workplace.write("wrong.yaml", "inbox: {scna: 5s}\n")
        let unknown = try Program.run(["watch", "--config", wrong])
        #expect(
            unknown.status == 2
                && unknown.errors.contains(#"wrong.yaml:1: "inbox.scna": unknown key. Did you mean "scan"?"#))
        let missing = try Program.run(["batch", "--config", workplace.path + "/none.yaml"])
        #expect(missing.status == 2 && missing.errors.contains("none.yaml: cannot open it"))
        #expect(try Program.run(["status", "--config", site]).status == 4)

        let first = try start()
        defer { kill(first.processIdentifier, SIGKILL) }
        let page = workplace.path + "/spool/outbox/index.html"
        let deadline = Date(timeIntervalSinceNow: 600)
        while !FileManager.default.fileExists(atPath: page), Date() < deadline { Thread.sleep(forTimeInterval: 0.05) }
        let second = try Program.run(["watch", "--config", site])
        #expect(second.status == 2 && second.errors.contains("process \(first.processIdentifier)"), "\(second.errors)")
    }

    private func report(_ path: String) throws -> [String: Any] {
        let data = try Data(contentsOf: URL(fileURLWithPath: "\(workplace.path)/spool/outbox/\(path)"))
        return try #require(try JSONSerialization.jsonObject(with: data) as? [String: Any])
    }

    private func reports() throws -> [[String: Any]] {
        try files("outbox").filter { $0.hasSuffix("/report.json") }.map { try report($0) }
    }

    /// A phantom's files moved into the inbox as one drop; by default all of them.
    private func drop(_ name: String, from phantom: String, _ slices: ArraySlice<String>, more: [String: Data] = [:])
        throws
    {
        let hidden = "\(workplace.path)/making-\(name)"
        try FileManager.default.createDirectory(atPath: hidden, withIntermediateDirectories: true)
        for slice in slices {
            try FileManager.default.copyItem(atPath: "\(phantom)/\(slice)", toPath: "\(hidden)/\(slice)")
        }
        for (file, data) in more { try data.write(to: URL(fileURLWithPath: "\(hidden)/\(file)")) }
        try FileManager.default.moveItem(atPath: hidden, toPath: "\(workplace.path)/spool/inbox/\(name)")
    }

    @Test(
        "half a study, then all of it, then again: superseded, known without inference; a corrupt file beside it asks for a person",
        .timeLimit(.minutes(60)))
    func halfThenWhole() throws {
        let phantom = workplace.path + "/phantom"
        try #require(try Program.run(["phantom", "body", "--out", phantom, "--seed", "1"]).status == 0)
        let slices = try FileManager.default.contentsOfDirectory(atPath: phantom).filter { $0.hasSuffix(".dcm") }
            .sorted()

        try drop("half", from: phantom, slices.prefix(slices.count / 2))
        let half = try Program.run(["batch", "--config", site, "--json"])
        #expect(half.status == 0 && half.output.contains(#""results":1"#), "\(half.output)\(half.errors)")
        let first = try #require(try reports().first)
        #expect(first["superseded_by"] is NSNull && (first["instances"] as? [String])?.count == slices.count / 2)

        try drop("whole", from: phantom, slices[...])
        let whole = try Program.run(["batch", "--config", site, "--json"])
        #expect(whole.status == 0 && whole.output.contains(#""results":1"#), "\(whole.output)\(whole.errors)")
        let both = try reports()
        #expect(both.count == 2)
        let newer = try #require(both.first { ($0["instances"] as? [String])?.count == slices.count })
        let older = try #require(both.first { $0["key"] as? String == first["key"] as? String })
        #expect(older["superseded_by"] as? String == newer["key"] as? String && newer["superseded_by"] is NSNull)
        #expect(
            try String(contentsOfFile: workplace.path + "/spool/outbox/index.html", encoding: .utf8).contains(
                "superseded by"))

        // Known: nothing is segmented, nothing published.
        try drop("again", from: phantom, slices[...])
        let again = try Program.run(["batch", "--config", site, "--json"])
        #expect(again.status == 0 && again.output.contains(#""results":0"#), "\(again.output)\(again.errors)")
        let known = try Program.run([
            "run", phantom, "--out", workplace.out, "--pipelines", workplace.pipelines, "--known",
            workplace.path + "/state/known-results",
        ])
        #expect(known.status == 4, "\(known.errors)")
        let studies = try #require(try workplace.record()["studies"] as? [[String: Any]])
        #expect(
            studies.count == 1 && studies[0]["folder"] is NSNull
                && studies[0]["key"] as? String == newer["key"] as? String)
        #expect(try (workplace.record()["results"] as? [Any])?.isEmpty == true)

        let bytes = try Data(contentsOf: URL(fileURLWithPath: "\(phantom)/\(slices[0])"))
        try drop("torn", from: phantom, slices[...], more: ["torn.dcm": bytes.prefix(bytes.count / 3)])
        let torn = try Program.run(["batch", "--config", site, "--json"])
        #expect(torn.status == 3 && torn.output.contains(#""partial":1"#), "\(torn.output)\(torn.errors)")
        #expect(try Program.run(["status", "--config", site]).status == 3)

        // Somebody takes the segmentation away: the study is published again when it comes again.
        let path = try #require(
            try files("outbox").first {
                $0.hasSuffix(".seg.dcm") && $0.contains("\((newer["key"] as? String ?? "").prefix(8))/")
            })
        try FileManager.default.removeItem(atPath: "\(workplace.path)/spool/outbox/\(path)")
        try drop("once more", from: phantom, slices[...])
        let more = try Program.run(["batch", "--config", site, "--json"])
        #expect(more.output.contains(#""results":1"#), "\(more.output)\(more.errors)")
        #expect(FileManager.default.fileExists(atPath: "\(workplace.path)/spool/outbox/\(path)"))
    }

    private static let hasPython = FileManager.default.isExecutableFile(atPath: "/usr/bin/python3")

    /// The folder as a zip archive, moved into the inbox.
    private func dropZip(_ name: String, of folder: String) throws {
        let archive = "\(workplace.path)/\(name)"
        let process = try Program.start(["-m", "zipfile", "-c", archive, folder], of: "/usr/bin/python3")
        process.waitUntilExit()
        try #require(process.terminationStatus == 0)
        try FileManager.default.moveItem(atPath: archive, toPath: "\(workplace.path)/spool/inbox/\(name)")
    }

    @Test("an archive in the inbox is judged as its folder would be", .enabled(if: hasPython), .timeLimit(.minutes(60)))
    func archives() throws {
        func batch() throws -> Program.Ending { try Program.run(["batch", "--config", site, "--json"]) }
        let whole = try workplace.phantom(1)
        try dropZip("whole.zip", of: whole)
        let first = try batch()
        #expect(first.status == 0 && first.output.contains(#""results":1"#), "\(first.output)\(first.errors)")
        // The same as a folder is known.
        try FileManager.default.moveItem(atPath: whole, toPath: "\(workplace.path)/spool/inbox/whole")
        let known = try batch()
        #expect(known.status == 0 && known.output.contains(#""results":0"#), "\(known.output)\(known.errors)")
        // An empty slice, a missing one, and an archive that is cut.
        let empty = try workplace.phantom(2)
        try Data().write(to: URL(fileURLWithPath: empty + "/slice-999.dcm"))
        try dropZip("empty.zip", of: empty)
        let incomplete = try batch()
        #expect(incomplete.status == 3 && incomplete.output.contains(#""partial":1"#), "\(incomplete.output)")
        let gap = try workplace.phantom(3)
        let slices = try FileManager.default.contentsOfDirectory(atPath: gap).sorted()
        try FileManager.default.removeItem(atPath: "\(gap)/\(slices[slices.count / 2])")
        try dropZip("gap.zip", of: gap)
        let missing = try batch()
        #expect(missing.status == 3 && missing.output.contains(#""partial":1"#), "\(missing.output)")
        let archive = try Data(
            contentsOf: URL(
                fileURLWithPath: try #require(
                    try files("kept").first { $0.hasSuffix("whole.zip") }.map { "\(workplace.path)/spool/kept/\($0)" }))
        )
        try workplace.write("spool/inbox/cut.zip", archive.prefix(archive.count / 2))
        let cut = try batch()
        #expect(cut.status == 3 && cut.output.contains(#""quarantined":1"#), "\(cut.output)")
    }
}
