import DICOM
import DICOMObjects
import Foundation
import Imaging
import Testing

@Suite("RasterObject")
struct RasterObjectTests {
    private func page(samples: Int, bits: Int, rows: Int = 9, columns: Int = 11) -> RasterPixels {
        let top = (1 << bits) - 1
        return RasterPixels(
            rows: rows, columns: columns, samples: samples, bits: bits,
            values: (0..<rows * columns * samples).map { UInt16(($0 * 37) % (top + 1)) })
    }

    private func objects(_ pages: [RasterPixels], modality: String = "", anonymous: Bool = false) throws
        -> [RasterObject]
    {
        var identity = anonymous ? StudyIdentity(anonymous: "0123456789abcdef") : StudyIdentity()
        identity.series.modality = modality
        return try RasterObject.objects(
            pages, identity: identity, keys: .init(study: "s", series: "t"))
    }

    @Test("pages of which one lost something are lossy, by the one that lost most")
    func lossyPages() throws {
        var pages = [RasterPixels](repeating: page(samples: 1, bits: 8), count: 3)
        pages[1].lossy = ("ISO_10918_1", 4)
        pages[2].lossy = ("ISO_10918_1", 7.5)
        pages[2].derivation = "clipped"
        let dataSet = try objects(pages)[0].dataSet
        #expect(dataSet.string(.lossyImageCompression) == "01" && dataSet.doubles(.lossyImageCompressionRatio) == [7.5])
        #expect(dataSet.strings(.imageType).first == "DERIVED" && dataSet.string(.derivationDescription) == "clipped")
        #expect(try objects([page(samples: 1, bits: 8)])[0].dataSet.string(.lossyImageCompression) == "00")
    }

    @Test(
        "the pixels decide the class: grey bytes, grey words, colour, photographs",
        arguments: [
            (1, 8, "", SOPClass.multiFrameGrayscaleByteSecondaryCaptureImageStorage),
            (1, 12, "", .multiFrameGrayscaleWordSecondaryCaptureImageStorage),
            (1, 16, "XC", .multiFrameGrayscaleWordSecondaryCaptureImageStorage),
            (3, 8, "", .multiFrameTrueColorSecondaryCaptureImageStorage),
            (3, 16, "", .multiFrameTrueColorSecondaryCaptureImageStorage), (3, 8, "XC", .vlPhotographicImageStorage),
            (3, 8, "GM", .vlMicroscopicImageStorage),
        ])
    func classes(samples: Int, bits: Int, modality: String, expected: SOPClass) throws {
        let folder = try TemporaryFolder()
        let made = try objects([page(samples: samples, bits: bits)], modality: modality)
        #expect(made.map(\.sopClass) == [expected])
        try ObjectFile.write(made[0].dataSet, to: folder.path + "/image.dcm")
        let source = try SourceInstance(DICOMFile(path: folder.path + "/image.dcm"))
        #expect(source.pixels.rows == 9 && source.pixels.columns == 11 && source.pixels.samples == samples)
        let frame = try FrameDecoding().frame(
            try #require(VolumeBuilder.volumes(of: [source]).volumes.first?.frames.first))
        let values = page(samples: samples, bits: bits).values.map { Float(samples == 3 && bits == 16 ? $0 >> 8 : $0) }
        #expect(frame.values == values)
    }

    @Test("pages become frames of one capture, but photographs of their own")
    func pages() throws {
        let grey = try objects([page(samples: 1, bits: 8), page(samples: 1, bits: 8)])
        #expect(grey.count == 1 && grey[0].dataSet.int(.numberOfFrames) == 2)
        let photographs = try objects([page(samples: 3, bits: 8), page(samples: 3, bits: 8)], modality: "XC")
        #expect(photographs.map { $0.dataSet.int(.instanceNumber) } == [1, 2])
        #expect(photographs[0].sopInstanceUID != photographs[1].sopInstanceUID)
        #expect(throws: ObjectFailure.self) { try objects([page(samples: 1, bits: 8), page(samples: 1, bits: 16)]) }
    }

    @Test("a file without identity is named by its digest, and is a source, not a result")
    func anonymous() throws {
        let dataSet = try objects([page(samples: 1, bits: 8)], anonymous: true)[0].dataSet
        #expect(dataSet.string(.patientID) == "TIFF-0123456789ab")
        #expect(dataSet.string(.patientName) == "TIFF^0123456789ab")
        #expect(dataSet.string(.instanceCreatorUID) == InstanceCreator.imports)
    }

    @Test("an image has what a DICOMDIR needs of its study, and a name of one word is a family name")
    func directory() throws {
        var identity = StudyIdentity()
        identity.patient.name = "Doe"
        let dataSet = try RasterObject.objects(
            [page(samples: 1, bits: 8)], identity: identity, keys: .init(study: "s", series: "t"))[0].dataSet
        #expect(dataSet.string(.patientName) == "Doe^")
        #expect(dataSet.string(.studyDate) == "19700101" && dataSet.string(.studyTime) == "000000")
        #expect(dataSet.string(.studyID)?.hasPrefix("P") == true)
        #expect(JobTime.latest(of: [dataSet]) == nil)
    }

    @Test("spacing and proportions of the pixels are kept")
    func spacing() throws {
        var page = page(samples: 1, bits: 8)
        page.pixelAspect = PixelSpacing(row: 3, column: 2)
        #expect(try objects([page])[0].dataSet.ints(.pixelAspectRatio) == [1000, 667])
        page.spacing = PixelSpacing(row: 0.5, column: 0.25)
        let dataSet = try objects([page])[0].dataSet
        #expect(dataSet.doubles(.pixelSpacing) == [0.5, 0.25] && !dataSet.has(.pixelAspectRatio))
    }
}
