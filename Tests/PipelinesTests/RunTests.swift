import Failures
import Foundation
import Pipelines
import Testing

@Suite("Run")
struct RunTests {
    private func options(_ fixture: Fixture, _ inputs: [String], pipeline: String? = "a") -> Run.Options {
        Run.Options(
            inputs: inputs, out: fixture.path + "/out", pipelines: fixture.path + "/pipelines", pipeline: pipeline,
            program: ProgramIdentity(version: "0", instructionSet: "portable", precision: "fp32", threads: 1))
    }

    @Test("every file stands in the record once, with a true reason")
    func everyFile() throws {
        let fixture = try Fixture()
        _ = try fixture.pipeline("a")
        let text = try fixture.file("in/text.dcm", "just text\n")
        _ = try fixture.file("in/empty.tif", "")
        _ = try fixture.file("in/broken.tif", Data([0x49, 0x49, 42, 0, 255, 255, 0, 0]))
        _ = try fixture.file("in/deep/photo.png", Data([0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A, 0]))
        _ = try fixture.file("in/hspsam-study.yaml", "patient: {id: X}\n")
        try FileManager.default.createSymbolicLink(atPath: fixture.path + "/in/link.dcm", withDestinationPath: text)
        let record = try Run.run(options(fixture, [fixture.path + "/in", text])) { _ in }
        let found = Dictionary(
            uniqueKeysWithValues: record.inputs.map { (URL(fileURLWithPath: $0.path).lastPathComponent, $0) })
        #expect(record.inputs.count == 6)
        #expect(
            found.mapValues(\.code) == [
                "text.dcm": "IN-NOTIMAGE", "empty.tif": "IN-EMPTY", "broken.tif": "PIX-TRUNCATED",
                "photo.png": "IN-NOTIMAGE",
                "hspsam-study.yaml": "IN-SIDECAR", "link.dcm": "IN-LINK",
            ])
        #expect(found["broken.tif"]?.status == .refused && found["text.dcm"]?.status == .skipped)
        #expect(record.exitStatus == .refusedOrFailed)
    }

    @Test("the samples become segmentations and reports, byte for byte the same when run again")
    func samples() throws {
        let fixture = try Fixture()
        _ = try fixture.pipeline("a", more: "outputs: {synthetic_geometry: true}")
        func files() throws -> [String: Data] {
            let record = try Run.run(options(fixture, ["samples/dermoscopy", "samples/fluorescence"])) { _ in }
            #expect(record.inputs.count { $0.status == .processed } == 5)
            #expect(record.results.count == 5 && record.studies.count == 4)
            var files: [String: Data] = [:]
            for name in try FileManager.default.subpathsOfDirectory(atPath: fixture.path + "/out")
            where name.hasSuffix(".dcm") {
                files[name] = try Data(contentsOf: URL(fileURLWithPath: fixture.path + "/out/" + name))
            }
            return files
        }
        let first = try files()
        // The tiny model may find nothing somewhere, but the two TIFF pictures always become DICOM.
        #expect(first.keys.count { $0.hasSuffix(".image.dcm") } == 2)
        #expect(try files() == first)
    }

    @Test("a study that is written becomes visible whole; leftovers of an interrupted run go")
    func leftovers() throws {
        let fixture = try Fixture()
        _ = try fixture.pipeline("a")
        _ = try fixture.file("out/.partial-123/half", "half")
        _ = try Run.run(options(fixture, ["samples/dermoscopy"])) { _ in }
        let names = try FileManager.default.contentsOfDirectory(atPath: fixture.path + "/out")
        #expect(!names.contains { $0.hasPrefix(".") })
        #expect(Set(names).isSuperset(of: ["run.json", "index.html"]) && names.count == 5)
    }

    @Test("an interruption leaves no half study behind")
    func interruption() throws {
        let fixture = try Fixture()
        _ = try fixture.pipeline("a")
        #expect(throws: Interruption.self) {
            try Run.run(options(fixture, ["samples/dermoscopy"])) { if case .frame = $0 { throw Interruption() } }
        }
        #expect(try FileManager.default.contentsOfDirectory(atPath: fixture.path + "/out").isEmpty)
    }

    @Test("a series that no pipeline wants is skipped with that reason")
    func unwanted() throws {
        let fixture = try Fixture()
        _ = try fixture.pipeline("a")
        let record = try Run.run(options(fixture, ["samples/fluorescence"], pipeline: nil)) { _ in }
        let tiffs = record.inputs.filter { $0.path.hasSuffix(".tif") }
        #expect(tiffs.allSatisfy { $0.status == .skipped && $0.code == "SEL-RULE" } && tiffs.count == 2)
        #expect(record.exitStatus == .nothingProcessed)
    }

    @Test("the record has the keys that others script against, null where there is nothing")
    func keys() throws {
        let fixture = try Fixture()
        _ = try fixture.pipeline("a")
        _ = try Run.run(options(fixture, ["samples/dermoscopy"])) { _ in }
        let data = try Data(contentsOf: URL(fileURLWithPath: fixture.path + "/out/run.json"))
        let root = try #require(try JSONSerialization.jsonObject(with: data) as? [String: Any])
        #expect(Set(root.keys).isSuperset(of: ["version", "started", "finished", "inputs", "studies", "results"]))
        let input = try #require((root["inputs"] as? [[String: Any]])?.first)
        #expect(Set(input.keys) == ["path", "sha256", "status", "code", "reason", "study", "series"])
        let study = try #require((root["studies"] as? [[String: Any]])?.first)
        #expect(Set(study.keys) == ["study", "key", "folder"] && (study["key"] as? String)?.count == 64)
        let result = try #require((root["results"] as? [[String: Any]])?.first)
        #expect(Set(result.keys).isSuperset(of: ["study", "series", "pipeline", "file", "seconds", "segments"]))
        let segment = try #require((result["segments"] as? [[String: Any]])?.first)
        #expect(Set(segment.keys) == ["number", "label", "pixels", "area_mm2", "volume_ml", "confidence"])
        #expect(segment["area_mm2"] is NSNull)
    }
}
