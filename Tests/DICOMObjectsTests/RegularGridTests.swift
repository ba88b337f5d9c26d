import DICOM
import DICOMObjects
import Failures
import Imaging
import Testing

@Suite("Regular grids")
struct RegularGridTests {
    private func volume(_ arrangement: SampleVolumes.Arrangement, in folder: TemporaryFolder) throws -> Volume {
        try SampleVolumes.volume(.slices, arrangement, rows: 21, columns: 19, count: 6, in: folder.path)
    }

    @Test(
        "a volume that is one has none, one with a gap, uneven or tilted slices has",
        arguments: SampleVolumes.Arrangement.allCases)
    func which(arrangement: SampleVolumes.Arrangement) throws {
        let folder = try TemporaryFolder()
        let grid = try RegularGrid(try volume(arrangement, in: folder))
        #expect((grid != nil) == [.gap, .uneven, .near, .tilt].contains(arrangement))
        let pictures = try SampleVolumes.volume(.stack, .even, rows: 8, columns: 8, count: 3, in: folder.path + "/p")
        #expect(try RegularGrid(pictures) == nil)
    }

    @Test(
        "each voxel is the source's pixel that lies nearest, and the box is the source's own",
        arguments: [SampleVolumes.Arrangement.gap, .uneven, .near, .tilt])
    func nearest(arrangement: SampleVolumes.Arrangement) throws {
        let folder = try TemporaryFolder()
        let volume = try volume(arrangement, in: folder)
        let grid = try #require(try RegularGrid(volume))
        let masks = SampleVolumes.masks(volume, segments: 1, seed: 3)[0]
        let slices = grid.resampled(masks)
        let spacing = try #require(volume.pixelSpacing)
        let planes = volume.frames.compactMap(\.plane)
        let last = try #require(planes.last)
        #expect(slices.count == grid.sources.count)
        #expect(abs((last.position - grid.position(slices.count - 1)).dot(last.normal)) < 1e-9)
        for (slice, mask) in slices.enumerated() {
            let origin = grid.position(slice)
            let distances = planes.map { abs(($0.position - origin).dot($0.normal)) }
            #expect(distances[grid.sources[slice]] == distances.min())
            let plane = planes[grid.sources[slice]]
            for row in 0..<grid.rows {
                for column in 0..<grid.columns {
                    let away =
                        origin + plane.rowCosine * (Double(column) * spacing.column)
                        + plane.columnCosine * (Double(row) * spacing.row) - plane.position
                    let (y, x) = (
                        (away.dot(plane.columnCosine) / spacing.row).rounded(),
                        (away.dot(plane.rowCosine) / spacing.column).rounded()
                    )
                    let isInside = (0..<21.0).contains(y) && (0..<19.0).contains(x)
                    #expect(mask[row, column] == (isInside && masks[grid.sources[slice]][Int(y), Int(x)]))
                }
            }
        }
    }

    @Test("the object on it is in order, beside one on the source's own, and a frame that was moved is found")
    func object() throws {
        let folder = try TemporaryFolder()
        let volume = try volume(.uneven, in: folder)
        let masks = SampleVolumes.masks(volume, segments: 2, seed: 5)
        var options = SampleVolumes.options(.slices)
        let plain = try #require(
            try Segmentation(
                volume, masks: masks, segments: SampleVolumes.segments(2), producer: SampleVolumes.producer,
                options: options))
        options.isRegular = true
        options.emptyFrames = .keep
        try Segmentation.check(
            volume, segments: SampleVolumes.segments(2), producer: SampleVolumes.producer, options: options)
        let object = try #require(
            try Segmentation(
                volume, masks: masks, segments: SampleVolumes.segments(2), producer: SampleVolumes.producer,
                options: options))
        try object.write(to: folder.path + "/regular.dcm")
        let dataSet = try DICOMFile(path: folder.path + "/regular.dcm").dataSet
        #expect(object.seriesInstanceUID != plain.seriesInstanceUID && object.sopInstanceUID != plain.sopInstanceUID)
        #expect(dataSet.string(.contentDescription)?.hasSuffix("REGULAR GRID") == true)
        let groups = dataSet.items(.perFrameFunctionalGroupsSequence)
        let images = groups.compactMap { $0.item(.derivationImageSequence)?.item(.sourceImageSequence) }
        #expect(images.allSatisfy { $0.string(.spatialLocationsPreserved) == "NO" } && images.count == groups.count)

        var altered = object.dataSet
        var moved = altered.items(.perFrameFunctionalGroupsSequence)
        var place = try #require(moved[1].item(.planePositionSequence))
        place.put(.imagePositionPatient, decimals: place.doubles(.imagePositionPatient).map { $0 + 0.01 })
        moved[1].put(.planePositionSequence, item: place)
        altered.put(.perFrameFunctionalGroupsSequence, items: moved)
        let file = try WrittenObject(try DataSetEncoder.file(altered))
        let grid = try #require(try RegularGrid(volume))
        #expect(throws: ObjectFailure.self) {
            try Verification.segmentation(
                file, volume, .init(masks: masks.map(grid.resampled)), segments: SampleVolumes.segments(2),
                options: options)
        }
    }

    @Test("every slice of the source is on the grid, however near its neighbour, or there is no grid")
    func everySlice() throws {
        let folder = try TemporaryFolder()
        let near = try volume(.near, in: folder)
        let grid = try #require(try RegularGrid(near))
        #expect(Set(grid.sources) == Set(near.frames.indices))
        #expect(abs(grid.step - 0.4) < 1e-9)
        let nearest = try SampleVolumes.volume(
            .slices, .even, rows: 1000, columns: 1000, count: 6, in: folder.path + "/n"
        ) {
            guard $0.int(.instanceNumber) == 3 else { return }
            $0.put(.imagePositionPatient, decimals: [-31.25, 17.5, -120.75 + 2.47])
        }
        #expect(throws: ObjectFailure.self) { try RegularGrid(nearest) }
    }

    @Test("a regular grid of a volume that is one is refused")
    func even() throws {
        let folder = try TemporaryFolder()
        let volume = try volume(.even, in: folder)
        var options = SampleVolumes.options(.slices)
        options.isRegular = true
        #expect(throws: ObjectFailure.self) {
            try Segmentation.check(
                volume, segments: SampleVolumes.segments(1), producer: SampleVolumes.producer, options: options)
        }
    }
}
