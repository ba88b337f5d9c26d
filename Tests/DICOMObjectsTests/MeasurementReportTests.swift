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

    @Test(
        "a segment that the segmentation describes though it was not found is told as absent, and nothing refers to it",
        arguments: [true, false])
    func described(isNothing: Bool) throws {
        let folder = try TemporaryFolder()
        let volume = try SampleVolumes.volume(.slices, .even, rows: 9, columns: 10, count: 4, in: folder.path)
        let empty = volume.frames.map { _ in Mask(rows: 9, columns: 10) }
        let masks = [isNothing ? empty : SampleVolumes.masks(volume, segments: 1, seed: 3)[0], empty]
        let segments = SampleVolumes.segments(2)
        var options = SampleVolumes.options(.slices)
        (options.writesNothing, options.keepsEmptySegments) = (true, true)
        let segmentation = try #require(
            try Segmentation(
                volume, masks: masks, segments: segments, producer: SampleVolumes.producer, options: options))
        #expect(segmentation.selection.segments == [0, 1])
        let found = [isNothing ? [] : [MeasurementReport.Measurement(.volume, 12.5, .cubicMillimetre)], []]
        let report = try MeasurementReport(
            volume, zip(segments, found).map { MeasurementReport.Group($0, $1) }, of: segmentation,
            producer: SampleVolumes.producer, options: options, seriesNumber: 9300)
        try report.write(to: folder.path + "/sr.dcm")
        let groups = groups(try DICOMFile(path: folder.path + "/sr.dcm").dataSet)
        #expect(groups.count == 2)
        for (group, found) in zip(groups, found) {
            let items = group.items(.contentSequence)
            let isAbsent = items.contains { $0.item(.conceptCodeSequence)?.string(.codeValue) == "272519000" }
            #expect(isAbsent == found.isEmpty)
            #expect(items.contains { $0.string(.valueType) == "IMAGE" } == !found.isEmpty)
            #expect(items.count { $0.string(.valueType) == "NUM" } == found.count)
        }
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

extension MeasurementReportTests {
    /// A report of one segment that stands on some frames; its group's items and the whole.
    private func report(
        _ volume: Volume, _ masks: [Mask], _ segment: SegmentDescription, in folder: TemporaryFolder
    ) throws -> (items: [DataSet], dataSet: DataSet) {
        let options = SampleVolumes.options(.stack)
        let segmentation = try #require(
            try Segmentation(
                volume, masks: [masks], segments: [segment], producer: SampleVolumes.producer, options: options))
        let report = try MeasurementReport(
            volume, [.init(segment, [.init(.area, 3, .pixels)])], of: segmentation, producer: SampleVolumes.producer,
            options: options, seriesNumber: 9300)
        try report.write(to: folder.path + "/sr.dcm")
        let dataSet = try DICOMFile(path: folder.path + "/sr.dcm").dataSet
        return (groups(dataSet).first?.items(.contentSequence) ?? [], dataSet)
    }

    private func item(_ items: [DataSet], _ concept: String) -> DataSet? {
        items.first { $0.item(.conceptNameCodeSequence)?.string(.codeValue) == concept }
    }

    @Test("the image of a finding is the one that shows most of it, not an empty one before it")
    func shown() throws {
        let folder = try TemporaryFolder()
        let volume = try SampleVolumes.volume(.stack, .even, rows: 9, columns: 11, count: 4, in: folder.path)
        var masks = volume.frames.map { _ in Mask(rows: 9, columns: 11) }
        masks[3][2, 2] = true
        // Alone on the last frame, its neighbour comes along empty.
        let items = try report(volume, masks, SampleVolumes.segments(1)[0], in: folder).items
        #expect(item(items, "121233")?.item(.referencedSOPSequence)?.int(.referencedFrameNumber) == 4)
        masks[1][1, 1] = true
        masks[2][1, 1] = true
        masks[2][1, 2] = true
        let more = try report(volume, masks, SampleVolumes.segments(1)[0], in: folder).items
        #expect(item(more, "121233")?.item(.referencedSOPSequence)?.int(.referencedFrameNumber) == 3)
    }

    @Test(
        "only a side is a laterality; another modifier of a place is a topographical one, of a type it stands in the segmentation"
    )
    func modifiers() throws {
        let folder = try TemporaryFolder()
        let volume = try SampleVolumes.volume(.stack, .even, rows: 9, columns: 11, count: 2, in: folder.path)
        let masks = SampleVolumes.masks(volume, segments: 1, seed: 1)[0]
        let (right, upper) = (Code("24028007", "SCT", "Right"), Code("261183002", "SCT", "Upper"))
        for (modifier, concept) in [(right, "272741003"), (upper, "106233006")] {
            var segment = SampleVolumes.segments(1)[0]
            segment.modifiers = [modifier]
            segment.regionModifier = modifier
            let items = try report(volume, masks, segment, in: folder).items
            let site = item(items, "363698007")?.items(.contentSequence) ?? []
            #expect(item(site, concept)?.item(.conceptCodeSequence)?.string(.codeValue) == modifier.value)
            let finding = item(items, "121071")?.items(.contentSequence) ?? []
            #expect(finding.count == (modifier == right ? 1 : 0))
        }
    }

    @Test("a request's letters stay what they are beside a pipeline's, whatever the sets of both")
    func requests() throws {
        let folder = try TemporaryFolder()
        let volume = try SampleVolumes.volume(.stack, .even, rows: 9, columns: 11, count: 2, in: folder.path) {
            $0.put(.specificCharacterSet, "ISO_IR 100")
            $0.put(.patientName, "Doe^J")
            $0.put(.accessionNumber, "A7")
            $0.put(
                .requestAttributesSequence,
                item: DataSet(composing: {
                    $0.put(.requestedProcedureID, "RP1")
                    $0.put(.requestedProcedureDescription, bytes: [0xDC] + Array("berweisung ".utf8))
                }))
        }
        var segment = SampleVolumes.segments(1)[0]
        segment.label = "Läsion"
        let masks = SampleVolumes.masks(volume, segments: 1, seed: 1)[0]
        let dataSet = try report(volume, masks, segment, in: folder).dataSet
        let request = try #require(dataSet.item(.referencedRequestSequence))
        #expect(request.text(.requestedProcedureDescription) == "Überweisung")
        #expect(request.text(.accessionNumber) == "A7")
    }

    @Test("of more frames than a list of their numbers can hold the segment is named by its own number")
    func manyFrames() throws {
        let folder = try TemporaryFolder()
        let volume = try SampleVolumes.volume(.stack, .even, rows: 8, columns: 8, count: 11_500, in: folder.path)
        var mask = Mask(rows: 8, columns: 8)
        mask[0, 1] = true
        let masks = [Mask](repeating: mask, count: volume.frames.count)
        // The second segment's frames have numbers of five digits.
        let (segments, options) = (SampleVolumes.segments(2), SampleVolumes.options(.stack))
        let segmentation = try #require(
            try Segmentation(
                volume, masks: [masks, masks], segments: segments, producer: SampleVolumes.producer, options: options))
        let report = try MeasurementReport(
            volume, segments.map { .init($0, [.init(.area, 3, .pixels)]) }, of: segmentation,
            producer: SampleVolumes.producer, options: options, seriesNumber: 9300)
        try report.write(to: folder.path + "/sr.dcm")
        let groups = groups(try DICOMFile(path: folder.path + "/sr.dcm").dataSet)
        #expect(
            item(groups[0].items(.contentSequence), "121214")?.item(.referencedSOPSequence)?.ints(
                .referencedFrameNumber
            )
            .count == 11_500)
        let named = item(groups[1].items(.contentSequence), "121191")?.item(.referencedSOPSequence)
        #expect(named?.int(.referencedSegmentNumber) == 2 && named?.has(.referencedFrameNumber) == false)
    }

    @Test(
        "a picture of ultrasound may hold a name unless its source says no, of others nothing is claimed",
        arguments: ["US", "CT"])
    func burnedIn(modality: String) throws {
        for (said, expected) in [("NO", "NO"), ("YES", "YES"), (nil, modality == "US" ? "YES" : nil)] {
            let folder = try TemporaryFolder()
            let volume = try SampleVolumes.volume(.stack, .even, rows: 9, columns: 11, count: 1, in: folder.path) {
                $0.put(.modality, modality)
                $0[.burnedInAnnotation] = nil
                if let said { $0.put(.burnedInAnnotation, said) }
            }
            let capture = try SecondaryCapture(
                volume, frame: 0, DisplayImage(rows: 2, columns: 2, pixels: [UInt8](repeating: 0, count: 12)),
                spacing: nil, segments: SampleVolumes.segments(1), producer: SampleVolumes.producer,
                options: SampleVolumes.options(.stack), seriesNumber: 9600, number: 1)
            #expect(capture.dataSet.string(.burnedInAnnotation) == expected)
        }
    }
}
