import DICOM
import DICOMObjects
import Failures
import Imaging
import Testing

/// LABELMAP and FRACTIONAL objects, and what a pipeline wants of empty ones.
@Suite("Types of segmentations")
struct SegmentationTypeTests {
    /// Two segments side by side that share no pixel.
    private func disjoint(_ volume: Volume) -> [[Mask]] {
        (0..<2).map { segment in
            volume.frames.indices.map { frame in
                var mask = Mask(rows: volume.rows, columns: volume.columns)
                for row in 1..<volume.rows - 1 where (row + frame) % 3 != 0 {
                    mask[row, segment * 4 + frame % 3] = true
                }
                return mask
            }
        }
    }

    private func options(_ type: SegmentationType, _ variant: SampleVolumes.Variant) -> Segmentation.Options {
        var options = SampleVolumes.options(variant)
        options.type = type
        return options
    }

    @Test(
        "a LABELMAP of every variant holds each segment's number where its mask is",
        arguments: SampleVolumes.Variant.allCases)
    func labelmap(variant: SampleVolumes.Variant) throws {
        let folder = try TemporaryFolder()
        let volume = try SampleVolumes.volume(variant, .oblique, rows: 13, columns: 11, count: 6, in: folder.path)
        let masks = disjoint(volume)
        let made = try Segmentation(
            volume, masks: masks, segments: SampleVolumes.segments(2), producer: SampleVolumes.producer,
            options: options(.labelmap, variant))
        let object = try #require(made)
        try object.write(to: folder.path + "/seg.dcm")
        let dataSet = try DICOMFile(path: folder.path + "/seg.dcm").dataSet
        #expect(dataSet.string(.sopClassUID) == "1.2.840.10008.5.1.4.1.1.66.7")
        #expect(dataSet.items(.segmentSequence).compactMap { $0.int(.segmentNumber) } == [0, 1, 2])
        let pixels = try #require(object.dataSet.bytes(.pixelData))
        for (index, frame) in object.selection.frames.enumerated() {
            for pixel in 0..<13 * 11 {
                let label = masks[0][frame.source][pixel] ? 1 : masks[1][frame.source][pixel] ? 2 : 0
                #expect(Int(pixels[index * 13 * 11 + pixel]) == label)
            }
        }
    }

    @Test("a LABELMAP is compressed without loss, whatever its width and however ragged, and a damaged run is found")
    func runs() throws {
        for (rows, columns, count) in [(13, 11, 2), (8, 8, 1), (30, 300, 2), (8, 131, 300)] {
            let folder = try TemporaryFolder()
            let volume = try SampleVolumes.volume(
                .slices, .even, rows: rows, columns: columns, count: 3, in: folder.path)
            var random = Lines(state: UInt64(columns))
            var masks = [[Mask]](repeating: volume.frames.map { _ in Mask(rows: rows, columns: columns) }, count: count)
            for frame in 0..<3 {
                for pixel in 0..<rows * columns where Int.random(in: 0..<3, using: &random) > 0 || pixel % 100 > 60 {
                    masks[pixel % 100 > 30 ? 0 : Int.random(in: 0..<count, using: &random)][frame][pixel] = true
                }
            }
            masks[count - 1][1][0] = true
            for segment in 0..<count - 1 { masks[segment][1][0] = false }
            var options = options(.labelmap, .slices)
            options.keepsEmptySegments = true
            let segments = SampleVolumes.segments(count)
            let object = try #require(
                try Segmentation(
                    volume, masks: masks, segments: segments, producer: SampleVolumes.producer, options: options))
            try object.write(to: folder.path + "/seg.dcm")
            let file = try DICOMFile(path: folder.path + "/seg.dcm")
            #expect(file.transferSyntax == .rleLossless)
            // Whoever decodes images reads the same numbers.
            let instance = try PixelDescription(file.dataSet)
            #expect(instance.frames == object.selection.frames.count)
            var bytes = try DataSetEncoder.file(object.dataSet)
            guard case .fragments(_, let fragments)? = file.dataSet[.pixelData]?.value else {
                Issue.record("no fragments")
                return
            }
            bytes[fragments[0].lowerBound + 64] ^= 0x11
            let altered = try WrittenObject(bytes)
            #expect(throws: ObjectFailure.self) { try Verification.same(altered, object.dataSet) }
        }
    }

    @Test("segments that share a pixel are no LABELMAP")
    func overlap() throws {
        let folder = try TemporaryFolder()
        let volume = try SampleVolumes.volume(.slices, .even, rows: 8, columns: 8, count: 2, in: folder.path)
        var masks = disjoint(volume)
        masks[1][0][1, 0] = true
        masks[0][0][1, 0] = true
        do {
            _ = try Segmentation(
                volume, masks: masks, segments: SampleVolumes.segments(2), producer: SampleVolumes.producer,
                options: options(.labelmap, .slices))
            Issue.record("accepted")
        } catch {
            #expect(error.code == "SEG-OVERLAP" && error.kind == .refused)
        }
    }

    @Test("a FRACTIONAL object holds the probabilities, and a changed one is found")
    func fractional() throws {
        let folder = try TemporaryFolder()
        let volume = try SampleVolumes.volume(.slices, .tilt, rows: 9, columns: 11, count: 3, in: folder.path)
        func probability(_ pixel: Int, _ frame: Int, _ segment: Int) -> UInt8 {
            UInt8((pixel * 7 + frame * 31 + segment) % 256)
        }
        let probabilities: [[[UInt8]]] = (0..<2).map { segment in
            (0..<3).map { frame in (0..<99).map { probability($0, frame, segment) } }
        }
        let content = Segmentation.Content(masks: disjoint(volume), probabilities: probabilities)
        let options = options(.fractional, .slices)
        let made = try Segmentation(
            volume, content, segments: SampleVolumes.segments(2), producer: SampleVolumes.producer, options: options)
        let object = try #require(made)
        try object.write(to: folder.path + "/seg.dcm")
        #expect(object.dataSet.string(.segmentationFractionalType) == "PROBABILITY")
        #expect(object.dataSet.int(.maximumFractionalValue) == 255)
        let wanted: [UInt8] = probabilities.flatMap { frames in frames.flatMap { $0 } }
        let read = try #require(object.dataSet.bytes(.pixelData))
        #expect(Array(read.prefix(6 * 99)) == wanted)
        var altered = object.dataSet
        var pixels = try #require(altered.bytes(.pixelData))
        pixels[100] ^= 1
        altered.put(.pixelData, bytes: pixels)
        let file = try WrittenObject(try DataSetEncoder.file(altered))
        #expect(throws: ObjectFailure.self) {
            try Verification.segmentation(
                file, volume, content, segments: SampleVolumes.segments(2), options: options)
        }
    }

    @Test("a segment that was not found is described where the pipeline wants it, and so is nothing at all")
    func nothing() throws {
        let folder = try TemporaryFolder()
        let volume = try SampleVolumes.volume(.slices, .even, rows: 8, columns: 8, count: 4, in: folder.path)
        let empty = volume.frames.map { _ in Mask(rows: 8, columns: 8) }
        for type in [SegmentationType.binary, .labelmap] {
            var options = options(type, .slices)
            options.keepsEmptySegments = true
            func made(_ masks: [[Mask]]) throws -> Segmentation? {
                try Segmentation(
                    volume, masks: masks, segments: SampleVolumes.segments(2), producer: SampleVolumes.producer,
                    options: options)
            }
            let one = try #require(try made([empty, disjoint(volume)[1]]))
            try one.write(to: folder.path + "/one.dcm")
            #expect(one.selection.segments == [0, 1])
            #expect(try made([empty, empty]) == nil)
            options.writesNothing = true
            let none = try #require(try made([empty, empty]))
            try none.write(to: folder.path + "/none.dcm")
            #expect(none.selection.segments == [0, 1])
            #expect(none.dataSet.bytes(.pixelData)?.allSatisfy { $0 == 0 } == true)
        }
    }

    @Test(
        "probabilities of segments of which no pixel was found make no FRACTIONAL object, and are not in one of others")
    func fractionalNothing() throws {
        let folder = try TemporaryFolder()
        let volume = try SampleVolumes.volume(.slices, .even, rows: 9, columns: 11, count: 3, in: folder.path)
        let empty = volume.frames.map { _ in Mask(rows: 9, columns: 11) }
        let probabilities = [[[UInt8]]](
            repeating: [[UInt8]](repeating: [UInt8](repeating: 60, count: 99), count: 3), count: 2)
        func made(_ masks: [[Mask]]) throws -> Segmentation? {
            try Segmentation(
                volume, .init(masks: masks, probabilities: probabilities), segments: SampleVolumes.segments(2),
                producer: SampleVolumes.producer, options: options(.fractional, .slices))
        }
        #expect(try made([empty, empty]) == nil)
        let one = try #require(try made([empty, disjoint(volume)[1]]))
        #expect(one.selection.segments == [1])
        try one.write(to: folder.path + "/one.dcm")
    }

    @Test(
        "packed pixels end in no pad byte where the source has frames to add",
        arguments: [(50, 100, 3, 8), (8, 8, 1, 4), (61, 53, 2, 20), (512, 512, 3, 5)])
    func padding(rows: Int, columns: Int, used: Int, count: Int) throws {
        let masks = (0..<count).map { frame in
            var mask = Mask(rows: rows, columns: columns)
            if frame < used { mask[0, 0] = true }
            return mask
        }
        let folder = try TemporaryFolder()
        let volume = try SampleVolumes.volume(
            .slices, .even, rows: rows, columns: columns, count: count, in: folder.path)
        func made(_ avoids: Bool) throws -> Segmentation {
            var options = SampleVolumes.options(.slices)
            options.avoidsPadding = avoids
            return try #require(
                try Segmentation(
                    volume, masks: [masks], segments: SampleVolumes.segments(1), producer: SampleVolumes.producer,
                    options: options))
        }
        let (with, without) = (try made(true), try made(false))
        #expect((rows * columns * with.selection.frames.count + 7) / 8 % 2 == 0)
        #expect(with.selection.frames.count >= without.selection.frames.count)
        #expect(with.selection.frames.count <= without.selection.frames.count + 8)
        try with.write(to: folder.path + "/seg.dcm")
    }

    @Test("one frame a place in an even block says 3D; gaps, tilt and several segments do not")
    func organisation() throws {
        for (arrangement, segments, expected) in [
            (SampleVolumes.Arrangement.even, 1, true), (.oblique, 1, true), (.reversed, 1, true), (.tilt, 1, false),
            (.uneven, 1, false), (.even, 2, false),
        ] {
            let folder = try TemporaryFolder()
            let volume = try SampleVolumes.volume(.slices, arrangement, rows: 8, columns: 8, count: 5, in: folder.path)
            let made = try Segmentation(
                volume, masks: SampleVolumes.masks(volume, segments: segments, seed: 2),
                segments: SampleVolumes.segments(segments), producer: SampleVolumes.producer,
                options: SampleVolumes.options(.slices))
            let type = try #require(made).dataSet.string(.dimensionOrganizationType)
            #expect((type == "3D") == expected, "\(arrangement), \(segments)")
        }
    }

    @Test("directions that differ by noise of an export stay one; ones that differ by more stand with each frame")
    func noise() throws {
        for (noise, isShared) in [("0.000002", true), ("0.00009", true), ("0.0005", false)] {
            let folder = try TemporaryFolder()
            var number = 0
            let volume = try SampleVolumes.volume(.slices, .even, rows: 8, columns: 8, count: 4, in: folder.path) {
                number += 1
                if number % 2 == 0 { $0.put(.imageOrientationPatient, ["1", noise, "0", "0", "1", "0"]) }
            }
            let made = try Segmentation(
                volume, masks: SampleVolumes.masks(volume, segments: 1, seed: 2), segments: SampleVolumes.segments(1),
                producer: SampleVolumes.producer, options: SampleVolumes.options(.slices))
            let object = try #require(made)
            let shared = object.dataSet.item(.sharedFunctionalGroupsSequence)
            #expect((shared?.has(.planeOrientationSequence) == true) == isShared, "\(noise)")
            try object.write(to: folder.path + "/seg.dcm")
        }
    }

    @Test("spacing is written without the noise of computing")
    func spacing() throws {
        let folder = try TemporaryFolder()
        var number = 0
        let volume = try SampleVolumes.volume(.slices, .even, rows: 8, columns: 8, count: 7, in: folder.path) {
            $0.put(.imagePositionPatient, ["0", "0", DecimalString.text(-171.3 + 2.41 * Double(number)) ?? ""])
            number += 1
        }
        let made = try Segmentation(
            volume, masks: SampleVolumes.masks(volume, segments: 1, seed: 2), segments: SampleVolumes.segments(1),
            producer: SampleVolumes.producer, options: SampleVolumes.options(.slices))
        let measures = try #require(made).dataSet.item(.sharedFunctionalGroupsSequence)?.item(.pixelMeasuresSequence)
        #expect(measures?.string(.spacingBetweenSlices) == "2.41" && measures?.string(.sliceThickness) == "2.41")
    }

    @Test("a description ends in no bare colon, and what the source says of reading and request is copied")
    func descriptions() throws {
        for (description, expected) in [
            ("", "AI SEG test"), (" : ", "AI SEG test"), ("abdomen:", "AI SEG test: abdomen"), ("\\", "AI SEG test"),
        ] {
            let folder = try TemporaryFolder()
            let volume = try SampleVolumes.volume(.slices, .even, rows: 8, columns: 8, count: 2, in: folder.path) {
                if description.contains("\\") {
                    $0.put(.seriesDescription, " ")
                } else {
                    $0.put(.seriesDescription, description)
                }
                $0.put(.nameOfPhysiciansReadingStudy, "Roe^Rita")
                $0.put(.admittingDiagnosesDescription, "pain")
                $0.put(
                    .requestAttributesSequence,
                    item: DataSet(composing: { $0.put(.requestedProcedureID, "RP1") }))
            }
            let made = try Segmentation(
                volume, masks: SampleVolumes.masks(volume, segments: 1, seed: 2), segments: SampleVolumes.segments(1),
                producer: SampleVolumes.producer, options: SampleVolumes.options(.slices))
            let dataSet = try #require(made).dataSet
            #expect(dataSet.string(.seriesDescription) == expected)
            #expect(dataSet.string(.nameOfPhysiciansReadingStudy) == "Roe^Rita")
            #expect(dataSet.string(.admittingDiagnosesDescription) == "pain")
            #expect(dataSet.item(.requestAttributesSequence)?.string(.requestedProcedureID) == "RP1")
            let algorithm = dataSet.items(.contributingEquipmentSequence).last
            #expect(algorithm?.string(.manufacturerModelName) == "test model")
            #expect(algorithm?.string(.deviceUID)?.hasPrefix("2.25.") == true)
            #expect(algorithm?.item(.purposeOfReferenceCodeSequence)?.string(.codeValue) == "109102")
        }
    }
}
