import DICOM
import Imaging
import Testing

@Suite("pixels")
struct PixelTests {
    private static func words(_ values: [UInt16]) -> [UInt8] { values.flatMap { TestFile.little($0) } }

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
    private static func warnings(_ image: TestImage) throws -> [String] {
        let volume = try #require(VolumeBuilder.volumes(of: [try image.source()]).volumes.first)
        let decoding = FrameDecoding()
        _ = try decoding.frame(volume.frames[0])
        return decoding.findings.filter { $0.severity == .warning }.map(\.text)
    }

    /// The same of a file's bytes.
    private static func warnings(_ bytes: [UInt8]) throws -> [String] {
        let source = try SourceInstance(try DICOMFile(bytes: bytes))
        let volume = try #require(VolumeBuilder.volumes(of: [source]).volumes.first)
        let decoding = FrameDecoding()
        _ = try decoding.frame(volume.frames[0])
        return decoding.findings.filter { $0.severity == .warning }.map(\.text)
    }

    @Test("bytes behind the data set that are no padding ask a person, in deflated files too")
    func bytesBehind() throws {
        let other = TestImage(instance: "1.2.3.2").bytes
        for syntax in [TestFile.Syntax.explicitLittle, .implicitLittle, .explicitBig, .deflated] {
            let file = TestImage(syntax: syntax).bytes
            for zeros in [0, 1, 7, 600] {
                #expect(try Self.warnings(file + [UInt8](repeating: 0, count: zeros)).isEmpty, "\(syntax) \(zeros)")
            }
            for more in [[1, 2, 3], [UInt8](repeating: 0, count: 99) + [1], other] {
                #expect(try Self.warnings(file + more).count == 1, "\(syntax) \(more.count)")
            }
        }
    }

    @Test("grey pixels that a Supplemental Palette shows in colour ask a person, where Pixel Presentation says so")
    func supplementalPalette() throws {
        for (presentation, first, count) in [
            ("COLOR", 7, 1), ("MIXED", 7, 1), ("COLOR", 8, 0), ("MONOCHROME", 0, 0), (nil, 0, 0),
        ] as [(String?, UInt16, Int)] {
            var image = TestImage(pixels: Self.words([UInt16](repeating: 7, count: 64)))
            image.more = {
                if let presentation { $0.add(0x0008, 0x9205, "CS", text: presentation) }
                for element in 0x1101...0x1103 { $0.add(0x0028, UInt16(element), us: 100, first, 16) }
            }
            #expect(try Self.warnings(image).count == count, "\(presentation ?? "") \(first)")
        }
    }

    @Test("a colour profile that is damaged, cut off or of other colours than the picture asks a person")
    func profiles() throws {
        func profile(_ space: String, size: UInt8 = 128, mark: String = "acsp") -> [UInt8] {
            var bytes = [UInt8](repeating: 0, count: 128)
            bytes[3] = size
            bytes.replaceSubrange(16..<20, with: space.utf8)
            bytes.replaceSubrange(36..<40, with: mark.utf8)
            return bytes
        }
        let cases: [(profile: [UInt8], count: Int)] = [
            ([], 0), (profile("RGB "), 0), (profile("RGB ") + [0, 0], 0), (profile("GRAY"), 1), (profile("CMYK"), 1),
            (profile("RGB ", size: 200), 1), (profile("RGB ", mark: "none"), 1), ([1, 2, 3, 4], 1),
        ]
        for (index, (profile, count)) in cases.enumerated() {
            for isColour in [true, false] {
                var image = TestImage(
                    sopClass: "1.2.840.10008.5.1.4.1.1.7", modality: "OT", samples: isColour ? 3 : 1,
                    photometric: isColour ? "RGB" : "MONOCHROME2", planar: isColour ? 0 : nil, bits: (8, 8, 7),
                    pixelVR: "OB")
                image.more = { $0.add(0x0028, 0x2000, "OB", profile) }
                #expect(try Self.warnings(image).count == (isColour ? count : 0), "\(index) \(isColour)")
            }
        }
    }

    /// Colours of 32 × 40 pixels, by pixel: a grey or coloured picture that changes in both directions.
    private static func picture(isGrey: Bool) -> [UInt8] {
        (0..<32 * 40).flatMap { index in
            let (row, column) = (index / 40, index % 40)
            let level = UInt8((row * 6 + column * 2 + (row / 8 + column / 8) % 2 * 40) % 256)
            return isGrey ? [level, level, level] : [level, level / 2, 20 + level / 3]
        }
    }

    @Test("samples that are no colours of their model, or stand in another order than the tags say, are refused")
    func colourEvidence() throws {
        func outcome(_ pixels: [UInt8], _ photometric: String, planar: UInt16) throws -> String {
            let image = TestImage(
                rows: 32, columns: 40, samples: 3, photometric: photometric, planar: planar, bits: (8, 8, 7),
                pixelVR: "OB", pixels: pixels)
            return code { _ = try Self.warnings(image) }
        }
        func planes(_ pixels: [UInt8]) -> [UInt8] {
            (0..<3).flatMap { plane in stride(from: plane, to: pixels.count, by: 3).map { pixels[$0] } }
        }
        let (grey, coloured) = (Self.picture(isGrey: true), Self.picture(isGrey: false))
        let greyYCbCr: [UInt8] = stride(from: 0, to: grey.count, by: 3).flatMap { [grey[$0], 128, 128] }
        for (pixels, model) in [(grey, "RGB"), (coloured, "RGB"), (greyYCbCr, "YBR_FULL")] {
            #expect(try outcome(pixels, model, planar: 0) == "none")
            #expect(try outcome(planes(pixels), model, planar: 1) == "none")
            #expect(try outcome(pixels, model, planar: 1) == "PIX-PHOTOMETRIC")
        }
        #expect(try outcome(planes(grey), "RGB", planar: 0) == "PIX-PHOTOMETRIC")
        #expect(try outcome(grey, "YBR_FULL", planar: 0) == "PIX-PHOTOMETRIC")
        #expect(try outcome(greyYCbCr, "RGB", planar: 0) == "PIX-PHOTOMETRIC")
    }

    @Test("colours of 16 bits of which none is more than one of 8 ask a person")
    func darkColours() throws {
        for (factor, count) in [(UInt16(1), 1), (257, 0)] {
            let pixels = Self.picture(isGrey: false).map { UInt16($0) * factor }
            let image = TestImage(
                rows: 32, columns: 40, samples: 3, photometric: "RGB", planar: 0, pixels: Self.words(pixels))
            #expect(try Self.warnings(image).count == count)
        }
    }

    @Test(
        "a Presentation LUT Shape that says otherwise than the Photometric Interpretation asks a person",
        arguments: [
            ("MR", "MONOCHROME1", "INVERSE", 0), ("MR", "MONOCHROME2", "IDENTITY", 0),
            ("MR", "MONOCHROME1", "IDENTITY", 1), ("MR", "MONOCHROME2", "INVERSE", 1),
            ("CT", "MONOCHROME2", "INVERSE", 0),
            // Devices that write IDENTITY into everything are known.
            ("CR", "MONOCHROME1", "IDENTITY", 0), ("DX", "MONOCHROME1", "IDENTITY", 0),
            ("DX", "MONOCHROME2", "INVERSE", 1), ("DX", "MONOCHROME1", "INVERSE", 0),
        ])
    func presentation(_ modality: String, _ photometric: String, _ shape: String, _ count: Int) throws {
        var image = TestImage(modality: modality, photometric: photometric)
        let classes = ["MR": "4", "CR": "1", "DX": "1.1"]
        if let part = classes[modality] { image.sopClass = "1.2.840.10008.5.1.4.1.1.\(part)" }
        image.hasScale = false
        image.more = { $0.add(0x2050, 0x0020, "CS", text: shape) }
        #expect(try Self.warnings(image).count == count)
    }

    @Test("values that a wrong Pixel Representation tears apart ask a person; those of a window or of markers do not")
    func tornValues() throws {
        func count(_ value: (Int) -> Int, isSigned: Bool = false) throws -> Int {
            var image = TestImage(rows: 32, columns: 40, isSigned: isSigned)
            image.pixels = Self.words((0..<32 * 40).map { UInt16(truncatingIfNeeded: value($0)) })
            return try Self.warnings(image).count
        }
        // From -1000 to 279, and the same moved up to be positive.
        #expect(try count { $0 - 1000 } == 1)
        #expect(try count({ $0 - 1000 }, isSigned: true) == 0)
        #expect(try count { $0 } == 0)
        #expect(try count({ $0 + 32_000 }, isSigned: true) == 1)
        #expect(try count { $0 + 32_000 } == 0)
        // Dark pixels and white letters.
        #expect(try count { $0 % 5 == 0 ? 65_535 : $0 } == 0)
    }

    @Test("values whose bytes stand the other way round are refused; noise, and values of 8 bits, are not")
    func byteOrder() throws {
        func outcome(_ value: (Int, Int) -> UInt16, isSigned: Bool = false) throws -> String {
            var image = TestImage(rows: 32, columns: 40, isSigned: isSigned)
            image.pixels = Self.words((0..<32 * 40).map { value($0 / 40, $0 % 40) })
            return code { _ = try Self.warnings(image) }
        }
        func smooth(_ row: Int, _ column: Int) -> UInt16 { UInt16(1000 + row * 37 + column * 53) }
        func noise(_ row: Int, _ column: Int) -> UInt16 {
            UInt16(truncatingIfNeeded: (row * 40 + column + 1) &* 2_654_435_761 >> 9)
        }
        for isSigned in [false, true] {
            #expect(try outcome(smooth, isSigned: isSigned) == "none")
            #expect(try outcome({ smooth($0, $1).byteSwapped }, isSigned: isSigned) == "PIX-BITS")
            #expect(try outcome(noise, isSigned: isSigned) == "none")
        }
        #expect(try outcome { smooth($0, $1) / 32 } == "none")
        #expect(try outcome { smooth($0, $1) / 32 * 256 } == "none")
        #expect(try outcome { _, _ in 300 } == "none")
    }

    @Test("what samples say against the tags is looked for in some frames of an object: the first, second, fourth …")
    func framesLookedAt() throws {
        func outcome(swapped: Int) throws -> String {
            var image = TestImage(sopClass: "1.2.840.10008.5.1.4.1.1.3.1", modality: "US", frames: 9)
            (image.rows, image.columns, image.position) = (32, 40, nil)
            image.pixels = Self.words(
                (0..<9 * 32 * 40).map { index in
                    let (row, column) = (index / 40 % 32, index % 40)
                    let value = UInt16(1000 + row * 37 + column * 53)
                    return index / (32 * 40) + 1 == swapped ? value.byteSwapped : value
                })
            let volume = try #require(VolumeBuilder.volumes(of: [try image.source()]).volumes.first)
            let decoding = FrameDecoding()
            return code { for frame in volume.frames { _ = try decoding.frame(frame) } }
        }
        #expect(try (1...9).map(outcome) == (1...9).map { [1, 2, 4, 8].contains($0) ? "PIX-BITS" : "none" })
    }

    @Test("floating point values that are no numbers are padding, and ask a person where the object does not say so")
    func noNumbers() throws {
        func warnings(_ value: Float, padding: Float? = nil) throws -> Int {
            var image = TestImage(pixels: [])
            image.hasScale = false
            image.more = { file in
                if let padding { file.add(0x0028, 0x0122, "FL", TestFile.little(padding.bitPattern)) }
                let values = (0..<64).map { $0 == 9 ? value : Float($0) }
                file.add(0x7FE0, 0x0008, "OF", values.flatMap { TestFile.little($0.bitPattern) })
            }
            return try Self.warnings(image).count
        }
        #expect(try warnings(7) == 0)
        for value in [Float.nan, .infinity, 3e38] {
            #expect(try warnings(value) == 1)
            #expect(try warnings(value, padding: value) == 0)
        }
    }

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
