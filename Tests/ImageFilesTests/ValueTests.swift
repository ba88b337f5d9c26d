import Foundation
import ImageFiles
import Imaging
import Mutations
import Testing

/// What the samples of TIFFs are, as pictures and as masks.
@Suite("TIFF values")
struct ValueTests {
    @Test(
        "what a page calls no measurement (GDAL_NODATA) is refused where it occurs, is padding in 32 bits, and a class in masks"
    )
    func noData() throws {
        func file(_ value: String, bits: Int = 8, format: Int = 1, samples: Int = 1, _ data: [UInt8]) -> RawTIFF {
            var page = RawTIFF.Page(rows: 1, columns: data.count / samples / (bits / 8), data: data)
            (page.bits, page.format, page.samples, page.photometric) = (bits, format, samples, samples == 3 ? 2 : 1)
            page.raw = [(42_113, 2, Array(value.utf8) + [0])]
            return RawTIFF([page])
        }
        let refused = [
            file("0", [7, 0, 9]), file("-1", bits: 16, format: 2, [255, 255, 1, 0]), file(" 255 ", [1, 2, 255]),
            file("0", samples: 3, [1, 2, 3, 0, 0, 0]),
        ]
        for file in refused {
            #expect { try firsts(file) } throws: { ($0 as? ImageFilesFailure)?.code == "PIX-VALUES" }
        }
        let read = [
            file("0", [7, 8, 9]), file("-9999", [7, 0, 9]), file("nan", [7, 0, 9]), file("", [7, 0, 9]),
            file("255", format: 2, [7, 255]), file("0", samples: 3, [7, 0, 3, 1, 0, 0]),
        ]
        for file in read { #expect(try firsts(file).first?.first != nil) }
        let floats = [Float(1), -9999, 2].flatMap { value in
            (0..<4).map { UInt8(truncatingIfNeeded: value.bitPattern >> (8 * UInt32($0))) }
        }
        for value in ["-9999", "-9999.0"] {
            let page = try opened(file(value, bits: 32, format: 3, floats)) { file in
                let picture = try file.contents().pictures[0], plane = picture.planes[0]
                return try file.page(plane, of: picture, survey: try file.survey(plane))
            }
            #expect(page.missing == 1 && page.values[1] == 0 && page.values[2] > page.values[0])
        }
        let path = FileManager.default.temporaryDirectory.appendingPathComponent("mask-\(UUID().uuidString).tif").path
        defer { try? FileManager.default.removeItem(atPath: path) }
        try Data(file("0", [0, 1, 1]).bytes).write(to: URL(fileURLWithPath: path))
        #expect(try ImageFile.readStored(path).first?.values == [0, 1, 1])
    }

    /// A page of floating point or signed numbers of 32 bits.
    private func wide(_ numbers: [Double], format: Int) -> RawTIFF {
        var page = RawTIFF.Page(rows: 1, columns: numbers.count)
        (page.bits, page.format) = (32, format)
        page.data = numbers.flatMap { number -> [UInt8] in
            let bits = format == 3 ? Float(number).bitPattern : UInt32(bitPattern: Int32(number))
            return (0..<4).map { UInt8(truncatingIfNeeded: bits >> (8 * UInt32($0))) }
        }
        return RawTIFF([page])
    }

    /// What the held numbers of the file's one page mean; nil for padding.
    private func meant(_ file: RawTIFF, _ survey: SampleSurvey? = nil) throws -> [Double?] {
        try opened(file) { file in
            let picture = try file.contents().pictures[0]
            let plane = try picture.planes(TIFFSelection(), path: "")[0]
            let page = try file.page(plane, of: picture, survey: try survey ?? file.survey(plane))
            let mapping = page.mapping ?? ValueMapping(slope: 1, intercept: 0)
            return page.values.map {
                mapping.hasPadding && $0 == 0 ? nil : Double($0) * mapping.slope + mapping.intercept
            }
        }
    }

    @Test("signed and floating point samples keep their values")
    func values() throws {
        #expect(try meant(wide([-1000, 0, 40, 3071], format: 3)) == [-1000, 0, 40, 3071])
        #expect(try meant(wide([-1000, 0, 40, 3071], format: 2)) == [-1000, 0, 40, 3071])
        #expect(try meant(wide([.nan, -1000, 3.4e38, 40], format: 3)) == [nil, -1000, nil, 40])
        for (found, value) in zip(try meant(wide([-0.5, 0.25, 1.75], format: 3)), [-0.5, 0.25, 1.75]) {
            #expect(abs((found ?? 9) - value) < 1e-4)
        }
        var page = RawTIFF.Page(rows: 1, columns: 2, data: [0x18, 0xFC, 0x28, 0x00])
        (page.bits, page.format) = (16, 2)
        #expect(try meant(RawTIFF([page])) == [-1000, 40])
        // ImageJ's own way of signed 16 bits: moved up, and a line that takes it back.
        page.format = 1
        page.data = [0x18, 0x7C, 0x28, 0x80]
        page.description = "ImageJ=1.53t\ncf=0\nc0=-32768.0\nc1=1.0\n"
        #expect(try meant(RawTIFF([page])) == [-1000, 40])
    }

    @Test("a picture of nothing but NaN and infinities is refused, and so are colours with them; others are counted")
    func noValues() throws {
        #expect { try meant(wide([.nan, .infinity, -.infinity], format: 3)) } throws: {
            ($0 as? ImageFilesFailure)?.code == "PIX-VALUES"
        }
        var colours = wide([0.5, .nan, 1], format: 3).pages[0]
        (colours.columns, colours.samples, colours.photometric) = (1, 3, 2)
        #expect { try firsts(RawTIFF([colours])) } throws: { ($0 as? ImageFilesFailure)?.code == "PIX-BITS" }
        for (file, missing) in [(wide([1, .infinity, .nan, 3], format: 3), 2), (wide([1, 3], format: 3), 0)] {
            try opened(file) { file in
                let picture = try file.contents().pictures[0]
                let page = try file.page(picture.planes[0], of: picture, survey: try file.survey(picture.planes[0]))
                #expect(page.missing == missing)
                let text = page.findings.first { $0.kind == .depth }?.text
                #expect(text?.contains("but for those that are no finite numbers") == (missing > 0))
            }
        }
    }

    @Test(
        "masks of 32 bits whose white is 0 are turned round, as those of fewer bits; signed and floating point ones are refused"
    )
    func whiteMasks() throws {
        func stored(_ numbers: [UInt32], format: Int = 1, photometric: Int) throws -> [UInt16] {
            var page = RawTIFF.Page(rows: 1, columns: numbers.count)
            (page.bits, page.format, page.photometric) = (32, format, photometric)
            page.data = numbers.flatMap { number in (0..<4).map { UInt8(truncatingIfNeeded: number >> (8 * $0)) } }
            return try opened(RawTIFF([page])) { try ImageFile.readStored($0.path)[0].values }
        }
        #expect(try stored([0, 1, 7], photometric: 1) == [0, 1, 7])
        #expect(try stored([.max, .max - 1, .max - 7], photometric: 0) == [0, 1, 7])
        for (format, code) in [(1, "PIX-BITS"), (2, "PIX-PHOTOMETRIC"), (3, "PIX-PHOTOMETRIC")] {
            #expect { try stored([0, 1, 7], format: format, photometric: 0) } throws: {
                ($0 as? ImageFilesFailure)?.code == code
            }
        }
    }

    @Test(
        "masks of signed and floating point samples hold the numbers that they say; those that are no labels are refused"
    )
    func numberMasks() throws {
        func stored(_ bytes: [UInt8], _ bits: Int, format: Int, columns: Int = 3) throws -> [UInt16] {
            var page = RawTIFF.Page(rows: 1, columns: columns, data: bytes)
            (page.bits, page.format) = (bits, format)
            return try opened(RawTIFF([page])) { try ImageFile.readStored($0.path)[0].values }
        }
        func little(_ value: some FixedWidthInteger) -> [UInt8] {
            (0..<value.bitWidth / 8).map { UInt8(truncatingIfNeeded: value >> ($0 * 8)) }
        }
        func wide(_ numbers: [Double]) -> [UInt8] { numbers.flatMap { little($0.bitPattern) } }
        #expect(try stored([0, 1, 127], 8, format: 2) == [0, 1, 127])
        #expect(try stored([0, 0, 1, 0, 0xFF, 0x7F], 16, format: 2) == [0, 1, 32767])
        #expect(try stored([Int32(0), 1, 300].flatMap(little), 32, format: 2) == [0, 1, 300])
        #expect(try stored([Float(0), 1, 300].flatMap { little($0.bitPattern) }, 32, format: 3) == [0, 1, 300])
        #expect(try stored(wide([0, 1, 65535]), 64, format: 3) == [0, 1, 65535])
        for (bytes, bits, format) in [
            ([0, 1, 255], 8, 2), ([0, 0, 1, 0, 0xFF, 0xFF], 16, 2), (wide([0, 0.4, 0]), 64, 3),
            (wide([0, 0.7, 0]), 64, 3), (wide([0, -1, 1]), 64, 3), (wide([0, .nan, 1]), 64, 3),
            (wide([0, 65536, 1]), 64, 3),
        ] as [([UInt8], Int, Int)] {
            #expect { try stored(bytes, bits, format: format) } throws: {
                ($0 as? ImageFilesFailure)?.code == "PIX-BITS"
            }
        }
    }

    @Test("files that are looked at together hold one value as one number")
    func series() throws {
        let files = [wide([0, 1.5], format: 3), wide([100, 1.5], format: 3)]
        var survey = SampleSurvey()
        for file in files {
            try opened(file) { survey.add(try $0.survey(try $0.contents().pictures[0].planes[0])) }
        }
        let (first, second) = (try meant(files[0], survey)[1], try meant(files[1], survey)[1])
        #expect(first == second && abs((first ?? 0) - 1.5) < 0.01)
    }

    @Test("colours of 10, 12 and 16 used bits are shown by those", arguments: [10, 12, 16])
    func significantBits(_ bits: Int) throws {
        var page = RawTIFF.Page(rows: 1, columns: 2)
        (page.samples, page.bits, page.photometric) = (3, 16, 2)
        let top = (1 << bits) - 1
        page.data = [top, top / 2, 0, 0, 0, top].flatMap { [UInt8(truncatingIfNeeded: $0), UInt8($0 >> 8)] }
        let shown = try opened(RawTIFF([page])) { file in
            let picture = try file.contents().pictures[0]
            return try file.page(picture.planes[0], of: picture, survey: try file.survey(picture.planes[0]))
        }
        #expect(shown.bits == bits && shown.values8 == [255, 127, 0, 0, 0, 255])
        #expect(shown.findings.contains { $0.kind == .depth } == (bits < 16))
    }

    @Test("what may be shown in two ways is refused")
    func ambiguous() {
        var white = RawTIFF.Page(rows: 1, columns: 2, data: [1, 0, 2, 0])
        (white.bits, white.format, white.photometric) = (16, 2, 0)
        var colours = RawTIFF.Page(rows: 1, columns: 1)
        (colours.samples, colours.bits, colours.format, colours.photometric) = (3, 32, 3, 2)
        colours.data = [Float(300), 0, 1].flatMap { value in
            (0..<4).map { UInt8(truncatingIfNeeded: value.bitPattern >> (8 * UInt32($0))) }
        }
        for page in [white, colours] {
            #expect { try firsts(RawTIFF([page])) } throws: {
                ["PIX-PHOTOMETRIC", "PIX-CODEC", "PIX-BITS"].contains(($0 as? ImageFilesFailure)?.code)
            }
        }
    }
}
