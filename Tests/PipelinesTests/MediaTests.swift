import DICOM
import DICOMObjects
import Failures
import Foundation
import ImageFiles
import Imaging
import Pipelines
import Records
import Storage
import Testing

/// Archives and media as inputs.
@Suite("Archives and media")
struct MediaTests {
    private static func little(_ value: Int, _ size: Int) -> [UInt8] {
        (0..<size).map { UInt8(truncatingIfNeeded: value >> (8 * $0)) }
    }

    /// An archive of stored entries; `size` lies where it is given.
    private static func zip(_ entries: [(name: String, bytes: [UInt8], size: Int?)]) -> Data {
        var file: [UInt8] = [], directory: [UInt8] = []
        for entry in entries {
            let name = Array(entry.name.utf8), offset = file.count
            let crc = Int(Inflate.crc32(entry.bytes.span.bytes))
            let body =
                little(crc, 4) + little(entry.bytes.count, 4) + little(entry.size ?? entry.bytes.count, 4)
                + little(name.count, 2) + little(0, 2)
            file += little(0x0403_4B50, 4) + little(20, 2) + little(0, 8) + body + name + entry.bytes
            directory += little(0x0201_4B50, 4) + little(20, 2) + little(20, 2) + little(0, 8) + body + little(0, 2)
            directory += little(0, 2) + little(0, 2) + little(0, 4) + little(offset, 4) + name
        }
        let end = little(0x0605_4B50, 4) + little(0, 4) + little(entries.count, 2) + little(entries.count, 2)
        return Data(file + directory + end + little(directory.count, 4) + little(file.count, 4) + little(0, 2))
    }

    private static func slice(_ number: Int) throws -> [UInt8] {
        Array(try Data(contentsOf: URL(fileURLWithPath: "samples/body/slice-00\(number).dcm")))
    }

    @Test("the files of a zip are inputs under the archive's name, and give the folder's result")
    func archive() throws {
        let fixture = try Fixture()
        _ = try fixture.pipeline("a")
        var entries: [(name: String, bytes: [UInt8], size: Int?)] = []
        for number in 1...3 {
            entries.append(("series/\(number).dcm", try Self.slice(number), nil))
            _ = try fixture.file("folder/\(number).dcm", Data(try Self.slice(number)))
        }
        entries.append(("note.txt", Array("hello\n".utf8), nil))
        entries.append(("inner.zip", Array(Self.zip([])), nil))
        let path = try fixture.file("study.zip", Self.zip(entries))
        let record = try fixture.run([path])
        #expect(record.inputs.count == 5 && record.inputs.allSatisfy { $0.path.hasPrefix(path + "/") })
        #expect(record.count(.processed) == 3 && record.count(.skipped) == 2)
        // What the inner archive holds was not looked at.
        #expect(record.omission?.code == "IN-NOTIMAGE" && record.exitStatus == .refusedOrFailed)
        #expect(record.inputs.filter { $0.status == .skipped }.allSatisfy { $0.code == "IN-NOTIMAGE" })
        #expect(try fixture.run([fixture.path + "/folder"]).studies.map(\.key) == record.studies.map(\.key))
    }

    @Test("an archive without files stands among the inputs with its reason")
    func empty() throws {
        let fixture = try Fixture()
        _ = try fixture.pipeline("a")
        _ = try fixture.file("in/empty.zip", Self.zip([]))
        _ = try fixture.file("in/1.dcm", Data(try Self.slice(1)))
        let record = try fixture.run([fixture.path + "/in"])
        let row = try #require(record.inputs.first { $0.path.hasSuffix("empty.zip") })
        #expect(record.inputs.count == 2 && row.status == .skipped && row.code == "IN-NOTIMAGE")
    }

    @Test("inspect looks into archives, and says which volume of a study a pipeline picks")
    func inspectedArchive() throws {
        let fixture = try Fixture()
        _ = try fixture.pipeline("a")
        let settings = Fixture.settings("a").replacing("[XC]", with: "[CT]\n    pick: largest")
        _ = try fixture.file("pipelines/a/pipeline.yaml", settings)
        let pipelines = try PipelineDirectory.openAll(in: fixture.path + "/pipelines", only: nil)
        var entries: [(name: String, bytes: [UInt8], size: Int?)] = []
        for number in 1...3 { entries.append(("\(number).dcm", try Self.slice(number), nil)) }
        // A second series of the study, of one slice.
        var other = try DICOMFile(bytes: try Self.slice(4)).dataSet
        let pixels = try DICOMFile(path: "samples/body/slice-004.dcm")
        let frame = try PixelReader(pixels, try PixelDescription(pixels.dataSet)).frame(1)
        other.put(.pixelData, bytes: frame.canonicalBytes)
        other.put(.seriesInstanceUID, "1.2.3.4.5")
        other.put(.sopInstanceUID, "1.2.3.4.6")
        entries.append(("4.dcm", try DataSetEncoder.file(other), nil))
        let path = try fixture.file("study.zip", Self.zip(entries))
        let record = try Inspection.inspect([path], pipelines: pipelines, version: "0", hashesPixels: true)
        #expect(record.files.count == 4 && record.files.allSatisfy { $0.format == "dicom" && $0.pixelSHA256 != nil })
        let takes = Dictionary(
            uniqueKeysWithValues: record.volumes.map { ($0.source.frames, $0.pipelines.map(\.takes)) })
        #expect(takes == [3: [true], 1: [false]])
        #expect(record.files.map(\.code) == [nil, nil, nil, "SEL-PICK"])
        #expect(try fixture.run([path], pipeline: nil).inputs.map(\.code) == record.files.map(\.code))
    }

    @Test("an archive that leaves its folder, lies about a size or unpacks without bound is refused as a whole")
    func hostile() throws {
        let fixture = try Fixture()
        _ = try fixture.pipeline("a")
        let archives = [
            ("IN-ZIPPATH", Self.zip([("../../evil.dcm", try Self.slice(1), nil)])),
            ("IN-ZIPPATH", Self.zip([("a/..\\../evil.dcm", try Self.slice(1), nil)])),
            ("IN-LIMIT", Self.zip([("big.dcm", try Self.slice(1), 0xFFFF_FFF0)])),
            ("ZIP-BROKEN", Self.zip([("wrong.dcm", try Self.slice(1), 1000)])),
            ("ZIP-BROKEN", Self.zip([("a/1.dcm", try Self.slice(1), nil), ("a\\1.dcm", try Self.slice(2), nil)])),
            ("ZIP-TRUNCATED", Self.zip([("cut.dcm", try Self.slice(1), nil)]).dropLast(30)),
        ]
        for (number, (code, bytes)) in archives.enumerated() {
            let record = try fixture.run([try fixture.file("in\(number)/x.zip", bytes)])
            #expect(record.inputs.map(\.code) == [code] && record.exitStatus == .refusedOrFailed)
        }
        #expect(!FileManager.default.fileExists(atPath: fixture.path + "/evil.dcm"))
    }

    /// A DICOMDIR that lists files by their components.
    private func directory(_ files: [[String]]) throws -> Data {
        var dataSet = DataSet()
        dataSet.put(
            .directoryRecordSequence,
            items: files.map { components in
                var record = DataSet()
                record.put(.referencedFileID, components)
                return record
            })
        let uid = "1.2.840.10008.1.3.10"
        func element(_ group: Int, _ number: Int, _ vr: String, _ value: [UInt8]) -> [UInt8] {
            let long = vr == "OB"
            return Self.little(group, 2) + Self.little(number, 2) + Array(vr.utf8)
                + (long ? Self.little(0, 2) + Self.little(value.count, 4) : Self.little(value.count, 2)) + value
        }
        func padded(_ text: String) -> [UInt8] { Array(text.utf8) + (text.utf8.count % 2 == 1 ? [0] : []) }
        let meta =
            element(2, 1, "OB", [0, 1]) + element(2, 2, "UI", padded(uid)) + element(2, 3, "UI", padded("1.2.3"))
            + element(2, 16, "UI", padded("1.2.840.10008.1.2.1"))
        let head =
            [UInt8](repeating: 0, count: 128) + Array("DICM".utf8)
            + element(2, 0, "UL", Self.little(meta.count, 4)) + meta
        return Data(head + (try DataSetEncoder.data(dataSet)))
    }

    @Test(
        "a DICOMDIR stands for its medium; one that lists files which are not there is refused, the others are processed"
    )
    func medium() throws {
        let fixture = try Fixture()
        _ = try fixture.pipeline("a")
        for number in 1...2 { _ = try fixture.file("cd/images/SER1/I\(number)", Data(try Self.slice(number))) }
        let path = try fixture.file(
            "cd/DICOMDIR", try directory([["IMAGES", "SER1", "I1"], ["IMAGES", "SER1", "I2"]]))
        let whole = try fixture.run([path])
        #expect(whole.count(.processed) == 2 && whole.exitStatus == .done)
        #expect(whole.inputs.first { $0.path.hasSuffix("DICOMDIR") }?.code == "IN-NOTIMAGE")
        _ = try fixture.file("cd/DICOMDIR", try directory([["IMAGES", "SER1", "I1"], ["IMAGES", "SER1", "I3"]]))
        let half = try fixture.run([fixture.path + "/cd"])
        #expect(half.count(.processed) == 2 && half.exitStatus == .refusedOrFailed)
        #expect(half.inputs.first { $0.path.hasSuffix("DICOMDIR") }?.code == "IN-MEDIUM")
        // What a DICOMDIR that is cut off or overwritten lists is not known: the slices that are there may be some of them.
        let cut = try directory([["IMAGES", "SER1", "I1"], ["IMAGES", "SER1", "I2"]]).dropLast(20)
        for (bytes, code) in [(Data(cut), "IN-CORRUPT"), (Data(count: 1000), "IN-MEDIUM")] {
            _ = try fixture.file("cd/DICOMDIR", bytes)
            let damaged = try fixture.run([fixture.path + "/cd"])
            #expect(damaged.count(.processed) == 2 && damaged.exitStatus == .refusedOrFailed)
            #expect(damaged.inputs.first { $0.path.hasSuffix("DICOMDIR") }?.code == code)
        }
    }

    @Test("inspect says what a file is, which pipeline takes it, and what of the nearest rule does not hold")
    func inspect() throws {
        let fixture = try Fixture()
        _ = try fixture.pipeline("a")
        let pipelines = try PipelineDirectory.openAll(in: fixture.path + "/pipelines", only: nil)
        let taken = try Inspection.inspect(
            ["samples/dermoscopy/ISIC_0000019.dcm"], pipelines: pipelines, version: "0", hashesPixels: true)
        #expect(taken.files.count == 1 && taken.files[0].status == .processed && taken.files[0].format == "dicom")
        #expect(taken.pixelSHA256?.count == 64 && taken.volumes[0].pipelines.map(\.takes) == [true])
        let left = try Inspection.inspect(
            ["samples/body/slice-001.dcm"], pipelines: pipelines, version: "0", hashesPixels: false)
        #expect(left.files[0].code == "SEL-RULE" && left.pixelSHA256 == nil)
        let answer = try #require(left.volumes.first?.pipelines.first)
        #expect(!answer.takes && answer.rule == 1 && answer.reasons == ["modality is CT, the rule asks for XC"])
        let picture = try Inspection.inspect(
            ["samples/fluorescence/094afe36759e.tif"], pipelines: [], version: "0", hashesPixels: true)
        #expect(picture.files[0].format == "tiff" && picture.pixelSHA256 != nil)
        #expect(try InspectionRecord(json: try picture.json()) == picture)
    }

    @Test(
        "inspect reads files whose names have control characters or are no UTF-8, as a run does",
        arguments: [10, 0xFC] as [UInt8])
    func names(_ byte: UInt8) throws {
        let fixture = try Fixture()
        _ = try fixture.pipeline("a")
        let pipelines = try PipelineDirectory.openAll(in: fixture.path + "/pipelines", only: nil)
        let bytes: [(String, [UInt8])] = [
            ("dcm", Array(try Data(contentsOf: URL(fileURLWithPath: "samples/dermoscopy/ISIC_0000019.dcm")))),
            ("tif", Array(try Data(contentsOf: URL(fileURLWithPath: "samples/fluorescence/094afe36759e.tif")))),
            (
                "png",
                try ImageFile.png(RasterPage(rows: 2, columns: 3, samples: 1, bits: 8, values: [1, 2, 3, 4, 5, 6]))
            ),
        ]
        for (ending, content) in bytes {
            let plain = try fixture.file("plain-\(ending)/a.\(ending)", Data(content))
            let folder = fixture.path + "/odd-\(ending)"
            defer { try? Folder.remove(folder) }
            try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
            let odd = FilePath(folder).appending(FilePath(bytes: [0x61, byte] + Array(".\(ending)".utf8)))
            try Folder.rename(FilePath(plain), to: odd)
            let record = try Inspection.inspect([folder], pipelines: pipelines, version: "0", hashesPixels: true)
            let file = try #require(record.files.first)
            #expect(
                record.files.count == 1 && file.path == odd.text && file.format != nil, "\(ending): \(record.files)")
            #expect(file.pixelSHA256 != nil && file.rows != nil, "\(ending): \(file)")
        }
    }
}
