import DICOM
import DICOMObjects
import Failures
import Foundation
import Pipelines
import Records
import Settings
import Storage
import Testing

/// What a pipeline's `outputs` ask for, and the words that its segments are described with.
@Suite("Results")
struct ResultTests {
    @Test(
        "every object that a pipeline asks for is written, in a series of its own, and the tables hold the report's values"
    )
    func everything() throws {
        let fixture = try Fixture()
        _ = try fixture.pipeline(
            "a",
            more: """
                outputs:
                  synthetic_geometry: true
                  objects: true
                  seg: {type: labelmap, probabilities: true, when_nothing: object}
                  sr: {enabled: true}
                  sc: {mode: always}
                  annotations: polygon
                """)
        func files() throws -> (record: RunRecord, files: [String: Data]) {
            let record = try fixture.run(["samples/dermoscopy"])
            var files: [String: Data] = [:]
            for name in try FileManager.default.subpathsOfDirectory(atPath: fixture.path + "/out")
            where name.hasSuffix(".dcm") || name.hasSuffix(".csv") {
                files[name] = try Data(contentsOf: URL(fileURLWithPath: fixture.path + "/out/" + name))
            }
            return (record, files)
        }
        let (record, first) = try files()
        #expect(record.results.count == 3)
        for result in record.results {
            let objects = result.objects ?? []
            #expect(Set(objects.map(\.kind)).isSuperset(of: ["binary", "labelmap", "fractional", "report"]))
            #expect(objects.contains { $0.kind == "annotations" } == (result.segments[0].pixels > 0))
            var series: [String: Set<String>] = [:]
            var numbers: Set<Int> = []
            for object in objects {
                let dataSet = try DICOMFile(path: fixture.path + "/out/" + object.file).dataSet
                series[dataSet.string(.seriesInstanceUID) ?? "", default: []].insert(object.kind)
                numbers.insert(dataSet.int(.seriesNumber) ?? 0)
            }
            #expect(series.values.allSatisfy { $0.count == 1 })
            #expect(numbers.count == Set(objects.map(\.kind)).count)
        }
        let table = String(decoding: try #require(first["measurements.csv"]), as: UTF8.self)
            .split(separator: "\r\n").map {
                $0.split(separator: ",", omittingEmptySubsequences: false).map(String.init)
            }
        #expect(table.count == 4 && table.allSatisfy { $0.count == table[0].count })
        let column = Dictionary(uniqueKeysWithValues: zip(table[0], table[0].indices))
        for (row, result) in zip(table.dropFirst(), record.results) {
            let segment = result.segments[0]
            #expect(row[try #require(column["study"])] == result.study)
            #expect(Int(row[try #require(column["pixels"])]) == segment.pixels)
            #expect(Double(row[try #require(column["confidence"])]) == segment.confidence)
            #expect(Int(row[try #require(column["objects"])]) == segment.objects)
        }
        let objects = String(decoding: try #require(first["objects.csv"]), as: UTF8.self).split(separator: "\r\n")
        #expect(objects.count - 1 == record.results.reduce(0) { $0 + ($1.segments[0].objects ?? 0) })
        #expect(try files().files == first)
    }

    @Test("a study in which nothing is found has the object and the report that its pipeline asks for")
    func nothing() throws {
        let fixture = try Fixture()
        _ = try fixture.pipeline(
            "a",
            more: """
                postprocess: [{min_size_pixels: 1000000000}]
                outputs: {seg: {when_nothing: object}, sr: {enabled: true}, rtstruct: true}
                """)
        let record = try fixture.run(["samples/body"])
        let result = try #require(record.results.first)
        #expect(result.segments[0].pixels == 0 && result.findings.contains { $0.code == "QC-NOTHING" })
        #expect((result.objects ?? []).map(\.kind) == ["binary", "report", "structures"])
    }

    @Test(
        "the page and captures turn MONOCHROME1 round as the network saw it: not in Hounsfield units",
        arguments: [("mode: fixed, window: [40, 400]", false), ("mode: minmax", true)])
    func inverted(_ windowing: String, _ isInverted: Bool) throws {
        let fixture = try Fixture()
        _ = try fixture.pipeline(
            "a", more: "windowing: {\(windowing)}\noutputs: {sc: {mode: always}}", seed: 3)
        let path = "samples/body/slice-014.dcm"
        var captures: [[UInt8]] = []
        for photometric in ["MONOCHROME2", "MONOCHROME1"] {
            var dataSet = try WrittenObject([UInt8](Data(contentsOf: URL(fileURLWithPath: path)))).dataSet
            dataSet.put(.photometricInterpretation, photometric)
            dataSet[.pixelData] = Element(
                Attribute.pixelData.tag, .OW, .bytes(try PixelBytes.of(DICOMFile(path: path))))
            try? FileManager.default.removeItem(atPath: fixture.path + "/in")
            try? FileManager.default.removeItem(atPath: fixture.path + "/out")
            try FileManager.default.createDirectory(atPath: fixture.path + "/in", withIntermediateDirectories: true)
            try ObjectFile.write(dataSet, to: fixture.path + "/in/slice.dcm")
            let result = try #require(try fixture.run([fixture.path + "/in"]).results.first)
            let page = try String(contentsOfFile: "\(fixture.path)/out/\(result.study)/report.html", encoding: .utf8)
            #expect(page.contains("\"inverted\":\(isInverted && photometric == "MONOCHROME1")"))
            for object in result.objects ?? [] where object.kind == "captures" {
                captures.append(try PixelBytes.of(DICOMFile(path: "\(fixture.path)/out/\(object.file)")))
            }
        }
        // The network sees the same Hounsfield units, so it finds the same.
        if !isInverted { #expect(captures.count % 2 == 0 && captures.first == captures.last) }
    }

    @Test(
        "a minimum size in mm³ is applied where the source says how large a voxel is; where it does not, findings say so",
        arguments: ["2.5", nil])
    func minimumSize(thickness: String?) throws {
        let fixture = try Fixture()
        _ = try fixture.pipeline("a", more: "postprocess: [{min_size_mm3: 1000000000}]")
        let path = "samples/body/slice-014.dcm"
        var dataSet = try WrittenObject([UInt8](Data(contentsOf: URL(fileURLWithPath: path)))).dataSet
        if let thickness { dataSet.put(.sliceThickness, thickness) } else { dataSet.putEmpty(.sliceThickness) }
        dataSet[.pixelData] = Element(Attribute.pixelData.tag, .OW, .bytes(try PixelBytes.of(DICOMFile(path: path))))
        try FileManager.default.createDirectory(atPath: fixture.path + "/in", withIntermediateDirectories: true)
        try ObjectFile.write(dataSet, to: fixture.path + "/in/slice.dcm")
        var options = fixture.options([fixture.path + "/in"])
        options.also = [.nifti]
        let result = try #require(try Run.run(options) { _ in }.results.first)
        let finding = result.findings.first { $0.code == "QC-MINSIZE" }
        // A NIfTI file has to say one.
        #expect(result.findings.contains { $0.code == "OUT-NIFTI" && $0.severity == .note } == (thickness == nil))
        if thickness == nil {
            #expect(finding?.severity == .warning && finding?.text.contains("slice thickness") == true)
        } else {
            #expect(finding == nil && result.segments[0].pixels == 0)
        }
    }

    @Test("a result takes the next Series Number that no image of its study has")
    func seriesNumbers() throws {
        let fixture = try Fixture()
        _ = try fixture.pipeline("a", more: "outputs: {seg: {when_nothing: object}}")
        try FileManager.default.createDirectory(atPath: fixture.path + "/in", withIntermediateDirectories: true)
        let slices = try FileManager.default.contentsOfDirectory(atPath: "samples/body").filter { $0.hasSuffix(".dcm") }
        for name in slices.sorted().prefix(3) {
            let source = try DICOMFile(path: "samples/body/" + name)
            var dataSet = try WrittenObject([UInt8](Data(contentsOf: URL(fileURLWithPath: "samples/body/" + name))))
                .dataSet
            dataSet.put(.seriesNumber, 9000)
            let pixels = try PixelBytes.of(source)
            dataSet[.pixelData] = Element(Attribute.pixelData.tag, .OW, .bytes(pixels))
            try ObjectFile.write(dataSet, to: fixture.path + "/in/" + name)
        }
        let record = try fixture.run([fixture.path + "/in"])
        let file = try #require(record.results.first?.file)
        #expect(try DICOMFile(path: fixture.path + "/out/" + file).dataSet.int(.seriesNumber) == 9001)
    }

    @Test("--also writes masks and NIfTI files that hold the reported pixels at the volume's place")
    func also() throws {
        let fixture = try Fixture()
        _ = try fixture.pipeline("a", more: "outputs: {seg: {when_nothing: object}}")
        var options = fixture.options(["samples/body"])
        options.also = [.masks, .nifti]
        let result = try #require(try Run.run(options) { _ in }.results.first)
        let folder = fixture.path + "/out/" + result.study
        let names = try FileManager.default.subpathsOfDirectory(atPath: folder)
        #expect(names.count { $0.hasSuffix(".png") } == result.frames)
        let nifti = try #require(names.first { $0.hasSuffix(".lesion.nii.gz") })
        let packed = [UInt8](try Data(contentsOf: URL(fileURLWithPath: folder + "/" + nifti)))
        let bytes = try Inflate.bytes(of: Array(packed.dropFirst(10).dropLast(8)), limit: 1 << 28)
        func number(_ offset: Int) -> Float {
            Float(bitPattern: (0..<4).reduce(0) { $0 | UInt32(bytes[offset + $1]) << UInt32(8 * $1) })
        }
        let sizes = [40, 42, 44, 46].map { Int(bytes[$0]) | Int(bytes[$0 + 1]) << 8 }
        #expect(sizes[0] == 3 && sizes[3] == result.frames && bytes.count == 352 + sizes[1] * sizes[2] * sizes[3])
        #expect(bytes.dropFirst(352).reduce(0) { $0 + Int($1) } == result.segments[0].pixels)
        // The first slice's first pixel, x and y turned from DICOM's direction to NIfTI's.
        let slices = try FileManager.default.contentsOfDirectory(atPath: "samples/body").filter { $0.hasSuffix(".dcm") }
            .map { try DICOMFile(path: "samples/body/" + $0).dataSet.doubles(.imagePositionPatient) }
            .sorted { $0[2] < $1[2] }
        let wanted = [-slices[0][0], -slices[0][1], slices[0][2]].map { Float($0) }
        #expect([292, 308, 324].map(number) == wanted)
        #expect(bytes[123] == 2 && !result.findings.contains { $0.code == "OUT-NIFTI" })
    }

    @Test("two keys never give one file, and uneven slices give a file on a regular grid and a finding")
    func alsoOdd() throws {
        let fixture = try Fixture()
        _ = try fixture.pipeline("a", more: "outputs: {seg: {when_nothing: object, resample: regular}, rtstruct: true}")
        try FileManager.default.createDirectory(atPath: fixture.path + "/in", withIntermediateDirectories: true)
        let slices = try FileManager.default.contentsOfDirectory(atPath: "samples/body").filter { $0.hasSuffix(".dcm") }
            .sorted()
        // Slices 1, 2, 3, 5, 8: their distances are one, two and three.
        for index in [0, 1, 2, 4, 7] {
            try FileManager.default.copyItem(
                atPath: "samples/body/" + slices[index], toPath: fixture.path + "/in/" + slices[index])
        }
        var options = fixture.options([fixture.path + "/in"])
        options.also = [.nifti]
        let result = try #require(try Run.run(options) { _ in }.results.first)
        #expect(result.findings.contains { $0.code == "OUT-NIFTI" && $0.severity == .warning })
        #expect((result.objects ?? []).map(\.kind) == ["binary", "regular", "structures"])
        let names = try FileManager.default.subpathsOfDirectory(atPath: fixture.path + "/out/" + result.study)
        let nifti = try #require(names.first { $0.hasSuffix(".nii.gz") })
        let packed = [UInt8](
            try Data(contentsOf: URL(fileURLWithPath: "\(fixture.path)/out/\(result.study)/\(nifti)")))
        let bytes = try Inflate.bytes(of: Array(packed.dropFirst(10).dropLast(8)), limit: 1 << 28)
        // The smallest distance is that of neighbours, and seven of them lie between the first and the last.
        #expect(Int(bytes[46]) == 8)
        let two = Fixture.settings("b").replacingOccurrences(
            of: "  - key: lesion\n    label: Lesion\n",
            with:
                "  - {key: a b, preset: liver}\n  - {key: a-b, preset: spleen}\n  - {key: a-b-2, preset: pancreas}\n  - key: l\n    label: L\n"
        )
        let pipeline = try Section.read(Array(two.utf8), file: "b.yaml") { try Pipeline($0) }
        #expect(pipeline.segments.map(\.key) == ["a b", "a-b", "a-b-2", "l"])
        let files = MaskFiles.names(pipeline.segments.map(\.key))
        #expect(Set(files).count == 4 && files[0] == "a-b")
    }

    /// The pixels of a native file, wherever the parser left them.
    private enum PixelBytes {
        static func of(_ file: DICOMFile) throws -> [UInt8] {
            let bytes = [UInt8](try Data(contentsOf: URL(fileURLWithPath: file.path)))
            switch try #require(file.dataSet[.pixelData]).value {
            case .bytes(let value): return value
            case .inFile(let offset, let length): return Array(bytes[offset..<offset + length])
            case .items, .fragments: throw CocoaError(.fileReadCorruptFile)
            }
        }
    }

    private func pipeline(_ segment: String) throws -> Pipeline {
        let text = "pipeline: {name: a, version: \"1\"}\nselection: [{modality: [CT]}]\nsegments:\n  - \(segment)\n"
        return try Section.read(Array(text.utf8), file: "a.yaml") { try Pipeline($0) }
    }

    @Test("a preset gives category, type, colour and label; what is written beside it holds")
    func presets() throws {
        let liver = try pipeline("{key: l, preset: liver}").segments[0]
        #expect(liver.label == "Liver" && liver.type == Code("10200004", "SCT", "Liver"))
        #expect(liver.category.value == "123037004" && liver.color == [221, 130, 101])
        let own = try pipeline("{key: l, preset: left_ventricle, label: LV, color: [1, 2, 3]}").segments[0]
        #expect(own.label == "LV" && own.type.value == "87878005" && own.color == [1, 2, 3])
        for preset in SegmentPreset.allCases {
            let segment = try pipeline(
                "{key: l, category: [\(preset.category.value), SCT, x], type: [\(preset.type.value), SCT, y], label: z}"
            ).segments[0]
            #expect(segment.type.value == preset.type.value && preset.color.count == 3 && preset.color != [0, 0, 0])
            #expect(SegmentPreset(name: preset.name) == preset)
        }
    }

    @Test(
        "a term that is none is refused with its line",
        arguments: [
            ("{key: l, preset: livr}", "PIPE-PRESET", "liver"),
            ("{key: l, preset: liver, type: [10200005, SCT, Liver]}", "PIPE-CODE", "last digit"),
            ("{key: l, preset: liver, type: [10204000, SCT, Liver]}", "PIPE-CODE", "last digit"),
            ("{key: l, preset: liver, type: [10200004, SNOMED, Liver]}", "PIPE-CODE", "scheme"),
            ("{key: l, preset: liver, type: [10200004, SCT, \"\"]}", "PIPE-CODE", "scheme"),
            ("{key: l, preset: liver, color: [0, 0, 256]}", "PIPE-SEGMENT", "255"),
            ("{key: l, preset: liver, color: red}", "SET-TYPE", "color"),
        ])
    func mistakes(segment: String, code: String, word: String) throws {
        #expect {
            _ = try pipeline(segment)
        } throws: {
            guard let failure = $0 as? any Failure else { return false }
            return failure.code == code && failure.text.contains("a.yaml:4") && failure.text.contains(word)
        }
    }
}
