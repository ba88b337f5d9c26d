import DICOM
import Imaging
import Testing

// What is odd about an object, or what its samples say against its tags.

extension PixelTests {
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
        // A photograph in colour, whose luminance is finer than its colours; a red one, and one drawn.
        func photograph(_ colour: (Int, Int) -> [UInt8]) -> [UInt8] {
            (0..<32 * 40).flatMap { colour($0 * 29 % 97, $0 / 40) }
        }
        let skin = photograph { [UInt8(120 + $0 / 2), UInt8(108 + $1 / 4), UInt8(150 - $1 / 4)] }
        #expect(try outcome(skin, "YBR_FULL", planar: 0) == "none")
        #expect(try outcome(skin, "RGB", planar: 0) == "PIX-PHOTOMETRIC")
        let others: [(Int, Int) -> [UInt8]] = [
            { level, row in [UInt8(120 + level / 2), UInt8(100 + level / 4), UInt8(140 + row / 4)] },
            { level, row in [UInt8(120 + level / 2), UInt8(row), UInt8(row)] },
            { _, row in [UInt8(row / 8 * 60), 130, 140] },
        ]
        for other in others { #expect(try outcome(photograph(other), "RGB", planar: 0) == "none") }
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

    @Test("a picture of which Rows and Columns are exchanged is refused; squares, noise and stripes are not")
    func exchangedSides() throws {
        func outcome(_ rows: Int, _ columns: Int, _ value: (Int) -> UInt16) throws -> String {
            var image = TestImage(rows: UInt16(rows), columns: UInt16(columns))
            image.pixels = Self.words((0..<rows * columns).map(value))
            return code { _ = try Self.warnings(image) }
        }
        /// A bright oval in a picture that is so many pixels wide.
        func oval(_ index: Int, _ width: Int, _ height: Int) -> UInt16 {
            let (y, x) = (Double(index / width) / Double(height) - 0.5, Double(index % width) / Double(width) - 0.5)
            return UInt16(max(0, 1200 - 4000 * (x * x + y * y)))
        }
        for (rows, columns) in [(48, 64), (64, 48), (100, 90)] {
            #expect(try outcome(rows, columns) { oval($0, columns, rows) } == "none")
            #expect(try outcome(rows, columns) { oval($0, rows, columns) } == "PIX-SIZE")
            #expect(try outcome(rows, columns) { _ in 300 } == "none")
            #expect(try outcome(rows, columns) { UInt16($0 / columns % 2 * 500) } == "none")
        }
        #expect(try outcome(64, 64) { oval($0, 64, 64) } == "none")
        // Colours, by pixel or by plane.
        for planar in [UInt16(0), 1] {
            for (width, expected) in [(64, "none"), (48, "PIX-SIZE")] {
                let count = 48 * 64
                let pixels = (0..<3 * count).map { index in
                    let (pixel, sample) = planar == 1 ? (index % count, index / count) : (index / 3, index % 3)
                    return UInt8(oval(pixel, width, count / width) / 8 + UInt16(sample * 40))
                }
                let image = TestImage(
                    sopClass: "1.2.840.10008.5.1.4.1.1.7", modality: "OT", rows: 48, columns: 64, samples: 3,
                    photometric: "RGB", planar: planar, bits: (8, 8, 7), pixelVR: "OB", pixels: pixels)
                #expect(code { _ = try Self.warnings(image) } == expected)
            }
        }
    }

    @Test("frames that are to be shown as their difference from a mask ask a person")
    func subtraction() throws {
        for (mode, count) in [("SUB", 1), ("NAT", 0), ("", 0)] {
            var image = TestImage(sopClass: "1.2.840.10008.5.1.4.1.1.12.1", modality: "XA", position: nil, frames: 2)
            image.more = { $0.add(0x0028, 0x1090, "CS", text: mode) }
            #expect(try Self.warnings(image).count == count)
        }
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
}
