import DICOM
import DICOMObjects
import Failures
import Foundation
import Pipelines
import Records
import SegmentAnything
import Testing

/// Which volumes a pipeline takes, and whose they are.
@Suite("Selection")
struct SelectionTests {
    /// A slice of the sample's body with something of it changed.
    private static func slice(_ number: Int, _ change: (inout DataSet) -> Void = { _ in }) throws -> Data {
        let file = try DICOMFile(path: "samples/body/slice-00\(number).dcm")
        let frame = try PixelReader(file, try PixelDescription(file.dataSet)).frame(1)
        var dataSet = file.dataSet
        dataSet.put(.pixelData, bytes: frame.canonicalBytes)
        change(&dataSet)
        // As a scanner may write them.
        return Data(try DataSetEncoder.file(dataSet, kept: [Attribute.modality.tag, Attribute.bodyPartExamined.tag]))
    }

    /// Slices 1 to 9 under a pipeline with these rules.
    ///
    /// - Parameter isForced: the pipeline is named.
    private func run(
        _ numbers: [Int], rules: String, isForced: Bool = false, _ change: (Int, inout DataSet) -> Void = { _, _ in }
    ) throws -> (record: RunRecord, fixture: Fixture) {
        let fixture = try Fixture()
        _ = try fixture.pipeline("a")
        let settings = Fixture.settings("a").replacing("[XC]", with: rules)
        _ = try fixture.file("pipelines/a/pipeline.yaml", settings)
        for number in numbers {
            _ = try fixture.file("in/\(number).dcm", Self.slice(number) { change(number, &$0) })
        }
        return (try fixture.run([fixture.path + "/in"], pipeline: isForced ? "a" : nil), fixture)
    }

    @Test("volumes that different rules take are no rivals, volumes of one rule are")
    func picked() throws {
        let rules = """
            [CT]
                series_description: portal
                pick: thinnest
              - modality: [CT]
                series_description: venous
                pick: thinnest
            """
        let (record, _) = try run(Array(1...9), rules: rules) { number, dataSet in
            let series = (number - 1) / 3
            dataSet.put(.seriesInstanceUID, "1.2.3.4.\(series)")
            dataSet.put(.seriesDescription, ["portal", "venous", "portal again"][series])
        }
        #expect(record.results.count == 2)
        let codes = record.inputs.map { $0.code ?? "" }
        #expect(codes.filter { $0 == "SEL-PICK" }.count == 3 && codes.filter(\.isEmpty).count == 6)
        // Of the two portal ones one is dropped, never the venous one.
        #expect(Array(codes[3..<6]) == ["", "", ""])
    }

    @Test(
        "max_slice_mm asks for the distance of slices, else for their thickness; what is unknown does not meet it",
        arguments: [("3", "2.65", nil), ("2", "2.65", "SEL-RULE"), ("3", nil, "SEL-RULE"), ("3", "30", "SEL-RULE")]
            as [(String, String?, String?)])
    func sliceDistance(_ limit: String, _ thickness: String?, _ code: String?) throws {
        let rules = "[CT]\n    max_slice_mm: \(limit)"
        let one = try run([1], rules: rules) { _, dataSet in
            dataSet.put(.sliceThickness, thickness ?? "")
        }
        #expect(one.record.inputs.map(\.code) == [code])
        // Several slices are as far apart as their positions say.
        let several = try run([1, 2, 3], rules: "[CT]\n    max_slice_mm: 3") { _, dataSet in
            dataSet.put(.sliceThickness, "")
        }
        #expect(several.record.inputs.map(\.code) == [nil, nil, nil])
    }

    @Test(
        "a volume some of whose images a rule takes and some not is refused, whichever image it is; not where the pipeline is named, or where no rule asks for it",
        arguments: [1, 2, 3])
    func divided(_ odd: Int) throws {
        func codes(_ rules: String, isForced: Bool = false) throws -> [String?] {
            try run([1, 2, 3], rules: rules, isForced: isForced) { number, dataSet in
                guard number == odd else { return }
                dataSet.put(.bodyPartExamined, "")
                dataSet.put(.imageType, ["ORIGINAL", "PRIMARY", "AXIAL", "OTHER"])
            }.record.inputs.map(\.code)
        }
        let refused: [String?] = ["GRP-IDENTITY", "GRP-IDENTITY", "GRP-IDENTITY"]
        #expect(try codes("[CT]\n    body_part: [ABDOMEN]") == refused)
        #expect(try codes("[CT]\n    image_type: {none: [OTHER]}") == refused)
        #expect(try codes("[CT]\n    image_type: {all: [OTHER]}") == refused)
        #expect(try codes("[CT]\n    body_part: [ABDOMEN]", isForced: true) == [nil, nil, nil])
        #expect(try codes("[CT]\n    body_part: [ABDOMEN, \"\"]") == [nil, nil, nil])
        // None of them is a rule's in any case.
        #expect(try codes("[MR]\n    body_part: [ABDOMEN]") == ["SEL-RULE", "SEL-RULE", "SEL-RULE"])
        #expect(try codes("[CT]\n    body_part: [ABDOMEN]\n    min_frames: 4") == ["SEL-RULE", "SEL-RULE", "SEL-RULE"])
    }

    @Test(
        "a refused volume's modality and body part are named where they are terms of the standard, and nothing that was typed there"
    )
    func typed() throws {
        func reasons(_ rules: String, _ modality: String, _ part: String) throws -> [String] {
            try run([1, 2, 3], rules: rules) { _, dataSet in
                dataSet.put(.modality, modality)
                dataSet.put(.bodyPartExamined, part)
            }.record.inputs.map { "\($0.code ?? ""): \($0.reason ?? "")" }
        }
        for rules in ["[MR]", "[MR]\n    body_part: [ABDOMEN]"] {
            // In capitals a name is a code string as well.
            for (modality, part) in [("Doe, 1937", "Jane Doe"), ("DOE 1937", "JANE_DOE")] {
                for reason in try reasons(rules, modality, part) {
                    #expect(
                        reason.hasPrefix("SEL-RULE: ") && reason.contains("a value that is no term of the standard"),
                        "\(reason)")
                    let reason = reason.uppercased()
                    #expect(
                        !reason.contains("DOE") && !reason.contains("JANE") && !reason.contains("1937"), "\(reason)")
                }
            }
        }
        for reason in try reasons("[MR]\n    body_part: [ABDOMEN]", "CT", "Chest") {
            #expect(reason.contains("modality CT, body part CHEST, 3 frames"), "\(reason)")
            #expect(reason.contains("modality is CT, the rule asks for MR"), "\(reason)")
            #expect(reason.contains("body_part is CHEST, the rule asks for ABDOMEN"), "\(reason)")
        }
        for reason in try reasons("[CT]\n    body_part: [ABDOMEN]", "CT", "") {
            #expect(reason.contains("body_part is absent, the rule asks for ABDOMEN"), "\(reason)")
        }
        // Rules go by what was meant, whatever its case.
        for reason in try reasons("[MR]\n    body_part: [ABDOMEN]", "CT", "abdomen") {
            #expect(reason.contains("modality is CT") && !reason.contains("body_part is"), "\(reason)")
        }
    }

    @Test(
        "a capture beside a CT is no image that a rule for CT asks for; a rule that names its class, and a pipeline that is named, ask for it",
        arguments: [true, false])
    func captures(isColor: Bool) throws {
        func codes(_ rules: String, isForced: Bool = false, isFixed: Bool = true) throws
            -> (codes: [String?], isDone: Bool)
        {
            let fixture = try Fixture()
            let trained = isFixed ? TrainedInput(windowing: .fixed(center: 40, width: 400)) : nil
            _ = try fixture.pipeline("a", trained: trained)
            let more = "windowing: {mode: \(isFixed ? "fixed, window: [40, 400]" : "percentile")}"
            let settings = Fixture.settings("a", more: more).replacing("[XC]", with: rules)
            _ = try fixture.file("pipelines/a/pipeline.yaml", settings)
            for number in 1...2 { _ = try fixture.file("in/\(number).dcm", Self.slice(number)) }
            let capture = try Self.slice(3) { dataSet in
                dataSet.put(.sopClassUID, SOPClass.secondaryCaptureImageStorage.uid)
                dataSet.put(.sopInstanceUID, "1.2.3.5.1")
                dataSet.put(.seriesInstanceUID, "1.2.3.5")
                dataSet.put(.seriesDescription, "Dose report")
                for lost in [Attribute.imagePositionPatient, .rescaleSlope, .rescaleIntercept, .rescaleType] {
                    dataSet.put(lost, "")
                }
                guard isColor else { return }
                dataSet.put(.photometricInterpretation, "RGB")
                dataSet.put(.samplesPerPixel, 3)
                dataSet.put(.planarConfiguration, 0)
                for (attribute, bits) in [(Attribute.bitsAllocated, 8), (.bitsStored, 8), (.highBit, 7)] {
                    dataSet.put(attribute, bits)
                }
                let count = (dataSet.int(.rows) ?? 0) * (dataSet.int(.columns) ?? 0) * 3
                dataSet.put(.pixelData, bytes: [UInt8](repeating: 9, count: count))
            }
            _ = try fixture.file("in/3.dcm", capture)
            let record = try fixture.run([fixture.path + "/in"], pipeline: isForced ? "a" : nil)
            return (record.inputs.map(\.code), record.exitStatus == .done)
        }
        let beside = try codes("[CT]")
        #expect(beside.codes == [nil, nil, "SEL-RULE"] && beside.isDone)
        let named = try codes("[CT]\n    sop_class: [CT, SC]")
        #expect(named.codes == [nil, nil, "PIX-VALUES"] && !named.isDone)
        #expect(try codes("[CT]", isForced: true).codes == [nil, nil, "PIX-VALUES"])
        // Where values need not be measured, it may be meant.
        #expect(try codes("[CT]", isFixed: false).codes == [nil, nil, nil])
    }

    @Test("inspect says the same of a volume that a rule divides")
    func inspected() throws {
        let (record, fixture) = try run([1, 2, 3], rules: "[CT]\n    body_part: [ABDOMEN]") { number, dataSet in
            if number == 2 { dataSet.put(.bodyPartExamined, "") }
        }
        let pipelines = try PipelineDirectory.openAll(in: fixture.path + "/pipelines", only: nil)
        let inspection = try Inspection.inspect(
            [fixture.path + "/in"], pipelines: pipelines, version: "0", hashesPixels: false)
        #expect(inspection.files.map(\.code) == record.inputs.map(\.code))
        #expect(inspection.volumes.map { $0.pipelines.map(\.takes) } == [[false]])
    }

    @Test(
        "one SOP Instance UID in two studies refuses both series, of one patient or of two; other series of theirs are read",
        arguments: ["PHANTOM-20261124", "OTHER"])
    func acrossStudies(_ patient: String) throws {
        let fixture = try Fixture()
        _ = try fixture.pipeline("a")
        for number in 1...3 {
            _ = try fixture.file("in/1\(number).dcm", Self.slice(number))
            // The second study has one image of the first, and two of its own.
            _ = try fixture.file(
                "in/2\(number).dcm",
                Self.slice(number) {
                    $0.put(.studyInstanceUID, "1.2.3.9")
                    $0.put(.seriesInstanceUID, "1.2.3.9.1")
                    $0.put(.patientID, patient)
                    if number > 1 { $0.put(.sopInstanceUID, "1.2.3.9.1.\(number)") }
                })
            // A series of the second study that the first has nothing of.
            _ = try fixture.file(
                "in/3\(number).dcm",
                Self.slice(number + 3) {
                    $0.put(.studyInstanceUID, "1.2.3.9")
                    $0.put(.seriesInstanceUID, "1.2.3.9.2")
                    $0.put(.patientID, patient)
                })
        }
        let record = try fixture.run([fixture.path + "/in"])
        let codes = Dictionary(
            uniqueKeysWithValues: record.inputs.map { (URL(fileURLWithPath: $0.path).lastPathComponent, $0.code) })
        for number in 1...3 {
            #expect(codes["1\(number).dcm"] == "GRP-IDENTITY" && codes["2\(number).dcm"] == "GRP-IDENTITY")
            #expect(codes["3\(number).dcm"] == .some(nil))
        }
        #expect(record.results.count == 1 && record.exitStatus == .refusedOrFailed)
    }
}
