import ImageFiles
import Imaging
import Mutations
import Testing

/// Smaller copies of a picture, and pictures that are read band by band.
@Suite("TIFF pyramids")
struct LevelTests {
    /// In tiles of 16 × 16 or in one strip; of every size the same picture, or its negative.
    private func page(
        _ rows: Int, _ columns: Int, isTiled: Bool = true, subfile: Int = 0, isNegative: Bool = false
    ) -> RawTIFF.Page {
        var page = RawTIFF.Page(rows: rows, columns: columns)
        page.subfile = subfile
        func value(_ row: Int, _ column: Int) -> UInt8 {
            let shade = UInt8((row * 180 / rows + column * 70 / columns) % 251)
            return isNegative ? 250 - shade : shade
        }
        if isTiled {
            page.tile = (16, 16)
            for top in stride(from: 0, to: rows, by: 16) {
                for left in stride(from: 0, to: columns, by: 16) {
                    page.tiles.append((0..<256).map { value(top + $0 / 16, left + $0 % 16) })
                }
            }
        } else {
            page.data = (0..<rows * columns).map { value($0 / columns, $0 % columns) }
        }
        return page
    }

    private func sizes(_ file: RawTIFF) throws -> [[Int]] {
        try opened(file) { file in
            let picture = try #require(try file.contents().pictures.first)
            return try file.levels(of: picture.planes[0], in: picture).map { [$0.rows, $0.columns] }
        }
    }

    @Test("copies are found below the page, behind it unflagged, and behind it flagged; other shapes are none")
    func levels() throws {
        var below = page(96, 128)
        below.below = [page(24, 32, subfile: 1), page(48, 64, subfile: 1), page(30, 30, subfile: 1)]
        #expect(try sizes(RawTIFF([below])) == [[96, 128], [48, 64], [24, 32]])
        #expect(try sizes(RawTIFF([page(96, 128), page(48, 64), page(24, 32)])) == [[96, 128], [48, 64], [24, 32]])
        let flagged = [
            page(96, 128, isTiled: false), page(33, 44, isTiled: false, subfile: 1), page(5, 90, subfile: 1),
        ]
        #expect(try sizes(RawTIFF(flagged)) == [[96, 128], [33, 44]])
        // Sides of copies are rounded up or down.
        var odd = page(97, 131)
        odd.below = [page(49, 65, subfile: 1), page(24, 33, subfile: 1)]
        #expect(try sizes(RawTIFF([odd])).count == 3)
    }

    @Test(
        "a smaller page that nothing flags is a copy where it shows the same picture, else another picture",
        arguments: [(96, 128), (800, 1040)])
    func otherPictures(rows: Int, columns: Int) throws {
        func contents(_ second: RawTIFF.Page) throws -> TIFFContents {
            try opened(RawTIFF([page(rows, columns), second])) { try $0.contents() }
        }
        #expect(try contents(page(rows / 2, columns / 2)).roles == [.picture, .smaller])
        let two = try contents(page(rows / 2, columns / 2, isNegative: true))
        #expect(two.roles == [.picture, .picture] && two.pictures.map(\.rows) == [rows, rows / 2])
        #expect(!two.pictures.contains { !$0.smaller.isEmpty })
        // What its program flags is taken at its word.
        #expect(
            try contents(page(rows / 2, columns / 2, subfile: 1, isNegative: true)).roles == [.picture, .smaller])
        // Of a pyramid each level is held against the one before it.
        let pages = [page(rows, columns), page(rows / 2, columns / 2), page(rows / 4, columns / 4, isNegative: true)]
        let three = try opened(RawTIFF(pages)) { try $0.contents() }
        #expect(three.roles == [.picture, .smaller, .picture])
        // Level pictures tell by their brightness.
        func level(_ rows: Int, _ columns: Int, _ value: UInt8) -> RawTIFF.Page {
            var page = page(rows, columns)
            page.tiles = page.tiles.map { $0.map { _ in value } }
            return page
        }
        for (value, role) in [(UInt8(9), TIFFContents.Role.smaller), (200, .picture)] {
            let found = try opened(RawTIFF([level(rows, columns, 9), level(rows / 2, columns / 2, value)])) {
                try $0.contents().roles
            }
            #expect(found == [.picture, role])
        }
    }

    @Test("a page below another that is larger than it is a contradiction")
    func larger() {
        var small = page(24, 32)
        small.below = [page(96, 128)]
        #expect { try sizes(RawTIFF([small])) } throws: { ($0 as? ImageFilesFailure)?.code == "RAS-AXES" }
    }

    @Test("pictures below a page that are no smaller copies of it ask for a person; a larger one is refused at once")
    func besides() throws {
        func findings(_ below: RawTIFF.Page) throws -> Int {
            var whole = page(96, 128)
            whole.below = [page(48, 64, subfile: 1), below]
            let found = try opened(RawTIFF([whole])) { try $0.contents().findings }
            return found.count { $0.isWarning && $0.kind == .pages }
        }
        #expect(try findings(page(24, 32)) == 0 && findings(page(30, 30, subfile: 1)) == 0)
        #expect(try findings(page(96, 128)) == 1 && findings(page(30, 30)) == 1)
        #expect(try findings(page(24, 32, isNegative: true)) == 1)
        #expect(try findings(page(24, 32, subfile: 1, isNegative: true)) == 0)
        // The preview that cameras put first.
        var preview = page(24, 32, subfile: 1)
        preview.below = [page(96, 128)]
        #expect { try opened(RawTIFF([preview])) { try $0.contents() } } throws: {
            ($0 as? ImageFilesFailure)?.code == "RAS-AXES"
        }
    }

    @Test("rows that come in bands are those of the whole page", arguments: [true, false], [1, 3])
    func bands(isTiled: Bool, samples: Int) throws {
        var page = page(600, 40, isTiled: isTiled)
        if samples == 3 {
            page = RawTIFF.Page(rows: 600, columns: 40, data: (0..<600 * 40 * 3).map { UInt8($0 % 253) })
            (page.samples, page.photometric) = (3, 2)
            if isTiled {
                page.tile = (16, 16)
                page.tiles = (0..<38 * 3).map { tile in (0..<768).map { UInt8(($0 + tile) % 253) } }
            }
        }
        try opened(RawTIFF([page])) { file in
            let picture = try file.contents().pictures[0]
            let whole = try file.page(picture.planes[0], of: picture, survey: SampleSurvey())
            var rows = try TIFFRows(file, picture.planes[0], survey: SampleSurvey())
            var values: [UInt16] = [], bands = 0
            while let band = try rows.next() {
                values += band.values
                bands += 1
            }
            #expect(values == whole.values && (bands > 1 || !isTiled))
        }
    }

    @Test("of a slide's smallest levels so many rows are held against it as stand for a part of it")
    func smallestLevels() throws {
        #expect(TIFFFile.bands(rows: 190, of: 400) == [0..<190])
        #expect(TIFFFile.bands(rows: 400, of: 800).map(\.count) == [64, 64, 64])
        for (rows, larger) in [(190, 12_000), (800, 80_000), (780, 100_000), (24, 4000), (1, 60_000)] {
            let bands = TIFFFile.bands(rows: rows, of: larger)
            let looked = bands.reduce(0) { $0 + $1.count } * larger / rows
            #expect(looked <= max(3 * 1024, 24 * larger / rows) && bands.allSatisfy { (0..<rows).contains($0) })
        }
        func roles(isNegative: Bool) throws -> [TIFFContents.Role] {
            try opened(RawTIFF([page(3200, 640), page(100, 20, isNegative: isNegative)])) { try $0.contents().roles }
        }
        #expect(try roles(isNegative: false) == [.picture, .smaller])
        #expect(try roles(isNegative: true) == [.picture, .picture])
    }

    @Test("a copy's spacing is its own, by rows and by columns, turned with it")
    func spacing() throws {
        var turned = page(96, 128)
        turned.resolution = (2000, 1000, 3)
        turned.numbers = [(274, [6])]
        var copy = page(48, 32, subfile: 1)
        copy.numbers = [(274, [6])]
        try opened(RawTIFF([turned, copy])) { file in
            let picture = try file.contents().pictures[0]
            let page = try file.page(.page(1), of: picture, survey: SampleSurvey())
            let spacing = try #require(page.spacing)
            #expect(abs(spacing.row - 0.005 * 4) < 1e-9 && abs(spacing.column - 0.01 * 2) < 1e-9)
            #expect(page.reduction.spacing(PixelSpacing(row: 1, column: 1)) == PixelSpacing(row: 4, column: 2))
        }
    }
}
