import DICOM
import DICOMObjects
import Failures
import Foundation
import Imaging
import Testing

@Suite("Segmentation")
struct SegmentationTests {
    @Test("an object of every variant is written, read back and verified", arguments: SampleVolumes.Variant.allCases)
    func roundTrip(variant: SampleVolumes.Variant) throws {
        let folder = try TemporaryFolder()
        for emptyFrames in FrameSelection.EmptyFrames.allCases {
            let volume = try SampleVolumes.volume(variant, .oblique, rows: 13, columns: 11, count: 6, in: folder.path)
            let masks = SampleVolumes.masks(volume, segments: 3, seed: 5)
            var options = SampleVolumes.options(variant)
            options.emptyFrames = emptyFrames
            let made = try Segmentation(
                volume, masks: masks, segments: SampleVolumes.segments(3), producer: SampleVolumes.producer,
                options: options)
            let segmentation = try #require(made)
            try segmentation.write(to: folder.path + "/seg.dcm")
            let file = try DICOMFile(path: folder.path + "/seg.dcm")
            #expect(file.dataSet.string(.patientName) == "Müller^Jörg")
            #expect(file.dataSet.has(.frameOfReferenceUID) == (variant.hasPlace || variant.isSynthetic))
            let references = file.dataSet.items(.perFrameFunctionalGroupsSequence)
                .compactMap { $0.item(.derivationImageSequence)?.item(.sourceImageSequence) }
            #expect(references.allSatisfy { $0.has(.referencedFrameNumber) == (volume.first.pixels.frames > 1) })
        }
    }

    @Test("positions in the object are the strings of the source")
    func positions() throws {
        let folder = try TemporaryFolder()
        let volume = try SampleVolumes.volume(.slices, .tilt, rows: 8, columns: 8, count: 5, in: folder.path)
        let masks = SampleVolumes.masks(volume, segments: 1, seed: 5)
        let made = try Segmentation(
            volume, masks: masks, segments: SampleVolumes.segments(1), producer: SampleVolumes.producer,
            options: SampleVolumes.options(.slices))
        let segmentation = try #require(made)
        let groups = segmentation.dataSet.items(.perFrameFunctionalGroupsSequence)
        #expect(groups.count == 5)
        for (frame, group) in zip(segmentation.selection.frames, groups) {
            #expect(
                group.item(.planePositionSequence)?.strings(.imagePositionPatient)
                    == volume.frames[frame.source].imagePositionPatient)
        }
    }

    @Test("nothing found makes no object; an empty segment is left out and the rest renumbered")
    func empty() throws {
        let folder = try TemporaryFolder()
        let volume = try SampleVolumes.volume(.slices, .even, rows: 8, columns: 8, count: 3, in: folder.path)
        let nothing = volume.frames.map { _ in Mask(rows: 8, columns: 8) }
        let options = SampleVolumes.options(.slices)
        let none = try Segmentation(
            volume, masks: [nothing], segments: SampleVolumes.segments(1), producer: SampleVolumes.producer,
            options: options)
        #expect(none == nil)
        let something = SampleVolumes.masks(volume, segments: 1, seed: 1)[0]
        let one = try Segmentation(
            volume, masks: [nothing, something], segments: SampleVolumes.segments(2), producer: SampleVolumes.producer,
            options: options)
        #expect(one?.selection.segments == [1])
        #expect(one?.dataSet.items(.segmentSequence).first?.string(.segmentLabel) == "Part 2")
    }

    @Test("the same volume and masks give the same bytes; other masks another UID")
    func repeatable() throws {
        let folder = try TemporaryFolder()
        let volume = try SampleVolumes.volume(.stack, .even, rows: 9, columns: 11, count: 4, in: folder.path)
        func compose(_ seed: UInt64) throws -> Segmentation? {
            try Segmentation(
                volume, masks: SampleVolumes.masks(volume, segments: 2, seed: seed),
                segments: SampleVolumes.segments(2),
                producer: SampleVolumes.producer, options: SampleVolumes.options(.stack))
        }
        let (one, two, other) = (try compose(1), try compose(1), try compose(2))
        #expect(try DataSetEncoder.file(try #require(one).dataSet) == DataSetEncoder.file(try #require(two).dataSet))
        #expect(one?.sopInstanceUID != other?.sopInstanceUID)
        #expect(one?.seriesInstanceUID == other?.seriesInstanceUID)
    }

    @Test("masks on another grid than the source's are not written")
    func wrongGrid() throws {
        let folder = try TemporaryFolder()
        let volume = try SampleVolumes.volume(.slices, .even, rows: 8, columns: 9, count: 2, in: folder.path)
        let turned = [[Mask(rows: 9, columns: 8), Mask(rows: 9, columns: 8)]]
        #expect(throws: ObjectFailure.self) {
            _ = try Segmentation(
                volume, masks: turned, segments: SampleVolumes.segments(1), producer: SampleVolumes.producer,
                options: SampleVolumes.options(.slices))
        }
    }

    @Test("a source that names the standard's conditions half gives a whole object")
    func conditions() throws {
        let folder = try TemporaryFolder()
        let volume = try SampleVolumes.volume(.slices, .even, rows: 8, columns: 8, count: 2, in: folder.path) {
            $0.put(.patientIdentityRemoved, "YES")
            $0.put(.patientSpeciesDescription, "Canis lupus")
            $0.put(.responsiblePerson, "Owner")
            $0.put(.clinicalTrialProtocolID, "P1")
            $0.put(.laterality, "L")
        }
        let made = try Segmentation(
            volume, masks: SampleVolumes.masks(volume, segments: 1, seed: 1), segments: SampleVolumes.segments(1),
            producer: SampleVolumes.producer, options: SampleVolumes.options(.slices))
        let dataSet = try #require(made).dataSet
        #expect(dataSet.string(.deidentificationMethod) == "Not stated in the source")
        #expect(dataSet.has(.patientSexNeutered) && dataSet.has(.patientBreedCodeSequence))
        #expect(dataSet.string(.responsiblePerson) == "Owner")
        #expect(!dataSet.has(.clinicalTrialProtocolID) && !dataSet.has(.laterality))
    }

    @Test(
        "a quadruped's results say that it is one, and no side of it has a biped's letter",
        arguments: [
            ("QUADRUPED", ["RT", "LE", "", ""]), ("BIPED", ["R", "L", "A", "P"]), (nil, ["R", "L", "A", "P"]),
        ])
    func quadruped(type: String?, sides: [String]) throws {
        let folder = try TemporaryFolder()
        let volume = try SampleVolumes.volume(.slices, .even, rows: 8, columns: 8, count: 2, in: folder.path) {
            if let type { $0.put(.anatomicalOrientationType, type) }
        }
        #expect(volume.sides == sides)
        let masks = SampleVolumes.masks(volume, segments: 1, seed: 1)
        let segments = SampleVolumes.segments(1)
        let options = SampleVolumes.options(.slices)
        let made = try #require(
            try Segmentation(
                volume, masks: masks, segments: segments, producer: SampleVolumes.producer, options: options))
        try made.write(to: folder.path + "/seg.dcm")
        #expect(try DICOMFile(path: folder.path + "/seg.dcm").dataSet.string(.anatomicalOrientationType) == type)
        let structures = try StructureSet(
            volume, masks: masks, segments: segments, producer: SampleVolumes.producer, options: options,
            seriesNumber: 9400)
        #expect(try #require(structures).dataSet.string(.anatomicalOrientationType) == type)
    }

    @Test("a Frame of Reference that is the study's own UID gets one of its own, and the result keeps its place")
    func frameOfReference() throws {
        let folder = try TemporaryFolder()
        let volume = try SampleVolumes.volume(.slices, .even, rows: 8, columns: 8, count: 2, in: folder.path) {
            $0.put(.frameOfReferenceUID, SampleVolumes.identity.study.uid ?? "")
        }
        let masks = SampleVolumes.masks(volume, segments: 1, seed: 1)
        let options = SampleVolumes.options(.slices)
        let made = try Segmentation(
            volume, masks: masks, segments: SampleVolumes.segments(1), producer: SampleVolumes.producer,
            options: options)
        let segmentation = try #require(made)
        #expect(segmentation.dataSet.string(.frameOfReferenceUID) != volume.frameOfReferenceUID)
        #expect(
            segmentation.dataSet.items(.perFrameFunctionalGroupsSequence).allSatisfy { $0.has(.planePositionSequence) })
        try segmentation.write(to: folder.path + "/seg.dcm")
    }

    @Test("a segment in one slice takes its neighbour along; a hole inside a segment is written too")
    func span() {
        let empty = Mask(rows: 1, columns: 1)
        let full = Mask(rows: 1, columns: 1, flags: [true])
        #expect(FrameSelection([[empty, empty, full]], emptyFrames: .span).frames.map(\.source) == [1, 2])
        #expect(FrameSelection([[full, empty, full, empty]], emptyFrames: .span).frames.map(\.source) == [0, 1, 2])
        #expect(FrameSelection([[full, empty, full, empty]], emptyFrames: .omit).frames.map(\.source) == [0, 2])
        #expect(FrameSelection([[full]], emptyFrames: .span).frames.map(\.source) == [0])
    }
}

@Suite("Verification")
struct VerificationTests {
    /// A segmentation on disk with everything that it was made from.
    struct Written {
        let folder: TemporaryFolder
        let volume: Volume
        let masks: [[Mask]]
        let segmentation: Segmentation
        var path: String { folder.path + "/seg.dcm" }

        init() throws {
            folder = try TemporaryFolder()
            volume = try SampleVolumes.volume(.slices, .oblique, rows: 9, columns: 10, count: 4, in: folder.path)
            masks = SampleVolumes.masks(volume, segments: 2, seed: 3)
            let made = try Segmentation(
                volume, masks: masks, segments: SampleVolumes.segments(2), producer: SampleVolumes.producer,
                options: SampleVolumes.options(.slices))
            segmentation = try #require(made)
        }

        func verify(_ file: WrittenObject) throws {
            try Verification.segmentation(
                file, volume, .init(masks: masks), segments: SampleVolumes.segments(2),
                options: SampleVolumes.options(.slices)
            )
        }

        func verify(_ dataSet: DataSet) throws {
            try verify(WrittenObject(try DataSetEncoder.file(dataSet)))
        }
    }

    private func expectRefused(_ what: String, _ body: () throws -> Void) {
        do {
            try body()
            Issue.record("accepted: \(what)")
        } catch {
            #expect((error as? ObjectFailure)?.code == "OUT-VERIFY", "\(what): \(error)")
        }
    }

    @Test("one flipped bit of the pixels is found")
    func flippedBit() throws {
        let written = try Written()
        try written.verify(written.segmentation.dataSet)
        var pixels = try #require(written.segmentation.dataSet.bytes(.pixelData))
        for position in [0, pixels.count * 4, pixels.count * 8 - 17] {
            pixels[position / 8] ^= 1 << UInt8(position % 8)
            var altered = written.segmentation.dataSet
            altered.put(.pixelData, bytes: pixels)
            expectRefused("bit \(position)") { try written.verify(altered) }
            pixels[position / 8] ^= 1 << UInt8(position % 8)
        }
    }

    @Test("a wrong study, patient, reference or position is found")
    func wrongIdentity() throws {
        let written = try Written()
        var study = written.segmentation.dataSet
        study.put(.studyInstanceUID, "1.2.3")
        expectRefused("study") { try written.verify(study) }
        var patient = written.segmentation.dataSet
        patient.put(.patientID, "T-2")
        expectRefused("patient") { try written.verify(patient) }

        var swapped = written.segmentation.dataSet
        var groups = swapped.items(.perFrameFunctionalGroupsSequence)
        let tag = Attribute.derivationImageSequence.tag
        (groups[0][tag], groups[1][tag]) = (groups[1][tag], groups[0][tag])
        swapped.put(.perFrameFunctionalGroupsSequence, items: groups)
        expectRefused("swapped references") { try written.verify(swapped) }

        var moved = written.segmentation.dataSet
        groups = moved.items(.perFrameFunctionalGroupsSequence)
        groups[0].put(
            .planePositionSequence, item: DataSet(composing: { $0.put(.imagePositionPatient, ["1", "2", "3"]) }))
        moved.put(.perFrameFunctionalGroupsSequence, items: groups)
        expectRefused("position") { try written.verify(moved) }
    }

    @Test("a file that does not hold the result leaves nothing behind, and what stood under its name stays")
    func rejected() throws {
        let written = try Written()
        var altered = written.segmentation.dataSet
        altered.put(.pixelData, bytes: [UInt8](repeating: 0, count: altered.bytes(.pixelData)?.count ?? 0))
        try Data([7]).write(to: URL(fileURLWithPath: written.path))
        #expect(throws: ObjectFailure.self) { try ObjectFile.write(altered, to: written.path, verify: written.verify) }
        let names = try FileManager.default.contentsOfDirectory(atPath: written.folder.path).filter {
            $0.contains("seg")
        }
        #expect(names == ["seg.dcm"])
        #expect(try Data(contentsOf: URL(fileURLWithPath: written.path)) == Data([7]))
    }
}
