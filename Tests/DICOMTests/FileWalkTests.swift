import DICOM
import Testing

@Suite("parsing")
struct FileWalkTests {
    /// A data set with every kind of element.
    static func sample(_ syntax: TestFile.Syntax, isOpen: Bool = false) -> TestFile {
        var file = TestFile(syntax)
        file.add(0x0008, 0x0005, "CS", text: "ISO_IR 100")
        file.add(0x0008, 0x0016, "UI", text: "1.2.840.10008.5.1.4.1.1.2")
        file.add(
            0x0008, 0x1140, isOpen: isOpen,
            items: [
                { $0.add(0x0008, 0x1150, "UI", text: "1.2") },
                { $0.add(0x0008, 0x1155, "UI", text: "1.3") },
            ])
        file.add(0x0010, 0x0010, "PN", [0x4A, 0xF6, 0x72, 0x67])  // "Jörg" in Latin-1
        file.add(
            0x0018, 0x9087, "FD",
            file.isBig ? Array(TestFile.little((1.5).bitPattern).reversed()) : TestFile.little((1.5).bitPattern))
        file.add(0x0020, 0x0032, "DS", text: "1.5\\-2\\3e1")
        file.add(0x0028, 0x0010, us: 512)
        return file
    }

    @Test(
        "a data set reads alike in every encoding",
        arguments: [TestFile.Syntax.implicitLittle, .explicitLittle, .explicitBig, .deflated], [false, true])
    func encodings(_ syntax: TestFile.Syntax, isOpen: Bool) throws {
        let file = try DICOMFile(bytes: Self.sample(syntax, isOpen: isOpen).bytes)
        #expect(file.transferSyntax.uid == syntax.rawValue)
        #expect(file.warnings.isEmpty)
        #expect(file.dataSet.uid(.sopClassUID) == "1.2.840.10008.5.1.4.1.1.2")
        #expect(file.dataSet.items(Tag(0x0008, 0x1140)).map(\.elements.count) == [1, 1])
        #expect(file.dataSet.items(Tag(0x0008, 0x1140)).last?.uid(.referencedSOPInstanceUID) == "1.3")
        #expect(file.dataSet.string(.patientName) == "Jörg")
        #expect(file.dataSet.double(.diffusionBValue) == 1.5)
        #expect(file.dataSet.doubles(.imagePositionPatient) == [1.5, -2, 30])
        #expect(file.dataSet.int(.rows) == 512)
    }

    @Test(
        "a data set without preamble and meta group is read by what its first element looks like",
        arguments: [TestFile.Syntax.implicitLittle, .explicitLittle, .explicitBig])
    func bare(_ syntax: TestFile.Syntax) throws {
        let file = try DICOMFile(bytes: Self.sample(syntax).body)
        #expect(file.transferSyntax.uid == syntax.rawValue)
        #expect(file.dataSet.int(.rows) == 512)
    }

    @Test("a file cut off anywhere is refused or read, and never traps", arguments: TestFile.Syntax.allCases)
    func everyPrefix(_ syntax: TestFile.Syntax) {
        let whole = Self.sample(syntax, isOpen: true).bytes
        var codes = Set<String>()
        for count in 0..<whole.count { codes.insert(code { _ = try DICOMFile(bytes: Array(whole.prefix(count))) }) }
        #expect(codes.isSubset(of: ["none", "IN-CORRUPT", "IN-NOTDICOM"]))
        #expect(codes.contains("IN-CORRUPT"))
    }

    @Test("a file with any bytes changed is refused or read, pixels included, and never traps")
    func mutations() throws {
        var state: UInt64 = 20_261_124
        func random(_ bound: Int) -> Int {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return Int(state >> 33) % bound
        }
        let planes: [UInt8] =
            [2, 0, 0, 0, 64, 0, 0, 0, 66, 0, 0, 0] + [UInt8](repeating: 0, count: 52) + [0xC1, 9, 0xC1, 5]
        let images = [
            TestImage(),
            TestImage(frames: 3, samples: 3, photometric: "RGB", planar: 1, bits: (8, 8, 7), pixelVR: "OB"),
            TestImage(syntax: .rle, fragments: [planes]),
            TestImage(bits: (1, 1, 0), pixels: [UInt8](repeating: 3, count: 8)),
        ].map(\.bytes)
        for round in 0..<4000 {
            var bytes = images[round % images.count]
            for _ in 0...random(4) { bytes[132 + random(bytes.count - 132)] = UInt8(random(256)) }
            let outcome = code {
                let source = try SourceInstance(try DICOMFile(bytes: bytes))
                for volume in VolumeBuilder.volumes(of: [source]).volumes {
                    _ = try FrameDecoding().frame(volume.frames[volume.frames.count - 1])
                }
            }
            #expect(!outcome.isEmpty)
        }
    }

    @Test("sequences nested too deep are refused")
    func nesting() {
        var inner = TestFile()
        inner.add(0x0008, 0x0060, "CS", text: "CT")
        for _ in 0..<200 {
            let body = inner.body
            inner = TestFile()
            inner.add(0x0008, 0x1140, isOpen: true, items: [{ $0.body = body }])
        }
        #expect(code { _ = try DICOMFile(bytes: inner.bytes) } == "IN-LIMIT")
    }

    @Test("a data set that inflates beyond its limit is refused")
    func inflation() {
        var limits = DICOMLimits()
        limits.inflateFreeBytes = 0
        limits.inflateRatio = 0
        #expect(code { _ = try DICOMFile(bytes: Self.sample(.deflated).bytes, limits: limits) } == "IN-LIMIT")
    }

    @Test("more elements than the limit are refused")
    func elementLimit() {
        var limits = DICOMLimits()
        limits.elementsPerItem = 3
        #expect(code { _ = try DICOMFile(bytes: Self.sample(.explicitLittle).bytes, limits: limits) } == "IN-LIMIT")
    }

    @Test("long values stay in the file, short ones come along")
    func longValues() throws {
        var file = TestFile()
        file.add(0x0008, 0x0016, "UI", text: "1.2")
        file.add(0x0009, 0x1001, "OB", [UInt8](repeating: 1, count: 70_000))
        let read = try DICOMFile(bytes: file.bytes)
        guard case .inFile(_, let length)? = read.dataSet[Tag(0x0009, 0x1001)]?.value else {
            Issue.record("the value was copied")
            return
        }
        #expect(length == 70_000)
    }

    @Test("UN of a known attribute is read as that attribute, a sequence included")
    func unknown() throws {
        var item = TestFile(.implicitLittle)
        item.add(0x0008, 0x1150, "UI", text: "1.2")
        let sequence = item.word(0xFFFE) + item.word(0xE000) + item.long(UInt32(item.body.count)) + item.body
        var file = TestFile()
        file.add(0x0008, 0x0060, "UN", Array("CT".utf8))
        file.add(0x0008, 0x1140, "UN", sequence)
        file.add(0x0028, 0x0010, "UN", [0, 2])
        let dataSet = try DICOMFile(bytes: file.bytes).dataSet
        #expect(dataSet.string(.modality) == "CT")
        #expect(dataSet.items(Tag(0x0008, 0x1140)).first?.uid(.referencedSOPClassUID) == "1.2")
        #expect(dataSet.int(.rows) == 512)
    }

    @Test("elements out of order are sorted, the first of twins is kept")
    func disorder() throws {
        var file = TestFile()
        file.add(0x0008, 0x0060, "CS", text: "CT")
        file.add(0x0028, 0x0010, us: 3)
        file.add(0x0010, 0x0020, "LO", text: "A")
        file.add(0x0028, 0x0010, us: 4)
        let read = try DICOMFile(bytes: file.bytes)
        #expect(read.dataSet.elements.map { Attribute.of($0.tag) } == [.modality, .patientID, .rows])
        #expect(read.dataSet.int(.rows) == 3)
        #expect(read.warnings.count == 1)
    }

    @Test("the content digest covers the data set and not the file meta group")
    func digest() throws {
        let sample = Self.sample(.explicitLittle)
        var other = sample
        other.body[other.body.count - 1] ^= 1
        let withMeta = try DICOMFile(bytes: sample.bytes).contentDigest
        #expect(withMeta == (try DICOMFile(bytes: sample.body).contentDigest))
        #expect(withMeta != (try DICOMFile(bytes: other.bytes).contentDigest))
    }

    @Test(
        "texts are decoded by the character set in force, an item's own before its parent's",
        arguments: [
            ("ISO_IR 192", Array("Ж山".utf8), "Ж山"),
            ("ISO_IR 144", [0xBB, 0xEE, 0xDA], "Люк"),
            ("\\ISO 2022 IR 87", [0x1B, 0x24, 0x42, 0x3B, 0x33, 0x45, 0x44, 0x1B, 0x28, 0x42], "山田"),
            ("ISO 2022 IR 13\\ISO 2022 IR 87", [0xD4, 0xCF, 0xC0, 0xDE], "ﾔﾏﾀﾞ"),
            ("\\ISO 2022 IR 149", [0x1B, 0x24, 0x29, 0x43, 0xB1, 0xE8], "김"),
            ("GB18030", [0xCD, 0xF5], "王"),
        ])
    func characters(_ set: String, _ bytes: [UInt8], _ text: String) throws {
        var file = TestFile()
        file.add(0x0008, 0x0005, "CS", text: set)
        file.add(0x0008, 0x1030, "LO", bytes + [0x5C] + bytes)
        file.add(
            0x0008, 0x1140,
            items: [
                { $0.add(0x0008, 0x1030, "LO", bytes) },
                {
                    $0.add(0x0008, 0x0005, "CS", text: "ISO_IR 100")
                    $0.add(0x0008, 0x1030, "LO", [0xE9])
                },
            ])
        let dataSet = try DICOMFile(bytes: file.bytes).dataSet
        #expect(dataSet.strings(.studyDescription) == [text, text])
        #expect(dataSet.items(Tag(0x0008, 0x1140)).map { $0.string(.studyDescription) } == [text, "é"])
    }

    @Test("bytes that the character set does not explain are shown as such and said")
    func undecodable() throws {
        var file = TestFile()
        file.add(0x0008, 0x0005, "CS", text: "ISO_IR 192")
        file.add(0x0008, 0x1030, "LO", [0x41, 0xFF, 0x42, 0x20])
        let dataSet = try DICOMFile(bytes: file.bytes).dataSet
        #expect(!dataSet.isDecodable(.studyDescription))
        #expect(dataSet.string(.studyDescription) == "A\u{FFFD}B")
    }
}
