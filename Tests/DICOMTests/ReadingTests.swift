import DICOM
import Failures
import Foundation
import Storage
import Testing

@Suite("reading through one descriptor")
final class ReadingTests {
    let root: String

    init() throws {
        root = FileManager.default.temporaryDirectory.appendingPathComponent("reading-\(UUID().uuidString)").path
        try Folder.make(root)
    }

    deinit { try? FileManager.default.removeItem(atPath: root) }

    private func file(_ bytes: [UInt8], _ name: String = "file") throws -> InputFile {
        // In place and without sync: these tests write many files.
        try #require(FileManager.default.createFile(atPath: root + "/" + name, contents: Data(bytes)))
        return try InputFile(root + "/" + name)
    }

    private static func limits(window: Int) -> DICOMLimits {
        var limits = DICOMLimits()
        limits.windowBytes = window
        return limits
    }

    /// Everything that was read, as text.
    private static func dump(_ dataSet: DataSet) -> String {
        dataSet.elements.map { element in
            let value =
                switch element.value {
                case .items(let items): items.map { "{" + dump($0) + "}" }.joined()
                case let other: "\(other)"
                }
            return "\(element.tag)\(element.vr)\(value)"
        }.joined(separator: "\n")
    }

    private static func dump(_ file: DICOMFile) -> String {
        [
            file.transferSyntax.uid, file.contentDigest, "\(file.warnings)", "\(file.pixelDataIsCut)", dump(file.meta),
            dump(file.dataSet),
        ].joined(separator: "\n")
    }

    /// Objects whose headers are longer than the smallest windows.
    private static var samples: [[UInt8]] {
        var long = TestFile(.implicitLittle)
        long.add(0x0008, 0x0016, "UI", text: "1.2.840.10008.5.1.4.1.1.2")
        long.add(0x0009, 0x0010, "LO", text: "MAKER")
        long.add(0x0009, 0x1001, "UN", [UInt8](repeating: 1, count: 5000))
        long.add(0x0009, 0x1002, isOpen: true, items: [{ $0.add(0x0008, 0x1150, "UI", text: "1.2") }])
        long.add(0x0010, 0x4000, "LT", text: String(repeating: "text ", count: 200))
        long.add(0x0028, 0x0010, us: 512)
        let planes: [UInt8] = [2, 0, 0, 0, 64, 0, 0, 0, 66, 0, 0, 0] + [UInt8](repeating: 0, count: 600)
        return [
            long.bytes, TestImage().bytes,
            TestImage(syntax: .rle, frames: 3, fragments: [planes, planes, planes]).bytes,
        ]
            + TestFile.Syntax.allCases.flatMap { syntax in
                [false, true].map { FileWalkTests.sample(syntax, isOpen: $0).bytes }
            }
    }

    @Test(
        "a file read through a window of any size is what the same bytes are in memory", arguments: [1, 13, 300, 65536])
    func windows(_ window: Int) throws {
        for bytes in Self.samples {
            let meant = Self.dump(try DICOMFile(bytes: bytes))
            #expect(Self.dump(try DICOMFile(try file(bytes), limits: Self.limits(window: window))) == meant)
        }
    }

    @Test("a file cut off anywhere reads through a small window as it does in memory")
    func prefixes() throws {
        let whole = FileWalkTests.sample(.explicitLittle, isOpen: true).bytes + [UInt8](repeating: 0, count: 40)
        for count in stride(from: 1, to: whole.count, by: 3) {
            let bytes = Array(whole.prefix(count))
            let input = try file(bytes)
            #expect(
                code { _ = try DICOMFile(input, limits: Self.limits(window: 13)) }
                    == code { _ = try DICOMFile(bytes: bytes) })
        }
    }

    @Test("frames are read where they lie, native, big-endian, in fragments with and without a table, deflated")
    func frames() throws {
        let images = [
            TestImage(frames: 2, pixels: (0..<256).map { UInt8($0 & 0x7F) }),
            TestImage(syntax: .explicitBig, pixels: (0..<128).map { UInt8($0) }),
            TestImage(syntax: .deflated, pixels: (0..<128).map { UInt8($0) }),
        ]
        for image in images {
            let memory = try image.source()
            let disk = try SourceInstance(try DICOMFile(try file(image.bytes), limits: Self.limits(window: 1)))
            for frame in 1...memory.pixels.frames {
                let meant = try PixelReader(memory.file, memory.pixels).frame(frame)
                #expect("\(try PixelReader(disk.file, disk.pixels).frame(frame).values)" == "\(meant.values)")
            }
        }
    }

    @Test("the image digest of a file is that of its bytes in memory, wherever pieces end, when it is indexed too")
    func imageDigests() throws {
        let pixels = (0..<400 * 400 * 2).map { UInt8(truncatingIfNeeded: $0 % 251) }
        let header: [UInt8] = [2, 0, 0, 0, 64, 0, 0, 0, 66, 0, 0, 0] + [UInt8](repeating: 0, count: 52)
        let planes = header + [0xC1, 0, 0xC1, 7]
        let images = [
            TestImage(rows: 400, columns: 400, pixels: pixels), TestImage(),
            TestImage(syntax: .explicitBig, rows: 400, columns: 400, pixels: pixels),
            TestImage(syntax: .deflated, rows: 400, columns: 400, pixels: pixels),
            TestImage(syntax: .rle, frames: 3, fragments: [planes, planes, planes]),
        ]
        for image in images {
            let meant = try image.source().imageDigest()
            for window in [1, 65_536] {
                let input = try file(image.bytes)
                let source = try SourceInstance(try DICOMFile(input, limits: Self.limits(window: window)))
                #expect(try source.imageDigest() == meant)
                var texts = SharedTexts()
                let indexed = IndexedInstance(source, input, sharing: &texts)
                #expect(indexed.digest == source.file.digest)
                #expect(try indexed.read().imageDigest() == meant)
            }
        }
    }

    @Test(
        "a file that was cut, or replaced under its name, is a refusal when its frames are asked for",
        arguments: [true, false])
    func changed(isCut: Bool) throws {
        let input = try file(TestImage().bytes)
        let source = try SourceInstance(try DICOMFile(input))
        usleep(20_000)
        if isCut {
            truncate(root + "/file", off_t(input.size - 10))
            #expect(code { _ = try PixelReader(source.file, source.pixels).frame(1) } == "IN-CHANGED")
        } else {
            try DurableFile.write(TestImage(pixels: [UInt8](repeating: 9, count: 128)).bytes, to: root + "/file")
            // Never the other file's pixels.
            let frame = try PixelReader(source.file, source.pixels).frame(1)
            #expect("\(frame.values)" == "\(try PixelReader(source.file, source.pixels).frame(1).values)")
            #expect("\(frame.values)".contains("1799"))
        }
        #expect(throws: StorageFailure.changed(path: input.path.text)) { try input.checkUnchanged() }
    }

    @Test("an indexed instance is read again with the same identity and digest, and not when its file has changed")
    func index() throws {
        var texts = SharedTexts()
        let input = try file(TestImage(more: { $0.add(0x0029, 0x1001, "OB", [1, 2]) }).bytes)
        let source = try SourceInstance(try DICOMFile(input))
        let entry = IndexedInstance(source, input, sharing: &texts)
        #expect(entry.sopInstanceUID == "1.2.3.1" && entry.studyInstanceUID == "1.2")
        let again = try entry.read()
        #expect(Self.dump(again.file) == Self.dump(source.file))
        truncate(root + "/file", 300)
        #expect(code { _ = try entry.read() } == "IN-CHANGED")
    }

    @Test("private values and long ones stay in the file, at every depth")
    func onDisk() throws {
        var sample = TestFile()
        sample.add(0x0009, 0x0010, "LO", text: "MAKER")
        sample.add(0x0009, 0x1001, "LO", text: "private")
        sample.add(0x0009, 0x1002, items: [{ $0.add(0x0008, 0x1150, "UI", text: "1.2") }])
        sample.add(0x0008, 0x1140, items: [{ $0.add(0x0009, 0x1001, "LO", text: "inner") }])
        let dataSet = try DICOMFile(bytes: sample.bytes).dataSet
        for element in dataSet.elements where element.tag.isPrivate {
            guard case .inFile(let offset, let length) = element.value else {
                Issue.record("\(element.tag) is in memory")
                continue
            }
            if element.tag == Tag(0x0009, 0x1001) {
                #expect(Array(sample.bytes[offset..<offset + length]) == Array("private ".utf8))
            }
        }
        let inner = try #require(dataSet.items(Tag(0x0008, 0x1140)).first?.elements.first)
        guard case .inFile = inner.value else { return #expect(Bool(false), "the inner value is in memory") }
    }

    @Test("a data set keeps what is set, replaced, inserted and removed, short and long")
    func dataSet() {
        var dataSet = DataSet()
        let long = [UInt8](repeating: 5, count: 100_000)
        dataSet[Tag(0x0010, 0x0020)] = Element(Tag(0x0010, 0x0020), .LO, .bytes([1, 2]))
        dataSet[Tag(0x0008, 0x0060)] = Element(Tag(0x0008, 0x0060), .CS, .bytes([3, 4]))
        dataSet[Tag(0x7FE0, 0x0010)] = Element(Tag(0x7FE0, 0x0010), .OW, .bytes(long))
        dataSet[Tag(0x0010, 0x0020)] = Element(Tag(0x0010, 0x0020), .LO, .bytes([7, 8, 9, 10]))
        dataSet[Tag(0x0040, 0x0001)] = Element(Tag(0x0040, 0x0001), .OW, .inFile(offset: 5 << 32, length: 3))
        #expect(dataSet.elements.map(\.tag.group) == [0x0008, 0x0010, 0x0040, 0x7FE0])
        #expect(dataSet.bytes(Tag(0x0010, 0x0020)) == [7, 8, 9, 10])
        #expect(dataSet.bytes(Tag(0x7FE0, 0x0010)) == long)
        guard case .inFile(5 << 32, 3)? = dataSet[Tag(0x0040, 0x0001)]?.value else {
            return #expect(Bool(false), "an offset beyond 4 GiB is lost")
        }
        dataSet[Tag(0x0008, 0x0060)] = nil
        #expect(dataSet.elements.count == 3 && dataSet[Tag(0x0008, 0x0060)] == nil)
    }

    /// Memory of the process is everybody's, so this runs alone: `HSPSAM_MEASURE=1 swift test --filter footprint`.
    @Test(
        "an instance of a usual CT header with 60 private elements takes less than 8 kB, an indexed one less than 1 kB",
        .enabled(if: ProcessInfo.processInfo.environment["HSPSAM_MEASURE"] != nil))
    func footprint() throws {
        let count = 20_000
        _ = try file(Self.usualCT(1), "0")
        // Names of one file: disks are slow.
        for index in 1..<count { link(root + "/0", root + "/\(index)") }
        let folder = try InputFolder(FilePath(root), pool: DescriptorPool(capacity: 256))
        var texts = SharedTexts()
        var indexed: [IndexedInstance] = []
        // What one reading needs for itself is there from now on.
        for index in 0..<100 {
            _ = try SourceInstance(try DICOMFile(try folder.open(FilePath("\(index)"))))
        }
        let beforeIndex = try Self.residentBytes()
        for index in 0..<count {
            let file = try folder.open(FilePath("\(index)"))
            indexed.append(IndexedInstance(try SourceInstance(try DICOMFile(file)), file, sharing: &texts))
        }
        let beforeStudy = try Self.residentBytes()
        let study = try indexed.map { try $0.read() }
        let end = try Self.residentBytes()
        let light = (beforeStudy - beforeIndex) / count, whole = (end - beforeStudy) / count
        print("bytes an instance: indexed \(light), read \(whole), \(study[0].dataSet.elements.count) elements")
        #expect(light < 1000 && whole < 8000)
    }

    private static func residentBytes() throws -> Int {
        let pages = try String(contentsOfFile: "/proc/self/statm", encoding: .utf8).split(separator: " ")
        return try #require(Int(pages[1])) * Int(sysconf(Int32(_SC_PAGESIZE)))
    }

    /// About 100 standard elements, two sequences, 60 private elements in two groups.
    private static func usualCT(_ index: Int) -> [UInt8] {
        let image = TestImage(
            instance: "1.2.826.0.1.3680043.8.498.1234567890123456789.\(index)",
            series: "1.2.826.0.1.3680043.8.498.9876543210987654321.3", number: index,
            position: "-120.5\\-98.25\\\(index)", rows: 16, columns: 16)
        var extra = TestFile()
        for element in 0..<70 {
            extra.add(0x0018, 0x9000 + UInt16(element), "LO", text: "a usual value \(element)")
        }
        extra.add(
            0x0040, 0x0275,
            items: [
                { item in
                    for element in 0..<6 { item.add(0x0040, UInt16(element + 1), "LO", text: "scheduled") }
                }
            ])
        for group: UInt16 in [0x0043, 0x0045] {
            extra.add(group, 0x0010, "LO", text: "MAKER_01")
            for element in 0..<29 { extra.add(group, 0x1000 + UInt16(element), "LO", text: "private value \(element)") }
        }
        let body = extra.body
        var whole = image
        whole.more = { $0.body += body }
        return whole.bytes
    }
}
