import DICOM
import DICOMObjects
import Failures
import Foundation
import Imaging
import Mutations
import Phantoms
import Records
import SegmentAnything
import Storage
import Testing

@Suite("TIFF slides")
struct TIFFSlideTests {
    /// One run over one file in a folder of its own.
    private struct Outcome {
        let record: RunRecord
        let report: StudyRecord.Result?
        let images: [DataSet]
        /// Of the first tile of the first image.
        let brightest: Int32

        var source: StudyRecord.Source? { report?.source }
        func finding(_ code: String) -> FindingRecord? { report?.findings.first { $0.code == code } }
        /// Of all that was found, mm² a pixel.
        var pixelArea: Double? {
            guard let segment = report?.segments.first, segment.pixels > 0 else { return nil }
            return segment.areaMM2.map { $0 / Double(segment.pixels) }
        }
    }

    private static let settings = """
        windowing: {mode: fixed, window: [128, 256]}
        preprocess: {scale: {tiles: {size: 128, overlap: 16}}}
        """

    private func run(
        _ pages: [RawTIFF.Page], trained: TrainedScale? = nil, sidecar: String? = nil, more: String = ""
    ) throws -> Outcome {
        let fixture = try Fixture()
        _ = try fixture.file("in/slide.tif", Data(RawTIFF(pages).bytes))
        if let sidecar { _ = try fixture.file("in/slide.tif.yaml", sidecar) }
        _ = try fixture.pipeline(
            "a",
            more: "\(Self.settings)\n\(more)",
            trained: trained.map { TrainedInput(windowing: .asIs, aspect: .varied, scale: $0) }, seed: 8)
        let record = try fixture.run([fixture.path + "/in"])
        let names = try FileManager.default.subpathsOfDirectory(atPath: fixture.path + "/out").sorted()
        let files = try names.filter { $0.hasSuffix(".image.dcm") }.map {
            try DICOMFile(path: "\(fixture.path)/out/\($0)")
        }
        var brightest: Int32 = 0
        if let file = files.first {
            let tile = try PixelReader(file, try PixelDescription(file.dataSet)).frame(1)
            if case .integers(let values) = tile.values { brightest = values.max() ?? 0 }
        }
        return Outcome(
            record: record, report: try fixture.reports(record).first?.results.first, images: files.map(\.dataSet),
            brightest: brightest)
    }

    /// Grey in tiles of 64: bright squares on black, the same at each size.
    private func page(
        _ rows: Int, _ columns: Int, factor: Int = 1, description: String? = nil, subfile: Int = 0, add: Int = 0
    ) -> RawTIFF.Page {
        var page = RawTIFF.Page(rows: rows, columns: columns)
        page.description = description
        page.subfile = subfile
        page.tile = (64, 64)
        for top in stride(from: 0, to: rows, by: 64) {
            for left in stride(from: 0, to: columns, by: 64) {
                var tile = [UInt8](repeating: 0, count: 4096)
                for pixel in tile.indices {
                    let (row, column) = ((top + pixel / 64) * factor, (left + pixel % 64) * factor)
                    let isSquare = row % 256 < 90 && column % 256 < 110
                    tile[pixel] = isSquare ? UInt8(170 + (row + column) % 60 + add) : 0
                }
                page.tiles.append(tile)
            }
        }
        return page
    }

    private func aperio(_ mpp: String = "0.5") -> [RawTIFF.Page] {
        let text = "Aperio Image Library v1\n1024x768 |AppMag = 20|MPP = \(mpp)"
        var label = RawTIFF.Page(rows: 40, columns: 50, data: [UInt8](repeating: 90, count: 2000))
        label.description = "Aperio Image Library v1\nlabel 50x40"
        label.subfile = 1
        var macro = label
        macro.description = "Aperio Image Library v1\nmacro 50x40"
        macro.subfile = 9
        var thumbnail = label
        (thumbnail.description, thumbnail.subfile) = ("Aperio Image Library v1\n1024x768 -> 50x40", 0)
        return [
            page(768, 1024, description: text), thumbnail, page(384, 512, factor: 2, description: text),
            page(192, 256, factor: 4, description: text), label, macro,
        ]
    }

    @Test(
        "of a slide scanner's file the level that suits the model is taken; label, macro and thumbnail are left aside and told",
        arguments: [(nil, 768, 1.0), (0.0005, 768, 1), (0.001, 384, 2), (0.0011, 384, 2), (0.0021, 192, 4)])
    func aperioLevels(_ pixelMM: Double?, _ rows: Int, _ factor: Double) throws {
        let outcome = try run(aperio(), trained: pixelMM.map { TrainedScale(pixels: 128, pixelMM: $0) })
        #expect(outcome.record.exitStatus == .done, "\(outcome.record.inputs)")
        #expect(outcome.source?.modality == "SM" && outcome.source?.rows == rows)
        #expect(outcome.source?.spacingMM == [0.0005 * factor, 0.0005 * factor])
        #expect(outcome.finding("RAS-LEVEL")?.severity == .note)
        let pages = try #require(outcome.finding("RAS-PAGES")?.text)
        #expect(["label", "macro", "thumbnail"].allSatisfy(pages.contains))
        let area = try #require(outcome.pixelArea)
        #expect(abs(area / (0.0005 * 0.0005 * factor * factor) - 1) < 1e-4)
        #expect(outcome.images.count == 1 && outcome.images[0].int(.totalPixelMatrixRows) == rows)
    }

    @Test("one segmentation a slide, on the level's grid, in its frame of reference")
    func segmentation() throws {
        let outcome = try run(aperio(), trained: TrainedScale(pixels: 128, pixelMM: 0.001))
        let objects = try #require(outcome.report?.objects)
        #expect(objects.count { $0.kind == "binary" } == 1)
        let image = try #require(outcome.images.first)
        #expect(image.int(.totalPixelMatrixRows) == 384 && image.int(.totalPixelMatrixColumns) == 512)
        #expect(image.strings(.imageType).last == "RESAMPLED")
    }

    @Test("a picture of the whole slide with the segments burnt in is made where one always is")
    func captures() throws {
        let always = try run(aperio(), more: "outputs: {sc: {mode: always}}")
        #expect(always.record.exitStatus == .done, "\(always.record.inputs)")
        #expect(always.report?.objects?.count { $0.kind == "captures" } == 1)
        let auto = try run(aperio(), more: "outputs: {sc: {mode: auto}}")
        #expect(auto.record.exitStatus == .done && auto.report?.objects?.contains { $0.kind == "captures" } == false)
    }

    @Test("a TIFF slide gives what the same pixels give as a DICOM slide")
    func likeDICOM() throws {
        let (rows, columns) = (768, 1024)
        let tiff = try run(aperio())
        let pages = aperio()
        let fixture = try Fixture()
        var identity = StudyIdentity()
        identity.patient.id = "S"
        identity.study.uid = "1.2.3"
        identity.series.uid = "1.2.3.4"
        let image = SlideImage(
            identity: identity, keys: .init(study: "a", series: "b"), frameOfReferenceUID: "1.2.3.5", rows: rows,
            columns: columns, tileRows: 64, tileColumns: 64, spacing: PixelSpacing(row: 0.0005, column: 0.0005),
            samples: 1)
        let object = try image.dataSet(frames: pages[0].tiles.count, pixels: pages[0].tiles.flatMap { $0 })
        try FileManager.default.createDirectory(atPath: fixture.path + "/in", withIntermediateDirectories: true)
        try ObjectFile.write(object, to: fixture.path + "/in/a.dcm")
        _ = try fixture.pipeline("a", more: Self.settings, seed: 8)
        let dicom = try fixture.run([fixture.path + "/in"])
        let pixels = try #require(dicom.results.first?.segments.first?.pixels)
        #expect(pixels > 0 && tiff.record.results.first?.segments.first?.pixels == pixels)
    }

    @Test(
        "pictures too large to be held are slides when their scale is known: by pages below, flagged and unflagged ones"
    )
    func large() throws {
        func whole() -> RawTIFF.Page {
            var page = page(300, 8320)
            page.resolution = (10_000, 10_000, 3)
            return page
        }
        let copy = page(75, 2080, factor: 4, subfile: 1)
        var below = whole()
        below.below = [copy]
        var unflagged = copy
        unflagged.subfile = 0
        for pages in [[below], [whole(), copy], [whole(), unflagged]] {
            for (pixelMM, factor) in [(0.001, 1.0), (0.004, 4)] {
                let outcome = try run(pages, trained: TrainedScale(pixels: 128, pixelMM: pixelMM))
                #expect(outcome.record.exitStatus == .done, "\(outcome.record.inputs)")
                #expect(outcome.source?.modality == "SM" && outcome.source?.columns == Int(8320 / factor))
                let area = try #require(outcome.pixelArea)
                #expect(abs(area / (1e-6 * factor * factor) - 1) < 1e-4)
            }
        }
    }

    @Test("a copy that is taken for a picture too large keeps the picture's size in mm, and says which it is")
    func copies() throws {
        // Turned: no slide.
        var whole = page(300, 8320), copy = page(75, 2080, factor: 4, subfile: 1)
        (whole.numbers, copy.numbers) = ([(274, [3])], [(274, [3])])
        whole.resolution = (10_000, 10_000, 3)
        let own = try run([whole, copy])
        #expect(own.record.omission?.code == "RAS-LEVEL" && own.source?.rows == 75, "\(own.record.inputs)")
        #expect(own.finding("RAS-LEVEL")?.severity == .warning)
        #expect(abs(try #require(own.pixelArea) / 16e-6 - 1) < 1e-4)
        // The same said by a sidecar, of the picture.
        whole.resolution = nil
        let said = try run([whole, copy], sidecar: "spacing_mm: [0.002, 0.001]\n")
        #expect(abs(try #require(said.pixelArea) / 32e-6 - 1) < 1e-4)
        #expect(said.source?.spacingMM == [0.008, 0.004])
        // Nobody says it.
        let unknown = try run([whole, copy])
        #expect(unknown.source?.rows == 75 && unknown.source?.spacingMM == nil)
        let alone = try run([whole])
        #expect(alone.record.inputs.map(\.code) == ["IN-LIMIT"])
    }

    @Test("of an OME pyramid with channels the pipeline's channel is a slide, with its own levels")
    func ome() throws {
        let xml = """
            <?xml version="1.0"?><OME xmlns="http://www.openmicroscopy.org/Schemas/OME/2016-06"><Image ID="Image:0">\
            <Pixels DimensionOrder="XYCZT" Type="uint8" SizeX="8320" SizeY="300" SizeC="2" SizeZ="1" SizeT="1" \
            PhysicalSizeX="0.25" PhysicalSizeY="0.25"><Channel Name="DAPI"/><Channel Name="GFP"/><TiffData/></Pixels></Image></OME>
            """
        var pages = [page(300, 8320, description: xml), page(300, 8320, add: 20)]
        for index in pages.indices { pages[index].below = [page(75, 2080, factor: 4, subfile: 1, add: 20 * index)] }
        let trained = TrainedScale(pixels: 128, pixelMM: 0.001)
        let first = try run(pages, trained: trained)
        let second = try run(pages, trained: trained, more: "tiff: {channel: GFP}")
        #expect(first.record.omission?.code == "RAS-CHANNEL" && second.record.exitStatus == .done)
        for outcome in [first, second] {
            #expect(outcome.source?.columns == 2080 && outcome.source?.spacingMM == [0.001, 0.001])
        }
        #expect(first.finding("RAS-CHANNEL")?.severity == .warning && second.finding("RAS-CHANNEL")?.severity == .note)
        #expect(first.brightest < second.brightest)
    }

    @Test(
        "of a slide's sidecar the spacing is taken, with a warning where the slide says another, and its series UID is not"
    )
    func sidecar() throws {
        let text = "series: {uid: \"1.2.9\"}\nspacing_mm: [0.001, 0.001]\n"
        let outcome = try run(aperio(), sidecar: text)
        let findings = try #require(outcome.report?.findings)
        #expect(outcome.record.omission?.code == "RAS-LEVEL" && outcome.source?.spacingMM == [0.001, 0.001])
        #expect(
            findings.contains { $0.code == "RAS-LEVEL" && $0.severity == .warning && $0.text.contains("series UID") })
        #expect(findings.contains { $0.code == "RAS-SCALE" && $0.severity == .warning })
        #expect(outcome.images.allSatisfy { $0.string(.seriesInstanceUID) != "1.2.9" })
        let silent = try run(aperio(), sidecar: "spacing_mm: [0.0005, 0.0005]\n")
        #expect(silent.finding("RAS-SCALE") == nil && silent.finding("RAS-LEVEL")?.severity == .note)
    }

    @Test("slides of one folder are slides of their own, though its sidecar makes them one study")
    func folder() throws {
        let fixture = try Fixture()
        _ = try fixture.file("in/a.svs", Data(RawTIFF(aperio()).bytes))
        _ = try fixture.file("in/b.svs", Data(RawTIFF(aperio("0.25")).bytes))
        _ = try fixture.file("in/hspsam-study.yaml", "patient: {id: \"1\"}\n")
        _ = try fixture.pipeline("a", more: Self.settings, seed: 8)
        let record = try fixture.run([fixture.path + "/in"])
        #expect(record.exitStatus == .done && record.studies.count == 1 && record.results.count == 2)
        #expect(Set(try fixture.reports(record).flatMap(\.results).map(\.source.series)).count == 2)
    }
}
