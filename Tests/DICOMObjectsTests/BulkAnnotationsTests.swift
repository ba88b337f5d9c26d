import DICOM
import DICOMObjects
import Failures
import Imaging
import Testing

@Suite("Bulk annotations")
struct BulkAnnotationsTests {
    private func made(
        _ volume: Volume, _ masks: [Mask], _ graphic: BulkAnnotations.Graphic, picture: Int = 0
    ) throws -> BulkAnnotations? {
        try BulkAnnotations(
            volume, picture: picture, masks: masks, segments: SampleVolumes.segments(masks.count), graphic,
            producer: SampleVolumes.producer, options: SampleVolumes.options(.picture), seriesNumber: 9500, number: 1)
    }

    private func floats(_ bytes: [UInt8]) -> [Float] {
        stride(from: 0, to: bytes.count, by: 4).map { at in
            Float(bitPattern: (0..<4).reduce(0) { $0 | UInt32(bytes[at + $1]) << UInt32(8 * $1) })
        }
    }

    @Test("each object is drawn once, with its area", arguments: BulkAnnotations.Graphic.allCases)
    func roundTrip(graphic: BulkAnnotations.Graphic) throws {
        let folder = try TemporaryFolder()
        let volume = try SampleVolumes.volume(.stack, .even, rows: 23, columns: 31, count: 3, in: folder.path)
        var mask = Mask(rows: 23, columns: 31)
        for pixel in [0, 33, 34, 65] { mask[pixel] = true }
        // A ring with an island in it: two objects.
        for row in 8..<17 {
            for column in 8..<17 {
                mask[row, column] = !(9..<16 ~= row && 9..<16 ~= column) || (row == 12 && column == 12)
            }
        }
        let object = try #require(try made(volume, [mask, Mask(rows: 23, columns: 31)], graphic, picture: 1))
        try object.write(to: folder.path + "/ann.dcm")
        let dataSet = try DICOMFile(path: folder.path + "/ann.dcm").dataSet
        #expect(dataSet.string(.pixelOriginInterpretation) == "FRAME" && dataSet.string(.modality) == "ANN")
        #expect(dataSet.item(.referencedImageSequence)?.int(.referencedFrameNumber) == 2)
        let groups = dataSet.items(.annotationGroupSequence)
        #expect(groups.count == 1 && groups[0].int(.numberOfAnnotations) == Components(of: mask).count)
        let areas = floats(
            groups[0].item(.measurementsSequence)?.item(.measurementValuesSequence)?.bytes(.floatingPointValues) ?? [])
        #expect(areas == Components(of: mask).sizes.map(Float.init))
        let points = floats(groups[0].bytes(.pointCoordinatesData) ?? [])
        #expect(graphic == .polygon ? Array(points.prefix(4)) == [0, 0, 1, 0] : Array(points.prefix(2)) == [0.5, 0.5])
    }

    @Test("objects that touch have an outline each, and outlines of one object are not taken for those of two")
    func touching() throws {
        let folder = try TemporaryFolder()
        let volume = try SampleVolumes.volume(.picture, .even, rows: 30, columns: 50, count: 1, in: folder.path)
        let mask = Mask(
            rows: 30, columns: 50,
            flags: (0..<1500).map { pixel in
                [14, 30].contains {
                    (pixel / 50 - 15) * (pixel / 50 - 15) + (pixel % 50 - $0) * (pixel % 50 - $0) <= 81
                }
            })
        let two = MaskObjects(of: mask, .distance(depth: ObjectSeparation.depth))
        let object = try #require(
            try BulkAnnotations(
                volume, picture: 0, masks: [mask], objects: [two], segments: SampleVolumes.segments(1), .polygon,
                producer: SampleVolumes.producer, options: SampleVolumes.options(.picture), seriesNumber: 9500,
                number: 1))
        try object.write(to: folder.path + "/ann.dcm")
        let file = try WrittenObject(try DataSetEncoder.file(object.dataSet))
        #expect(file.dataSet.item(.annotationGroupSequence)?.int(.numberOfAnnotations) == 2)
        #expect(throws: ObjectFailure.self) {
            try Verification.annotations(file, volume, picture: 0, [MaskObjects(of: mask)], .polygon)
        }
    }

    @Test("of an ultrasound picture, areas are µm² within its calibrated region and pixels outside")
    func calibratedRegion() throws {
        let folder = try TemporaryFolder()
        let volume = try SampleVolumes.volume(.picture, .even, rows: 30, columns: 50, count: 1, in: folder.path) {
            $0.put(
                .sequenceOfUltrasoundRegions,
                item: DataSet(composing: {
                    $0.put(.regionSpatialFormat, 1)
                    $0.put(.physicalUnitsXDirection, 3)
                    $0.put(.physicalUnitsYDirection, 3)
                    $0.put(.regionLocationMinX0, 10)
                    $0.put(.regionLocationMinY0, 0)
                    $0.put(.regionLocationMaxX1, 49)
                    $0.put(.regionLocationMaxY1, 29)
                    $0.put(.physicalDeltaX, doubles: [0.02])
                    $0.put(.physicalDeltaY, doubles: [0.02])
                }))
        }
        #expect(volume.calibratedRegions.count == 1 && volume.pixelSpacing == PixelSpacing(row: 0.2, column: 0.2))
        var (inside, outside) = (Mask(rows: 30, columns: 50), Mask(rows: 30, columns: 50))
        for column in 20..<24 { inside[5, column] = true }
        for column in 8..<12 { outside[9, column] = true }
        let object = try #require(try made(volume, [inside, outside], .polygon))
        try object.write(to: folder.path + "/ann.dcm")
        let groups = try DICOMFile(path: folder.path + "/ann.dcm").dataSet.items(.annotationGroupSequence)
        let measured = groups.compactMap { $0.item(.measurementsSequence) }
        #expect(
            measured.map { $0.item(.measurementUnitsCodeSequence)?.string(.codeValue) }
                == [Code.squareMicrometre.value, Code.pixels.value])
        let areas = measured.map { floats($0.item(.measurementValuesSequence)?.bytes(.floatingPointValues) ?? []) }
        #expect(areas.count == 2 && abs((areas[0].first ?? 0) - 160_000) < 1 && areas[1] == [4])
    }

    @Test("an outline that was moved, and an area that was changed, are found")
    func altered() throws {
        let folder = try TemporaryFolder()
        let volume = try SampleVolumes.volume(.picture, .even, rows: 20, columns: 20, count: 1, in: folder.path)
        let mask = SampleVolumes.masks(volume, segments: 1, seed: 2)[0][0]
        let object = try #require(try made(volume, [mask], .polygon))
        for attribute in [Attribute.pointCoordinatesData, .floatingPointValues] {
            var altered = object.dataSet
            var group = try #require(altered.item(.annotationGroupSequence))
            if attribute == .pointCoordinatesData {
                var bytes = try #require(group.bytes(attribute))
                bytes[3] ^= 0x40
                group.put(attribute, bytes: bytes)
            } else {
                var measurements = try #require(group.item(.measurementsSequence))
                let bytes = try #require(measurements.item(.measurementValuesSequence)?.bytes(attribute))
                measurements.put(
                    .measurementValuesSequence,
                    item: DataSet(composing: {
                        $0.put(attribute, bytes: bytes.prefix(2) + [bytes[2] ^ 0x40] + bytes.dropFirst(3))
                    }))
                group.put(.measurementsSequence, item: measurements)
            }
            altered.put(.annotationGroupSequence, item: group)
            let file = try WrittenObject(try DataSetEncoder.file(altered))
            #expect(throws: ObjectFailure.self) {
                try Verification.annotations(file, volume, picture: 0, [MaskObjects(of: mask)], .polygon)
            }
        }
    }

    @Test("slices that lie in the patient are refused before anything is inferred, and nothing found is no object")
    func refused() throws {
        let folder = try TemporaryFolder()
        let slices = try SampleVolumes.volume(.slices, .even, rows: 8, columns: 8, count: 2, in: folder.path)
        do {
            try BulkAnnotations.check(slices)
            Issue.record("accepted")
        } catch {
            #expect(error.code == "OUT-PLACE" && error.kind == .refused)
        }
        let picture = try SampleVolumes.volume(.picture, .even, rows: 8, columns: 8, count: 1, in: folder.path + "/p")
        #expect(try made(picture, [Mask(rows: 8, columns: 8)], .polygon) == nil)
    }
}
