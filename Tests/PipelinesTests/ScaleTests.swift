import Failures
import Foundation
import Records
import SegmentAnything
import Testing

@Suite("scale of pictures")
struct ScaleTests {
    private func run(
        _ inputs: String, _ preprocess: String, _ scale: TrainedScale? = nil
    ) throws -> (record: RunRecord, reports: [StudyRecord]) {
        let fixture = try Fixture()
        let trained = scale.map {
            TrainedInput(windowing: .percentile(low: 0.5, high: 99.5), aspect: .varied, scale: $0)
        }
        _ = try fixture.pipeline(
            "a", more: "windowing: {mode: percentile, scope: frame}\npreprocess: {\(preprocess)}", trained: trained)
        let record = try fixture.run([inputs])
        return (record, try fixture.reports(record))
    }

    private func codes(_ reports: [StudyRecord]) -> [String] {
        reports.flatMap(\.results).flatMap(\.findings).map(\.code)
    }

    @Test("a series is segmented in tiles, frame by frame, on its own grid")
    func tiles() throws {
        let whole = try run("samples/body", "scale: whole")
        let tiled = try run("samples/body", "scale: {tiles: {size: 64, overlap: 16}}")
        for result in [whole, tiled] {
            #expect(result.record.exitStatus == .done && result.reports.count == 1)
            #expect(result.reports[0].results.count == 1)
        }
        #expect(whole.reports[0].results[0].pipelineDigest != tiled.reports[0].results[0].pipelineDigest)
    }

    @Test(
        "a run with the mean with mirror images gives other results, and says so in its report and its objects",
        arguments: ["scale: whole", "scale: {tiles: {size: 64, overlap: 16}}"])
    func flips(scale: String) throws {
        func run(_ more: String) throws -> (result: StudyRecord.Result, object: Data, page: String) {
            let fixture = try Fixture()
            _ = try fixture.pipeline("a", more: "preprocess: {\(scale)}\n\(more)", seed: 7)
            let record = try fixture.run(["samples/body"])
            let folder = try #require(record.studies.first?.folder)
            let result = try #require(try fixture.reports(record).first?.results.first)
            let files = "\(fixture.path)/out/\(folder)/"
            return (
                result, try Data(contentsOf: URL(fileURLWithPath: files + (try #require(result.file)))),
                try String(contentsOfFile: files + "report.html", encoding: .utf8)
            )
        }
        let (plain, same, flipped) = (try run(""), try run("inference: {tta: none}"), try run("inference: {tta: flip}"))
        #expect(same.object == plain.object && same.result.segments == plain.result.segments)
        #expect(plain.result.tta == nil && flipped.result.tta == "flip")
        #expect(flipped.result.pipelineDigest != plain.result.pipelineDigest)
        #expect(flipped.result.segments != plain.result.segments)
        let words = Data(" tta flip".utf8)
        #expect(flipped.object.range(of: words) != nil && plain.object.range(of: words) == nil)
        #expect(flipped.page.contains("the mean with the mirror image") && !plain.page.contains("mirror image"))
    }

    @Test("a picture whose known scale is unlike the model's gets a finding; resampled it is a note")
    func findings() throws {
        // The body's pixels are 0.7 to 0.9 mm wide.
        let far = TrainedScale(pixels: 64, pixelMM: 0.3)
        let near = TrainedScale(pixels: 64, pixelMM: 0.7)
        let tiles = "scale: {tiles: {size: 64, overlap: 16"
        let warned = try run("samples/body", tiles + "}}", far)
        #expect(
            warned.reports.flatMap(\.results).flatMap(\.findings).contains {
                $0.code == "QC-SCALE" && $0.severity == .warning
            })
        let resampled = try run("samples/body", tiles + ", resample: true}}", far)
        #expect(
            resampled.reports.flatMap(\.results).flatMap(\.findings).contains {
                $0.code == "QC-SCALE" && $0.severity == .note
            })
        #expect(!codes(try run("samples/body", tiles + "}}", near).reports).contains("QC-SCALE"))
        #expect(!codes(try run("samples/body", tiles + "}}").reports).contains("QC-SCALE"))
        // Whole pictures of 160 columns.
        #expect(codes(try run("samples/body", "scale: whole", far).reports).contains("QC-SCALE"))
        #expect(
            !codes(try run("samples/body", "scale: whole", TrainedScale(pixels: 160, pixelMM: 0.7)).reports).contains(
                "QC-SCALE"))
    }

    @Test("tiles in µm need to know how large pixels are: else the picture is refused, and nothing is guessed")
    func micrometres() throws {
        let unknown = try run("samples/dermoscopy", "scale: {tiles: {size_um: 100}}")
        #expect(unknown.record.inputs.allSatisfy { $0.code == "GEO-SCALE" && $0.status == .refused })
        let known = try run("samples/body", "scale: {tiles: {size_um: 50000}}")
        #expect(known.record.exitStatus == .done)
        // A tile of less than a pixel.
        let absurd = try run("samples/body", "scale: {tiles: {size_um: 100}}")
        #expect(absurd.record.inputs.contains { $0.code == "GEO-SCALE" })
    }
}
