import DICOMObjects
import Failures
import Foundation
import Imaging
import Pipelines
import Settings
import Testing

@Suite("PipelineDirectory")
struct PipelineDirectoryTests {
    @Test("what pipeline.yaml leaves out has its default")
    func defaults() throws {
        let pipeline = try Section.read(Array(Fixture.settings("a").utf8), file: "a.yaml") { try Pipeline($0) }
        #expect(pipeline.aspect == .isotropic)
        #expect(pipeline.windowing == Windowing(mode: .percentile(low: 0.5, high: 99.5)))
        #expect(pipeline.outputs.seriesNumber == 9000 && !pipeline.outputs.syntheticGeometry)
        #expect(pipeline.segments.first?.category.meaning == "Morphologically Abnormal Structure")
    }

    @Test(
        "a mistake is refused with its line and what to write",
        arguments: [
            ("windwing: {mode: fixed}", "SET-UNKNOWN", "windowing"), ("sm: {mpp: 1}", "SET-UNKNOWN", "sm"),
            ("windowing: {mode: fixed}", "SET-MISSING", "window"),
            ("windowing: {mode: fixed, window: [40, 0]}", "PIPE-WINDOW", "width"),
            ("postprocess: [{largest_component: [2]}]", "PIPE-POST", "1 to 1"),
            ("outputs: {seg: {label: lower}}", "PIPE-LABEL", "A-Z"),
            ("preprocess: {aspect: square}", "SET-TYPE", "isotropic"),
        ])
    func mistakes(more: String, code: String, word: String) throws {
        let bytes = Array(Fixture.settings("a", more: more).utf8)
        #expect {
            try Section.read(bytes, file: "pipelines/a/pipeline.yaml") { try Pipeline($0) }
        } throws: {
            guard let failure = $0 as? any Failure else { return false }
            return failure.code == code && failure.text.contains("pipelines/a/pipeline.yaml:9")
                && failure.text.contains(word)
                && failure.kind == .configuration
        }
    }

    @Test("the digest changes with what changes a result, not with what chooses the input")
    func digest() throws {
        let fixture = try Fixture()
        let first = try PipelineDirectory.open(try fixture.pipeline("a"))
        #expect(try PipelineDirectory.open(first.path).digest == first.digest)
        let text = Fixture.settings("a")
        _ = try fixture.file("pipelines/a/pipeline.yaml", text.replacingOccurrences(of: "[XC]", with: "[CT]"))
        #expect(try PipelineDirectory.open(first.path).digest == first.digest)
        _ = try fixture.file("pipelines/a/pipeline.yaml", text + "\npreprocess: {aspect: grid}\n")
        #expect(try PipelineDirectory.open(first.path).digest != first.digest)
    }

    @Test("segments that the model does not give are refused before anything is read")
    func segments() throws {
        let fixture = try Fixture()
        let path = try fixture.pipeline("a")
        let second = """
              - key: other
                label: Other
                category: [49755003, SCT, Morphologically Abnormal Structure]
                type: [52988006, SCT, Lesion]
            """
        _ = try fixture.file("pipelines/a/pipeline.yaml", Fixture.settings("a") + second)
        #expect { try PipelineDirectory.open(path) } throws: { ($0 as? PipelineFailure)?.code == "PIPE-SEGMENT" }
    }

    @Test("shipped pipelines are read", arguments: ["skin-lesion", "nuclei", "phantom-body"])
    func shipped(name: String) throws {
        let file = "pipelines/\(name)/pipeline.yaml"
        let bytes = [UInt8](try Data(contentsOf: URL(fileURLWithPath: file)))
        let pipeline = try Section.read(bytes, file: file) { try Pipeline($0) }
        #expect(pipeline.name == name && pipeline.segments.count == 1 && !pipeline.selection.isEmpty)
    }
}
