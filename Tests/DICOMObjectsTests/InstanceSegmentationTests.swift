import DICOM
import DICOMObjects
import Failures
import Imaging
import Testing

@Suite("A segment for each object")
struct InstanceSegmentationTests {
    /// Small squares in a grid, one picture after the other, in two segments that share no pixel.
    private func objects(_ volume: Volume) -> [[MaskObjects]] {
        (0..<2).map { segment in
            volume.frames.indices.map { frame in
                var mask = Mask(rows: volume.rows, columns: volume.columns)
                for row in stride(from: segment * 3, to: volume.rows - 1, by: 6) {
                    for column in stride(from: frame % 2, to: volume.columns - 1, by: 3) {
                        for pixel in [0, 1, volume.columns] { mask[row * volume.columns + column + pixel] = true }
                    }
                }
                return MaskObjects(of: mask)
            }
        }
    }

    private func options(_ variant: SampleVolumes.Variant) -> Segmentation.Options {
        var options = SampleVolumes.options(variant)
        (options.type, options.isOfObjects, options.emptyFrames) = (.labelmap, true, .omit)
        return options
    }

    private func made(_ volume: Volume, _ objects: [[MaskObjects]], _ variant: SampleVolumes.Variant) throws
        -> InstanceSegmentation?
    {
        try InstanceSegmentation(
            volume, objects, segments: SampleVolumes.segments(2), producer: SampleVolumes.producer,
            options: options(variant))
    }

    @Test(
        "each object of each picture has its number where it lies, in one byte or two",
        arguments: [SampleVolumes.Variant.picture, .stack, .stackSynthetic], [(13, 11), (60, 61)])
    func roundTrip(variant: SampleVolumes.Variant, size: (rows: Int, columns: Int)) throws {
        let folder = try TemporaryFolder()
        let count = variant == .picture ? 1 : 3
        let volume = try SampleVolumes.volume(
            variant, .even, rows: size.rows, columns: size.columns, count: count, in: folder.path)
        let objects = objects(volume)
        let all = objects.joined().reduce(0) { $0 + $1.count }
        try #require(try made(volume, objects, variant)).write(to: folder.path + "/seg.dcm")
        let file = try DICOMFile(path: folder.path + "/seg.dcm")
        let dataSet = file.dataSet
        #expect(dataSet.string(.sopClassUID) == "1.2.840.10008.5.1.4.1.1.66.7")
        #expect(dataSet.int(.bitsAllocated) == (all > 255 ? 16 : 8))
        let segments = dataSet.items(.segmentSequence)
        #expect(segments.compactMap { $0.int(.segmentNumber) } == Array(0...all))
        #expect(segments.last?.string(.segmentLabel) == "Part 2 \(all)")
        #expect(Set(segments.compactMap { $0.string(.trackingUID) }).count == all)
        let reader = try PixelReader(file, try PixelDescription(dataSet))
        var before = 0
        for pictures in objects {
            for (picture, found) in pictures.enumerated() {
                let labels = found.labels
                guard case .integers(let values) = try reader.frame(picture + 1).values else {
                    Issue.record("no numbers")
                    return
                }
                let isRight = labels.indices.allSatisfy {
                    labels[$0] == 0 || Int(values[$0]) == before + Int(labels[$0])
                }
                #expect(isRight)
                before += found.count
            }
        }
    }

    @Test("an altered number is found when the file is read back")
    func altered() throws {
        let folder = try TemporaryFolder()
        let volume = try SampleVolumes.volume(.picture, .even, rows: 13, columns: 12, count: 1, in: folder.path)
        let object = try #require(try made(volume, objects(volume), .picture))
        var dataSet = object.dataSet
        var pixels = try #require(dataSet.bytes(.pixelData))
        let labels = try InstanceLabels(volume, objects(volume))
        func verify(_ dataSet: DataSet) throws {
            try Verification.instances(
                try WrittenObject(try DataSetEncoder.file(dataSet)), volume, labels,
                segments: object.segments, options: options(.picture))
        }
        try verify(dataSet)
        pixels[0] = 2
        dataSet[.pixelData] = Element(Attribute.pixelData.tag, .OB, .bytes(pixels))
        #expect(throws: ObjectFailure.self) { try verify(dataSet) }
    }

    @Test("slices, more objects than numbers, and objects that share a pixel are refused; nothing is no object")
    func refused() throws {
        let folder = try TemporaryFolder()
        let slices = try SampleVolumes.volume(.slices, .even, rows: 8, columns: 8, count: 2, in: folder.path)
        let picture = try SampleVolumes.volume(.picture, .even, rows: 8, columns: 8, count: 1, in: folder.path + "/p")
        let failure = #expect(throws: ObjectFailure.self) {
            try InstanceSegmentation.check(
                slices, segments: SampleVolumes.segments(1), producer: SampleVolumes.producer,
                options: options(.slices))
        }
        #expect(failure?.code == "OUT-PLACE")
        try InstanceSegmentation.check(
            picture, segments: SampleVolumes.segments(1), producer: SampleVolumes.producer,
            options: options(.picture))
        let nothing = [[MaskObjects(of: Mask(rows: 8, columns: 8))], [MaskObjects(of: Mask(rows: 8, columns: 8))]]
        #expect(try made(picture, nothing, .picture) == nil)
        let one = MaskObjects(of: Mask(rows: 8, columns: 8, flags: (0..<64).map { $0 == 9 }))
        #expect(throws: ObjectFailure.overlap) { try made(picture, [[one], [one]], .picture) }
        let large = try SampleVolumes.volume(
            .picture, .even, rows: 800, columns: 800, count: 1, in: folder.path + "/l")
        let dots = MaskObjects(
            of: Mask(rows: 800, columns: 800, flags: (0..<640_000).map { $0 / 800 % 2 == 0 && $0 % 2 == 0 }))
        #expect(dots.count > InstanceSegmentation.largestCount)
        let many = #expect(throws: ObjectFailure.self) { try InstanceLabels(large, [[dots]]) }
        #expect(many?.code == "SEG-SIZE" && many?.message.cure.contains("outputs.instances") == true)
    }
}
