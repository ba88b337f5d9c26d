import DICOM
import DICOMObjects
import Foundation
import Imaging
import Testing

/// An archive files a result by its patient and study: what the source says there stands in the result, byte for byte.
@Suite("Identity of results")
struct IdentityTests {
    struct Source: CustomTestStringConvertible, Sendable {
        let testDescription: String
        let characterSet: String?
        let name: [UInt8]
        var id: [UInt8] = Array("ID-1".utf8)
    }

    private static let latin1: [UInt8] = [0x4D, 0xFC, 0x6C, 0x6C, 0x65, 0x72, 0x5E, 0x4A, 0xF6, 0x72, 0x67]
    private static let sources = [
        Source(testDescription: "ASCII", characterSet: nil, name: Array("Doe^J".utf8)),
        Source(testDescription: "Latin-1", characterSet: "ISO_IR 100", name: latin1),
        Source(testDescription: "Latin-1, nothing declared", characterSet: nil, name: latin1),
        Source(testDescription: "Latin-1 as UTF-8", characterSet: "ISO_IR 192", name: latin1),
        Source(testDescription: "a term that is none", characterSet: "ISO-IR 100", name: latin1),
        Source(testDescription: "an unknown term", characterSet: "ISO_IR 149", name: [0xC8, 0xAB, 0xB1, 0xE6]),
        Source(
            testDescription: "GB2312 without its escape sequence", characterSet: "\\ISO 2022 IR 58",
            name: Array("Zhang^XiaoDong=".utf8) + [0xD5, 0xC5, 0x5E, 0xD0, 0xA1]),
        Source(
            testDescription: "Japanese", characterSet: "\\ISO 2022 IR 87",
            name: Array("Yamada^Tarou=".utf8) + [0x1B, 0x24, 0x42, 0x3B, 0x33, 0x45, 0x44, 0x1B, 0x28, 0x42]),
        Source(testDescription: "GB18030", characterSet: "GB18030", name: [0xCD, 0xF5, 0x5E, 0xD0, 0xA1]),
        Source(testDescription: "UTF-8", characterSet: "ISO_IR 192", name: Array("Müller^Jörg".utf8)),
        Source(
            testDescription: "an ID of 80 characters", characterSet: nil, name: Array("Doe^J".utf8),
            id: [UInt8](repeating: 0x50, count: 80)),
        Source(
            testDescription: "an ID with blanks around it", characterSet: "ISO_IR 100", name: Array("Doe^J^^^".utf8),
            id: Array("  ID 12/3^x ".utf8)),
    ]

    private func result(_ source: Source, label: String) throws -> (volume: Volume, dataSet: DataSet) {
        let volumes = try RawSources.volumes {
            $0[.specificCharacterSet] = source.characterSet.map {
                RawSources.element(.specificCharacterSet, Array($0.utf8))
            }
            $0[.patientName] = RawSources.element(.patientName, source.name)
            $0[.patientID] = RawSources.element(.patientID, source.id)
            $0[.studyDate] = RawSources.element(.studyDate, Array("2024.01.02".utf8))
            $0[.patientSex] = RawSources.element(.patientSex, Array("Male".utf8))
            $0[.seriesDescription] = RawSources.element(.seriesDescription, source.name)
            $0[.institutionName] = RawSources.element(.institutionName, source.name)
        }
        let volume = try #require(volumes.first)
        var segments = SampleVolumes.segments(1)
        segments[0].label = label
        let folder = try TemporaryFolder()
        let made = try Segmentation(
            volume, masks: SampleVolumes.masks(volume, segments: 1, seed: 1), segments: segments,
            producer: SampleVolumes.producer, options: .init())
        try #require(made).write(to: folder.path + "/seg.dcm")
        return (volume, try DICOMFile(path: folder.path + "/seg.dcm").dataSet)
    }

    @Test("patient and study have the source's bytes and its character set, legal or not", arguments: sources)
    func bytes(source: Source) throws {
        let (volume, dataSet) = try result(source, label: "Part 1")
        let attributes: [Attribute] = [
            .specificCharacterSet, .patientName, .patientID, .patientBirthDate, .patientSex, .studyDate, .studyTime,
            .studyID, .accessionNumber, .referringPhysicianName, .studyInstanceUID,
        ]
        for attribute in attributes {
            #expect(
                dataSet.bytes(attribute) == volume.first.dataSet.bytes(attribute), "\(attribute.keyword)")
        }
        #expect(dataSet.bytes(.patientID)?.starts(with: source.id) == true)
    }

    @Test("a segment's label in other letters is read back, whatever the source's character set", arguments: sources)
    func labels(source: Source) throws {
        let (volume, dataSet) = try result(source, label: "Läsion 腫瘍")
        #expect(dataSet.items(.segmentSequence).first?.string(.segmentLabel) == "Läsion 腫瘍")
        for attribute in [Attribute.patientName, .patientID] {
            #expect(dataSet.bytes(attribute) == volume.first.dataSet.bytes(attribute))
        }
        let isPlain = source.name.allSatisfy { $0 < 0x80 && $0 != 0x1B }
        let declared = volume.first.dataSet.strings(.specificCharacterSet)
        #expect(dataSet.strings(.specificCharacterSet) == (isPlain ? ["ISO_IR 192"] : declared))
    }

    @Test("the series' description stands behind ours, cut between characters")
    func seriesDescription() throws {
        func description(_ characterSet: String, _ bytes: [UInt8]) throws -> String? {
            let volumes = try RawSources.volumes {
                $0[.specificCharacterSet] = RawSources.element(
                    .specificCharacterSet, Array(characterSet.utf8))
                $0[.patientName] = RawSources.element(.patientName, Array("Doe^J".utf8))
                $0[.seriesDescription] = RawSources.element(.seriesDescription, bytes)
            }
            let volume = try #require(volumes.first)
            let made = try Segmentation(
                volume, masks: SampleVolumes.masks(volume, segments: 1, seed: 1), segments: SampleVolumes.segments(1),
                producer: SampleVolumes.producer, options: .init())
            let dataSet = try #require(made).dataSet
            return try WrittenObject(DataSetEncoder.file(dataSet, kept: try #require(made).kept)).dataSet.string(
                .seriesDescription)
        }
        let start = "AI SEG test: "
        #expect(try description("ISO_IR 100", Array("axial".utf8)) == start + "axial")
        #expect(try description("ISO_IR 100", []) == "AI SEG test")
        #expect(try description("ISO_IR 100", [0xFC]) == start + "ü")
        #expect(
            try description("ISO_IR 192", Array(String(repeating: "ü", count: 64).utf8))
                == start + String(repeating: "ü", count: 51))
        // Its characters have one or two bytes: who cannot tell where one ends leaves the text away.
        #expect(try description("GB18030", [UInt8](repeating: 0xCD, count: 60)) == "AI SEG test")
        #expect(try description("GB18030", [0xCD, 0xF5]) == start + "王")
        // Windows-1252 under a Latin-1 label: control characters by its own word.
        #expect(try description("ISO_IR 100", [0x93, 0x41, 0x94, 0x20]) == "AI SEG test")
    }

    @Test("UIDs with leading zeros or of unregistered roots are copied; only their padding is made anew")
    func uids() throws {
        let volumes = try RawSources.volumes {
            $0[.studyInstanceUID] = RawSources.element(.studyInstanceUID, Array(" 9999.005.12".utf8))
            $0[.frameOfReferenceUID] = RawSources.element(.frameOfReferenceUID, Array("1.2.005.9\0".utf8))
        }
        let volume = try #require(volumes.first)
        let made = try Segmentation(
            volume, masks: SampleVolumes.masks(volume, segments: 1, seed: 1), segments: SampleVolumes.segments(1),
            producer: SampleVolumes.producer, options: .init())
        let dataSet = try #require(made).dataSet
        #expect(dataSet.bytes(.studyInstanceUID) == Array("9999.005.12\0".utf8))
        #expect(dataSet.string(.frameOfReferenceUID) == "1.2.005.9")
    }
}
