import Foundation
import Testing

private let nano = (ProcessInfo.processInfo.environment["HSPSAM_SHARED"] ?? "../shared") + "/golden/sam-nano"

@Suite("hspsam model import", .enabled(if: FileManager.default.fileExists(atPath: nano)))
struct ModelImportCommandTests {
    private let workplace: Workplace

    init() throws { workplace = try Workplace() }

    private func imports(_ options: [String], config: String = nano + "/config.json") throws -> Program.Ending {
        let command = ["model", "import", nano + "/sam.pth", "--config", config, "--out", workplace.out]
        return try Program.run(command + options)
    }

    /// A number of the `config.json` that was written.
    private func written(_ key: String) throws -> Int? {
        let data = try Data(contentsOf: URL(fileURLWithPath: workplace.out + "/config.json"))
        return try (JSONSerialization.jsonObject(with: data) as? [String: Any])?[key] as? Int
    }

    @Test("segments for which the configuration has no room are refused, and nothing is written")
    func segments() throws {
        let refused = try imports(["--configuration", "sam", "--segments", "2"])
        #expect(refused.status == 2 && refused.errors.hasPrefix("USE-CONFIGURATION --segments 2"), "\(refused.errors)")
        #expect(!FileManager.default.fileExists(atPath: workplace.out))
        let four = try imports(["--configuration", "sam", "--segments", "4"])
        #expect(four.status == 0, "\(four.errors)")
    }

    @Test(
        "prompts are as many as the option says, else the file, else the segments",
        arguments: [([], nil, 3), ([], 2, 2), (["--prompts", "1"], nil, 1), (["--prompts", "1"], 2, 1)])
    func prompts(options: [String], inFile: Int?, expected: Int) throws {
        let text = try String(contentsOfFile: nano + "/config.json", encoding: .utf8)
        let begin = inFile.map { "{\"prompts\": \($0)," } ?? "{"
        let config = try workplace.write("shape.json", text.replacingOccurrences(of: "{", with: begin))
        let ending = try imports(["--segments", "3"] + options, config: config)
        #expect(ending.status == 0, "\(ending.errors)")
        #expect(try written("prompts") == expected)
        #expect(try written("segments") == 3)
    }
}
