import Foundation
import Testing

@Suite("hspsam run")
struct RunCommandTests {
    private func segmentations(_ folder: String) throws -> [String: Data] {
        var files: [String: Data] = [:]
        for name in try FileManager.default.subpathsOfDirectory(atPath: folder) where name.hasSuffix(".seg.dcm") {
            files[name] = try Data(contentsOf: URL(fileURLWithPath: folder + "/" + name))
        }
        return files
    }

    @Test("one thread and two give the same segmentations, bit for bit")
    func threads() throws {
        let one = try Workplace(), two = try Workplace()
        for (workplace, threads) in [(one, "1"), (two, "2")] {
            let ending = try workplace.run(
                ["samples/body", "samples/dermoscopy"], ["--pipeline", "tiny", "--threads", threads])
            #expect(ending.status == 0, "\(ending.errors)")
        }
        let files = try segmentations(one.out)
        #expect(!files.isEmpty)
        #expect(try segmentations(two.out) == files)
    }

    @Test(
        "where a TIFF lies and the time of its file reach no object; its own name and its sidecar do, and then the UIDs are others"
    )
    func namesAndTimes() throws {
        let picture = try Data(contentsOf: URL(fileURLWithPath: "samples/fluorescence/094afe36759e.tif"))
        func objects(_ name: String, modified: TimeInterval, sidecar: String? = nil) throws -> [String: Data] {
            let workplace = try Workplace()
            let path = try workplace.write("in/" + name, picture)
            if let sidecar { try workplace.write("in/" + name + ".yaml", sidecar) }
            try FileManager.default.setAttributes(
                [.modificationDate: Date(timeIntervalSince1970: modified)], ofItemAtPath: path)
            #expect(try workplace.run([workplace.path + "/in"], ["--pipeline", "tiny"]).status == 0)
            var files: [String: Data] = [:]
            for file in try FileManager.default.subpathsOfDirectory(atPath: workplace.out) where file.hasSuffix(".dcm")
            {
                files[file] = try Data(contentsOf: URL(fileURLWithPath: workplace.out + "/" + file))
            }
            return files
        }
        let one = try objects("a.tif", modified: 1_000_000_000)
        #expect(!one.isEmpty)
        #expect(try objects("deeper/a.tif", modified: 1_700_000_000) == one)
        // It describes the series.
        let named = try objects("another name.tif", modified: 1_000_000_000)
        #expect(named.count == one.count && Set(named.values).isDisjoint(with: one.values))
        let dated = try objects("a.tif", modified: 0, sidecar: "study: {date: \"20240102\"}\n")
        #expect(dated.count == one.count && Set(dated.values).isDisjoint(with: one.values))
        #expect(Set(dated.keys).isDisjoint(with: one.keys))
    }

    @Test("progress is one object a line, with a summary last")
    func json() throws {
        let workplace = try Workplace()
        let ending = try workplace.run(["samples/dermoscopy"], ["--pipeline", "tiny", "--json"])
        #expect(ending.status == 0)
        let lines = try ending.output.split(separator: "\n").map {
            try JSONSerialization.jsonObject(with: Data($0.utf8)) as? [String: Any] ?? [:]
        }
        #expect(lines.allSatisfy { $0["event"] is String })
        #expect(lines.last?["event"] as? String == "finished" && lines.last?["processed"] as? Int == 3)
        #expect(lines.contains { $0["event"] as? String == "frame" && ($0["study"] as? String)?.count == 12 })
    }

    @Test("with --json the end of a pipe on standard input ends the run; without, nothing does")
    func heldPipe() throws {
        let workplace = try Workplace()
        func closedPipe() throws -> Pipe {
            let pipe = Pipe()
            try pipe.fileHandleForWriting.close()
            return pipe
        }
        let arguments = [
            "run", "samples/body", "--out", workplace.out, "--pipelines", workplace.pipelines, "--pipeline", "tiny",
        ]
        #expect(try Program.run(arguments, input: try closedPipe()).status == 0)
        #expect(try Program.run(arguments + ["--json"], input: try closedPipe()).status == 130)
    }

    @Test(
        "a run that is interrupted, or whose terminal goes away, ends with 130 and leaves no half study; under nohup it goes on",
        arguments: [(SIGINT, false, 130), (SIGTERM, false, 130), (SIGHUP, false, 130), (SIGHUP, true, 0)])
    func interrupted(number: Int32, isUnderNohup: Bool, status: Int32) throws {
        let workplace = try Workplace()
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/bin/bash")
        process.arguments = [
            "-c", (isUnderNohup ? "trap '' HUP; " : "") + "exec \"$@\"", "bash", Program.path, "run", "samples/body",
            "--out", workplace.out, "--pipelines", workplace.pipelines, "--pipeline", "tiny", "--json",
        ]
        process.standardInput = FileHandle.nullDevice
        let output = Pipe()
        process.standardOutput = output
        process.standardError = FileHandle.nullDevice
        try process.run()
        _ = output.fileHandleForReading.availableData
        kill(process.processIdentifier, number)
        _ = output.fileHandleForReading.readDataToEndOfFile()
        process.waitUntilExit()
        #expect(process.terminationReason == .exit && process.terminationStatus == status)
        #expect(try FileManager.default.contentsOfDirectory(atPath: workplace.out).isEmpty == (status != 0))
    }

    @Test(
        "a file that may become no larger (ulimit -f) is told with 3, not by the end of the process, and leaves no half study"
    )
    func fileSize() throws {
        let workplace = try Workplace()
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/bin/bash")
        // Blocks of 1024 bytes.
        process.arguments = [
            "-c", "ulimit -f 4; exec \"$@\"", "bash", Program.path, "run", "samples/dermoscopy/ISIC_0000019.dcm",
            "--out",
            workplace.out, "--pipelines", workplace.pipelines, "--pipeline", "tiny",
        ]
        process.standardInput = FileHandle.nullDevice
        process.standardOutput = FileHandle.nullDevice
        let errors = Pipe()
        process.standardError = errors
        try process.run()
        let text = String(decoding: errors.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
        process.waitUntilExit()
        #expect(process.terminationReason == .exit && process.terminationStatus == 3, "\(text)")
        #expect(text.contains("File too large"), "\(text)")
        let left = try FileManager.default.subpathsOfDirectory(atPath: workplace.out)
        #expect(!left.contains { $0.hasSuffix(".dcm") }, "\(left)")
    }

    @Test(
        "a study that is known leaves nothing to do (4); what is refused beside it is told (3), and no key is no key (2)"
    )
    func known() throws {
        let workplace = try Workplace()
        #expect(try workplace.run(["samples/dermoscopy"], ["--pipeline", "tiny"]).status == 0)
        let keys = try #require(try workplace.record()["studies"] as? [[String: Any]]).compactMap {
            $0["key"] as? String
        }
        let list = try workplace.write("known", keys.map { $0 + "\n" }.joined())
        func again(_ inputs: [String], known: String) throws -> Program.Ending {
            try Program.run(
                ["run"] + inputs + ["--out", workplace.path + "/again", "--pipelines", workplace.pipelines]
                    + ["--pipeline", "tiny", "--known", known])
        }
        #expect(try again(["samples/dermoscopy"], known: list).status == 4)
        let whole = try Data(contentsOf: URL(fileURLWithPath: "samples/body/slice-001.dcm"))
        let cut = try workplace.write("cut/cut.dcm", whole.prefix(whole.count / 2))
        #expect(try again(["samples/dermoscopy", cut], known: list).status == 3)
        let wrong = try again(["samples/dermoscopy"], known: try workplace.write("wrong", "no key\n"))
        #expect(wrong.status == 2 && wrong.errors.contains("USE-KNOWN"), "\(wrong)")
        #expect(try again(["samples/dermoscopy"], known: workplace.path + "/none").status == 2)
    }

    @Test(
        "a run whose output nobody reads ends quietly with 130 and leaves no half study", arguments: [[], ["--json"]])
    func unread(more: [String]) throws {
        let workplace = try Workplace()
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/bin/bash")
        process.arguments =
            [
                "-c", "\"$@\" >&-", "bash", Program.path, "run", "samples/body", "--out", workplace.out, "--pipelines",
                workplace.pipelines, "--pipeline", "tiny",
            ] + more
        process.standardInput = FileHandle.nullDevice
        let errors = Pipe()
        process.standardError = errors
        try process.run()
        let text = String(decoding: errors.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
        process.waitUntilExit()
        #expect(process.terminationReason == .exit && process.terminationStatus == 130 && text.isEmpty, "\(text)")
        #expect(try FileManager.default.contentsOfDirectory(atPath: workplace.out).isEmpty)
    }

    @Test("a second run into the same folder says who works there, ends with 2, and the first one is not disturbed")
    func secondRun() throws {
        let workplace = try Workplace()
        let first = Process()
        first.executableURL = URL(fileURLWithPath: Program.path)
        first.arguments = [
            "run", "samples/body", "--out", workplace.out, "--pipelines", workplace.pipelines, "--pipeline", "tiny",
            "--json",
        ]
        first.standardInput = FileHandle.nullDevice
        let output = Pipe()
        first.standardOutput = output
        first.standardError = FileHandle.nullDevice
        try first.run()
        _ = output.fileHandleForReading.availableData
        // Stopped, so that it is there however long the second one takes.
        kill(first.processIdentifier, SIGSTOP)
        let second = try workplace.run(["samples/dermoscopy"], ["--pipeline", "tiny"])
        kill(first.processIdentifier, SIGCONT)
        #expect(second.status == 2 && second.errors.contains("USE-BUSY"), "\(second.errors)")
        #expect(second.errors.contains("process \(first.processIdentifier) on "), "\(second.errors)")
        _ = output.fileHandleForReading.readDataToEndOfFile()
        first.waitUntilExit()
        #expect(first.terminationStatus == 0)
        #expect(try workplace.run(["samples/body"], ["--pipeline", "tiny"]).status == 0)
    }

    @Test(
        "a hostile patient name does nothing in the report",
        .enabled(if: FileManager.default.fileExists(atPath: hostile)))
    func hostileName() throws {
        let workplace = try Workplace()
        let ending = try workplace.run([Self.hostile], ["--pipeline", "tiny"])
        // The corpus has a quarter of the slice's width.
        #expect(ending.status == 3 && ending.errors.contains("VOL-SCALE"), "\(ending.errors)")
        let studies = try workplace.record()["studies"] as? [[String: Any]]
        let folder = try #require(studies?.first?["folder"] as? String)
        for page in ["\(folder)/report.html", "index.html"] {
            let html = try String(contentsOfFile: "\(workplace.out)/\(page)", encoding: .utf8)
            // Our own script, which the policy knows by its digest, and blocks of data that nothing runs.
            func count(_ text: String) -> Int { html.components(separatedBy: text).count - 1 }
            #expect(html.contains("default-src 'none'") && html.contains("script-src 'sha256-"))
            #expect(count("<script>") == 1)
            let blocks = count("<script type=\"text/plain\" id=\"") + count("<script type=\"application/json\" id=\"m")
            #expect(count("<script") == 1 + blocks && count("</script") == 1 + blocks)
        }
    }

    private static let hostile =
        (ProcessInfo.processInfo.environment["HSPSAM_SHARED"] ?? "../shared")
        + "/data/dicom/derived/broken/ct_hostile_patient_name.dcm"
}
