import Foundation
import Testing

/// A canary in every text attribute, in sidecars and in every name: it must sing nowhere but in inputs and results.
@Suite("nothing of a patient outside of inputs and results")
final class CanaryTests {
    private static let hasDCMTK = FileManager.default.isExecutableFile(atPath: "/usr/bin/dcmodify")
    /// The birth date is a canary too.
    private static let canaries = ["CANARY", "19230405"]

    private let workplace: Workplace
    private let site: String

    init() throws {
        workplace = try Workplace()
        site = try workplace.writeSite(
            more: """
                worker: {attempts: 1}
                metrics: {textfile: \(workplace.path)/metrics.prom, every: 1s}
                """)
    }

    /// Attributes that hold text, and what can stand in them.
    private static let attributes: [(tag: String, value: String)] =
        ["0010,0010", "0008,0090", "0008,1050", "0008,1060", "0008,1070", "0010,1005", "0010,1060", "0032,1032"].map {
            ($0, "CANARY^NAME")
        }
        + [
            "0010,0020", "0010,0021", "0008,1030", "0008,0080", "0008,1040", "0010,1000", "0010,21f0", "0010,2152",
            "0018,1030", "0008,1090", "0018,1000", "0018,1020", "0010,1040", "0032,1060", "0040,0254", "0038,0500",
        ].map { ($0, "CANARY LONG") }
        + ["0008,0050", "0008,1010", "0020,0010", "0010,2160", "0040,0253", "0010,2180", "0040,1001"].map {
            ($0, "CANARY SHORT")
        }
        + ["0010,4000", "0020,4000", "0010,21b0", "0038,4000", "0008,0081", "0008,2111", "0018,4000"].map {
            ($0, "CANARY TEXT")
        } + [("0008,103e", "hspsam phantom CANARY"), ("0010,0030", "19230405"), ("0008,0054", "CANARYAE")]

    private func make(_ kind: String) throws -> String {
        let folder = "\(workplace.path)/phantom-\(kind)"
        try #require(try Program.run(["phantom", kind, "--out", folder, "--seed", "1"]).status == 0)
        return folder
    }

    /// Under a hidden name first.
    private func drop(_ name: String, _ fill: (String) throws -> Void) throws {
        let hidden = "\(workplace.path)/making"
        try FileManager.default.createDirectory(atPath: hidden, withIntermediateDirectories: true)
        try fill(hidden)
        try FileManager.default.moveItem(atPath: hidden, toPath: "\(workplace.path)/spool/inbox/\(name)")
    }

    private func dropAll() throws {
        let body = try make("body")
        let slices = try FileManager.default.contentsOfDirectory(atPath: body).sorted()[15..<18]
        try drop("CANARY^FOLDER") { folder in
            for (number, slice) in slices.enumerated() {
                try FileManager.default.copyItem(atPath: "\(body)/\(slice)", toPath: "\(folder)/CANARY-\(number).dcm")
            }
            let dcmodify = Process()
            dcmodify.executableURL = URL(fileURLWithPath: "/usr/bin/dcmodify")
            dcmodify.arguments =
                ["-q", "-nb"] + Self.attributes.flatMap { ["-i", "(\($0.tag))=\($0.value)"] }
                + slices.indices.enumerated().map { "\(folder)/CANARY-\($0.offset).dcm" }
            try dcmodify.run()
            dcmodify.waitUntilExit()
            try #require(dcmodify.terminationStatus == 0)
            // Something that may have been an image, and something that was none.
            try Data("x".utf8).write(to: URL(fileURLWithPath: folder + "/CANARY.zip"))
            try Data("Dear CANARY".utf8).write(to: URL(fileURLWithPath: folder + "/CANARY letter.txt"))
        }
        try drop("CANARY cut") { folder in
            let whole = try Data(contentsOf: URL(fileURLWithPath: "\(body)/\(try #require(slices.first))"))
            try whole.prefix(3000).write(to: URL(fileURLWithPath: folder + "/CANARY.dcm"))
        }
        let tiff = try make("fluorescence")
        for (name, sidecar) in [
            ("CANARY type", "patient: CANARY^NAME\n"), ("CANARY key", "CANARY: 1\n"),
            ("CANARY value", "patient: {id: CANARY, name: \"CANARY^NAME\", sex: CANARY}\n"),
            ("CANARY syntax", "patient: {name: CANARY^NAME\n"),
        ] {
            try drop(name) { folder in
                try FileManager.default.copyItem(atPath: tiff + "/nuclei-1.tif", toPath: folder + "/CANARY.tif")
                try Data(sidecar.utf8).write(to: URL(fileURLWithPath: folder + "/hspsam-study.yaml"))
            }
        }
    }

    /// What anybody on the machine sees of the processes that belong to this site.
    private func titles() throws -> [String] {
        try FileManager.default.contentsOfDirectory(atPath: "/proc").filter { Int($0) != nil }.compactMap {
            guard let line = try? Data(contentsOf: URL(fileURLWithPath: "/proc/\($0)/cmdline")) else { return nil }
            let text = String(decoding: line, as: UTF8.self)
            return text.contains(workplace.path) && text.contains("hspsam") ? text : nil
        }
    }

    @Test(
        "log, metrics, ledger, pages, reasons, process titles, names of files, and what commands say",
        .enabled(if: hasDCMTK))
    func canary() throws {
        let log = workplace.path + "/log"
        let service = try Program.start(["watch", "--config", site], log: log)
        defer { kill(service.processIdentifier, SIGKILL) }
        try dropAll()
        var seen: Set<String> = []
        func finished() throws -> Bool {
            let ending = try Program.run(["jobs", "--config", site, "--json"])
            let jobs = try JSONSerialization.jsonObject(with: Data(ending.output.utf8)) as? [[String: Any]] ?? []
            return jobs.count == 6 && jobs.allSatisfy { ["done", "quarantined"].contains($0["state"] as? String) }
        }
        while try !finished(), service.isRunning {
            // The commands that this test starts name the site file, and no more.
            seen.formUnion(try titles())
            Thread.sleep(forTimeInterval: 0.02)
        }
        kill(service.processIdentifier, SIGTERM)
        service.waitUntilExit()
        #expect(service.terminationStatus == 0)

        var places: [(String, Data)] = [("process titles", Data(seen.joined(separator: "\n").utf8))]
        func add(_ path: String) throws { places.append((path, try Data(contentsOf: URL(fileURLWithPath: path)))) }
        try add(log)
        try add(workplace.path + "/metrics.prom")
        var names: [String] = []
        var reports = 0
        for folder in ["state", "spool/outbox", "spool/quarantine", "spool/work", "spool/control", "spool/deliver"] {
            let root = "\(workplace.path)/\(folder)"
            for path in try FileManager.default.subpathsOfDirectory(atPath: root) where !path.contains("/input/") {
                names.append(path)
                var isFolder: ObjCBool = false
                let file = "\(root)/\(path)"
                guard FileManager.default.fileExists(atPath: file, isDirectory: &isFolder), !isFolder.boolValue else {
                    continue
                }
                // Results are for those who may see them.
                let isResult = folder == "spool/outbox" && path.contains("/") && !path.hasPrefix("batches/")
                if isResult {
                    let text = try Data(contentsOf: URL(fileURLWithPath: file))
                    if path.hasSuffix("report.json"), text.range(of: Data("CANARY".utf8)) != nil { reports += 1 }
                } else {
                    try add(file)
                }
            }
        }
        places.append(("names of files", Data(names.joined(separator: "\n").utf8)))
        for words in [
            ["status"], ["jobs"], ["quarantine", "list"], ["doctor"], ["deliver", "--status"], ["config", "show"],
        ] {
            let ending = try Program.run(words + ["--config", site, "--json"])
            places.append((words.joined(separator: " "), Data((ending.output + ending.errors).utf8)))
            let plain = try Program.run(words + ["--config", site])
            places.append((words.joined(separator: " "), Data((plain.output + plain.errors).utf8)))
        }
        for job in try FileManager.default.contentsOfDirectory(atPath: workplace.path + "/spool/quarantine") {
            let ending = try Program.run(["show", job, "--config", site, "--json"])
            places.append(("show", Data((ending.output + ending.errors).utf8)))
        }
        for (place, bytes) in places {
            for canary in Self.canaries {
                let found = bytes.range(of: Data(canary.utf8))
                let around = found.map {
                    String(
                        decoding: bytes[max(0, $0.lowerBound - 100)..<min(bytes.count, $0.upperBound + 40)],
                        as: UTF8.self)
                }
                #expect(found == nil, "\(canary) in \(place): \(around ?? "")")
            }
        }
        // It was there to be found: in the one result, and among the process titles were our own.
        #expect(reports == 1 && places.count > 20)
        #expect(seen.contains { $0.contains("run") }, "\(seen)")
    }
}
