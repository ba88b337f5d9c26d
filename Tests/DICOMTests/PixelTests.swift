import DICOM
import Imaging
import Testing

@Suite("pixels")
struct PixelTests {
    static func words(_ values: [UInt16]) -> [UInt8] { values.flatMap { TestFile.little($0) } }

    @Test("unused bits are masked away, the sign comes from the highest stored bit")
    func bits() throws {
        let raw: [UInt16] = [0xF7FF, 0xF800, 0x0001, 0x1000] + [UInt16](repeating: 0, count: 60)
        var image = TestImage(bits: (16, 12, 11), isSigned: true, pixels: Self.words(raw))
        #expect(try Array(image.stored().prefix(4)) == [2047, -2048, 1, 0])
        image.isSigned = false
        #expect(try Array(image.stored().prefix(4)) == [2047, 2048, 1, 0])
        image.bits.high = 15
        #expect(try Array(image.stored().prefix(4)) == [0xF7F, 0xF80, 0, 0x100])
    }

    @Test("one-bit frames run on without padding between them")
    func oneBit() throws {
        // 9 × 9 = 81 bits: the second frame begins inside a byte.
        var bits = [Int](repeating: 0, count: 162)
        for index in stride(from: 0, to: 162, by: 5) { bits[index] = 1 }
        var bytes = [UInt8](repeating: 0, count: 21)
        for index in bits.indices { bytes[index / 8] |= UInt8(bits[index]) << UInt8(index % 8) }
        let image = TestImage(frames: 2, rows: 9, columns: 9, bits: (1, 1, 0), pixels: bytes + [0])
        #expect(try image.stored(1) == Array(bits[..<81]))
        #expect(try image.stored(2) == Array(bits[81...]))
    }

    @Test("colour comes by pixel, whatever the planar configuration")
    func planar() throws {
        let red = (0..<64).map { UInt8($0) }
        let green = red.map { $0 + 64 }
        let blue = red.map { $0 + 128 }
        let byPixel = (0..<64).flatMap { [red[$0], green[$0], blue[$0]] }
        var image = TestImage(
            samples: 3, photometric: "RGB", planar: 0, bits: (8, 8, 7), pixelVR: "OB", pixels: byPixel)
        let expected = byPixel.map(Int.init)
        #expect(try image.stored() == expected)
        image.planar = 1
        image.pixels = red + green + blue
        #expect(try image.stored() == expected)
    }

    @Test("big-endian words of 8-bit pixels are turned round, odd frames included")
    func bigEndian() throws {
        let logical = (0..<82).map { UInt8($0) }
        let swapped = stride(from: 0, to: 82, by: 2).flatMap { [logical[$0 + 1], logical[$0]] }
        var image = TestImage(syntax: .explicitBig, rows: 9, columns: 9, bits: (8, 8, 7), pixels: swapped)
        #expect(try image.stored() == (0..<81).map { $0 })
        image.pixelVR = "OB"
        image.pixels = logical
        #expect(try image.stored() == (0..<81).map { $0 })
        // Of more than 8 bits nobody knows which byte comes first.
        #expect(code { _ = try TestImage(syntax: .explicitBig, pixelVR: "OB").source() } == "PIX-BITS")
        #expect(code { _ = try TestImage(syntax: .explicitBig).source() } == "none")
    }

    @Test("native YBR_FULL_422 shares chroma between two pixels and is shown as RGB")
    func subsampled() throws {
        let image = TestImage(
            samples: 3, photometric: "YBR_FULL_422", planar: 0, bits: (8, 8, 7), pixelVR: "OB",
            pixels: (0..<32).flatMap { _ in [UInt8(100), 150, 128, 128] })
        #expect(try Array(image.stored().prefix(6)) == [100, 128, 128, 150, 128, 128])
        let volume = try #require(VolumeBuilder.volumes(of: [try image.source()]).volumes.first)
        let frame = try FrameDecoding().frame(volume.frames[0])
        #expect(Array(frame.values.prefix(6)) == [100, 100, 100, 150, 150, 150])
    }

    @Test(
        "pixel data of another length than its attributes say is refused before anything is decoded; padding is none",
        arguments: [
            (1, 100, "PIX-TRUNCATED"), (7, 128, "PIX-TRUNCATED"), (1, 128, "none"), (1, 129, "none"), (1, 140, "none"),
            (2, 270, "none"), (1, 144, "PIX-SIZE"), (1, 200, "PIX-SIZE"), (1, 256, "PIX-SIZE"), (1, 4096, "PIX-SIZE"),
        ])
    func length(_ frames: Int, _ bytes: Int, _ expected: String) {
        let image = TestImage(frames: frames, pixels: [UInt8](repeating: 0, count: bytes))
        #expect(code { _ = try image.source() } == expected)
    }

    @Test("bytes behind the frames are padding only where they are zero; Rows or Columns that are too few are refused")
    func excess() {
        let cells = [UInt8](repeating: 0, count: 128)
        #expect(code { _ = try TestImage(pixels: cells + [0, 0, 0, 0]).source() } == "none")
        #expect(code { _ = try TestImage(pixels: cells + [0, 0, 0, 1]).source() } == "PIX-SIZE")
        #expect(code { _ = try TestImage(rows: 7, pixels: cells).source() } == "PIX-SIZE")
        #expect(code { _ = try TestImage(columns: 7, pixels: cells).source() } == "PIX-SIZE")
    }

    @Test("bits that are neither stored, nor sign, nor a declared overlay are masked and a person is asked to look")
    func strayBits() throws {
        func frame(_ raw: UInt16, isSigned: Bool = false, overlay: UInt16? = nil, isRLE: Bool = false) throws
            -> StoredFrame
        {
            var image = TestImage(bits: (16, 12, 11), isSigned: isSigned)
            image.hasScale = false
            image.pixels = Self.words([UInt16](repeating: raw, count: 64))
            if let overlay {
                image.more = {
                    $0.add(0x6000, 0x0100, us: 16)
                    $0.add(0x6000, 0x0102, us: overlay)
                }
            }
            if isRLE {
                let header: [UInt8] = [2, 0, 0, 0, 64, 0, 0, 0, 66, 0, 0, 0] + [UInt8](repeating: 0, count: 52)
                image.syntax = .rle
                image.fragments = [header + [0xC1, UInt8(raw >> 8), 0xC1, UInt8(raw & 0xFF)]]
            }
            let file = try image.file()
            return try PixelReader(file, try PixelDescription(file.dataSet)).frame(1)
        }
        func first(_ frame: StoredFrame) -> Int32? {
            guard case .integers(let values) = frame.values else { return nil }
            return values.first
        }
        for isRLE in [false, true] {
            let stray = try frame(0xF007, isRLE: isRLE)
            #expect(first(stray) == 7 && stray.doubts.count == 1)
            #expect(try frame(0x0FFF, isRLE: isRLE).doubts.isEmpty)
            // The sign extended over the cell, and not extended.
            for raw: UInt16 in [0xFFFF, 0x0FFF] {
                let negative = try frame(raw, isSigned: true, isRLE: isRLE)
                #expect(first(negative) == -1 && negative.doubts.isEmpty)
            }
            #expect(try frame(0x1FFF, isSigned: true, isRLE: isRLE).doubts.count == 1)
            #expect(try frame(0xF7FF, isSigned: true, isRLE: isRLE).doubts.count == 1)
        }
        let overlay = try frame(0x8007, overlay: 15)
        #expect(first(overlay) == 7 && overlay.doubts.isEmpty)
        #expect(try frame(0xC007, overlay: 15).doubts.count == 1)
        // In a bit of the values themselves.
        #expect(try frame(0x0807, overlay: 11).doubts.count == 1)
        #expect(try frame(0x0007, overlay: 12).doubts.isEmpty)
        // Samples at the bottom of cells where High Bit says the top.
        var low = TestImage(bits: (16, 12, 15))
        low.pixels = Self.words([UInt16](repeating: 0x0123, count: 64))
        let volume = try #require(VolumeBuilder.volumes(of: [try low.source()]).volumes.first)
        let decoding = FrameDecoding()
        _ = try decoding.frame(volume.frames[0])
        #expect(decoding.findings.map(\.code) == ["PIX-NOTE"] && decoding.findings.map(\.severity) == [.warning])
    }

    @Test("colour is read without a sign whatever Pixel Representation says, and that is noted")
    func signedColour() throws {
        var image = TestImage(samples: 3, photometric: "RGB", planar: 0, bits: (8, 8, 7), isSigned: true)
        image.pixelVR = "OB"
        image.pixels = [UInt8](repeating: 200, count: 192)
        #expect(try image.stored() == [Int](repeating: 200, count: 192))
        let file = try image.file()
        #expect(try PixelReader(file, try PixelDescription(file.dataSet)).notes.count == 1)
    }

    @Test("an object with Pixel Data and Float Pixel Data is refused; an empty one of them is none")
    func twoPixelData() {
        for (floats, expected) in [([UInt8](repeating: 0, count: 256), "PIX-BITS"), ([], "none")] {
            var image = TestImage()
            image.hasScale = false
            image.more = { $0.add(0x7FE0, 0x0008, "OF", floats) }
            #expect(code { _ = try image.stored() } == expected)
        }
    }

    @Test("RLE planes are put together, and a wrong header is refused")
    func runLength() throws {
        // Segment 1: high bytes, 64 times 1. Segment 2: low bytes, 63 times 2 and a literal 3.
        let header: [UInt8] = [2, 0, 0, 0, 64, 0, 0, 0, 66, 0, 0, 0] + [UInt8](repeating: 0, count: 52)
        let frame = header + [0xC1, 1] + [0xC2, 2, 0x00, 3]
        var image = TestImage(syntax: .rle, fragments: [frame])
        #expect(try image.stored() == [Int](repeating: 258, count: 63) + [259])
        image.fragments = [[9] + frame.dropFirst()]
        #expect(code { _ = try image.stored() } == "PIX-CODEC")
        image.fragments = [Array(frame.dropLast(2))]
        #expect(code { _ = try image.stored() } == "PIX-TRUNCATED")
        // Out of order, one behind the end, and one of a segment that there is not.
        for (at, offset) in [(4, 68), (8, 64), (8, 200), (12, 68)] as [(Int, UInt8)] {
            var wrong = frame
            wrong[at] = offset
            image.fragments = [wrong]
            #expect(["PIX-CODEC", "PIX-TRUNCATED"].contains(code { _ = try image.stored() }), "\(at) \(offset)")
        }
        // What stands between the header and the first segment is of none, but for zeros.
        let later = Array(header.prefix(4)) + [68, 0, 0, 0, 70, 0, 0, 0] + header.dropFirst(12)
        for (between, expected) in [([0, 0, 0, 0], "none"), ([0, 9, 0, 0], "PIX-CODEC")] as [([UInt8], String)] {
            image.fragments = [later + between + frame.dropFirst(64)]
            #expect(code { _ = try image.stored() } == expected)
        }
        // Fragments that are empty hold nothing.
        for fragments in [[[], frame], [frame, []], [frame.prefix(66) + [], [], frame.dropFirst(66) + []]] {
            image.fragments = fragments
            #expect(try image.stored().last == 259)
        }
        (image.frames, image.fragments) = (2, [[], frame])
        #expect(code { _ = try image.stored(1) } == "PIX-TRUNCATED")
    }

    @Test("a deflated frame with bytes behind its end, which are not padding, is refused")
    func deflatedFrames() throws {
        let cells = (0..<128).map { UInt8($0) }
        let stream: [UInt8] = [1, 128, 0, 127, 255] + cells
        func syntax(_ uid: String) -> [UInt8] { Array("UI".utf8) + [UInt8(uid.utf8.count), 0] + Array(uid.utf8) }
        func outcome(_ frame: [UInt8]) -> String {
            let image = TestImage(syntax: .rle, fragments: [frame])
            let bytes = image.bytes.replacing(
                syntax("1.2.840.10008.1.2.5\0"), with: syntax("1.2.840.10008.1.2.8.1\0"))
            return code {
                let file = try DICOMFile(bytes: bytes)
                let stored = try PixelReader(file, try PixelDescription(file.dataSet)).frame(1)
                #expect(stored.canonicalBytes == cells)
            }
        }
        for padding in [[], [0], [0, 0, 0]] as [[UInt8]] { #expect(outcome(stream + padding) == "none") }
        for more in [[9, 9], stream] { #expect(outcome(stream + more) == "PIX-FRAGMENTS") }
    }

    @Test("an RLE segment holds the pixels of its plane and padding, or is refused")
    func runLengthExcess() {
        let header: [UInt8] = [2, 0, 0, 0, 64, 0, 0, 0, 66, 0, 0, 0] + [UInt8](repeating: 0, count: 52)
        func outcome(rows: UInt16 = 8, columns: UInt16 = 8, _ behind: [UInt8]) -> String {
            let frame = header + [0xC1, 1, 0xC1, 2] + behind
            return code { _ = try TestImage(syntax: .rle, rows: rows, columns: columns, fragments: [frame]).stored() }
        }
        #expect(outcome([]) == "none")
        #expect(outcome([0x80, 0]) == "none")
        #expect(outcome([0, 0]) == "none")
        #expect(outcome([0, 7]) == "PIX-SIZE")
        #expect(outcome([0xFF, 0]) == "PIX-SIZE")
        #expect(outcome(rows: 7, []) == "PIX-SIZE")
        #expect(outcome(columns: 7, []) == "PIX-SIZE")
    }

    @Test("an Extended Offset Table that names fragments out of order, twice or not all is refused")
    func extendedOffsets() throws {
        let header: [UInt8] = [2, 0, 0, 0, 64, 0, 0, 0, 66, 0, 0, 0] + [UInt8](repeating: 0, count: 52)
        func image(frames: Int = 4, _ offsets: [UInt64]) -> TestImage {
            var image = TestImage(syntax: .rle, frames: frames)
            image.hasScale = false
            image.fragments = (1...4).map { header + [0xC1, 0, 0xC1, $0] }
            image.more = {
                $0.add(0x7FE0, 0x0001, "OV", offsets.flatMap { TestFile.little($0) })
                $0.add(0x7FE0, 0x0002, "OV", offsets.flatMap { _ in TestFile.little(UInt64(68)) })
            }
            return image
        }
        #expect(try image([0, 76, 152, 228]).stored(3)[0] == 3)
        // Of other fragments: left aside, as there is one fragment a frame.
        #expect(try image([0, 80, 160, 240]).stored(3)[0] == 3)
        for offsets: [UInt64] in [[228, 152, 76, 0], [0, 76, 76, 228], [76, 76, 152, 228], [0, 0, 0, 0]] {
            #expect(code { _ = try image(offsets).stored() } == "PIX-FRAGMENTS", "\(offsets)")
        }
        #expect(code { _ = try image(frames: 3, [0, 76, 228]).stored() } == "PIX-FRAGMENTS")
        // Beside a Basic Offset Table that names others.
        var both = image([0, 76, 152, 228])
        both.offsetTable = [UInt32(0), 76, 152, 228].flatMap { TestFile.little($0) }
        #expect(try both.stored(3)[0] == 3)
        both.offsetTable = [UInt32(0), 152, 76, 228].flatMap { TestFile.little($0) }
        #expect(code { _ = try both.stored() } == "PIX-FRAGMENTS")
    }

    @Test("a Basic Offset Table that names fragments out of order or twice is refused; of none it is left aside")
    func basicOffsets() throws {
        let header: [UInt8] = [2, 0, 0, 0, 64, 0, 0, 0, 66, 0, 0, 0] + [UInt8](repeating: 0, count: 52)
        func image(_ offsets: [UInt32]) -> TestImage {
            var image = TestImage(syntax: .rle, frames: 4)
            image.fragments = (1...4).map { header + [0xC1, 0, 0xC1, $0] }
            image.offsetTable = offsets.flatMap { TestFile.little($0) }
            return image
        }
        for offsets: [UInt32] in [[0, 76, 152, 228], [0, 0, 0, 0], [0], [8, 84, 160, 236]] {
            #expect(try image(offsets).stored(3)[0] == 3, "\(offsets)")
        }
        for offsets: [UInt32] in [[228, 152, 76, 0], [0, 152, 76, 228], [0, 76, 76, 228]] {
            #expect(code { _ = try image(offsets).stored() } == "PIX-FRAGMENTS", "\(offsets)")
        }
    }

    @Test("several fragments a frame are told apart by offset table, else by their first words, else refused")
    func fragments() throws {
        func frame(_ value: UInt8) -> [UInt8] {
            let header: [UInt8] = [2, 0, 0, 0, 64, 0, 0, 0, 66, 0, 0, 0] + [UInt8](repeating: 0, count: 52)
            return header + [0xC1, 0, 0xC1, value]
        }
        // Each frame of 68 bytes in two fragments, the first with the whole header.
        let pieces = [5, 6].flatMap { [Array(frame($0)[..<66]), Array(frame($0)[66...])] }
        var image = TestImage(syntax: .rle, frames: 2, fragments: pieces)
        #expect(try image.stored(2) == [Int](repeating: 6, count: 64))
        // Two streams of which one would be dropped without a word.
        image.frames = 1
        #expect(code { _ = try image.stored() } == "PIX-FRAGMENTS")
        // Nor does a table say that one frame is two pictures.
        image.offsetTable = [0, 0, 0, 0]
        #expect(code { _ = try image.stored() } == "PIX-FRAGMENTS")
        (image.fragments, image.frames) = (pieces + pieces, 2)
        image.offsetTable = [0, 0, 0, 0] + TestFile.little(UInt32(pieces[0].count + pieces[1].count + 16))
        #expect(code { _ = try image.stored() } == "PIX-FRAGMENTS")
        (image.fragments, image.offsetTable) = (pieces, [])
        image.frames = 3
        #expect(code { _ = try image.stored() } == "PIX-FRAGMENTS")
        image.frames = 5
        #expect(code { _ = try image.stored() } == "PIX-TRUNCATED")
    }

    @Test(
        "rescale, its zero slope, and a look-up table give modality values",
        arguments: [
            ("2", "-10", [UInt16](), Float(4)), ("0", "-10", [], -3), ("", "", [8, 0, 16], 107),
        ])
    func modality(_ slope: String, _ intercept: String, _ descriptor: [UInt16], _ expected: Float) throws {
        var image = TestImage()
        image.pixels = Self.words([UInt16](repeating: 7, count: 64))
        image.more = { file in
            if !slope.isEmpty {
                file.add(0x0028, 0x1052, "DS", text: intercept)
                file.add(0x0028, 0x1053, "DS", text: slope)
            }
            if !descriptor.isEmpty {
                file.add(
                    0x0028, 0x3000,
                    items: [
                        {
                            $0.add(0x0028, 0x3002, us: descriptor[0], descriptor[1], descriptor[2])
                            $0.add(0x0028, 0x3006, "OW", Self.words((100..<108).map { UInt16($0) }))
                        }
                    ])
            }
        }
        let volume = try #require(VolumeBuilder.volumes(of: [try image.source()]).volumes.first)
        #expect(try FrameDecoding().frame(volume.frames[0]).values.allSatisfy { $0 == expected })
    }

    @Test("padding is found by the pixels' own sign, with its range")
    func padding() throws {
        var image = TestImage(isSigned: true)
        image.pixels = Self.words([0xF830, 0xF831, 0xF832, 5] + [UInt16](repeating: 5, count: 60))
        image.more = {
            $0.add(0x0028, 0x0120, us: 0xF830)
            $0.add(0x0028, 0x0121, us: 0xF831)
        }
        let volume = try #require(VolumeBuilder.volumes(of: [try image.source()]).volumes.first)
        let frame = try FrameDecoding().frame(volume.frames[0])
        #expect(frame.padding.prefix(4) == [true, true, false, false])
        #expect(frame.values[2] == -1998)
    }

    @Test(
        "a range of padding with much of the picture on its dark side, or up to tissue, is none",
        arguments: [
            // Without a range limit any value may be padding.
            ("MR", "MONOCHROME2", 40, nil, "none"), ("CT", "MONOCHROME2", 63, nil, "none"),
            ("MR", "MONOCHROME2", 0, 40, "none"), ("MR", "MONOCHROME2", 40, 63, "PIX-VALUES"),
            ("MR", "MONOCHROME2", 20, 30, "PIX-VALUES"), ("MR", "MONOCHROME2", 1000, 2000, "none"),
            ("MR", "MONOCHROME1", 63, 40, "none"), ("MR", "MONOCHROME1", 20, 0, "PIX-VALUES"),
            ("CT", "MONOCHROME2", 0, 40, "none"), ("CT", "MONOCHROME2", 0, 600, "PIX-VALUES"),
            ("CT", "MONOCHROME2", 700, 0, "PIX-VALUES"),
        ] as [(String, String, UInt16, UInt16?, String)])
    func paddingOfPicture(
        _ modality: String, _ photometric: String, _ value: UInt16, _ limit: UInt16?, _ expected: String
    ) throws {
        var image = TestImage(pixels: Self.words((0..<64).map { UInt16($0) }))
        (image.modality, image.photometric) = (modality, photometric)
        if modality == "MR" { image.sopClass = "1.2.840.10008.5.1.4.1.1.4" }
        image.more = {
            $0.add(0x0028, 0x0120, us: value)
            if let limit { $0.add(0x0028, 0x0121, us: limit) }
            $0.add(0x0028, 0x1052, "DS", text: modality == "CT" ? "-1024" : "0")
            $0.add(0x0028, 0x1053, "DS", text: "1")
        }
        #expect(try paddingCode(image) == expected)
    }

    /// What is thrown behind the first frame of an image.
    private func paddingCode(_ image: TestImage) throws -> String {
        let volume = try #require(VolumeBuilder.volumes(of: [try image.source()]).volumes.first)
        let decoding = FrameDecoding()
        _ = try decoding.frame(volume.frames[0])
        return code { try decoding.confirmPadding() }
    }

    @Test(
        "one value is no padding where it is tissue, or has much of the picture on its dark side, and is as frequent as its neighbours",
        arguments: [
            // 100 HU, as if Rescale Intercept had been forgotten; -1024 HU in the noise of air; no pixel of it.
            ("CT", 1124, 1, "PIX-VALUES"), ("CT", 1124, 9, "none"), ("CT", 0, 1, "none"), ("CT", 4000, 1, "none"),
            ("MR", 1124, 1, "PIX-VALUES"), ("MR", 1124, 9, "none"), ("MR", 8, 1, "none"), ("MR", 0, 1, "none"),
        ] as [(String, UInt16, Int, String)])
    func paddingOfOneValue(_ modality: String, _ value: UInt16, _ times: Int, _ expected: String) throws {
        // The values around each of 8, 200 and 1124, each as often: a row.
        let values = [8, 200, 1124].flatMap { middle in (0..<17).map { UInt16(middle - 8 + $0) } }
        var stored = (0..<100 * 51).map { values[$0 / 100] }
        // Pixels that were masked out have one value more often.
        for pixel in 0..<100 * (times - 1) { stored[pixel * 5] = value }
        var image = TestImage(rows: 51, columns: 100, pixels: Self.words(stored))
        image.modality = modality
        if modality == "MR" { image.sopClass = "1.2.840.10008.5.1.4.1.1.4" }
        image.hasScale = false
        image.more = {
            $0.add(0x0028, 0x0120, us: value)
            $0.add(0x0028, 0x1052, "DS", text: modality == "CT" ? "-1024" : "0")
            $0.add(0x0028, 0x1053, "DS", text: "1")
        }
        #expect(try paddingCode(image) == expected)
    }

    @Test("palettes give display colour, discrete or in segments")
    func palette() throws {
        func image(_ add: @escaping @Sendable (inout TestFile) -> Void) -> TestImage {
            var image = TestImage(
                photometric: "PALETTE COLOR", bits: (8, 8, 7), pixelVR: "OB", pixels: (0..<64).map { UInt8($0) })
            image.more = { file in
                for element in 0x1101...0x1103 { file.add(0x0028, UInt16(element), us: 4, 0, 16) }
                add(&file)
            }
            return image
        }
        let discrete = image { file in
            for element in 0x1201...0x1203 {
                file.add(0x0028, UInt16(element), "OW", Self.words([0x0000, 0x5500, 0xAA00, 0xFF00]))
            }
        }
        let segmented = image { file in
            // Discrete 0, then linear over three entries to 0xFF00.
            for element in 0x1221...0x1223 {
                file.add(0x0028, UInt16(element), "OW", Self.words([0, 1, 0, 1, 3, 0xFF00]))
            }
        }
        for image in [discrete, segmented] {
            let volume = try #require(VolumeBuilder.volumes(of: [try image.source()]).volumes.first)
            #expect(volume.samples == 3)
            let values = try FrameDecoding().frame(volume.frames[0]).values
            #expect(stride(from: 0, to: 15, by: 3).map { values[$0] } == [0, 85, 170, 255, 255])
        }
    }

    @Test(
        "palettes of another length than they say, unlike each other, or with no entry for any pixel are refused",
        arguments: [
            ([4, 0, 16], 8, 4, "none"), ([4, 0, 8], 8, 4, "none"), ([4, 0, 8], 4, 4, "none"),
            ([4, 0, 16], 4, 4, "none"),
            ([3, 0, 8], 4, 3, "none"), ([4, 0, 16], 6, 4, "PIX-PHOTOMETRIC"), ([4, 0, 16], 10, 4, "PIX-PHOTOMETRIC"),
            ([4, 0, 8], 6, 4, "PIX-PHOTOMETRIC"), ([4, 0, 16], 8, 3, "PIX-PHOTOMETRIC"),
            ([4, 255, 16], 8, 4, "none"), ([4, 256, 16], 8, 4, "PIX-PHOTOMETRIC"),
        ] as [([UInt16], Int, UInt16, String)])
    func paletteLengths(_ descriptor: [UInt16], _ bytes: Int, _ greenCount: UInt16, _ expected: String) throws {
        var image = TestImage(photometric: "PALETTE COLOR", bits: (8, 8, 7), pixelVR: "OB")
        image.more = { file in
            for element in 0x1101...0x1103 {
                let count = element == 0x1102 ? greenCount : descriptor[0]
                file.add(0x0028, UInt16(element), us: count, descriptor[1], descriptor[2])
            }
            for element in 0x1201...0x1203 {
                file.add(0x0028, UInt16(element), "OW", [UInt8](repeating: 9, count: bytes))
            }
        }
        let volume = try #require(VolumeBuilder.volumes(of: [try image.source()]).volumes.first)
        #expect(code { _ = try FrameDecoding().frame(volume.frames[0]) } == expected)
    }

    @Test(
        "a Modality LUT that is cut off, longer than it says, empty or there twice is refused",
        arguments: [
            (16, 3, 1, nil), (8, 3, 1, nil), (14, 3, 1, "PIX-VALUES"), (18, 3, 1, "PIX-VALUES"),
            (0, 3, 1, "PIX-VALUES"), (16, 2, 1, "PIX-VALUES"), (16, 3, 2, "PIX-VALUES"),
        ] as [(Int, Int, Int, String?)])
    func brokenTable(_ bytes: Int, _ descriptor: Int, _ items: Int, _ expected: String?) throws {
        var image = TestImage()
        image.more = { file in
            let item: (inout TestFile) -> Void = {
                $0.add(0x0028, 0x3002, "US", Array(Self.words([8, 0, 16]).prefix(2 * descriptor)))
                $0.add(0x0028, 0x3006, "OW", [UInt8](repeating: 1, count: bytes))
            }
            file.add(0x0028, 0x3000, items: [(inout TestFile) -> Void](repeating: item, count: items))
        }
        let result = VolumeBuilder.volumes(of: [try image.source()])
        #expect(result.leftOut.first?.failure.code == expected && result.volumes.isEmpty == (expected != nil))
    }

    /// Decodes the first frame; what a person has to look at.
    @Test(
        "what cannot be decoded is refused with its code",
        arguments: [
            (TestImage(rows: 0), "PIX-SIZE"), (TestImage(rows: 60000, columns: 60000), "IN-LIMIT"),
            (TestImage(frames: 50000), "IN-LIMIT"), (TestImage(bits: (12, 12, 11)), "PIX-BITS"),
            (TestImage(bits: (16, 24, 23)), "PIX-BITS"),
            (TestImage(samples: 4, photometric: "CMYK", bits: (8, 8, 7)), "PIX-PHOTOMETRIC"),
            (TestImage(samples: 3), "PIX-PHOTOMETRIC"),
            (TestImage(sopClass: "1.2.840.10008.5.1.4.1.1.88.11"), "IN-NOTIMAGE"),
            (TestImage(imageType: "ORIGINAL\\PRIMARY\\LOCALIZER"), "IN-LOCALIZER"),
            (TestImage(imageType: "ORIGINAL\\PRIMARY\\M\\MOSAIC"), "IN-MOSAIC"),
            (TestImage(instance: "../../etc"), "IN-CORRUPT"),
        ])
    func refusals(_ image: TestImage, _ expected: String) {
        var image = image
        image.pixels = [0, 0]
        #expect(code { _ = try image.source() } == expected)
    }

    @Test("our own results are known again")
    func own() {
        var file = TestFile()
        file.add(0x0008, 0x0014, "UI", text: InstanceCreator.results)
        file.add(0x0008, 0x0016, "UI", text: "1.2.840.10008.5.1.4.1.1.7")
        #expect(code { _ = try SourceInstance(try DICOMFile(bytes: file.bytes)) } == "IN-OWN")
    }
}
