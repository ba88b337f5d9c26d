import Foundation
import ImageFiles
import Testing

/// The samples through the shipped pipelines that have their model.
@Suite("Samples")
struct SampleTests {
    static func hasModel(_ pipeline: String) -> Bool {
        FileManager.default.fileExists(atPath: "pipelines/\(pipeline)/model/SHA256SUMS")
    }

    /// Runs samples through one pipeline; its results by their series.
    private func results(_ workplace: Workplace, _ input: String, _ pipeline: String) throws -> [[String: Any]] {
        let ending = try Program.run([
            "run", input, "--out", workplace.out, "--pipelines", "pipelines", "--pipeline", pipeline,
        ])
        #expect(ending.status == 0, "\(ending.errors)")
        return try workplace.record()["results"] as? [[String: Any]] ?? []
    }

    @Test(
        "the phantom body's volume comes out as its truth says, within a tenth", .enabled(if: hasModel("phantom-body")))
    func phantom() throws {
        let truth = try JSONSerialization.jsonObject(
            with: Data(contentsOf: URL(fileURLWithPath: "samples/body.truth/truth.json")))
        let expected = try #require((truth as? [String: Any])?["volume_ml"] as? Double)
        let results = try results(try Workplace(), "samples/body", "phantom-body")
        let segment = try #require((results.first?["segments"] as? [[String: Any]])?.first)
        let found = try #require(segment["volume_ml"] as? Double)
        #expect(results.count == 1 && abs(found - expected) < 0.1 * expected, "\(found) ml instead of \(expected)")
    }

    @Test(
        "each photograph's lesion is found where the picture shows one", .enabled(if: hasModel("skin-lesion")),
        .timeLimit(.minutes(60)))
    func dermoscopy() throws {
        let workplace = try Workplace()
        let results = try results(workplace, "samples/dermoscopy", "skin-lesion")
        #expect(results.count == 3)
        for result in results {
            let segment = try #require((result["segments"] as? [[String: Any]])?.first)
            let share = Double(segment["pixels"] as? Int ?? 0) / (256 * 256)
            // The data set's own outlines cover 16 to 32 % of these three.
            #expect((0.1...0.45).contains(share), "\(share) of the picture")
            #expect(result["file"] is String)
        }
    }

    @Test("the fluorescence pictures' nuclei are found", .enabled(if: hasModel("nuclei")), .timeLimit(.minutes(60)))
    func fluorescence() throws {
        let results = try results(try Workplace(), "samples/fluorescence", "nuclei")
        #expect(results.count == 2)
        for result in results {
            let segment = try #require((result["segments"] as? [[String: Any]])?.first)
            #expect((segment["pixels"] as? Int ?? 0) > 1000)
        }
    }

    @Test("a speck of five pixels a side is no nucleus among sixteen", .enabled(if: hasModel("nuclei")))
    func speck() throws {
        let workplace = try Workplace()
        let folder = workplace.out + "-in"
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        try FileManager.default.copyItem(
            atPath: "samples/fluorescence/hspsam-study.yaml", toPath: folder + "/hspsam-study.yaml")
        let values = (0..<256 * 256).map { pixel in
            let (row, column) = (pixel / 256, pixel % 256)
            let isNucleus = (20..<40).contains(row % 64) && (20..<40).contains(column % 64)
            let isSpeck = (128..<133).contains(row) && (128..<133).contains(column)
            return UInt16(isNucleus || isSpeck ? 150 : 2 + pixel * 7 % 5)
        }
        let page = RasterPage(rows: 256, columns: 256, samples: 1, bits: 8, values: values)
        try Data(ImageFile.png(page)).write(to: URL(filePath: folder + "/speck.png"))
        let result = try #require(try results(workplace, folder, "nuclei").first)
        let segment = try #require((result["segments"] as? [[String: Any]])?.first)
        #expect(segment["objects"] as? Int == 16, "\(segment)")
    }

    @Test(
        "a phantom's pipeline takes no other series, and the others take no phantom",
        .enabled(if: hasModel("phantom-body")))
    func selection() throws {
        let workplace = try Workplace()
        try FileManager.default.removeItem(atPath: workplace.pipelines)
        try FileManager.default.createDirectory(atPath: workplace.pipelines, withIntermediateDirectories: true)
        try FileManager.default.copyItem(
            atPath: "pipelines/phantom-body", toPath: workplace.pipelines + "/phantom-body")
        #expect(try workplace.run(["samples/dermoscopy", "samples/fluorescence", "samples/body"]).status == 0)
        let inputs = try workplace.record()["inputs"] as? [[String: Any]] ?? []
        for input in inputs {
            let path = input["path"] as? String ?? ""
            #expect((input["status"] as? String == "processed") == path.hasPrefix("samples/body/"), "\(path)")
        }
    }
}
