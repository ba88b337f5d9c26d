import DICOM
import DICOMObjects
import Failures
import Imaging
import Testing

@Suite("Measurement report")
struct MeasurementReportTests {
    /// A report on disk with what it was made of: segment 0 found, segment 1 not.
    private func written(
        _ variant: SampleVolumes.Variant, in folder: TemporaryFolder
    ) throws -> (report: MeasurementReport, segmentation: Segmentation, dataSet: DataSet) {
        let volume = try SampleVolumes.volume(variant, .oblique, rows: 9, columns: 10, count: 4, in: folder.path)
        let masks = [
            SampleVolumes.masks(volume, segments: 1, seed: 3)[0],
            volume.frames.map { _ in Mask(rows: 9, columns: 10) },
        ]
        let options = SampleVolumes.options(variant)
        let segments = SampleVolumes.segments(2)
        let segmentation = try #require(
            try Segmentation(
                volume, masks: masks, segments: segments, producer: SampleVolumes.producer, options: options))
        let groups = [
            MeasurementReport.Group(
                segments[0],
                [
                    .init(.volume, 1234.5, .cubicMillimetre), .init(.area, 17.25, .squareMillimetre),
                    .init(.attenuation, -12.125, .hounsfield, derivation: .mean),
                    .init(.meanProbability, 0.9375, .noUnits),
                ]), MeasurementReport.Group(segments[1], []),
        ]
        let report = try MeasurementReport(
            volume, groups, of: segmentation, producer: SampleVolumes.producer, options: options, seriesNumber: 9300)
        try report.write(to: folder.path + "/sr.dcm")
        return (report, segmentation, try DICOMFile(path: folder.path + "/sr.dcm").dataSet)
    }

    private func groups(_ dataSet: DataSet) -> [DataSet] {
        dataSet.items(.contentSequence)
            .first { $0.item(.conceptNameCodeSequence)?.string(.codeValue) == "126010" }?.items(.contentSequence) ?? []
    }

    @Test(
        "a report of every variant names its segment, its numbers and what was not found",
        arguments: SampleVolumes.Variant.allCases)
    func roundTrip(variant: SampleVolumes.Variant) throws {
        let folder = try TemporaryFolder()
        let (_, segmentation, dataSet) = try written(variant, in: folder)
        #expect(dataSet.string(.modality) == "SR" && dataSet.string(.sopClassUID) == "1.2.840.10008.5.1.4.1.1.88.34")
        #expect(dataSet.string(.patientName) == "Müller^Jörg")
        #expect(dataSet.string(.seriesInstanceUID) != segmentation.seriesInstanceUID)
        let groups = groups(dataSet)
        #expect(groups.count == 2)
        let template = variant.hasPlace ? "1411" : "1410"
        #expect(groups[0].item(.contentTemplateSequence)?.string(.templateIdentifier) == template)
        let image = groups[0].items(.contentSequence).first { $0.string(.valueType) == "IMAGE" }
        #expect(
            image?.item(.referencedSOPSequence)?.string(.referencedSOPInstanceUID) == segmentation.sopInstanceUID)
        let named = image?.item(.referencedSOPSequence)
        #expect(named?.int(.referencedSegmentNumber) == (variant.hasPlace ? 1 : nil))
        #expect((named?.ints(.referencedFrameNumber).isEmpty == false) == !variant.hasPlace)
        let numbers = groups[0].items(.contentSequence).compactMap {
            $0.item(.measuredValueSequence)?.doubles(.numericValue).first
        }
        #expect(numbers == [1234.5, 17.25, -12.125, 0.9375])
        let absent = groups[1].items(.contentSequence).compactMap {
            $0.item(.conceptCodeSequence)?.string(.codeValue)
        }
        #expect(absent.contains("272519000"))
    }

    @Test("the same measurements give the same bytes")
    func repeatable() throws {
        let folder = try TemporaryFolder()
        let (one, _, _) = try written(.slices, in: folder)
        let (two, _, _) = try written(.slices, in: folder)
        #expect(try DataSetEncoder.file(one.dataSet) == DataSetEncoder.file(two.dataSet))
    }

    @Test("pictures with segments burnt in say where they come from and hold what was drawn")
    func capture() throws {
        let folder = try TemporaryFolder()
        let volume = try SampleVolumes.volume(.stack, .even, rows: 9, columns: 11, count: 3, in: folder.path)
        let image = DisplayImage(rows: 5, columns: 7, pixels: (0..<105).map { UInt8($0 * 2) })
        let capture = try SecondaryCapture(
            volume, frame: 1, image, spacing: PixelSpacing(row: 0.5, column: 0.25),
            segments: SampleVolumes.segments(1), producer: SampleVolumes.producer,
            options: SampleVolumes.options(.stack), seriesNumber: 9600, number: 2)
        try capture.write(to: folder.path + "/sc.dcm")
        let dataSet = try DICOMFile(path: folder.path + "/sc.dcm").dataSet
        #expect(dataSet.item(.sourceImageSequence)?.int(.referencedFrameNumber) == 2)
        #expect(dataSet.strings(.imageType) == ["DERIVED", "SECONDARY"] && dataSet.string(.conversionType) == "WSD")
        #expect(dataSet.int(.instanceNumber) == 2 && dataSet.doubles(.pixelSpacing) == [0.5, 0.25])
    }
}
