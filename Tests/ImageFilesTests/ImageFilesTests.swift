import Failures
import Foundation
import ImageFiles
import Imaging
import Mutations
import Storage
import Testing

/// A file in a folder of its own, gone with the test.
private func temporary(_ bytes: [UInt8], _ name: String = "image") throws -> (path: String, remove: () -> Void) {
    let folder = FileManager.default.temporaryDirectory.appendingPathComponent("imagefiles-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    let file = folder.appendingPathComponent(name)
    try Data(bytes).write(to: file)
    return (file.path, { try? FileManager.default.removeItem(at: folder) })
}

private func read(_ bytes: [UInt8]) throws -> [RasterPage] {
    let file = try temporary(bytes)
    defer { file.remove() }
    return try ImageFile.read(file.path)
}

private func bigEndian(_ value: UInt32) -> [UInt8] { (0..<4).map { UInt8(truncatingIfNeeded: value >> (24 - 8 * $0)) } }

/// A chunk of a PNG with its checksum.
private func chunk(_ name: String, _ data: [UInt8]) -> [UInt8] {
    let body = Array(name.utf8) + data
    var sum = UInt32.max
    for byte in body {
        sum ^= UInt32(byte)
        for _ in 0..<8 { sum = sum & 1 == 1 ? sum >> 1 ^ 0xEDB8_8320 : sum >> 1 }
    }
    return bigEndian(UInt32(data.count)) + body + bigEndian(~sum)
}

private func ramp(rows: Int, columns: Int, samples: Int, bits: Int) -> RasterPage {
    let top = (1 << bits) - 1
    let count = rows * columns * samples
    return RasterPage(
        rows: rows, columns: columns, samples: samples, bits: bits,
        values: (0..<count).map { UInt16($0 * 7919 % (top + 1)) })
}

@Suite("Image files")
struct ImageFilesTests {
    @Test("PNG and TIFF give back what was written", arguments: [1, 3], [8, 16])
    func roundTrip(samples: Int, bits: Int) throws {
        var page = ramp(rows: 13, columns: 61, samples: samples, bits: bits)
        page.spacing = PixelSpacing(row: 0.5, column: 0.25)
        for bytes in [try ImageFile.png(page), try ImageFile.tiff([page])] {
            let back = try #require(try read(bytes).first)
            #expect(back.values == page.values)
            #expect(back.rows == 13 && back.columns == 61 && back.samples == samples && back.bits == bits)
            #expect(abs((back.spacing?.row ?? 0) - 0.5) < 1e-6)
            #expect(abs((back.spacing?.column ?? 0) - 0.25) < 1e-6)
        }
    }

    @Test("the pages of a TIFF come in order")
    func pages() throws {
        let pages = (1...3).map { ramp(rows: $0, columns: 5, samples: 1, bits: 8) }
        #expect(try read(try ImageFile.tiff(pages)) == pages)
    }

    @Test("a picture that ends early is refused as incomplete")
    func truncated() throws {
        let page = ramp(rows: 64, columns: 64, samples: 3, bits: 8)
        let png = try ImageFile.png(page)
        #expect { try read(Array(png.prefix(png.count / 2))) } throws: {
            ($0 as? ImageFilesFailure)?.code == "PIX-TRUNCATED"
        }
        let empty = try temporary([])
        defer { empty.remove() }
        #expect { try ImageFile.read(empty.path) } throws: {
            guard let failure = $0 as? ImageFilesFailure else { return false }
            return failure.code == "IN-NOTIMAGE" && failure.message.subject == empty.path
                && !failure.message.withoutSubject.contains(empty.path)
        }
    }

    @Test("what is no regular file is said to be unreadable, not waited for")
    func folder() {
        #expect { try ImageFile.read("/") } throws: { ($0 as? ImageFilesFailure)?.code == "IN-IO" }
        #expect { try ImageFile.read("/no/such/file") } throws: { ($0 as? ImageFilesFailure)?.code == "IN-IO" }
    }

    @Test(
        "a TIFF is read through its descriptor: cut meanwhile it is a refusal, replaced it is still the one that was opened"
    )
    func descriptor() throws {
        func only(_ file: TIFFFile) throws(ImageFilesFailure) -> RasterPage {
            let picture = try file.contents().pictures[0]
            return try file.page(picture.planes[0], of: picture, survey: SampleSurvey())
        }
        let page = ramp(rows: 600, columns: 61, samples: 1, bits: 8)
        let file = try temporary(try ImageFile.tiff([page]))
        defer { file.remove() }
        let replaced = try TIFFFile(try InputFile(file.path))
        try DurableFile.write(try ImageFile.tiff([ramp(rows: 2, columns: 2, samples: 1, bits: 8)]), to: file.path)
        #expect(try only(replaced).values == page.values)
        #expect(throws: StorageFailure.self) { try replaced.file.checkUnchanged() }

        try DurableFile.write(try ImageFile.tiff([page]), to: file.path)
        let cut = try TIFFFile(try InputFile(file.path))
        truncate(file.path, 4000)
        let failure = #expect(throws: ImageFilesFailure.self) { try only(cut) }
        #expect(failure?.code == "IN-CHANGED")
    }

    @Test("a picture larger than the limit is refused before its pixels are made room for, and not told as damaged")
    func limit() throws {
        let page = ramp(rows: 40, columns: 40, samples: 1, bits: 8)
        for bytes in [try ImageFile.tiff([page]), try ImageFile.png(page)] {
            let file = try temporary(bytes)
            defer { file.remove() }
            for limits in [ImageLimits(maxSamples: 1599), ImageLimits(maxSide: 39)] {
                #expect { try ImageFile.read(file.path, limits: limits) } throws: {
                    ($0 as? ImageFilesFailure)?.code == "IN-LIMIT"
                }
            }
        }
    }

    @Test(
        "a PNG with another one behind it, or that is an animation, says that one picture is read; a plain one says nothing"
    )
    func furtherPictures() throws {
        let png = try ImageFile.png(ramp(rows: 4, columns: 5, samples: 1, bits: 8))
        // Behind the header's 33 bytes.
        func animation(_ frames: UInt8) -> [UInt8] {
            png.prefix(33) + chunk("acTL", [0, 0, 0, frames, 0, 0, 0, 0]) + png.dropFirst(33)
        }
        for (bytes, isTold) in [
            (png, false), (png + png, true), (png + [0, 0, 1, 2], false), (animation(1), false), (animation(3), true),
        ] {
            let findings = try #require(try read(bytes).first).findings
            #expect(findings.contains { $0.kind == .pages && $0.isWarning } == isTold)
        }
    }

    @Test("a PNG's indices are those of its palette: others are damage, in masks too")
    func paletteIndices() throws {
        func png(_ indices: [UInt8]) throws -> [UInt8] {
            // One row without a filter, in a stored block of zlib (RFC 1950 and 1951).
            let row = [0] + indices, length = UInt8(row.count)
            var (a, b) = (UInt32(1), UInt32(0))
            for byte in row { (a, b) = (a + UInt32(byte), b + a + UInt32(byte)) }
            let data = [0x78, 1, 1, length, 0, ~length, 255] + row + bigEndian(b << 16 | a)
            return [0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A]
                + chunk("IHDR", [0, 0, 0, UInt8(indices.count), 0, 0, 0, 1, 8, 3, 0, 0, 0])
                + chunk("PLTE", [10, 20, 30, 40, 50, 60]) + chunk("IDAT", data) + chunk("IEND", [])
        }
        #expect(try read(try png([0, 1, 0])).first?.values == [10, 20, 30, 40, 50, 60, 10, 20, 30])
        let mask = try temporary(try png([0, 1, 0]))
        defer { mask.remove() }
        #expect(try ImageFile.readStored(mask.path).first?.values == [0, 1, 0])
        let wrong = try temporary(try png([0, 1, 2]))
        defer { wrong.remove() }
        for read in [{ try ImageFile.read($0) }, { try ImageFile.readStored($0) }] as [(String) throws -> [RasterPage]]
        {
            #expect { try read(wrong.path) } throws: { ($0 as? ImageFilesFailure)?.code == "IN-CORRUPT" }
        }
    }

    @Test(
        "an EXIF orientation is obeyed as SHORT, BYTE and LONG; damaged ones, unknown ones and two that differ turn nothing and are told"
    )
    func orientations() throws {
        let png = try ImageFile.png(ramp(rows: 4, columns: 5, samples: 1, bits: 8))
        func exif(_ value: UInt8, type: UInt8 = 3) -> [UInt8] {
            // Big endian: header, a directory of one entry; the value stands at the end of its bytes.
            let width = type == 1 ? 1 : type == 4 ? 4 : 2
            let field = [UInt8](repeating: 0, count: width - 1) + [value] + [UInt8](repeating: 0, count: 4 - width)
            return chunk(
                "eXIf",
                [0x4D, 0x4D, 0, 42, 0, 0, 0, 8, 0, 1, 1, 0x12, 0, type, 0, 0, 0, 1] + field + [0, 0, 0, 0])
        }
        var broken = exif(6)
        broken[broken.count - 1] ^= 1
        let cases: [(blocks: [UInt8], isTurned: Bool, isTold: Bool)] = [
            (exif(6), true, false), (exif(6, type: 1), true, false), (exif(6, type: 4), true, false),
            (exif(1), false, false), (exif(0), false, false), (exif(6) + exif(6), true, false),
            (exif(9), false, true), (exif(6, type: 2), false, true), (exif(6) + exif(8), false, true),
            (broken, false, true),
        ]
        for (index, (blocks, isTurned, isTold)) in cases.enumerated() {
            let page = try #require(try read(png.prefix(33) + blocks + png.dropFirst(33)).first)
            #expect((page.rows == 5) == isTurned, "\(index)")
            #expect(page.findings.contains { $0.kind == .picture && $0.isWarning } == isTold, "\(index)")
        }
    }

    @Test("an Orientation that TIFF does not know turns nothing and is told; 0 is that of programs that do not know it")
    func unknownOrientation() throws {
        let all = [([0], false), ([1], false), ([3], false), ([9], true), ([65_535], true), ([3, 3], true)]
        for (orientation, isTold) in all {
            var page = RawTIFF.Page(rows: 4, columns: 6, data: (0..<24).map { UInt8($0) })
            page.numbers = [(274, orientation)]
            let read = try #require(try read(RawTIFF([page]).bytes).first)
            #expect(read.values.first == (orientation == [3] ? 23 : 0))
            #expect(read.findings.contains { $0.kind == .picture && $0.isWarning } == isTold, "\(orientation)")
        }
    }

    @Test("samples of RGB under the Photometric Interpretation of YCbCr are refused; those of YCbCr are shown as RGB")
    func samplesOfRGB() throws {
        func file(_ pixel: (UInt8) -> [UInt8], sampling: Int = 1) -> [UInt8] {
            var page = RawTIFF.Page(rows: 32, columns: 40)
            (page.samples, page.photometric) = (3, 6)
            page.numbers = [(530, [sampling, 1])]
            page.data = (0..<32 * 40 / sampling).flatMap { pixel(UInt8($0 % 251)) }
            return RawTIFF([page]).bytes
        }
        #expect(code(file { [$0, $0, $0] }) == "PIX-PHOTOMETRIC")
        #expect(code(file { _ in [255, 255, 255] }) == "PIX-PHOTOMETRIC")
        #expect(try read(file { [$0, 128, 128] }).first?.values.prefix(9) == [0, 0, 0, 1, 1, 1, 2, 2, 2])
        // Strong colours, at the ends of their range.
        #expect(code(file { [76, 85, $0 > 100 ? 255 : 128] }) == nil)
        #expect(code(file({ [$0, $0, 128, 128] }, sampling: 2)) == nil)
        #expect(code(file({ [$0, $0, $0, $0] }, sampling: 2)) == "PIX-PHOTOMETRIC")
    }

    @Test("samples beside the colours that are not the same everywhere are told with a warning, in TIFF and in PNG")
    func extraSamples() throws {
        func warnings(_ bytes: [UInt8]) throws -> [RasterFinding] {
            try #require(try read(bytes).first).findings.filter { $0.kind == .picture && $0.isWarning }
        }
        for kind in 0...2 {
            for (samples, photometric) in [(4, 2), (2, 1)] where samples == 4 || kind > 0 {
                for (isEven, count) in [(true, 0), (false, 1)] {
                    var page = RawTIFF.Page(rows: 4, columns: 6)
                    (page.samples, page.photometric, page.extraSamples) = (samples, photometric, [kind])
                    page.data = (0..<24).flatMap { pixel in
                        [UInt8](repeating: 90, count: samples - 1) + [isEven || pixel < 20 ? 255 : 0]
                    }
                    #expect(try warnings(RawTIFF([page]).bytes).count == count, "\(kind) \(samples) \(isEven)")
                }
            }
        }
        func png(type: UInt8, depth: UInt8 = 8, _ row: [UInt8], _ chunks: [UInt8] = []) -> [UInt8] {
            [0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A]
                + chunk("IHDR", [0, 0, 0, 2, 0, 0, 0, 1, depth, type, 0, 0, 0]) + chunks
                + chunk("IDAT", zlib([[0] + row])) + chunk("IEND", [])
        }
        let palette = chunk("PLTE", [10, 20, 30, 40, 50, 60])
        let cases: [(png: [UInt8], values: [UInt16], count: Int)] = [
            (png(type: 6, [1, 2, 3, 255, 4, 5, 6, 255]), [1, 2, 3, 4, 5, 6], 0),
            (png(type: 6, [1, 2, 3, 255, 4, 5, 6, 254]), [1, 2, 3, 4, 5, 6], 1),
            (png(type: 4, [7, 255, 8, 0]), [7, 8], 1),
            (png(type: 4, depth: 16, [1, 0, 9, 9, 2, 0, 9, 8]), [256, 512], 1),
            (png(type: 0, [7, 8], chunk("tRNS", [0, 8])), [7, 8], 1),
            (png(type: 0, [7, 8], chunk("tRNS", [0, 9])), [7, 8], 0),
            (png(type: 0, depth: 4, [0x78], chunk("tRNS", [0, 8])), [119, 136], 1),
            (png(type: 3, [0, 1], palette + chunk("tRNS", [255, 0])), [10, 20, 30, 40, 50, 60], 1),
            (png(type: 3, [0, 1], palette + chunk("tRNS", [255])), [10, 20, 30, 40, 50, 60], 0),
        ]
        for (index, (png, values, count)) in cases.enumerated() {
            #expect(try read(png).first?.values == values, "\(index)")
            #expect(try warnings(png).count == count, "\(index)")
        }
    }

    @Test("a JPEG behind the end of a first one is told with a warning, but for those that it has an index of")
    func furtherJPEGs() throws {
        let good = try jpeg("grey")
        let index: [UInt8] = [0xFF, 0xE2, 0, 8, 0x4D, 0x50, 0x46, 0, 0, 0]
        for (bytes, isWarning) in [
            (good, nil), (good + good, true), (good.prefix(2) + index + good.dropFirst(2) + good, false),
        ] as [([UInt8], Bool?)] {
            let findings = try #require(try read(bytes).first).findings
            #expect(findings.first { $0.kind == .pages }?.isWarning == isWarning)
        }
    }

    @Test("a colour profile that is damaged or of other colours than the picture is told, in TIFF, PNG and JPEG")
    func profiles() throws {
        func profile(_ space: String, mark: String = "acsp") -> [UInt8] {
            var bytes = [UInt8](repeating: 0, count: 128)
            bytes[3] = 128
            bytes.replaceSubrange(16..<20, with: space.utf8)
            bytes.replaceSubrange(36..<40, with: mark.utf8)
            return bytes
        }
        let picture = try ImageFile.png(ramp(rows: 4, columns: 5, samples: 3, bits: 8))
        let photograph = try jpeg("rgb")
        for (profile, isTold) in [
            (profile("RGB "), false), (profile("CMYK"), true), (profile("RGB ", mark: "none"), true),
        ] {
            var page = RawTIFF.Page(rows: 4, columns: 6, data: (0..<72).map { UInt8($0) })
            (page.samples, page.photometric, page.raw) = (3, 2, [(34675, 7, profile)])
            let block = chunk("iCCP", Array("p".utf8) + [0, 0] + zlib([profile]))
            let size = UInt8(profile.count + 16)
            let segment: [UInt8] = [0xFF, 0xE2, 0, size] + Array("ICC_PROFILE".utf8) + [0, 1, 1] + profile
            for file in [
                RawTIFF([page]).bytes, picture.prefix(33) + block + picture.dropFirst(33),
                photograph.prefix(2) + segment + photograph.dropFirst(2),
            ] {
                let findings = try #require(try read(file).first).findings
                #expect(findings.contains { $0.kind == .picture && $0.isWarning } == isTold)
            }
        }
    }

    /// A JPEG of 20 × 24 pixels.
    private func jpeg(_ name: String) throws -> [UInt8] {
        Array(try Data(contentsOf: URL(fileURLWithPath: "Tests/Fuzz/Seeds/jpeg-picture/" + name)))
    }

    private func code(_ bytes: [UInt8]) -> String? {
        do { _ = try read(bytes) } catch { return (error as? ImageFilesFailure)?.code }
        return nil
    }

    /// Where a marker stands for the last time.
    private func last(_ marker: UInt8, _ bytes: [UInt8]) throws -> Int {
        try #require(bytes.indices.dropLast().last { bytes[$0] == 0xFF && bytes[$0 + 1] == marker })
    }

    private static let end: [UInt8] = [0xFF, 0xD9]

    @Test(
        "damage that a JPEG decoder paints over is refused, in files and in strips of TIFFs; padding and unknown revisions are read",
        arguments: [
            ("whole", nil), ("padding", nil), ("ones", nil), ("revision", nil), ("filled header", nil),
            ("parameters", nil), ("junk", "IN-CORRUPT"), ("cut", "PIX-TRUNCATED"),
            ("parameters and junk", "IN-CORRUPT"),
            ("parameters and cut", "PIX-TRUNCATED"), ("filled header and junk", "IN-CORRUPT"),
        ] as [(String, String?)])
    func jpegDamage(_ kind: String, _ expected: String?) throws {
        let good = try jpeg("grey")
        let junk = (1...40).map { UInt8($0) } + Self.end
        // Se, the last but one byte of the scan's header: baseline decoders warn of it and go on.
        var parameters = good
        parameters[try last(0xDA, good) + 8] = 0
        let filled: [UInt8] = good.prefix(20) + [1, 2, 3, 4, 5, 6, 7, 8] + good.dropFirst(20)
        var bytes = good
        switch kind {
        case "parameters": bytes = parameters
        case "parameters and junk": bytes = parameters.dropLast(2) + junk
        case "parameters and cut": bytes = parameters.prefix(386) + Self.end
        case "filled header and junk": bytes = filled.dropLast(2) + junk
        case "padding": bytes = good.dropLast(2) + [UInt8](repeating: 0, count: 20) + Self.end
        case "ones": bytes = good.dropLast(2) + (0..<20).flatMap { _ in [0xFF, 0] as [UInt8] } + Self.end
        case "revision": bytes[11] = 9
        case "filled header": bytes = filled
        case "junk": bytes = good.dropLast(2) + junk
        case "cut": bytes = good.prefix(386) + Self.end
        default: break
        }
        #expect(code(bytes) == expected)
        if expected == nil { #expect(try read(bytes).first?.values == read(good).first?.values) }
        var page = RawTIFF.Page(rows: 20, columns: 24, data: bytes)
        page.compression = 7
        #expect(code(RawTIFF([page]).bytes) == expected)
    }

    @Test("a PNG with more rows than it says, or a scale that is damaged or stands there twice, is refused")
    func pngContradictions() throws {
        let png = try ImageFile.png(ramp(rows: 4, columns: 5, samples: 1, bits: 8))
        func scale(_ perMetre: UInt32) -> [UInt8] { chunk("pHYs", bigEndian(perMetre) + bigEndian(perMetre) + [1]) }
        func file(_ more: [UInt8]) -> [UInt8] { png.prefix(33) + more + png.dropFirst(33) }
        let spacing = try #require(try read(file(scale(400_000))).first).spacing
        #expect(abs((spacing?.row ?? 0) - 0.0025) < 1e-9)
        var damaged = scale(400_000)
        damaged[damaged.count - 1] ^= 1
        let shorter: [UInt8] =
            png.prefix(8) + chunk("IHDR", [0, 0, 0, 5, 0, 0, 0, 3, 8, 0, 0, 0, 0]) + png.dropFirst(33)
        for wrong in [file(damaged), file(scale(400_000) + scale(800_000)), shorter] {
            #expect(code(wrong) == "IN-CORRUPT")
        }
        // A chunk that nobody asks for may be damaged.
        var text = chunk("tEXt", Array("Comment\0x".utf8))
        text[text.count - 1] ^= 1
        #expect(code(file(text)) == nil)
    }

    @Test("pixels whose shape alone is said keep it in a PNG, and in a JPEG, where programs differ, ask for a person")
    func shapes() throws {
        let png = try ImageFile.png(ramp(rows: 4, columns: 5, samples: 1, bits: 8))
        func page(_ across: UInt32, _ down: UInt32) throws -> RasterPage {
            let chunk = chunk("pHYs", bigEndian(across) + bigEndian(down) + [0])
            return try #require(try read(png.prefix(33) + chunk + png.dropFirst(33)).first)
        }
        let flat = try page(2, 1)
        let aspect = try #require(flat.pixelAspect)
        #expect(aspect.row / aspect.column == 2 && flat.spacing == nil && flat.findings.isEmpty)
        #expect(try page(3, 3).pixelAspect == nil && page(0, 3).pixelAspect == nil)
        let photograph = try jpeg("rgb")
        // APP0: unit, X and Y density.
        func warnings(_ densities: [UInt8], adobe: UInt8? = nil) throws -> [String] {
            let app0: [UInt8] = [0xFF, 0xE0, 0, 16] + Array("JFIF\0".utf8) + [1, 1] + densities + [0, 0]
            var app14: [UInt8] = []
            if let adobe { app14 = [0xFF, 0xEE, 0, 14] + Array("Adobe".utf8) + [0, 100, 0, 0, 0, 0, adobe] }
            let file: [UInt8] = photograph.prefix(2) + app0 + app14 + photograph.dropFirst(20)
            return try #require(try read(file).first).findings
                .filter { $0.kind == .picture && $0.isWarning }.map(\.text)
        }
        #expect(try warnings([0, 0, 2, 0, 1]).first?.contains("squares") == true)
        #expect(try warnings([0, 0, 1, 0, 1]).isEmpty && warnings([1, 0, 72, 0, 72]).isEmpty)
        #expect(try warnings([0, 0, 1, 0, 1], adobe: 0).first?.contains("Adobe") == true)
        #expect(try warnings([0, 0, 1, 0, 1], adobe: 1).isEmpty)
    }

    @Test("a PNG's scale of its subject (sCAL) comes first; damaged, twice or beside another one it is not believed")
    func pngScale() throws {
        let png = try ImageFile.png(ramp(rows: 4, columns: 5, samples: 1, bits: 8))
        func scale(_ unit: UInt8, _ text: String) -> [UInt8] { chunk("sCAL", [unit] + Array(text.utf8)) }
        func file(_ more: [UInt8]) -> [UInt8] { png.prefix(33) + more + png.dropFirst(33) }
        func density(_ perMetre: UInt32) -> [UInt8] { chunk("pHYs", bigEndian(perMetre) + bigEndian(perMetre) + [1]) }
        let micron = scale(1, "2.5e-6\05e-6")
        // 300 an inch are nobody's scale; 400 a millimetre are the same but for the height.
        for more in [micron, density(11811) + micron] {
            let spacing = try #require(try read(file(more)).first?.spacing)
            #expect(abs(spacing.column - 0.0025) < 1e-9 && abs(spacing.row - 0.005) < 1e-9)
        }
        let both = try #require(try read(file(micron + density(400_000))).first)
        #expect(both.spacing == nil && both.saysTwoScales)
        let angle = try #require(try read(file(scale(2, "1e-6\01e-6"))).first)
        #expect(angle.spacing == nil && angle.findings.contains { $0.kind == .scale && $0.isWarning })
        var damaged = micron
        damaged[damaged.count - 1] ^= 1
        for wrong in [
            damaged, micron + micron, scale(3, "1\01"), scale(1, "1"), scale(1, "0\01"), scale(1, "-1\01"),
            scale(1, "nan\01"), scale(1, ""), chunk("sCAL", []),
        ] {
            #expect(code(file(wrong)) == "IN-CORRUPT")
        }
    }

    /// A zlib stream (RFC 1950) of stored blocks.
    private func zlib(_ blocks: [[UInt8]], checksum change: UInt32 = 0) -> [UInt8] {
        var (a, b) = (UInt32(1), UInt32(0))
        for byte in blocks.joined() { (a, b) = ((a + UInt32(byte)) % 65521, (b + a + UInt32(byte)) % 65521) }
        let stored: [[UInt8]] = blocks.enumerated().map { index, block in
            let count = UInt16(block.count)
            let sizes = [count, ~count].flatMap { [UInt8(truncatingIfNeeded: $0), UInt8($0 >> 8)] }
            return [index == blocks.count - 1 ? 1 : 0] + sizes + block
        }
        return [0x78, 0x01] + stored.flatMap { $0 } + bigEndian((b << 16 | a) ^ change)
    }

    @Test("deflated strips are what was deflated: the checksum is looked at where they have more than their rows, too")
    func deflate() throws {
        let (rows, more) = ([UInt8](repeating: 7, count: 24), [UInt8](repeating: 9, count: 6))
        let cases: [(bytes: [UInt8], code: String?)] = [
            (zlib([rows]), nil), (zlib([rows, more]), nil), (zlib([rows]) + [0, 0], nil),
            (zlib([rows], checksum: 1), "PIX-CODEC"), (zlib([rows, more], checksum: 1), "IN-CORRUPT"),
            (Array(zlib([rows, more]).dropLast(2)), "PIX-TRUNCATED"),
        ]
        for compression in [8, 32_946] {
            for (bytes, expected) in cases {
                var page = RawTIFF.Page(rows: 4, columns: 6, data: bytes)
                page.compression = compression
                #expect(code(RawTIFF([page]).bytes) == expected)
                guard expected == nil else { continue }
                #expect(try read(RawTIFF([page]).bytes).first?.values == [UInt16](repeating: 7, count: 24))
            }
        }
    }

    @Test("PackBits of more bytes than the strip has are refused")
    func packBits() {
        for (run, expected) in [(5, nil), (7, "IN-CORRUPT")] as [(Int, String?)] {
            // Three rows of a run each, and one of single bytes.
            let literal = [UInt8(run)] + [UInt8](repeating: 3, count: run + 1)
            var page = RawTIFF.Page(rows: 4, columns: 6, data: [251, 7, 251, 7, 251, 7] + literal)
            page.compression = 32_773
            #expect(code(RawTIFF([page]).bytes) == expected)
        }
    }

    @Test("facsimile lines of a wrong length and codes that there are not are refused, not shown as they come out")
    func facsimile() throws {
        // Four lines of 16 pixels in Group 4.
        let good: [UInt8] = [47, 23, 139, 212, 16, 42, 8, 21, 4, 23, 75, 75, 75, 138, 138, 138, 128, 8, 0, 128]
        for (wrong, expected) in [(nil, nil), (0, "IN-CORRUPT"), (3, "PIX-CODEC")] as [(Int?, String?)] {
            var page = RawTIFF.Page(rows: 4, columns: 16, data: good)
            if let wrong { page.data[wrong] ^= 0x5A }
            (page.bits, page.compression) = (1, 4)
            #expect(code(RawTIFF([page]).bytes) == expected)
        }
    }

    @Test("a tile whose JPEG is smaller than what is seen of it is refused; one as large as what is seen is read")
    func smallTile() throws {
        let bytes = try jpeg("grey")
        for (rows, columns, expected) in [(20, 24, nil), (21, 24, "PIX-TRUNCATED"), (20, 25, "PIX-TRUNCATED")]
            as [(Int, Int, String?)]
        {
            var page = RawTIFF.Page(rows: rows, columns: columns)
            (page.compression, page.tile, page.tiles) = (7, (32, 32), [bytes])
            #expect(code(RawTIFF([page]).bytes) == expected)
        }
    }

    @Test("a JPEG that lacks a restart interval or the last scans of its progression is refused")
    func jpegScans() throws {
        let restarts = try jpeg("restart")
        let (first, second) = (try last(0xD1, restarts), try last(0xD2, restarts))
        #expect(code(restarts) == nil && code(Array(restarts[..<first] + Array(restarts[second...]))) == "IN-CORRUPT")
        for name in ["grey-prog", "rgb-prog"] {
            let bytes = try jpeg(name)
            #expect(code(bytes) == nil)
            #expect(code(bytes[..<(try last(0xDA, bytes))] + Self.end) == "PIX-TRUNCATED")
        }
    }

    @Test("another JPEG behind the end of the first is told; what follows otherwise is not")
    func furtherJPEG() throws {
        let bytes = try jpeg("grey")
        let cases: [([UInt8], Bool)] = [
            (bytes, false), (bytes + bytes, true), (bytes + [0, 0, 0, 0] + bytes, true), (bytes + [1, 2, 3, 4], false),
        ]
        for (file, isTold) in cases {
            let findings = try #require(try read(file).first).findings
            #expect(findings.contains { $0.kind == .pages && $0.isWarning } == isTold)
        }
    }

    @Test("a JPEG is turned as its EXIF orientation says; two that differ turn nothing and are told")
    func jpegOrientation() throws {
        let bytes = try jpeg("grey")
        func exif(_ value: UInt8) -> [UInt8] {
            let block = Array("Exif\0\0".utf8) + [0x4D, 0x4D, 0, 42, 0, 0, 0, 8, 0, 1]
            let entry: [UInt8] = [1, 0x12, 0, 3, 0, 0, 0, 1, 0, value, 0, 0, 0, 0, 0, 0]
            return [0xFF, 0xE1, 0, UInt8(block.count + entry.count + 2)] + block + entry
        }
        let stored = try #require(try read(bytes).first)
        for (blocks, isTurned, isTold) in [
            (exif(1), false, false), (exif(6), true, false), (exif(6) + exif(8), false, true), (exif(9), false, true),
        ] {
            let page = try #require(try read(bytes.prefix(2) + blocks + bytes.dropFirst(2)).first)
            #expect((page.rows, page.columns) == (isTurned ? (24, 20) : (20, 24)))
            // A quarter to the right: the first column, from below, is the first row.
            #expect(page.values[0] == (isTurned ? stored.values[19 * 24] : stored.values[0]))
            #expect(page.findings.contains { $0.kind == .picture && $0.isWarning } == isTold)
        }
    }

    @Test(
        "a PNG whose samples are not those of a usual screen asks for a person, by the chunk that comes first",
        arguments: [
            ([("gAMA", [0, 0, 0xB1, 0x8F])], false), ([("gAMA", [0, 1, 0x86, 0xA0])], true),
            ([("gAMA", [0, 1, 0x86, 0xA0]), ("sRGB", [0])], false),
            ([("cICP", [1, 13, 0, 1])], false), ([("cICP", [9, 16, 0, 1])], true), ([("cICP", [9, 18, 0, 1])], true),
            ([("cICP", [1, 13, 0, 0])], true), ([("cICP", [1, 13, 5, 1]), ("sRGB", [0])], true),
            ([("cICP", [1, 13])], true), ([], false),
        ] as [([(String, [UInt8])], Bool)])
    func pngColour(_ chunks: [(String, [UInt8])], _ isTold: Bool) throws {
        let png = try ImageFile.png(RasterPage(rows: 1, columns: 2, samples: 3, bits: 8, values: [1, 2, 3, 4, 5, 6]))
        let page = try #require(
            try read(png.prefix(33) + chunks.flatMap { chunk($0.0, $0.1) } + png.dropFirst(33)).first)
        #expect(page.values == [1, 2, 3, 4, 5, 6])
        #expect(page.findings.contains { $0.kind == .picture && $0.isWarning } == isTold)
    }

    @Test("curves beside a grey page that turn black and white round ask for a person", arguments: [1, 0])
    func curves(photometric: Int) throws {
        func isTold(_ tag: UInt16, _ curve: [Int]) throws -> Bool {
            var page = RawTIFF.Page(rows: 1, columns: 2, data: [0b0100_0000])
            (page.bits, page.photometric, page.numbers) = (1, photometric, [(tag, curve)])
            let found = try #require(try read(RawTIFF([page]).bytes).first).findings
            return found.contains { $0.kind == .picture && $0.isWarning }
        }
        let isDark = photometric == 0
        #expect(try isTold(291, [2000, 0]) == isDark && isTold(291, [0, 2000]) != isDark)
        #expect(try !isTold(301, [0, 65_535]) && isTold(301, [65_535, 0]) != isDark)
        #expect(try !isTold(320, [0, 255, 0, 255, 0, 255]) && isTold(320, [255, 0, 255, 0, 255, 0]) != isDark)
    }

    /// A JPEG of a JFIF density in pixels an inch (1) or a centimetre (2), with an EXIF block of a resolution in inches (2) or centimetres (3).
    private func jpeg(density: (Int, UInt8), resolution: (Int, UInt8)) throws -> [UInt8] {
        var bytes = try jpeg("grey")
        let two = [UInt8(density.0 >> 8), UInt8(density.0 & 255)]
        bytes.replaceSubrange(13..<18, with: [density.1] + two + two)
        var block = Array("Exif\0\0".utf8) + [0x4D, 0x4D, 0, 42, 0, 0, 0, 8, 0, 3]
        for tag: UInt8 in [0x1A, 0x1B] { block += [1, tag, 0, 5, 0, 0, 0, 1, 0, 0, 0, 50] }
        block += [1, 0x28, 0, 3, 0, 0, 0, 1, 0, resolution.1, 0, 0, 0, 0, 0, 0]
        block += bigEndian(UInt32(resolution.0)) + bigEndian(1)
        return bytes.prefix(20) + [0xFF, 0xE1, 0, UInt8(block.count + 2)] + block + bytes.dropFirst(20)
    }

    @Test(
        "a JPEG whose density and EXIF resolution contradict each other has neither scale; placeholders and rounding are no contradiction",
        arguments: [
            // Pixels an inch or a centimetre, pixels an inch or a centimetre; mm a pixel, and whether two scales are said.
            ((4000, 2), (4000, 3), 0.0025, false), ((4000, 2), (8000, 3), nil, true),
            ((394, 2), (1000, 2), 10.0 / 394, false),
            ((4000, 2), (72, 2), 0.0025, false), ((4000, 2), (0, 3), 0.0025, false),
            ((4000, 2), (8000, 1), 0.0025, false),
            ((72, 1), (8000, 3), nil, false), ((300, 1), (72, 2), nil, false),
        ] as [((Int, UInt8), (Int, UInt8), Double?, Bool)])
    func twoScales(_ density: (Int, UInt8), _ resolution: (Int, UInt8), _ expected: Double?, _ isTold: Bool) throws {
        let page = try #require(try read(try jpeg(density: density, resolution: resolution)).first)
        #expect(page.saysTwoScales == isTold && (page.spacing == nil) == (expected == nil))
        if let expected { #expect(abs((page.spacing?.row ?? 0) / expected - 1) < 1e-6) }
        #expect(page.findings.contains { $0.kind == .scale && $0.text.contains("EXIF") } == isTold)
    }

    @Test("a strip that lies in the file's header is one without data, as one of no bytes is")
    func stripInHeader() throws {
        let page = RawTIFF.Page(rows: 2, columns: 2, data: [9, 9, 9, 9])
        let good = RawTIFF([page]).bytes
        #expect(code(good) == nil)
        for (offset, count) in [(0, 4), (4, 4), (0, 0)] as [(UInt8, UInt8)] {
            var bytes = good
            for (tag, value) in [(0x11, offset), (0x17, count)] as [(UInt8, UInt8)] {
                let at = try #require(bytes.firstRange(of: [tag, 1, 4, 0, 1, 0, 0, 0])).upperBound
                bytes.replaceSubrange(at..<at + 4, with: [value, 0, 0, 0])
            }
            #expect(code(bytes) == "PIX-TRUNCATED")
        }
    }

    @Test("sixteen bits are shown in eight by their whole range")
    func display() {
        let page = RasterPage(rows: 1, columns: 3, samples: 1, bits: 12, values: [0, 2048, 4095])
        #expect(page.values8 == [0, 128, 255])
        #expect(page.displayImage.pixels == [0, 0, 0, 128, 128, 128, 255, 255, 255])
    }
}
