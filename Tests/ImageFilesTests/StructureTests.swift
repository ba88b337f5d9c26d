import Foundation
import ImageFiles
import Imaging
import Mutations
import Testing

/// Pages, strips and tags of TIFFs as they lie in the file.
@Suite("TIFF structure")
struct StructureTests {
    @Test(
        "uncompressed strips whose byte count is a row or more from the page's sides are refused, those with padding are read"
    )
    func stripCounts() throws {
        func file(_ data: Int, rows: Int = 4, rowsPerStrip: Int? = nil, fill: UInt8 = 0, bits: Int = 8) -> RawTIFF {
            var page = RawTIFF.Page(rows: rows, columns: 6)
            page.bits = bits
            page.data =
                [UInt8](repeating: 7, count: min(data, 6 * rows))
                + [UInt8](repeating: fill, count: max(0, data - 6 * rows))
            page.rowsPerStrip = rowsPerStrip
            return RawTIFF([page])
        }
        // As they are, padded to four bytes, the one strip as long as its Rows Per Strip, and a long one, which libtiff cuts.
        let all = Int(UInt32.max)
        for legitimate in [
            file(24), file(25), file(28), file(48, rowsPerStrip: 8), file(24_000, rows: 4000),
            file(24_000, rows: 4000, rowsPerStrip: all), file(24_000, rows: 4000, rowsPerStrip: 4000),
        ] {
            #expect(try firsts(legitimate) == [[7]])
        }
        let wrong = [
            (file(48), "IN-CORRUPT"), (file(30), "IN-CORRUPT"), (file(48, rowsPerStrip: 8, fill: 1), "IN-CORRUPT"),
            (file(24, bits: 4), "IN-CORRUPT"), (file(18), "PIX-TRUNCATED"),
        ]
        for (file, code) in wrong {
            #expect { try firsts(file) } throws: { ($0 as? ImageFilesFailure)?.code == code }
        }
    }

    @Test("tiles that lie one upon another are refused, but for one that stands for several")
    func places() throws {
        var page = RawTIFF.Page(rows: 16, columns: 32)
        page.tile = (16, 16)
        page.tiles = [[UInt8](repeating: 7, count: 256), [UInt8](repeating: 9, count: 256)]
        let bytes = RawTIFF([page]).bytes
        let first = try #require(bytes.indices.dropLast(255).first { bytes[$0..<$0 + 256].allSatisfy { $0 == 7 } })
        func offsets(_ second: Int) -> [UInt8] {
            [first, second].flatMap { value in (0..<4).map { UInt8(truncatingIfNeeded: value >> (8 * $0)) } }
        }
        let written = offsets(first + 256)
        let place = try #require(bytes.indices.dropLast(7).first { bytes[$0..<$0 + 8].elementsEqual(written) })
        let path = FileManager.default.temporaryDirectory.appendingPathComponent("places-\(UUID().uuidString).tif").path
        defer { try? FileManager.default.removeItem(atPath: path) }
        for (second, isRefused) in [(256, false), (250, false), (0, false), (240, true), (100, true)] {
            var changed = bytes
            changed.replaceSubrange(place..<place + 8, with: offsets(first + second))
            try Data(changed).write(to: URL(fileURLWithPath: path))
            let file = try TIFFFile(path)
            if isRefused {
                #expect { try file.contents() } throws: { ($0 as? ImageFilesFailure)?.code == "IN-CORRUPT" }
            } else {
                #expect(try file.contents().pictures.count == 1)
            }
        }
    }

    @Test(
        "strips that hold some bytes a row more than the columns make ask for a person, those padded at their end do not"
    )
    func slant() throws {
        func warnings(_ more: Int, rows: Int = 40) throws -> Int {
            var page = RawTIFF.Page(rows: rows, columns: 60)
            page.data = [UInt8](repeating: 7, count: rows * 60 + more)
            return try opened(RawTIFF([page])) {
                try $0.contents().findings.count { $0.kind == .picture && $0.isWarning }
            }
        }
        #expect(try warnings(40) == 1)
        #expect(try warnings(0) == 0 && warnings(3) == 0 && warnings(41) == 0)
        // A few rows may have as many bytes behind them by chance.
        #expect(try warnings(4, rows: 4) == 0)
    }

    @Test("a grey page that does not say whether black or white is 0 asks for a person")
    func meaning() throws {
        var bytes = RawTIFF([page(9)]).bytes
        // PhotometricInterpretation, SHORT, one; a number that no tag has instead.
        let place = try #require(
            bytes.indices.dropLast(7).first { bytes[$0..<$0 + 8].elementsEqual([6, 1, 3, 0, 1, 0, 0, 0]) })
        func warnings() throws -> Int {
            let path = FileManager.default.temporaryDirectory.appendingPathComponent("said-\(UUID().uuidString).tif")
                .path
            defer { try? FileManager.default.removeItem(atPath: path) }
            try Data(bytes).write(to: URL(fileURLWithPath: path))
            return try #require(try ImageFile.read(path).first).findings.count { $0.kind == .picture && $0.isWarning }
        }
        #expect(try warnings() == 0)
        bytes[place] = 5
        #expect(try warnings() == 1)
    }

    @Test("pages that tell of more than the file holds ask for a person")
    func missingPages() throws {
        func warnings(_ numbers: [[Int]?]) throws -> Int {
            let pages = numbers.enumerated().map { index, numbers in
                var page = page(index)
                if let numbers { page.numbers = [(297, numbers)] }
                return page
            }
            return try opened(RawTIFF(pages)) { try $0.contents().findings.count { $0.kind == .pages && $0.isWarning } }
        }
        #expect(try warnings([[0, 3], [1, 3]]) == 1 && warnings([[1, 2]]) == 1)
        for numbers in [
            [[0, 2], [1, 2]], [[0, 0], [1, 0]], [[0, 3], nil], [[0, 1]], [[3, 3], [4, 3]], [[0], [1]],
        ] {
            #expect(try warnings(numbers) == 0)
        }
    }

    @Test("pages of a stack that are numbered in another order than they stand in are refused; equal numbers are none")
    func pageNumbers() throws {
        func file(_ numbers: [Int?], _ text: String? = nil) -> RawTIFF {
            RawTIFF(
                numbers.enumerated().map { index, number in
                    var page = page(index, description: index == 0 ? text : nil)
                    if let number { page.numbers = [(297, [number, 3])] }
                    return page
                })
        }
        for text in [nil, "ImageJ=1.53t\nimages=3\nslices=3\n"] {
            for numbers in [[2, 1, 0], [0, 2, 1]] {
                #expect { try firsts(file(numbers, text)) } throws: { ($0 as? ImageFilesFailure)?.code == "RAS-AXES" }
            }
            for numbers in [[0, 1, 2], [3, 5, 9], [0, 0, 0], [0, 1, 0], [2, nil, 0]] {
                #expect(try firsts(file(numbers, text)) == [[0, 1, 2]])
            }
        }
    }

    @Test(
        "a tag that stands twice in a page with different values is refused; twice the same, and twice what nobody asks for, is read"
    )
    func tagsTwice() throws {
        for (tag, value, isSame) in [(256, 5, true), (256, 4, false), (262, 1, true), (262, 0, false), (305, 7, true)] {
            var page = page(7)
            page.numbers = [(UInt16(tag), [value])]
            if tag == 305 { page.numbers.append((305, [8])) }
            if isSame {
                #expect(try firsts(RawTIFF([page])) == [[7]])
            } else {
                #expect { try firsts(RawTIFF([page])) } throws: { ($0 as? ImageFilesFailure)?.code == "IN-CORRUPT" }
            }
        }
    }

    @Test("a palette picture without its colours is refused, not shown grey by its indices")
    func missingColours() throws {
        for isBigEndian in [false, true] {
            var page = page(7)
            page.photometric = 3
            #expect { try firsts(RawTIFF([page], isBigEndian: isBigEndian)) } throws: {
                ($0 as? ImageFilesFailure)?.code == "IN-CORRUPT"
            }
            page.numbers = [(320, [Int](repeating: 0x4000, count: 768))]
            #expect(try firsts(RawTIFF([page], isBigEndian: isBigEndian)) == [[0x40]])
        }
    }

    @Test("a horizontal predictor of uncompressed samples is undone row by row; another one is refused")
    func predictor() throws {
        var page = RawTIFF.Page(rows: 2, columns: 4, data: [10, 20, 30, 250, 1, 1, 1, 1])
        page.raw = [(317, 3, [2, 0])]
        let values = try opened(RawTIFF([page])) { file in
            let picture = try file.contents().pictures[0]
            return try file.page(picture.planes[0], of: picture, survey: try file.survey(picture.planes[0])).values
        }
        #expect(values == [10, 30, 60, 54, 1, 2, 3, 4])
        page.raw = [(317, 3, [3, 0])]
        #expect { try firsts(RawTIFF([page])) } throws: { ($0 as? ImageFilesFailure)?.code == "PIX-CODEC" }
    }

    @Test("a volume in one page (ImageDepth) has all of its slices, each from its place in the tiles")
    func volume() throws {
        var page = RawTIFF.Page(rows: 16, columns: 16)
        page.tile = (16, 16)
        page.tiles = (0..<3).map { tile in
            (0..<2).flatMap { [UInt8](repeating: UInt8(10 * tile + $0), count: 256) }
        }
        page.numbers = [(32_997, [5]), (32_998, [2])]
        #expect(try firsts(RawTIFF([page])) == [[0, 1, 10, 11, 20]])
    }

    @Test("samples of three bytes are the highest byte first, in files of either order, also behind the first picture")
    func threeBytes() throws {
        for isBigEndian in [false, true] {
            for description in [nil, "ImageJ=1.53t\nimages=2\nslices=2\n"] {
                var page = RawTIFF.Page(rows: 3, columns: 5)
                page.bits = 24
                page.description = description
                page.data = (0..<30).flatMap { [0, UInt8($0 / 15), UInt8($0)] }
                if description == nil { page.data.removeLast(45) }
                let sums = try opened(RawTIFF([page], isBigEndian: isBigEndian)) { file in
                    let picture = try file.contents().pictures[0]
                    return try picture.planes(TIFFSelection(), path: "").map { plane -> Double in
                        let page = try file.page(plane, of: picture, survey: try file.survey(plane))
                        let mapping = try #require(page.mapping)
                        return Double(page.values[14]) * mapping.slope + mapping.intercept
                    }
                }
                #expect(sums == (description == nil ? [14] : [14, 256 + 29]), "\(isBigEndian)")
            }
        }
    }

    @Test("a LERC page is lossy when its blob says so, or when nobody can tell", arguments: [0.0, 0.5, 2.0])
    func lerc(_ error: Double) throws {
        // Version 2: magic, version, rows, columns, valid pixels, block, blob size, type (1: bytes), the largest error.
        func int32(_ value: Int) -> [UInt8] { (0..<4).map { UInt8(truncatingIfNeeded: value >> (8 * $0)) } }
        var blob = Array("Lerc2 ".utf8) + int32(2)
        for value in [3, 5, 15, 8, 100, 1] { blob += int32(value) }
        blob += (0..<8).map { UInt8(truncatingIfNeeded: error.bitPattern >> (8 * UInt64($0))) }
        blob += [UInt8](repeating: 0, count: 40)
        var page = RawTIFF.Page(rows: 3, columns: 5, data: blob)
        page.compression = 34_887
        #expect(try opened(RawTIFF([page])) { try $0.loss(of: .page(0)) != nil } == (error > 0.5))
        page.data = [UInt8](repeating: 1, count: 90)
        #expect(try opened(RawTIFF([page])) { try $0.loss(of: .page(0)) != nil })
    }

    @Test(
        "pages of different orientation are a picture each; an orientation that says nothing is that of the first row on top"
    )
    func orientationsOfPages() throws {
        for (orientation, slices) in [(6, [1, 1]), (3, [1, 1]), (1, [2]), (0, [2])] {
            var turned = page(2)
            turned.numbers = [(274, [orientation])]
            let found = try opened(RawTIFF([page(1), turned])) { try $0.contents().pictures.map(\.slices) }
            #expect(found == slices, "\(orientation)")
        }
    }

    @Test("docs/tiff-support.md holds the table that the decoder's own rules give")
    func supportPage() throws {
        let page = try String(contentsOfFile: "docs/tiff-support.md", encoding: .utf8)
        #expect(page.contains("<!-- table -->\n\n\(TIFFFormTable.table)\n\n<!-- end -->"), "\(TIFFFormTable.table)")
    }
}
