import DICOM
import DICOMObjects
import Failures
import Foundation
import ImageFiles
import Imaging
import Phantoms
import Pipelines
import Records
import SegmentAnything
import Storage
import Testing

/// Objects one by one, from the picture to the table and to the segmentation in which each is a segment.
@Suite("Objects")
struct ObjectsTests {
    private static let nuclei = "pipelines/nuclei"

    /// The shipped pipeline under another name, with other outputs.
    private func pipeline(_ fixture: Fixture, outputs: String) throws {
        let settings = try String(contentsOfFile: Self.nuclei + "/pipeline.yaml", encoding: .utf8)
        let kept = settings.prefix(upTo: try #require(settings.range(of: "outputs:")).lowerBound)
            .replacing("name: nuclei", with: "name: a")
        _ = try fixture.file("pipelines/a/pipeline.yaml", kept + "outputs: {\(outputs)}\n")
        try FileManager.default.copyItem(
            atPath: Self.nuclei + "/model", toPath: fixture.path + "/pipelines/a/model")
    }

    private func table(_ fixture: Fixture, _ name: String) throws -> [[String: String]] {
        let lines = try String(contentsOfFile: fixture.path + "/out/" + name, encoding: .utf8)
            .split(separator: "\r\n").map {
                $0.split(separator: ",", omittingEmptySubsequences: false).map(String.init)
            }
        return lines.dropFirst().map { Dictionary(uniqueKeysWithValues: zip(lines[0], $0)) }
    }

    @Test(
        "nuclei that touch are counted one by one, and each row of the table is found again in the segmentation",
        .enabled(if: FileManager.default.fileExists(atPath: "pipelines/nuclei/model/SHA256SUMS")),
        .timeLimit(.minutes(60)))
    func touching() throws {
        let fixture = try Fixture()
        let phantom = TouchingPhantom()
        let page = RasterPage(
            rows: TouchingPhantom.rows, columns: TouchingPhantom.columns, samples: 1, bits: 8, values: phantom.values)
        _ = try fixture.file("in/nuclei.png", Data(ImageFile.png(page)))
        _ = try fixture.file("in/nuclei.png.yaml", "spacing_mm: [0.0005, 0.0005]\n")
        try pipeline(
            fixture,
            outputs: "objects: true, separate: distance, instances: true, annotations: polygon, sr: {enabled: true}")
        let record = try fixture.run([fixture.path + "/in"])
        let result = try #require(record.results.first)
        let segment = result.segments[0]
        #expect(segment.objects == TouchingPhantom.nuclei && segment.countedLabel == "Nuclei (17 objects)")
        let index = try String(contentsOfFile: fixture.path + "/out/index.html", encoding: .utf8)
        #expect(index.contains("Nuclei (17 objects) "))
        // Objects that touch have an outline each, and one picture has nothing to turn over.
        let folder = try #require(record.studies.first?.folder)
        let report = try String(contentsOfFile: "\(fixture.path)/out/\(folder)/report.html", encoding: .utf8)
        #expect(report.contains("id=\"r0-0-0\"") && report.contains("id=\"b0-0-0\""))
        #expect(!report.contains("data-do=\"count\"></output>"))
        let sizes = try #require(segment.objectSizes)
        let area = Double.pi * TouchingPhantom.radius * TouchingPhantom.radius / 4
        #expect(sizes.unit == .squareMicrometres && abs(sizes.median - area) < 0.15 * area, "\(sizes)")
        let seen = Double(TouchingPhantom.rows * TouchingPhantom.columns) * 0.0005 * 0.0005
        #expect(abs(try #require(sizes.perMM2) - 17 / seen) < 0.01 / seen)
        let file = try #require(result.objects?.first { $0.kind == "instances" }?.file)
        #expect(file.hasSuffix("-a.instances.seg.dcm") && result.file?.hasSuffix("-a.seg.dcm") == true)
        let object = try DICOMFile(path: fixture.path + "/out/" + file)
        let segments = object.dataSet.items(.segmentSequence)
        #expect(segments.count == TouchingPhantom.nuclei + 1 && segments[17].string(.segmentLabel) == "Nuclei 17")
        let stored = try PixelReader(object, try PixelDescription(object.dataSet)).frame(1)
        guard case .integers(let labels) = stored.values else {
            Issue.record("no numbers")
            return
        }
        let rows = try table(fixture, "objects.csv")
        #expect(rows.count == TouchingPhantom.nuclei)
        let edge = (0..<TouchingPhantom.rows * TouchingPhantom.columns).filter {
            let (row, column) = $0.quotientAndRemainder(dividingBy: TouchingPhantom.columns)
            return row == 0 || row == TouchingPhantom.rows - 1 || column == 0 || column == TouchingPhantom.columns - 1
        }
        let cut = Set(edge.map { labels[$0] })
        for row in rows {
            let instance = try #require(row["instance"].flatMap { Int32($0) })
            #expect(row["object"] == row["instance"])
            #expect(row["at_edge"] == (cut.contains(instance) ? "1" : "0"))
            #expect(labels.count { $0 == instance } == row["pixels"].flatMap { Int($0) })
            let (y, x) = (
                try #require(row["row"].flatMap(Double.init)), try #require(row["column"].flatMap(Double.init))
            )
            let pixel = Int(y.rounded()) * TouchingPhantom.columns + Int(x.rounded())
            #expect(labels[pixel] == instance && phantom.truth[pixel] > 0)
        }
        let annotated = try #require(result.objects?.first { $0.kind == "annotations" }?.file)
        let groups = try DICOMFile(path: fixture.path + "/out/" + annotated).dataSet.items(.annotationGroupSequence)
        #expect(groups.first?.int(.numberOfAnnotations) == TouchingPhantom.nuclei)
        #expect(try table(fixture, "measurements.csv").first?["object_size_unit"] == "um2")
    }

    @Test(
        "a segment that reaches the first or last slice of a volume is cut there, and one between them is not",
        .enabled(if: FileManager.default.fileExists(atPath: "pipelines/phantom-body/model/SHA256SUMS")))
    func cutBySlices() throws {
        let names = try FileManager.default.contentsOfDirectory(atPath: "samples/body")
            .filter { $0.hasSuffix(".dcm") }.sorted()
        for (slices, isCut) in [(0..<names.count, false), (names.count / 2..<names.count, true)] {
            let fixture = try Fixture()
            var options = fixture.options(names[slices].map { "samples/body/" + $0 })
            (options.pipelines, options.pipeline) = ("pipelines", "phantom-body")
            let result = try #require(try Run.run(options) { _ in }.results.first)
            #expect(result.segments[0].pixels > 0)
            let texts = result.findings.filter { $0.code == "QC-BORDER" }.map(\.text)
            #expect(
                texts == (isCut ? ["Body reaches the first or last slice: its size is a lower bound."] : []))
        }
    }

    @Test(
        "what the images cut is told of the segment, or of as many of its objects as are cut",
        arguments: [
            (SegmentCut(), nil, nil),
            (
                SegmentCut(bySides: true, objects: 1), nil,
                "A touches the edge of the picture: its size is a lower bound."
            ),
            (SegmentCut(bySides: true, objects: 1), 1, "A touches the edge of the picture: its size is a lower bound."),
            (
                SegmentCut(bySides: true, bySlices: true, objects: 2), nil,
                "A touches the edge of the picture and reaches the first or last slice: its size is a lower bound."
            ),
            (
                SegmentCut(bySides: true, objects: 1), 45,
                "A: 1 of 45 objects touches the edge of the picture: its size is a lower bound."
            ),
            (
                SegmentCut(bySides: true, bySlices: true, objects: 9), 45,
                "A: 9 of 45 objects touch the edge of the picture or reach the first or last slice: their sizes are lower bounds."
            ),
        ] as [(SegmentCut, Int?, String?)])
    func cutWords(_ cut: SegmentCut, _ count: Int?, _ text: String?) {
        #expect(cut.finding("A", of: count)?.text == text)
    }

    @Test(
        "sizes of objects are told in the unit that suits them, from cells to organs",
        arguments: [
            (ObjectSizes.Unit.squareMicrometres, 13.97, "14 ± 0 µm², median 14"),
            (.squareMicrometres, 1_586_193_600, "1\u{202F}586 ± 0 mm², median 1\u{202F}586"),
            (.cubicMillimetres, 66_918.1, "66.9 ± 0 ml, median 66.9"),
            (.cubicMillimetres, 12.5, "12.5 ± 0 mm³, median 12.5"),
            (.pixels, 20_000, "20\u{202F}000 ± 0 pixels, median 20\u{202F}000"),
        ])
    func words(_ unit: ObjectSizes.Unit, _ size: Double, _ text: String) {
        #expect(ObjectSizes(of: [size], unit: unit, perMM2: nil)?.words == text)
    }

    @Test("slices of a volume have no separate objects: they are refused before the network runs")
    func slices() throws {
        let fixture = try Fixture()
        for outputs in ["instances: true", "objects: true, separate: distance"] {
            _ = try fixture.pipeline("a", more: "outputs: {\(outputs)}")
            let record = try fixture.run(["samples/body"])
            #expect(record.results.isEmpty && record.inputs.contains { $0.code == "OUT-PLACE" })
            try FileManager.default.removeItem(atPath: fixture.path + "/pipelines/a")
        }
    }

    @Test(
        "boundaries that the model never learned are refused when the pipeline is opened, so are objects one a pixel of segments that share pixels; choices change the digest"
    )
    func settings() throws {
        let fixture = try Fixture()
        let path = try fixture.pipeline("a", more: "outputs: {objects: true, separate: boundary}")
        let failure = #expect(throws: PipelineFailure.self) { try PipelineDirectory.open(path) }
        #expect(failure?.code == "PIPE-SEPARATE")
        let second =
            "  - {key: b, label: B, category: [49755003, SCT, Morphologically Abnormal Structure], type: [52988006, SCT, Lesion]}"
        for activation in Configuration.Activation.allCases {
            let path = try fixture.pipeline("c", more: second + "\noutputs: {instances: true}") {
                ($0.segments, $0.activation) = (2, activation)
            }
            if activation == .softmax {
                _ = try PipelineDirectory.open(path)
            } else {
                let failure = #expect(throws: PipelineFailure.self) { try PipelineDirectory.open(path) }
                #expect(failure?.code == "PIPE-INSTANCES")
            }
            try FileManager.default.removeItem(atPath: path)
        }
        var digests: Set<String> = []
        let choices = [
            "objects: true", "objects: true, separate: none", "objects: true, separate: distance",
            "objects: true, separate: distance, separate_depth: 0.5", "objects: true, instances: true",
        ]
        for (index, outputs) in choices.enumerated() {
            let path = try fixture.pipeline("b\(index)", more: "outputs: {\(outputs)}")
            var pipeline = try PipelineDirectory.open(path).pipeline
            pipeline.name = "b"
            digests.insert(pipeline.digest(model: "").hex)
        }
        #expect(digests.count == choices.count)
    }
}
