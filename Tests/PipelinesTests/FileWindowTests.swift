import DICOM
import DICOMObjects
import Failures
import Foundation
import ImageFiles
import Records
import SegmentAnything
import Testing

/// What becomes of pipelines that show slices through the windows of their files, and of models that never saw such pictures.
@Suite("windows of the files")
struct FileWindowTests {
    /// Slices 1 to 3 of the sample's body, changed, under a pipeline with this windowing.
    private func run(
        _ windowing: String, _ change: (Int, inout DataSet) -> Void
    ) throws -> (record: RunRecord, result: StudyRecord.Result?) {
        let fixture = try Fixture()
        _ = try fixture.pipeline("a", more: "windowing: {mode: dicom\(windowing.isEmpty ? "" : ", ")\(windowing)}")
        for number in 1...3 {
            let file = try DICOMFile(path: "samples/body/slice-00\(number).dcm")
            let frame = try PixelReader(file, try PixelDescription(file.dataSet)).frame(1)
            var dataSet = file.dataSet
            dataSet.put(.pixelData, bytes: frame.canonicalBytes)
            change(number, &dataSet)
            _ = try fixture.file("in/\(number).dcm", Data(try DataSetEncoder.file(dataSet)))
        }
        let record = try fixture.run([fixture.path + "/in"])
        return (record, try fixture.reports(record).first?.results.first)
    }

    private static func put(_ dataSet: inout DataSet, _ windows: [(center: Int, width: Int, name: String)]) {
        dataSet.put(.windowCenter, windows.map(\.center))
        dataSet.put(.windowWidth, windows.map(\.width))
        dataSet.put(.windowCenterWidthExplanation, windows.map(\.name))
    }

    private static func putBoth(_ dataSet: inout DataSet) {
        put(&dataSet, [(100, 600, "SOFT TISSUE"), (-600, 1500, "LUNG")])
    }

    @Test(
        "a window that is asked for and that not every slice has refuses the volume, and the message says what there is",
        arguments: [
            ("window_name: BONE", false), ("window_name: lung", false), ("window_index: 2", false),
            ("use_voi_lut: true", false), ("window_name: LUNG", true), ("window_index: 1", true),
            ("window_index: 1, scope: frame", true),
        ])
    func missing(_ windowing: String, _ inOddSlicesOnly: Bool) throws {
        let (record, result) = try run(windowing) { number, dataSet in
            if inOddSlicesOnly, number == 2 {
                Self.put(&dataSet, [(100, 600, "SOFT TISSUE")])
            } else {
                Self.putBoth(&dataSet)
            }
        }
        #expect(result == nil && record.exitStatus == .refusedOrFailed)
        #expect(record.inputs.map(\.code) == ["PIX-VALUES", "PIX-VALUES", "PIX-VALUES"])
        #expect(record.inputs.allSatisfy { $0.reason?.contains("\"SOFT TISSUE\"") == true })
    }

    @Test("what somebody typed as a window's explanation is not repeated")
    func typed() throws {
        let (record, _) = try run("window_name: BONE") { _, dataSet in
            Self.put(&dataSet, [(100, 600, "DOE JANE")])
        }
        #expect(record.inputs.map(\.code) == ["PIX-VALUES", "PIX-VALUES", "PIX-VALUES"])
        #expect(record.inputs.allSatisfy { $0.reason?.contains("DOE") == false })
    }

    @Test("a window by its name is that by its number")
    func byName() throws {
        let windows = try ["", "window_name: LUNG", "window_index: 1"].map { windowing in
            let (record, result) = try run(windowing) { Self.putBoth(&$1) }
            #expect(record.exitStatus == .done)
            return try #require(result).window
        }
        #expect(windows[0] == "center 100, width 600" && windows[1] == windows[2] && windows[0] != windows[1])
    }

    @Test(
        "grey images are refused by a model that knows colour alone, colour by one of a fixed window; what it knows is taken",
        arguments: [
            (TrainedInput.Windowing.color, "", "samples/body", false), (.color, "", "samples/dermoscopy", true),
            (.fixed(center: 100, width: 600), "mode: fixed, window: [100, 600]", "samples/dermoscopy", false),
            (.fixed(center: 100, width: 600), "mode: fixed, window: [100, 600]", "samples/body", true),
            (.asIs, "mode: dicom", "samples/dermoscopy", true), (.asIs, "mode: dicom", "samples/body", true),
        ])
    func color(_ trained: TrainedInput.Windowing, _ windowing: String, _ input: String, _ isTaken: Bool) throws {
        let fixture = try Fixture()
        _ = try fixture.pipeline(
            "a", more: windowing.isEmpty ? "" : "windowing: {\(windowing)}",
            trained: TrainedInput(windowing: trained, aspect: .varied))
        let record = try fixture.run([input])
        #expect(Set(record.inputs.map(\.code)) == [isTaken ? nil : "PIX-VALUES"])
        #expect(record.results.isEmpty != isTaken)
        #expect(record.exitStatus == (isTaken ? .done : .refusedOrFailed))
    }

    @Test(
        "a picture without a window is shown as it is to a model that learned pictures so, as evaluate shows it",
        arguments: [
            (8, .asIs, "center 128, width 256"), (16, .asIs, "center 32\u{202F}768, width 65\u{202F}536"),
            (8, .percentile(low: 0.5, high: 99.5), nil),
        ] as [(Int, TrainedInput.Windowing, String?)])
    func asIs(_ bits: Int, _ trained: TrainedInput.Windowing, _ window: String?) throws {
        let fixture = try Fixture()
        let shown = window == nil ? "mode: percentile, scope: frame" : "mode: dicom"
        _ = try fixture.pipeline(
            "a", more: "windowing: {\(shown)}", trained: TrainedInput(windowing: trained, aspect: .varied))
        // Half of the range, so that percentiles would stretch it.
        let values = (0..<64 * 64).map { UInt16($0 % 64 * 2) << UInt16(bits - 8) }
        let page = RasterPage(rows: 64, columns: 64, samples: 1, bits: bits, values: values)
        let record = try fixture.run([fixture.file("in/a.tif", Data(ImageFile.tiff([page])))])
        let result = try #require(try fixture.reports(record).first?.results.first)
        let finding = result.findings.first { $0.code == "QC-WINDOW" }
        #expect(record.exitStatus == .done && (finding != nil) == (window != nil))
        if let window {
            #expect(result.window == window)
            #expect(finding?.text.contains("shown as it is") == true)
        }
    }

    @Test("windows that a scanner adapted to each slice are shown by their median")
    func adapted() throws {
        let (record, result) = try run("window_name: NORMAL") { number, dataSet in
            Self.put(&dataSet, [(100 * number, [500, 600, 800][number - 1], "NORMAL")])
        }
        #expect(record.exitStatus == .done && result?.window == "center 200, width 600")
        #expect(result?.findings.contains { $0.code == "QC-WINDOW" } == false)
    }

    @Test(
        "a pipeline that asks for nothing in particular goes by percentiles and says so; a person is asked where windows differ"
    )
    func fallback() throws {
        let none = try run("") { _, dataSet in
            dataSet[.windowCenter] = nil
            dataSet[.windowWidth] = nil
        }
        let finding = try #require(none.result?.findings.first { $0.code == "QC-WINDOW" })
        #expect(finding.severity == .note && none.record.exitStatus == .done)
        for scope in ["volume", "frame"] {
            let unlike = try run("scope: \(scope)") { number, dataSet in
                Self.put(&dataSet, number == 2 ? [(-600, 1500, "LUNG")] : [(100, 600, "SOFT TISSUE")])
            }
            let warning = try #require(unlike.result?.findings.first { $0.code == "QC-WINDOW" })
            #expect(warning.severity == .warning && unlike.record.exitStatus == .refusedOrFailed)
            #expect(unlike.record.omission?.code == "QC-WINDOW")
        }
    }
}
