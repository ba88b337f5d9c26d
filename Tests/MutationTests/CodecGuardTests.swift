import DICOM
import Failures
import Foundation
import Mutations
import Testing

/// The streams that the fuzzer begins with, without their five bytes of pixel attributes.
private func seed(_ name: String) throws -> [UInt8] {
    let folder = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "../Fuzz/Seeds")
    return Array([UInt8](try Data(contentsOf: folder.appending(path: name)))[5...])
}

private let jpeg = "1.2.840.10008.1.2.4.51", jpegLS = "1.2.840.10008.1.2.4.80", jpeg2000 = "1.2.840.10008.1.2.4.90"
private let rle = "1.2.840.10008.1.2.5"

/// The failure of decoding the object's first frame, nil when it decodes.
private func failure(_ object: RawObject, _ change: (inout DICOMLimits) -> Void = { _ in }) throws -> DICOMFailure? {
    var limits = DICOMLimits()
    change(&limits)
    do {
        let file = try DICOMFile(bytes: object.fileBytes, limits: limits)
        _ = try PixelReader(file, try PixelDescription(file.dataSet, limits: limits), limits: limits).frame(1)
        return nil
    } catch let failure as DICOMFailure {
        return failure
    }
}

private func code(_ body: () throws -> Void) -> String? {
    do {
        try body()
        return nil
    } catch {
        return FailureRecord(error).code
    }
}

/// A frame of the seeds' size.
private func frame(_ stream: [UInt8], _ syntax: String, samples: UInt16 = 1, bits: UInt16 = 8, stored: UInt16 = 8)
    -> RawObject
{
    .frame(
        stream, syntax: syntax, rows: 20, columns: 24, samples: samples,
        photometric: samples == 3 ? "RGB" : "MONOCHROME2",
        bits: bits, stored: stored)
}

private func big(_ value: some FixedWidthInteger) -> [UInt8] { little(value).reversed() }

extension [UInt8] {
    /// Offset of the first marker of that kind.
    fileprivate func marker(_ second: UInt8) -> Int {
        indices.dropLast().first { self[$0] == 0xFF && self[$0 + 1] == second } ?? 0
    }
}

@Suite("guards before the decoders")
struct CodecGuardTests {
    @Test(
        "the seeds decode",
        arguments: [
            ("jpeg/grey", jpeg), ("jpeg/grey-prog", jpeg), ("jpeg/restart", jpeg), ("jpeg/g8-sv1", jpeg),
            ("jpeg-ls/g8-ls", jpegLS),
            ("jpeg-ls/g8-near", jpegLS), ("jpeg2000/lossy.j2k", jpeg2000), ("jpeg2000/box.jp2", jpeg2000),
            ("rle/g8-rle", rle),
        ])
    func seeds(name: String, syntax: String) throws {
        #expect(try failure(frame(try seed(name), syntax)) == nil)
    }

    // MARK: RLE

    @Test("RLE segments outside the frame, out of order or too short for their pixels are refused before unpacking")
    func runLength() throws {
        let good = try seed("rle/g16-rle")
        #expect(try failure(frame(good, rle, bits: 16, stored: 12)) == nil)
        for (offset, code) in [(UInt32.max, "PIX-CODEC"), (63, "PIX-CODEC"), (UInt32(good.count - 1), "PIX-TRUNCATED")]
        {
            var wrong = good
            wrong.replaceSubrange(8..<12, with: little(offset))
            #expect(try failure(frame(wrong, rle, bits: 16, stored: 12))?.code == code, "\(offset)")
        }
        // 66 bytes for 144 million pixels.
        let bomb = little(UInt32(1)) + little(UInt32(64)) + [UInt8](repeating: 0, count: 56) + [0x81, 7]
        #expect(try failure(.frame(bomb, syntax: rle, rows: 12_000, columns: 12_000))?.code == "PIX-TRUNCATED")
    }

    @Test("a frame without compression in a fragment holds its pixels and padding, or is refused")
    func uncompressed() throws {
        for (behind, expected) in [
            ([], nil), ([0], nil), ([7], nil), ([UInt8](repeating: 0, count: 19), nil), ([0, 7], "PIX-SIZE"),
            ([UInt8](repeating: 0, count: 24), "PIX-SIZE"), ([UInt8](repeating: 0, count: 480), "PIX-SIZE"),
        ] as [([UInt8], String?)] {
            let cells = [UInt8](repeating: 9, count: 480)
            let found = try failure(frame(cells + behind, "1.2.840.10008.1.2.1.98"))?.code
            #expect(found == expected, "\(behind.count)")
        }
    }

    @Test("deflated frames are read, one bit a pixel from a byte on; what is cut off, damaged or longer is refused")
    func deflatedFrames() throws {
        let syntax = "1.2.840.10008.1.2.8.1"
        func stored(_ bytes: [UInt8]) -> [UInt8] {
            let packed = [1] + little(UInt16(bytes.count)) + little(~UInt16(bytes.count)) + bytes
            return packed.count % 2 == 0 ? packed : packed + [0]
        }
        let cells = (0..<480).map { UInt8(truncatingIfNeeded: $0 * 7) }
        #expect(try failure(frame(stored(cells), syntax)) == nil)
        #expect(try failure(frame(stored(cells) + [0], syntax)) == nil)
        #expect(try failure(frame(stored(cells).dropLast(3), syntax))?.code == "PIX-TRUNCATED")
        #expect(try failure(frame(stored(Array(cells.dropLast())), syntax))?.code == "PIX-TRUNCATED")
        #expect(try failure(frame(stored(cells + [1, 2]), syntax))?.code == "PIX-SIZE")
        #expect(try failure(frame([7] + cells, syntax))?.code == "PIX-CODEC")
        var object = RawObject.frame([], syntax: syntax, rows: 3, columns: 3, bits: 1)
        object.elements.removeLast()
        object.elements.insert(RawElement(0x0028, 0x0008, "IS", "2"), at: 2)
        object.elements.append(RawElement(0x7FE0, 0x0010, "OB", .fragments([stored([0xFF, 1]), stored([0x05, 0])])))
        let file = try DICOMFile(bytes: object.fileBytes)
        guard
            case .integers(let values) = try PixelReader(file, try PixelDescription(file.dataSet)).frame(2).values
        else { return }
        #expect(values == [1, 0, 1, 0, 0, 0, 0, 0, 0])
    }

    // MARK: All streams

    @Test(
        "a second stream behind a frame's first is refused; padding and pictures inside markers are none",
        arguments: [
            ("jpeg/grey", jpeg), ("jpeg/g8-sv1", jpeg), ("jpeg-ls/g8-ls", jpegLS), ("jpeg2000/lossy.j2k", jpeg2000),
        ])
    func twoStreams(name: String, syntax: String) throws {
        let good = try seed(name)
        for padding: [UInt8] in [[], [0], [0xFF, 0xFF]] {
            #expect(try failure(frame(good + padding, syntax)) == nil)
            #expect(try failure(frame(good + padding + good, syntax))?.code == "PIX-FRAGMENTS")
        }
    }

    @Test("a thumbnail in a JPEG's header, and pictures that a camera appended and named, hinder nothing")
    func thumbnails() throws {
        let good = try seed("jpeg/grey")
        func with(_ marker: UInt8, _ content: [UInt8]) -> [UInt8] {
            var stream = good
            let segment = [0xFF, marker] + big(UInt16(content.count + 2)) + content
            stream.insert(contentsOf: segment, at: good.marker(0xDB))
            return stream
        }
        let thumbnail: [UInt8] = [0x45, 0xFF, 0xD8, 0xFF, 0xD9, 0xFF, 0xD8, 0xFF, 0xD9]
        #expect(try failure(frame(with(0xE1, thumbnail), jpeg)) == nil)
        #expect(try failure(frame(with(0xE1, thumbnail) + good, jpeg))?.code == "PIX-FRAGMENTS")
        #expect(try failure(frame(with(0xE2, Array("MPF".utf8) + [0]) + good, jpeg)) == nil)
    }

    @Test("a tile-part without a length ends at the end of its stream")
    func openTilePart() throws {
        var stream = try seed("jpeg2000/lossy.j2k")
        let part = stream.marker(0x90)
        stream.replaceSubrange(part + 6..<part + 10, with: [0, 0, 0, 0])
        #expect(try failure(frame(stream + stream, jpeg2000))?.code == "PIX-FRAGMENTS")
    }

    @Test(
        "a stream whose values are more than Bits Stored is refused whatever its coding",
        arguments: [
            ("jpeg/g16-sv1", jpeg, 12, 11), ("jpeg/g16-extended", jpeg, 12, 11), ("jpeg-ls/g16-ls", jpegLS, 12, 11),
            ("jpeg2000/grey.j2k", jpeg2000, 12, 11), ("jpeg2000/tiles.j2k", jpeg2000, 16, 12),
            ("jpeg2000/grey.j2k", "1.2.840.10008.1.2.4.91", 12, 11),
        ])
    func bitsStored(name: String, syntax: String, fits: UInt16, isLess: UInt16) throws {
        let stream = try seed(name)
        #expect(try failure(frame(stream, syntax, bits: 16, stored: fits)) == nil)
        #expect(try failure(frame(stream, syntax, bits: 16, stored: isLess))?.code == "PIX-BITS")
    }

    @Test("a sign that only the stream or only the tags know is refused where a value depends on it")
    func signs() throws {
        func outcome(_ stream: [UInt8], _ syntax: String, stored: UInt16, isSigned: Bool) throws -> String? {
            try failure(
                .frame(
                    stream, syntax: syntax, rows: 20, columns: 24, bits: 16, stored: stored, isSigned: isSigned))?.code
        }
        // 12 bits of which the highest is used: negative in 12 bits, unknown in 16.
        for (name, syntax, isTransformed) in [
            ("jpeg/g16-extended", jpeg, true), ("jpeg2000/grey.j2k", jpeg2000, false),
        ] {
            // A cosine transform has mixed the smallest with the largest values: two's complement did not survive it.
            #expect(try outcome(seed(name), syntax, stored: 12, isSigned: true) == (isTransformed ? "PIX-BITS" : nil))
            #expect(try outcome(seed(name), syntax, stored: 12, isSigned: false) == nil)
            #expect(try outcome(seed(name), syntax, stored: 16, isSigned: false) == nil)
            #expect(try outcome(seed(name), syntax, stored: 16, isSigned: true) == "PIX-BITS")
        }
        // 16 bits, not one of them negative.
        #expect(try outcome(seed("jpeg/g16-sv1"), jpeg, stored: 16, isSigned: true) == nil)
        var signed = try seed("jpeg2000/grey.j2k")
        signed[signed.marker(0x51) + 40] |= 0x80
        #expect(try outcome(signed, jpeg2000, stored: 12, isSigned: true) == nil)
        #expect(try outcome(signed, jpeg2000, stored: 16, isSigned: true) == nil)
        #expect(try outcome(signed, jpeg2000, stored: 12, isSigned: false) == "PIX-BITS")
    }

    @Test("a lossy stream of 8 bits under tags that describe more is refused; one without loss only needs no more bits")
    func windowed() throws {
        for (name, syntax, isLossy) in [
            ("jpeg/grey", jpeg, true), ("jpeg2000/lossy.j2k", jpeg2000, true), ("jpeg/g8-sv1", jpeg, false),
            ("jpeg-ls/g8-ls", jpegLS, false),
        ] {
            let stream = try seed(name)
            #expect(try failure(frame(stream, syntax, bits: 16, stored: 8)) == nil)
            #expect(try failure(frame(stream, syntax, bits: 16, stored: 12))?.code == (isLossy ? "PIX-BITS" : nil))
        }
    }

    // MARK: JPEG

    @Test(
        "a JPEG that ends early, lacks a restart interval or scans, or has bytes that belong to no pixel is refused; padding is none",
        arguments: ["jpeg/grey", "jpeg/restart", "jpeg/rgb", "jpeg/g8-sv1", "jpeg/rgb-sv1"])
    func damage(name: String) throws {
        let good = try seed(name)
        let samples: UInt16 = name.hasPrefix("jpeg/rgb") ? 3 : 1
        func code(_ stream: [UInt8]) throws -> String? { try failure(frame(stream, jpeg, samples: samples))?.code }
        let data = good.marker(0xDA) + 2 + Int(good[good.marker(0xDA) + 3])
        let (body, end) = (Array(good.dropLast(2)), [UInt8(0xFF), 0xD9])
        for padding: [UInt8] in [[], [0, 0, 0], [0xFF, 0xFF, 0xFF]] { #expect(try code(body + padding + end) == nil) }
        #expect(try code(body + [UInt8](repeating: 0x35, count: 9) + end) == "PIX-CODEC")
        #expect(try code(Array(good[..<((data + body.count) / 2)]) + end) == "PIX-CODEC")
        guard name == "jpeg/restart" else { return }
        let (first, second) = (good.marker(0xD0), good.marker(0xD1))
        #expect(second > first && first > data)
        #expect(try code(Array(good[..<first]) + good[second...]) == "PIX-CODEC")
    }

    @Test("a progressive JPEG without its last scans, and one without a component, are refused")
    func missingScans() throws {
        let good = try seed("jpeg/grey-prog")
        let scans = good.indices.dropLast().filter { good[$0] == 0xFF && good[$0 + 1] == 0xDA }
        #expect(scans.count > 2)
        for scan in scans.dropFirst() {
            #expect(try failure(frame(Array(good[..<scan]) + [0xFF, 0xD9], jpeg))?.code == "PIX-TRUNCATED")
        }
        let coloured = try seed("jpeg/rgb-prog")
        #expect(try failure(frame(coloured, jpeg, samples: 3)) == nil)
        let last = coloured.indices.dropLast().last { coloured[$0] == 0xFF && coloured[$0 + 1] == 0xDA } ?? 0
        #expect(
            try failure(frame(Array(coloured[..<last]) + [0xFF, 0xD9], jpeg, samples: 3))?.code == "PIX-TRUNCATED")
    }

    @Test("a JPEG whose own markers say that it holds RGB, and that it holds YCbCr, is refused")
    func colours() throws {
        let shared = try seed("jpeg/rgb")
        let plain = Array(shared[..<2] + shared[20...])
        func adobe(_ transform: UInt8, _ stream: [UInt8]) -> [UInt8] {
            let content = Array("Adobe".utf8) + [0, 100, 0, 0, 0, 0, transform]
            return [0xFF, 0xD8, 0xFF, 0xEE] + big(UInt16(content.count + 2)) + content + stream[2...]
        }
        func named(_ stream: [UInt8]) -> [UInt8] {
            var stream = stream
            for (marker, first, step) in [(UInt8(0xC0), 10, 3), (0xDA, 5, 2)] {
                let start = stream.marker(marker)
                for (index, letter) in "RGB".utf8.enumerated() { stream[start + first + index * step] = letter }
            }
            return stream
        }
        for stream in [shared, plain, adobe(1, shared)] { #expect(try failure(frame(stream, jpeg, samples: 3)) == nil) }
        let lossless = try seed("jpeg/rgb-sv1")
        for stream in [lossless, adobe(0, lossless)] { #expect(try failure(frame(stream, jpeg, samples: 3)) == nil) }
        for stream in [adobe(0, shared), adobe(0, plain), named(plain), named(adobe(1, plain))] {
            #expect(try failure(frame(stream, jpeg, samples: 3))?.code == "PIX-PHOTOMETRIC")
        }
    }

    @Test("a JPEG of arithmetic or hierarchical coding is refused as a form without a decoder")
    func codings() throws {
        let good = try seed("jpeg/grey")
        for marker: UInt8 in [0xC5, 0xC9, 0xCA, 0xCD] {
            var wrong = good
            wrong[good.marker(0xC0) + 1] = marker
            #expect(try failure(frame(wrong, jpeg))?.code == "TS-UNSUPPORTED")
        }
    }

    @Test("tables, frames and scans that contradict the standard never reach a JPEG decoder")
    func segments() throws {
        let good = try seed("jpeg/grey")
        let scan = good.marker(0xDA)
        let huffman: [UInt8] = [0xFF, 0xC4, 0, 22, 0, 3] + [UInt8](repeating: 0, count: 15) + [1, 2, 3]
        let frameHeader = Array(good[good.marker(0xC0)..<good.marker(0xC0) + 13])
        for inserted in [
            huffman, frameHeader, [0xFF, 0xDB, 0, 3, 0x40], [0xFF, 0xDB, 0, 10, 0, 1, 1, 1, 1, 1, 1, 1],
            [0xFF, 0xDD, 0, 2],
            [0xFF, 0xDC, 0, 4, 0, 9], [0xFF, 0x02, 0, 2], [0xFF, 0xD8],
        ] as [[UInt8]] {
            var wrong = good
            wrong.insert(contentsOf: inserted, at: scan)
            #expect(try failure(frame(wrong, jpeg))?.code == "PIX-CODEC", "\(inserted)")
        }
        var wrong = good
        wrong[scan + 5] = 9
        #expect(try failure(frame(wrong, jpeg))?.code == "PIX-CODEC")
    }

    @Test("a picture in a thousand scans is refused, naming the limit")
    func scans() throws {
        let good = try seed("jpeg/grey-prog")
        let end = good.count - 2
        let start = (0..<end).last { good[$0] == 0xFF && good[$0 + 1] == 0xDA } ?? 0
        let last = Array(good[start..<end])
        let bomb = Array(good[..<end]) + [[UInt8]](repeating: last, count: 1000).flatMap { $0 } + [0xFF, 0xD9]
        let refusal = try failure(frame(bomb, jpeg))
        #expect(refusal?.code == "IN-LIMIT")
        #expect("\(try #require(refusal))".contains("100 scans"))
    }

    @Test("memory and time of a frame are refused by its header, naming need and limit")
    func cost() throws {
        var huge = try seed("jpeg/grey-prog")
        let at = huge.marker(0xC2)
        huge.replaceSubrange(at + 5..<at + 9, with: big(UInt16(16_000)) + big(UInt16(16_000)))
        let object = RawObject.frame(huge, syntax: jpeg, rows: 16_000, columns: 16_000)
        // By the limits of a run as they are.
        let memory = try #require(try failure(object))
        #expect(memory.code == "IN-LIMIT" && "\(memory)".contains("the limit is 2 GiB"))
        let time = try #require(
            try failure(object) {
                $0.frameBytes = 4 << 30
                $0.frameSeconds = 5
            })
        #expect(time.code == "IN-LIMIT" && "\(time)".contains("the limit is 5 s"))
        #expect(!time.message.cure.isEmpty)
    }

    @Test("a frame that took more processor time than the limit is refused after it")
    func measured() throws {
        var limits = DICOMLimits()
        limits.frameSeconds = 0.01
        let clock = ContinuousClock()
        func spin(_ duration: Duration) throws(DICOMFailure) -> Int {
            try FrameCost.timed(limits) {
                let start = clock.now
                var turns = 0
                while start.duration(to: clock.now) < duration { turns += 1 }
                return turns
            }
        }
        #expect(try spin(.zero) == 0)
        #expect(code { _ = try spin(.seconds(2)) } == "IN-LIMIT")
    }

    // MARK: JPEG-LS

    @Test("JPEG-LS with mapping tables, impossible presets or impossible scans is refused")
    func extensions() throws {
        let good = try seed("jpeg-ls/g8-ls")
        let scan = good.marker(0xDA)
        func inserting(_ bytes: [UInt8]) -> [UInt8] { Array(good[..<scan]) + bytes + Array(good[scan...]) }
        #expect(try failure(frame(inserting([0xFF, 0xF8, 0, 5, 2, 1, 1]), jpegLS))?.code == "TS-UNSUPPORTED")
        let presets: [UInt8] =
            [0xFF, 0xF8, 0, 13, 1] + big(UInt16(255)) + big(UInt16(9)) + big(UInt16(7)) + big(UInt16(21))
        #expect(try failure(frame(inserting(presets + big(UInt16(64))), jpegLS))?.code == "PIX-CODEC")
        var near = good
        near[scan + 7] = 200
        #expect(try failure(frame(near, jpegLS))?.code == "PIX-CODEC")
    }

    // MARK: JPEG 2000

    @Test("a JP2 file is unwrapped to its code stream, and boxes that lead nowhere are refused")
    func boxes() throws {
        let boxed = try seed("jpeg2000/box.jp2")
        let start = boxed.marker(0x4F)
        #expect(try failure(frame(Array(boxed[start...]), jpeg2000)) == nil)
        var wrong = boxed
        wrong.replaceSubrange(start - 8..<start - 4, with: big(UInt32(9)))
        #expect(try failure(frame(wrong, jpeg2000))?.code == "PIX-CODEC")
        wrong.replaceSubrange(start - 8..<start - 4, with: big(UInt32.max))
        #expect(try failure(frame(wrong, jpeg2000))?.code == "PIX-CODEC")
    }

    @Test("a lossy JPEG 2000 stream is known as such, also far behind the beginning of a JP2 file")
    func boxedLoss() throws {
        func isLossy(_ stream: [UInt8]) throws -> Bool {
            var object = try #require(SampleSeries.slices.objects.first)
            object.syntax = "1.2.840.10008.1.2.4.91"
            object.elements.removeAll { $0.group == 0x7FE0 }
            object.elements.append(RawElement(0x7FE0, 0x0010, "OB", .fragments([stream])))
            return try SourceInstance(try DICOMFile(bytes: object.fileBytes)).isLossy
        }
        let start: [UInt8] = [0, 0, 0, 12, 0x6A, 0x50, 0x20, 0x20, 0x0D, 0x0A, 0x87, 0x0A]
        let free = big(UInt32(8008)) + Array("free".utf8) + [UInt8](repeating: 0, count: 8000)
        for (name, expected) in [("jpeg2000/lossy.j2k", true), ("jpeg2000/grey.j2k", false)] {
            let stream = try seed(name)
            #expect(try isLossy(stream) == expected)
            #expect(try isLossy(start + free + big(UInt32(stream.count + 8)) + Array("jp2c".utf8) + stream) == expected)
        }
    }

    @Test("a JPEG 2000 stream without one of its tiles, or of the parts that a tile says it has, is refused")
    func missingTiles() throws {
        let good = try seed("jpeg2000/lossy.j2k")
        #expect(try failure(frame(good, jpeg2000)) == nil)
        var parts: [Range<Int>] = []
        var at = good.marker(0x90)
        while good[at] == 0xFF, good[at + 1] == 0x90 {
            let length = good[at + 6..<at + 10].reduce(0) { $0 << 8 | Int($1) }
            parts.append(at..<at + length)
            at += length
        }
        #expect(parts.count == 4)
        for part in parts {
            let stream = Array(good[..<part.lowerBound] + good[part.upperBound...])
            #expect(try failure(frame(stream, jpeg2000))?.code == "PIX-TRUNCATED")
        }
        var announced = good
        announced[parts[1].lowerBound + 11] = 2
        #expect(try failure(frame(announced, jpeg2000))?.code == "PIX-TRUNCATED")
    }

    @Test("a JP2 file that has a palette, or says other colours than the tags, is refused")
    func boxedColours() throws {
        func box(_ type: String, _ body: [UInt8]) -> [UInt8] {
            big(UInt32(body.count + 8)) + Array(type.utf8) + body
        }
        let start: [UInt8] = [0, 0, 0, 12, 0x6A, 0x50, 0x20, 0x20, 0x0D, 0x0A, 0x87, 0x0A]
        let stream = try seed("jpeg2000/rgb.j2k")
        func file(_ colour: UInt8, _ more: [UInt8] = []) -> [UInt8] {
            start + box("jp2h", more + box("colr", [1, 0, 0, 0, 0, 0, colour])) + box("jp2c", stream)
        }
        #expect(try failure(frame(file(16), jpeg2000, samples: 3)) == nil)
        #expect(try failure(frame(file(18), jpeg2000, samples: 3))?.code == "PIX-PHOTOMETRIC")
        #expect(try failure(frame(file(16, box("pclr", [0, 1])), jpeg2000, samples: 3))?.code == "PIX-PHOTOMETRIC")
    }

    @Test("tiles, levels, code blocks, precincts and layers that cost more than the image are refused by the header")
    func bombs() throws {
        let good = try seed("jpeg2000/grey.j2k")
        func refusal(_ change: (inout [UInt8]) -> Void, rows: Int = 20, columns: Int = 24) throws -> String? {
            var wrong = good
            change(&wrong)
            return try failure(
                .frame(wrong, syntax: jpeg2000, rows: rows, columns: columns, bits: 16, stored: 12))?.code
        }
        #expect(try refusal { _ in } == nil)
        let size = good.marker(0x51), style = good.marker(0x52), part = good.marker(0x90)
        // Thirty-three levels, code blocks of 2^13, no layers.
        #expect(try refusal { $0[style + 9] = 33 } == "PIX-CODEC")
        #expect(try refusal { $0[style + 10] = 9 } == "PIX-CODEC")
        #expect(try refusal { $0.replaceSubrange(style + 6..<style + 8, with: [0, 0]) } == "PIX-CODEC")
        // A tile-part that reaches behind the stream, or belongs to no tile.
        #expect(try refusal { $0.replaceSubrange(part + 6..<part + 10, with: big(UInt32.max)) } == "PIX-CODEC")
        #expect(try refusal { $0[part + 5] = 7 } == "PIX-CODEC")
        // 16000 × 16000 pixels in precincts of one pixel and 65535 layers.
        let large = big(UInt32(16_000)) + big(UInt32(16_000))
        let code = try refusal(
            {
                $0.replaceSubrange(style + 6..<style + 8, with: big(UInt16.max))
                $0.replaceSubrange(size + 6..<size + 14, with: large)
                $0.replaceSubrange(size + 22..<size + 30, with: large)
            }, rows: 16_000, columns: 16_000)
        #expect(code == "IN-LIMIT")
    }
}
