import DICOM
import Failures
import Foundation
import Mutations
import Pipelines
import Records
import Testing

/// The keys `tolerate` and `limits` of a pipeline.
@Suite("what a pipeline tolerates and allows")
struct ReadingRulesTests {
    /// 16 × 16 grey pixels as an RLE frame; a damaged one says of itself that it has three planes.
    private func frame(_ seed: Int, isDamaged: Bool) -> [UInt8] {
        var header: [UInt8] = [isDamaged ? 3 : 1, 0, 0, 0, 64, 0, 0, 0]
        header += [UInt8](repeating: 0, count: 64 - header.count)
        let values = (0..<256).map { UInt8(($0 * 5 + seed * 40) % 256) }
        return header + [127] + values[..<128] + [127] + values[128...]
    }

    private func object(_ sopClass: String, modality: String, number: Int, _ frames: [[UInt8]], more: [RawElement])
        -> RawObject
    {
        var object = RawObject([
            RawElement(0x0008, 0x0008, "CS", "ORIGINAL\\PRIMARY\\AXIAL"), RawElement(0x0008, 0x0016, "UI", sopClass),
            RawElement(0x0008, 0x0018, "UI", "1.2.3.4.\(number)"), RawElement(0x0008, 0x0020, "DA", "20260101"),
            RawElement(0x0008, 0x0030, "TM", "100000"), RawElement(0x0008, 0x0050, "SH", ""),
            RawElement(0x0008, 0x0060, "CS", modality), RawElement(0x0008, 0x0090, "PN", ""),
            RawElement(0x0010, 0x0010, "PN", "A^B"), RawElement(0x0010, 0x0020, "LO", "1"),
            RawElement(0x0010, 0x0030, "DA", ""), RawElement(0x0010, 0x0040, "CS", ""),
            RawElement(0x0020, 0x000D, "UI", "1.2.3"), RawElement(0x0020, 0x000E, "UI", "1.2.3.4"),
            RawElement(0x0020, 0x0010, "SH", "1"), RawElement(0x0020, 0x0011, "IS", "1"),
            RawElement(0x0020, 0x0013, "IS", String(number)),
        ])
        object.syntax = "1.2.840.10008.1.2.5"
        object.elements += more
        object.elements += [
            RawElement(0x0028, 0x0002, us: 1), RawElement(0x0028, 0x0004, "CS", "MONOCHROME2"),
            RawElement(0x0028, 0x0008, "IS", String(frames.count)), RawElement(0x0028, 0x0010, us: 16),
            RawElement(0x0028, 0x0011, us: 16), RawElement(0x0028, 0x0030, "DS", "1\\1"),
            RawElement(0x0028, 0x0100, us: 8), RawElement(0x0028, 0x0101, us: 8), RawElement(0x0028, 0x0102, us: 7),
            RawElement(0x0028, 0x0103, us: 0), RawElement(0x0028, 0x1052, "DS", "0"),
            RawElement(0x0028, 0x1053, "DS", "1"), RawElement(0x7FE0, 0x0010, "OB", .fragments(frames)),
        ]
        return object
    }

    private func loop(_ damaged: Set<Int>, frames: Int = 4) -> RawObject {
        object(
            "1.2.840.10008.5.1.4.1.1.7.2", modality: "OT", number: 1,
            (0..<frames).map { frame($0, isDamaged: damaged.contains($0)) }, more: [])
    }

    private func prepared(_ objects: [RawObject], _ settings: [String: String]) throws -> Fixture {
        let fixture = try Fixture()
        for (name, more) in settings {
            _ = try fixture.pipeline(name, more: more)
            let text = Fixture.settings(name, more: more).replacing("[XC]", with: "[XC, OT, CT]")
            _ = try fixture.file("pipelines/\(name)/pipeline.yaml", text)
        }
        for (index, object) in objects.enumerated() {
            _ = try fixture.file("in/\(index).dcm", Data(object.fileBytes))
        }
        return fixture
    }

    private func run(
        _ objects: [RawObject], _ settings: [String: String]
    ) throws -> (record: RunRecord, results: [StudyRecord.Result]) {
        let fixture = try prepared(objects, settings)
        let record = try fixture.run([fixture.path + "/in"], pipeline: nil)
        return (record, try fixture.reports(record).flatMap(\.results))
    }

    @Test("a frame that cannot be decoded refuses its volume, or is left out and told where the pipeline tolerates it")
    func frames() throws {
        let strict = try run([loop([1])], ["a": ""])
        #expect(strict.record.inputs.map(\.code) == ["PIX-CODEC"] && strict.results.isEmpty)
        let whole = try run([loop([])], ["a": "tolerate: frame"])
        #expect(whole.results.map(\.source.frames) == [4] && whole.record.exitStatus == .done)
        let tolerant = try run([loop([1])], ["a": "tolerate: frame"])
        let result = try #require(tolerant.results.first)
        // Nothing was looked for in a frame that was left out: a person has to.
        #expect(tolerant.record.exitStatus == .refusedOrFailed && tolerant.record.omission?.code == "PIX-FRAME")
        #expect(result.source.frames == 3)
        let finding = try #require(result.findings.first { $0.code == "PIX-FRAME" })
        #expect(
            finding.severity == .warning && finding.text.contains("1 of 4 frames")
                && finding.text.contains("numbers 2 "))
        let none = try run([loop([0, 1, 2, 3])], ["a": "tolerate: frame"])
        #expect(none.record.inputs.map(\.code) == ["PIX-CODEC"] && none.results.isEmpty)
    }

    @Test("frames keep the numbers of their object in every file, whichever were chosen or left out")
    func numbers() throws {
        let more = "tolerate: frame\noutputs: {objects: true, sc: {mode: always}}"
        let fixture = try prepared([loop([2], frames: 6)], ["a": more])
        let text = Fixture.settings("a", more: more)
            .replacing("modality: [XC]", with: "modality: [OT]\n    frames: [2, 3, 5]")
        _ = try fixture.file("pipelines/a/pipeline.yaml", text)
        var options = fixture.options([fixture.path + "/in"], pipeline: nil)
        options.also = [.masks]
        let record = try Run.run(options) { _ in }
        let result = try #require(record.results.first)
        #expect(result.frames == 2)
        #expect(result.findings.contains { $0.code == "PIX-FRAME" && $0.text.contains("numbers 3 of the object") })
        let folder = "\(fixture.path)/out/\(result.study)"
        let names = try FileManager.default.subpathsOfDirectory(atPath: folder).sorted()
        #expect(names.filter { $0.hasSuffix(".png") }.map { $0.suffix(8) } == ["0002.png", "0005.png"])
        let page = try String(contentsOfFile: folder + "/report.html", encoding: .utf8)
        #expect(page.contains("Frame 2 of 6") || page.contains("Frame 5 of 6"))
        #expect(!page.contains("Frame 1 of") && !page.contains("of 2</figcaption>"))
        let objects = try String(contentsOfFile: fixture.path + "/out/objects.csv", encoding: .utf8)
            .split(separator: "\r\n").dropFirst().map { $0.split(separator: ",", omittingEmptySubsequences: false) }
        #expect(objects.allSatisfy { ["2", "5"].contains($0[6]) })
        for capture in (result.objects ?? []).filter({ $0.kind == "captures" }) {
            let source = try DICOMFile(path: fixture.path + "/out/" + capture.file).dataSet.item(.sourceImageSequence)
            #expect([2, 5].contains(source?.int(.referencedFrameNumber)))
        }
    }

    /// An ultrasound picture of two regions; x0, y0, x1, y1 and the size of a pixel in cm.
    private func ultrasound(_ regions: [(box: [UInt32], size: Double)]) -> RawObject {
        let items = regions.map { region in
            [RawElement(0x0018, 0x6012, us: 1)]
                + region.box.enumerated().map {
                    RawElement(0x0018, 0x6018 + UInt16($0) * 2, "UL", .bytes(little($1)))
                } + [RawElement(0x0018, 0x6024, us: 3), RawElement(0x0018, 0x6026, us: 3)]
                + [0x602C, 0x602E].map {
                    RawElement(0x0018, $0, "FD", .bytes(little(region.size.bitPattern)))
                }
        }
        return object(
            "1.2.840.10008.5.1.4.1.1.6.1", modality: "US", number: 1, [frame(0, isDamaged: false)],
            more: [RawElement(0x0018, 0x6011, "SQ", .items(items))])
    }

    @Test("a segment of which no area is told, though the ultrasound picture has scales, asks a person")
    func severalScales() throws {
        let halves: [[UInt32]] = [[0, 0, 7, 15], [8, 0, 15, 15]]
        for (sizes, isTold) in [([0.02, 0.05], true), ([0.02, 0.02], false)] {
            let picture = ultrasound(zip(halves, sizes).map { ($0, $1) })
            let fixture = try prepared([picture], ["a": ""])
            let record = try fixture.run([fixture.path + "/in"])
            let result = try #require(record.results.first)
            let isFound = result.segments[0].pixels > 0
            #expect(result.findings.contains { $0.code == "QC-CALIBRATION" } == (isTold && isFound))
            #expect((result.segments[0].areaMM2 != nil) == !isTold)
            #expect((record.omission?.code == "QC-CALIBRATION") == (isTold && isFound))
            #expect(!result.findings.contains { $0.code == "QC-NOSCALE" })
        }
    }

    /// Five slices, of which the third is damaged.
    private var slices: [RawObject] {
        (0..<5).map { index in
            object(
                "1.2.840.10008.5.1.4.1.1.2", modality: "CT", number: index + 1, [frame(index, isDamaged: index == 2)],
                more: [
                    RawElement(0x0020, 0x0032, "DS", "0\\0\\\(index * 3)"),
                    RawElement(0x0020, 0x0037, "DS", "1\\0\\0\\0\\1\\0"), RawElement(0x0020, 0x0052, "UI", "1.2.3.9"),
                ])
        }
    }

    @Test("inspect says of frames that cannot be decoded what a run says, once it looks at the pixels")
    func inspected() throws {
        for settings in ["", "tolerate: frame"] {
            for objects in [[loop([])], [loop([1])], [loop([0, 1, 2, 3])], slices] {
                let fixture = try prepared(objects, ["a": settings])
                let pipelines = try PipelineDirectory.openAll(in: fixture.path + "/pipelines", only: nil)
                let record = try Inspection.inspect(
                    [fixture.path + "/in"], pipelines: pipelines, version: "0", hashesPixels: true)
                let ran = try fixture.run([fixture.path + "/in"], pipeline: nil)
                #expect(record.files.map(\.code) == ran.inputs.map(\.code))
                #expect(record.files.map(\.status) == ran.inputs.map(\.status))
            }
        }
    }

    @Test("a slice that is left out leaves a gap, and its file keeps its reason")
    func slicesLeftOut() throws {
        let (record, results) = try run(slices, ["a": "tolerate: frame"])
        let result = try #require(results.first)
        #expect(result.source.frames == 4 && result.source.sliceMM == 3)
        #expect(["VOL-GAP", "PIX-FRAME"].allSatisfy { code in result.findings.contains { $0.code == code } })
        #expect(record.inputs.map(\.code) == [nil, nil, "PIX-CODEC", nil, nil] && record.exitStatus != .done)
    }

    @Test("what exceeds a pipeline's limits is refused by it, and taken by another that allows it")
    func limits() throws {
        let refused = try run([loop([])], ["a": "limits: {frames: 3}"])
        #expect(refused.record.inputs.map(\.code) == ["IN-LIMIT"])
        #expect(try run([loop([])], ["a": "limits: {frames: 4, side: 16, samples: 256}"]).record.exitStatus == .done)
        #expect(try run([loop([])], ["a": "limits: {side: 15}"]).record.inputs.map(\.code) == ["IN-LIMIT"])
        #expect(try run([loop([])], ["a": "limits: {samples: 255}"]).record.inputs.map(\.code) == ["IN-LIMIT"])
        let both = try run([loop([])], ["a": "limits: {frames: 3}", "b": ""])
        #expect(both.record.results.map(\.pipeline) == ["b"] && both.record.inputs.map(\.code) == ["IN-LIMIT"])
    }

    @Test("pictures have the limits that DICOM has")
    func pictures() throws {
        let fixture = try Fixture()
        let pages = (0..<3).map { _ in RawTIFF.Page(rows: 16, columns: 24, data: (0..<384).map { UInt8($0 % 251) }) }
        _ = try fixture.file("in/a.tif", Data(RawTIFF(pages).bytes))
        for (limits, code) in [
            ("pages: 2", "IN-LIMIT"), ("pages: 3", nil), ("side: 23", "IN-LIMIT"), ("side: 24", nil),
        ] {
            _ = try fixture.pipeline("a", more: "limits: {\(limits)}")
            try? FileManager.default.removeItem(atPath: fixture.path + "/out")
            #expect(try fixture.run([fixture.path + "/in"]).inputs.map(\.code) == [code])
        }
    }

    @Test(
        "limits that are none are refused with their key", arguments: ["rows: 3", "side: 0", "frames: many", "file: 0"])
    func settings(_ limits: String) throws {
        #expect(throws: (any Error).self) { try run([loop([])], ["a": "limits: {\(limits)}"]) }
    }
}
