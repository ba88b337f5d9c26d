import DICOM
import DICOMObjects
import Failures
import Foundation
import ImageFiles
import Imaging
import Mutations
import Numbers
import Records
import Testing

/// Pictures that are no DICOM, from the file to the report.
@Suite("Pictures")
struct RasterTests {
    /// Into a folder without the results of another run.
    private func run(_ fixture: Fixture, _ input: String) throws -> RunRecord {
        try? FileManager.default.removeItem(atPath: fixture.path + "/out")
        return try fixture.run([input])
    }

    /// Every image that the run made of a picture.
    private func images(_ fixture: Fixture) throws -> [DataSet] {
        let names = try FileManager.default.subpathsOfDirectory(atPath: fixture.path + "/out").sorted()
        return try names.filter { $0.hasSuffix(".image.dcm") }.map {
            try DICOMFile(path: "\(fixture.path)/out/\($0)").dataSet
        }
    }

    /// A slice's values as a TIFF of 16-bit or of floating point numbers.
    private func tiff(_ frame: Frame, bits: Int) -> Data {
        var page = RawTIFF.Page(rows: frame.rows, columns: frame.columns)
        (page.bits, page.format) = (bits, bits == 16 ? 2 : 3)
        page.data = frame.values.flatMap { value -> [UInt8] in
            if bits == 32 { return (0..<4).map { UInt8(truncatingIfNeeded: value.bitPattern >> (8 * UInt32($0))) } }
            let whole = Int(rounding: value, clampedTo: -32_768...32_767)
            return [UInt8(truncatingIfNeeded: whole), UInt8(truncatingIfNeeded: whole >> 8)]
        }
        return Data(RawTIFF([page]).bytes)
    }

    @Test("one slice as DICOM, as signed and as floating point TIFF gives one mask with a fixed window")
    func hounsfield() throws {
        let fixture = try Fixture()
        _ = try fixture.pipeline("a", more: "windowing: {mode: fixed, window: [100, 600]}")
        let slice = "samples/body/slice-014.dcm"
        let volume = try #require(
            VolumeBuilder.volumes(of: [try SourceInstance(try DICOMFile(path: slice))]).volumes.first)
        let frame = try FrameDecoding().frame(volume.frames[0])
        // Its pixels are not square: what a TIFF does not say, its sidecar says.
        let spacing = try #require(volume.pixelSpacing)
        for folder in ["i16", "f32"] {
            _ = try fixture.file("\(folder)/hu.tif.yaml", "spacing_mm: [\(spacing.row), \(spacing.column)]\n")
        }
        _ = try fixture.file("i16/hu.tif", tiff(frame, bits: 16))
        _ = try fixture.file("f32/hu.tif", tiff(frame, bits: 32))
        var pixels: [Int] = []
        var areas: [Double] = []
        for input in [slice, fixture.path + "/i16", fixture.path + "/f32"] {
            let record = try run(fixture, input)
            #expect(record.exitStatus == .done)
            let segment = try #require(record.results.first?.segments.first)
            pixels.append(segment.pixels)
            areas.append(try #require(segment.areaMM2))
        }
        #expect(pixels[0] > 0 && Set(pixels).count == 1 && Set(areas).count == 1, "\(pixels) \(areas)")
    }

    @Test("colours of 16 bits of one series are shown by one number of bits")
    func seriesOfColours() throws {
        let fixture = try Fixture()
        _ = try fixture.pipeline("a")
        for (name, top) in [("dim", 900), ("bright", 60_000)] {
            let page = RasterPage(
                rows: 16, columns: 16, samples: 3, bits: 16, values: (0..<768).map { UInt16($0 * top / 767) })
            _ = try fixture.file("in/\(name).png", Data(try ImageFile.png(page)))
        }
        _ = try fixture.file("in/hspsam-study.yaml", "patient: {id: \"1\"}\nseries: {modality: XC}\n")
        #expect(try run(fixture, fixture.path + "/in").exitStatus == .done)
        let both = try images(fixture).map { $0.string(.derivationDescription) }
        #expect(both == ["high 8 of 16 bits", "high 8 of 16 bits"])
        // Alone the dim one is shown by the ten bits that it uses.
        try FileManager.default.removeItem(atPath: fixture.path + "/in/bright.png")
        _ = try run(fixture, fixture.path + "/in")
        #expect(try images(fixture).map { $0.string(.derivationDescription) } == ["high 8 of 10 bits"])
    }

    @Test("samples that are no finite numbers are counted and ask a person; a file of nothing else is refused")
    func missingValues() throws {
        let fixture = try Fixture()
        _ = try fixture.pipeline("a")
        var frame = Frame(rows: 16, columns: 16, samples: 1, values: (0..<256).map { Float($0) })
        (frame.values[3], frame.values[200]) = (.nan, .infinity)
        _ = try fixture.file("in/a.tif", tiff(frame, bits: 32))
        let record = try run(fixture, fixture.path + "/in")
        let findings = try fixture.reports(record).flatMap(\.results).flatMap(\.findings)
        #expect(
            findings.contains {
                $0.code == "PIX-NOTE" && $0.severity == .warning && $0.text.contains("2 of 256 samples")
            })
        #expect(record.results.count == 1 && record.exitStatus == .refusedOrFailed)
        let none = Frame(rows: 16, columns: 16, samples: 1, values: [Float](repeating: .nan, count: 256))
        _ = try fixture.file("in/a.tif", tiff(none, bits: 32))
        let refused = try run(fixture, fixture.path + "/in")
        #expect(refused.results.isEmpty && refused.inputs.contains { $0.code == "PIX-VALUES" })
    }

    @Test("a sidecar's spacing comes before the file's own, and a warning names both where they differ")
    func sidecarScale() throws {
        let fixture = try Fixture()
        _ = try fixture.pipeline("a")
        var page = RawTIFF.Page(rows: 16, columns: 24, data: (0..<384).map { UInt8($0 % 251) })
        page.resolution = (40_000, 40_000, 3)
        _ = try fixture.file("in/a.tif", Data(RawTIFF([page]).bytes))
        for (spacing, isTold) in [("0.00125", true), ("0.000251", false)] {
            _ = try fixture.file("in/a.tif.yaml", "spacing_mm: [\(spacing), \(spacing)]\n")
            let results = try fixture.reports(try run(fixture, fixture.path + "/in")).flatMap(\.results)
            let result = try #require(results.first)
            let stated = try #require(Double(spacing))
            #expect(abs((result.source.spacingMM?.first ?? 0) / stated - 1) < 1e-6)
            #expect(result.findings.contains { $0.code == "RAS-SCALE" && $0.severity == .warning } == isTold)
        }
    }

    @Test(
        "what looks like a sidecar and is that of no picture is refused by its name; other YAML and JSON is skipped as before",
        arguments: [
            ("b.png.yaml", "SIDE-VALUE"), ("A.PNG.yaml", "SIDE-VALUE"), ("a.png.YAML", "SIDE-VALUE"),
            ("a.png.yml", "SIDE-VALUE"), ("b.png.json", "SIDE-VALUE"), ("HSPSAM-STUDY.YAML", "SIDE-VALUE"),
            ("hspsam-study.yml", "SIDE-VALUE"), ("hspsam-study.json", "SIDE-VALUE"), ("a.yaml", "SIDE-VALUE"),
            ("sub/hspsam-study.yaml", "SIDE-VALUE"), ("sub/a.png.yaml", "SIDE-VALUE"),
            ("a.png.yaml", "IN-SIDECAR"), ("a.png.json", "IN-SIDECAR"), ("hspsam-study.yaml", "IN-SIDECAR"),
            ("data.yaml", "IN-NOTIMAGE"), ("a.json", "IN-NOTIMAGE"), ("sub/notes.yml", "IN-NOTIMAGE"),
            ("._a.png.yaml", "IN-SIDECAR"),
        ])
    func strayedSidecars(_ name: String, _ code: String) throws {
        let fixture = try Fixture()
        _ = try fixture.pipeline("a")
        let page = RasterPage(rows: 16, columns: 24, samples: 1, bits: 8, values: (0..<384).map { UInt16($0 % 251) })
        _ = try fixture.file("in/a.png", Data(try ImageFile.png(page)))
        let text = "{\"patient\": {\"id\": \"4711\"}, \"spacing_mm\": [0.5, 0.5]}\n"
        _ = try fixture.file("in/\(name)", text)
        let record = try run(fixture, fixture.path + "/in")
        let input = try #require(record.inputs.first { $0.path.hasSuffix("/" + name) })
        #expect(input.code == code && record.results.count == 1)
        #expect(input.status == (code == "SIDE-VALUE" ? .refused : .skipped))
        #expect(record.exitStatus == (code == "SIDE-VALUE" ? .refusedOrFailed : .done))
        let spacing = try #require(try fixture.reports(record).flatMap(\.results).first).source.spacingMM
        #expect((spacing == [0.5, 0.5]) == (code == "IN-SIDECAR" && !name.hasPrefix(".")))
    }

    @Test("of two sidecars of one picture the YAML is read, and the JSON, whose words are lost, is refused")
    func twoSidecars() throws {
        let fixture = try Fixture()
        _ = try fixture.pipeline("a")
        let page = RasterPage(rows: 16, columns: 24, samples: 1, bits: 8, values: (0..<384).map { UInt16($0 % 251) })
        _ = try fixture.file("in/a.png", Data(try ImageFile.png(page)))
        _ = try fixture.file("in/a.png.yaml", "spacing_mm: [0.5, 0.5]\n")
        _ = try fixture.file("in/a.png.json", "{\"spacing_mm\": [0.25, 0.25]}\n")
        let record = try run(fixture, fixture.path + "/in")
        #expect(record.inputs.first { $0.path.hasSuffix(".json") }?.code == "SIDE-VALUE")
        #expect(record.inputs.first { $0.path.hasSuffix(".yaml") }?.code == "IN-SIDECAR")
        let spacing = try #require(try fixture.reports(record).flatMap(\.results).first).source.spacingMM
        #expect(spacing == [0.5, 0.5] && record.exitStatus == .refusedOrFailed)
    }

    @Test(
        "a picture whose own resolution and EXIF block contradict each other is refused until a sidecar says the spacing"
    )
    func twoScales() throws {
        let fixture = try Fixture()
        _ = try fixture.pipeline("a")
        var bytes = try Data(contentsOf: URL(fileURLWithPath: "Tests/Fuzz/Seeds/jpeg-picture/rgb"))
        // 4000 pixels a centimetre by JFIF, 8000 by EXIF.
        bytes.replaceSubrange(13..<18, with: [2, 0x0F, 0xA0, 0x0F, 0xA0])
        var block = Array("Exif\0\0".utf8) + [0x4D, 0x4D, 0, 42, 0, 0, 0, 8, 0, 3]
        for tag: UInt8 in [0x1A, 0x1B] { block += [1, tag, 0, 5, 0, 0, 0, 1, 0, 0, 0, 50] }
        block += [1, 0x28, 0, 3, 0, 0, 0, 1, 0, 3, 0, 0, 0, 0, 0, 0, 0, 0, 0x1F, 0x40, 0, 0, 0, 1]
        bytes.insert(contentsOf: [0xFF, 0xE1, 0, UInt8(block.count + 2)] + block, at: 20)
        _ = try fixture.file("in/a.jpg", bytes)
        let refused = try run(fixture, fixture.path + "/in")
        #expect(refused.inputs.map(\.code) == ["GEO-SCALE"] && refused.exitStatus == .refusedOrFailed)
        _ = try fixture.file("in/a.jpg.yaml", "spacing_mm: [0.0025, 0.0025]\n")
        let record = try run(fixture, fixture.path + "/in")
        let source = try #require(try fixture.reports(record).flatMap(\.results).first).source
        #expect(record.exitStatus == .done && source.spacingMM == [0.0025, 0.0025])
    }

    @Test("one series UID in the sidecars of two studies is refused")
    func sharedSeries() throws {
        let fixture = try Fixture()
        _ = try fixture.pipeline("a")
        for number in 1...2 {
            let page = RawTIFF.Page(rows: 16, columns: 24, data: (0..<384).map { UInt8(($0 * number) % 251) })
            _ = try fixture.file("in/\(number).tif", Data(RawTIFF([page]).bytes))
            _ = try fixture.file(
                "in/\(number).tif.yaml", "study: {uid: \"1.2.\(number)\"}\nseries: {uid: \"1.2.9\"}\n")
        }
        let record = try run(fixture, fixture.path + "/in")
        #expect(record.results.isEmpty && record.inputs.count { $0.code == "GRP-IDENTITY" } == 2)
    }

    @Test("floating point files of one series share the mapping that stands in their images")
    func sharedMapping() throws {
        let fixture = try Fixture()
        _ = try fixture.pipeline("a")
        for (name, top) in [("s1", Float(1.5)), ("s2", 10), ("s3", 200)] {
            let frame = Frame(rows: 16, columns: 16, samples: 1, values: (0..<256).map { top * Float($0) / 255 })
            _ = try fixture.file("in/\(name).tif", tiff(frame, bits: 32))
        }
        _ = try fixture.file("in/hspsam-study.yaml", "patient: {id: \"1\"}\nseries: {modality: OT}\n")
        _ = try run(fixture, fixture.path + "/in")
        let images = try images(fixture)
        #expect(images.count == 3 && Set(images.map { $0.string(.rescaleSlope) }).count == 1)
        let slope = try #require(images[0].double(.rescaleSlope))
        #expect(abs(slope - 200.0 / 65_535) < 1e-5 && images[0].double(.rescaleIntercept) == 0)
    }

    @Test("the channel that was taken, the file's name and its scale stand in the report")
    func told() throws {
        let fixture = try Fixture()
        _ = try fixture.pipeline("a")
        var pages = (0..<2).map { _ in RawTIFF.Page(rows: 16, columns: 24, data: (0..<384).map { UInt8($0 % 251) }) }
        pages[0].description = "ImageJ=1.53t\nimages=2\nchannels=2\nunit=um\n"
        pages[0].resolution = (4, 2, 1)
        _ = try fixture.file("in/cells of a dish.tif", Data(RawTIFF(pages).bytes))
        let record = try run(fixture, fixture.path + "/in")
        // Nobody has said which channel it is to be.
        #expect(record.exitStatus == .refusedOrFailed && record.omission?.code == "RAS-CHANNEL")
        let result = try #require(try fixture.reports(record).first?.results.first)
        #expect(result.source.frames == 1 && result.source.description == "cells of a dish.tif")
        #expect(result.source.files == ["cells of a dish.tif"] && result.source.spacingMM == [0.0005, 0.00025])
        #expect(result.findings.contains { $0.code == "RAS-CHANNEL" && $0.severity == .warning })
        for segment in result.segments where segment.pixels > 0 {
            let area = try #require(segment.areaMM2)
            #expect(abs(area / (Double(segment.pixels) * 1.25e-7) - 1) < 1e-5)
        }
    }

    @Test("slices whose distance is known are a volume for each time, others are frames")
    func volumes() throws {
        let fixture = try Fixture()
        _ = try fixture.pipeline("a")
        var pages = (0..<6).map { page in
            RawTIFF.Page(rows: 16, columns: 24, data: (0..<384).map { UInt8(($0 + 31 * page) % 251) })
        }
        pages[0].description = "ImageJ=1.53t\nimages=6\nslices=3\nframes=2\nspacing=2\nunit=um\n"
        pages[0].resolution = (4, 2, 1)
        _ = try fixture.file("in/a.tif", Data(RawTIFF(pages).bytes))
        let record = try run(fixture, fixture.path + "/in")
        #expect(record.exitStatus == .done, "\(record.inputs)")
        let results = try fixture.reports(record).flatMap(\.results)
        #expect(results.map(\.source.frames) == [3, 3] && results.allSatisfy { $0.source.sliceMM == 0.002 })
        for segment in results.flatMap(\.segments) where segment.pixels > 0 {
            let volume = try #require(segment.volumeML)
            // 0.25 × 0.5 × 2 µm a voxel.
            #expect(abs(volume / (Double(segment.pixels) * 1.25e-7 * 0.002 / 1000) - 1) < 1e-4)
        }
        pages[0].description = "ImageJ=1.53t\nimages=6\nslices=3\nframes=2\nunit=um\n"
        _ = try fixture.file("in/a.tif", Data(RawTIFF(pages).bytes))
        let frames = try fixture.reports(try run(fixture, fixture.path + "/in")).flatMap(\.results)
        #expect(frames.map(\.source.frames) == [6] && frames.allSatisfy { $0.source.sliceMM == nil })
    }

    @Test("pipelines that take different channels get images of their own; those that take one share it")
    func channels() throws {
        let fixture = try Fixture()
        for (name, tiff) in [("a", ""), ("b", "tiff: {channel: 0}"), ("c", "tiff: {channel: 1}")] {
            _ = try fixture.pipeline(name, more: tiff)
        }
        let pages = (0..<2).map { page in
            var page = RawTIFF.Page(rows: 16, columns: 24, data: (0..<384).map { UInt8(($0 * (page + 1)) % 251) })
            page.description = "ImageJ=1.53t\nimages=2\nchannels=2\n"
            return page
        }
        _ = try fixture.file("in/a.tif", Data(RawTIFF(pages).bytes))
        _ = try fixture.file("in/hspsam-study.yaml", "series: {modality: XC}\n")
        let record = try fixture.run([fixture.path + "/in"], pipeline: nil)
        // The first pipeline names none.
        #expect(record.omission?.code == "RAS-CHANNEL" && record.results.map(\.pipeline).sorted() == ["a", "b", "c"])
        #expect(try images(fixture).count == 2)
    }

    @Test(
        "a rule takes the frames that it names, and asks a person where some of them are not there",
        arguments: [
            ("frames: first", 1, nil), ("frames: {every: 2}", 3, nil), ("frames: [5, 2]", 2, nil),
            ("frames: [2, 5, 9]", 2, "frame 9, and there are 5"), ("frames: all", 5, nil),
            ("frames: [1, 2, 3, 4, 5, 6, 8]", 5, "frames 6, 8, and there are 5"),
        ] as [(String, Int, String?)])
    func frames(_ choice: String, _ expected: Int, _ lacking: String?) throws {
        let fixture = try Fixture()
        _ = try fixture.pipeline("a")
        let settings = Fixture.settings("a").replacing("- modality: [XC]", with: "- modality: [XC]\n    \(choice)")
        _ = try fixture.file("pipelines/a/pipeline.yaml", settings)
        let pages = (0..<5).map { page in
            RawTIFF.Page(rows: 16, columns: 24, data: (0..<384).map { UInt8(($0 + 31 * page) % 251) })
        }
        _ = try fixture.file("in/a.tif", Data(RawTIFF(pages).bytes))
        _ = try fixture.file("in/hspsam-study.yaml", "series: {modality: XC}\n")
        let record = try fixture.run([fixture.path + "/in"], pipeline: nil)
        #expect(record.exitStatus == (lacking == nil ? .done : .refusedOrFailed), "\(record.inputs)")
        #expect(record.omission?.code == (lacking == nil ? nil : "SEL-FRAMES"))
        let result = try #require(try fixture.reports(record).flatMap(\.results).first)
        #expect(result.source.frames == expected)
        let warning = result.findings.first { $0.code == "SEL-FRAMES" && $0.severity == .warning }
        #expect(warning?.text.contains(lacking ?? "") == (lacking == nil ? nil : true))
    }

    @Test("PNG and JPEG pictures are segmented; their names and orientation are kept")
    func photographs() throws {
        let fixture = try Fixture()
        _ = try fixture.pipeline("a")
        let page = RasterPage(
            rows: 20, columns: 32, samples: 3, bits: 8, values: (0..<1920).map { UInt16($0 * 7 % 256) })
        _ = try fixture.file("in/photo.png", Data(try ImageFile.png(page)))
        try FileManager.default.copyItem(
            atPath: "Tests/TrainingCases/orientation6.jpg", toPath: fixture.path + "/in/turned.jpg")
        let record = try run(fixture, fixture.path + "/in")
        #expect(record.exitStatus == .done && record.results.count == 2)
        let results = try fixture.reports(record).flatMap(\.results)
        #expect(Set(results.map(\.source.description)) == ["photo.png", "turned.jpg"])
        let turned = try #require(results.first { $0.source.description == "turned.jpg" })
        #expect(turned.findings.contains { $0.text.contains("upright") })
        let image = try #require(try images(fixture).first { $0.string(.lossyImageCompression) == "01" })
        #expect(image.string(.lossyImageCompressionMethod) == "ISO_10918_1")
    }

    // MARK: Inputs that once failed

    static let cases = (ProcessInfo.processInfo.environment["HSPSAM_SHARED"] ?? "../shared") + "/data/cases/raster"
    static var hasCases: Bool { FileManager.default.fileExists(atPath: cases) }

    @Test(
        "every case is processed right or refused", .enabled(if: hasCases),
        arguments: [
            // File, frames of each picture, spacing of rows, codes of findings.
            ("channels-dropped-or-as-slices/cellpose148_yxc2.tif", [1], nil, ["RAS-CHANNEL"]),
            ("channels-dropped-or-as-slices/chan2_imagej.tif", [1], nil, ["RAS-CHANNEL"]),
            ("channels-dropped-or-as-slices/shaped_one_ifd.tif", [20], nil, []),
            ("channels-dropped-or-as-slices/two_channels_planar.tif", [1], nil, ["RAS-CHANNEL"]),
            ("channels-dropped-or-as-slices/volumetric_sgi.tif", [16], nil, []),
            ("microscopy-area-zero/res_cm.tif", [1], 0.0005, []),
            ("rgb-10-12bit-in-16/rgb10in16.tif", [1], nil, ["RAS-DEPTH"]),
            ("rgb-10-12bit-in-16/rgb12in16.tif", [1], nil, ["RAS-DEPTH"]),
            ("scale-ignored-or-wrong/g8_imagej_um.tif", [1], 0.00025, []),
            ("scale-ignored-or-wrong/imagej_um_inchunit.tif", [1], 0.00025, []),
            ("scale-ignored-or-wrong/ome_yx_um.tif", [1], 0.0005, []),
            ("scale-ignored-or-wrong/res_cm_1.tif", [1], nil, ["RAS-SCALE"]),
            ("scale-ignored-or-wrong/res_inch300.tif", [1], nil, ["RAS-SCALE"]),
            ("scale-ignored-or-wrong/res_inch_1.tif", [1], nil, ["RAS-SCALE"]),
            // The level that fills the small network.
            ("slide-pages/svs_like.svs", [1], 0.000998, ["RAS-LEVEL", "RAS-PAGES"]),
            ("slide-pages/ventana_like.tif", [1], nil, ["RAS-PAGES"]),
            ("truncated-advice/imagej_one_ifd.tif", [20], nil, []),
        ] as [(String, [Int], Double?, [String])])
    func processed(_ file: String, _ frames: [Int], _ row: Double?, _ codes: [String]) throws {
        let fixture = try Fixture()
        _ = try fixture.pipeline("a")
        let record = try run(fixture, "\(Self.cases)/\(file)")
        #expect(record.inputs.allSatisfy { $0.status == .processed }, "\(record.inputs)")
        // Of several channels a person has to say which.
        #expect((record.exitStatus == .done) == !codes.contains("RAS-CHANNEL"))
        let results = try fixture.reports(record).flatMap(\.results)
        #expect(results.map(\.source.frames) == frames)
        for result in results {
            #expect((result.source.spacingMM == nil) == (row == nil))
            if let row { #expect(abs((result.source.spacingMM?[0] ?? 0) / row - 1) < 1e-6) }
            let found = Set(result.findings.map(\.code).filter { $0.hasPrefix("RAS-") && $0 != "RAS-PICTURE" })
            #expect(found == Set(codes), "\(result.findings)")
        }
    }

    @Test(
        "formats of slide scanners that are not read are refused with their name, not taken for their thumbnails",
        arguments: ["a.mrxs", "a.vsi", "ndpi", "scn", "philips", "bif", "czi"])
    func vendors(_ kind: String) throws {
        let fixture = try Fixture()
        _ = try fixture.pipeline("a")
        var page = RawTIFF.Page(rows: 16, columns: 24, data: [UInt8](repeating: 3, count: 384))
        var name = "a.tif"
        var bytes: [UInt8] = []
        switch kind {
        case "ndpi": page.numbers = [(65_420, [1])]
        case "scn": page.description = "<scn xmlns=\"http://www.leica-microsystems.com/scn/2010/10/01\">"
        case "philips": page.description = "<DataObject ObjectType=\"DPUfsImport\">"
        case "bif":
            page.raw = [
                (700, 1, Array("<iScan/><TileJointInfo Direction=\"LEFT\" OverlapX=\"12\" OverlapY=\"0\"/>".utf8))
            ]
        case "czi": (name, bytes) = ("a.czi", Array("ZISRAWFILE".utf8) + [UInt8](repeating: 0, count: 600))
        default: name = kind
        }
        _ = try fixture.file("in/\(name)", Data(bytes.isEmpty ? RawTIFF([page]).bytes : bytes))
        let record = try run(fixture, fixture.path + "/in")
        #expect(record.inputs.map(\.code) == ["RAS-FORMAT"] && record.results.isEmpty)
    }

    @Test("a file that ends too early is said to be incomplete, not to be decoded otherwise", .enabled(if: hasCases))
    func truncated() throws {
        let fixture = try Fixture()
        _ = try fixture.pipeline("a")
        let record = try run(fixture, "\(Self.cases)/truncated-advice/truncated.tif")
        #expect(record.inputs.map(\.code) == ["PIX-TRUNCATED"] && record.exitStatus == .refusedOrFailed)
    }
}
