import DICOM
import DICOMObjects
import Failures
import Imaging
import Testing

@Suite("Structure sets")
struct StructureSetTests {
    private func made(
        _ volume: Volume, _ masks: [[Mask]], _ change: (inout Segmentation.Options) -> Void = { _ in }
    ) throws -> StructureSet? {
        var options = SampleVolumes.options(.slices)
        change(&options)
        return try StructureSet(
            volume, masks: masks, segments: SampleVolumes.segments(masks.count), producer: SampleVolumes.producer,
            options: options, seriesNumber: 9400)
    }

    @Test(
        "contours of slices and enhanced objects, however they lie, hold the masks again when they are filled",
        arguments: [SampleVolumes.Variant.slices, .enhanced], SampleVolumes.Arrangement.allCases)
    func roundTrip(variant: SampleVolumes.Variant, arrangement: SampleVolumes.Arrangement) throws {
        let folder = try TemporaryFolder()
        let volume = try SampleVolumes.volume(variant, arrangement, rows: 21, columns: 19, count: 5, in: folder.path)
        var masks = SampleVolumes.masks(volume, segments: 2, seed: 4)
        // A ring with an island, and a part that touches it at a corner.
        for row in 3..<12 {
            for column in 3..<12 { masks[0][1][row, column] = !(4..<11 ~= row && 4..<11 ~= column) }
        }
        masks[0][1][7, 7] = true
        masks[0][1][12, 12] = true
        let object = try #require(try made(volume, masks))
        try object.write(to: folder.path + "/rt.dcm")
        let dataSet = try DICOMFile(path: folder.path + "/rt.dcm").dataSet
        #expect(dataSet.string(.modality) == "RTSTRUCT" && dataSet.string(.patientName) == "Müller^Jörg")
        #expect(dataSet.items(.structureSetROISequence).compactMap { $0.string(.roiName) } == ["Part 1", "Part 2"])
        let images = dataSet.items(.roiContourSequence).flatMap { $0.items(.contourSequence) }
            .compactMap { $0.item(.contourImageSequence) }
        #expect(images.allSatisfy { ($0.int(.referencedFrameNumber) != nil) == (variant == .enhanced) })
        #expect(
            try DataSetEncoder.file(object.dataSet)
                == DataSetEncoder.file(try #require(try made(volume, masks)).dataSet))
    }

    @Test("a point that was moved by half a pixel, a contour that is missing and one that is there twice are found")
    func altered() throws {
        let folder = try TemporaryFolder()
        let volume = try SampleVolumes.volume(.slices, .oblique, rows: 16, columns: 16, count: 3, in: folder.path)
        let masks = SampleVolumes.masks(volume, segments: 1, seed: 9)
        let object = try #require(try made(volume, masks))
        func isFound(_ change: (inout [DataSet]) throws -> Void) throws -> Bool {
            var altered = object.dataSet
            var region = try #require(altered.item(.roiContourSequence))
            var contours = region.items(.contourSequence)
            try change(&contours)
            region.put(.contourSequence, items: contours)
            altered.put(.roiContourSequence, items: [region])
            let file = try WrittenObject(try DataSetEncoder.file(altered))
            do {
                try Verification.structures(file, volume, masks, segments: SampleVolumes.segments(1))
                return false
            } catch {
                return error.code == "OUT-VERIFY"
            }
        }
        #expect(try !isFound { _ in })
        #expect(try isFound { $0.removeLast() })
        #expect(try isFound { $0.append($0[0]) })
        #expect(
            try isFound { contours in
                let plane = try #require(volume.frames[0].plane)
                var points = contours[0].doubles(.contourData)
                let move = plane.rowCosine * 0.9
                for (axis, by) in [move.x, move.y, move.z].enumerated() {
                    for at in stride(from: axis, to: points.count, by: 3) { points[at] += by }
                }
                contours[0].put(.contourData, decimals: points)
            })
    }

    @Test("an outline too long for its value field is cut, and its parts hold the same pixels")
    func long() throws {
        let folder = try TemporaryFolder()
        let volume = try SampleVolumes.volume(.slices, .oblique, rows: 240, columns: 240, count: 2, in: folder.path)
        var comb = Mask(rows: 240, columns: 240)
        for row in 0..<240 {
            for column in 0..<240 where row % 20 == 19 || column % 2 == 0 { comb[row, column] = true }
        }
        let object = try #require(try made(volume, [[comb, Mask(rows: 240, columns: 240)]]))
        try object.write(to: folder.path + "/rt.dcm")
        let contours = object.dataSet.item(.roiContourSequence)?.items(.contourSequence) ?? []
        #expect(Components(of: comb, neighbours: .faces).count == 1 && contours.count > 1)
    }

    @Test("images without a place in the patient are refused before anything is inferred, synthetic geometry or not")
    func noPlace() throws {
        for variant in SampleVolumes.Variant.allCases where !variant.hasPlace {
            let folder = try TemporaryFolder()
            let volume = try SampleVolumes.volume(variant, .even, rows: 8, columns: 8, count: 2, in: folder.path)
            do {
                try StructureSet.check(volume)
                Issue.record("\(variant) accepted")
            } catch {
                #expect(error.code == "OUT-PLACE" && error.kind == .refused)
            }
        }
        let folder = try TemporaryFolder()
        let volume = try SampleVolumes.volume(.enhanced, .even, rows: 8, columns: 8, count: 2, in: folder.path) {
            $0[.frameOfReferenceUID] = nil
        }
        #expect(throws: ObjectFailure.self) { try StructureSet.check(volume) }
    }

    @Test("nothing found is no structure set, unless the pipeline wants one; a segment that was not found is no region")
    func nothing() throws {
        let folder = try TemporaryFolder()
        let volume = try SampleVolumes.volume(.slices, .even, rows: 8, columns: 8, count: 2, in: folder.path)
        let empty = volume.frames.map { _ in Mask(rows: 8, columns: 8) }
        #expect(try made(volume, [empty, empty]) == nil)
        let told = try #require(try made(volume, [empty, empty]) { $0.writesNothing = true })
        try told.write(to: folder.path + "/rt.dcm")
        #expect(told.dataSet.items(.structureSetROISequence).count == 2)
        let one = try #require(try made(volume, [empty, SampleVolumes.masks(volume, segments: 1, seed: 1)[0]]))
        #expect(one.dataSet.items(.structureSetROISequence).compactMap { $0.string(.roiName) } == ["Part 2"])
    }
}
