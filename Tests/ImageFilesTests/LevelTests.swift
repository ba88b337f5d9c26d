import ImageFiles
import Imaging
import Mutations
import Testing

/// Smaller copies of a picture, and pictures that are read band by band.
@Suite("TIFF pyramids")
struct LevelTests {
    /// In tiles of 16 × 16 or in one strip.
    private func page(_ rows: Int, _ columns: Int, isTiled: Bool = true, subfile: Int = 0) -> RawTIFF.Page {
        var page = RawTIFF.Page(rows: rows, columns: columns)
        page.subfile = subfile
        func value(_ row: Int, _ column: Int) -> UInt8 { UInt8((row * 7 + column * 3) % 251) }
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
