import Foundation
import Testing

/// `hspsam inspect`, as a person runs it.
@Suite("inspect")
struct InspectCommandTests {
    @Test("a folder's files and volumes are told in words and as JSON; nothing is written")
    func folder() throws {
        let workplace = try Workplace()
        let words = try Program.run(["inspect", "samples/fluorescence", "--pipelines", workplace.pipelines])
        #expect(words.status == 0, "\(words.errors)")
        #expect(words.output.contains("TIFF") && words.output.contains("nearest is rule 1"), "\(words.output)")
        let ending = try Program.run(["inspect", "samples/dermoscopy", "--pipelines", workplace.pipelines, "--json"])
        let json = try JSONSerialization.jsonObject(with: Data(ending.output.utf8)) as? [String: Any]
        let files = try #require(json?["files"] as? [[String: Any]])
        #expect(files.count == 3 && files.allSatisfy { ($0["pixel_sha256"] as? String)?.count == 64 })
        #expect((json?["volumes"] as? [Any])?.count == 3 && !FileManager.default.fileExists(atPath: workplace.out))
    }

    @Test("a file that a run would refuse ends inspect as it ends a run")
    func refused() throws {
        let workplace = try Workplace()
        let folder = workplace.path + "/cut"
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        let whole = try Data(contentsOf: URL(fileURLWithPath: "samples/body/slice-001.dcm"))
        try whole.prefix(whole.count * 2 / 3).write(to: URL(fileURLWithPath: folder + "/1.dcm"))
        for options in [[], ["--json"]] {
            let ending = try Program.run(["inspect", folder, "--pipelines", workplace.pipelines] + options)
            #expect(ending.status == 3 && ending.output.contains("refused"), "\(ending.output) \(ending.errors)")
        }
    }

    @Test("a path that does not exist is a wrong command line")
    func missing() throws {
        let workplace = try Workplace()
        let ending = try Program.run(["inspect", workplace.path + "/none", "--pipelines", workplace.pipelines])
        #expect(ending.status == 2 && ending.errors.contains("USE-INPUT"), "\(ending.errors)")
    }
}
