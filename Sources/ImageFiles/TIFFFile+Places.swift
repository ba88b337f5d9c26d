extension TIFFFile {
    /// Refuses a page of uncompressed strips or tiles that share bytes: parts of the picture would be shown twice. One tile may stand for
    /// several, as blank ones do in files of some writers; less than a row in common is padding.
    ///
    /// *Throws* `ImageFilesFailure.corrupt`.
    func checkPlaces(_ index: Int) throws(ImageFilesFailure) {
        let page = try tags(index)
        guard page.compression == 1 else { return }
        let width = page.isTiled ? try value(322, page: index)?.whole.first ?? 0 : page.columns
        let row = width * page.bits / 8 * (page.isPlanar ? 1 : page.samples)
        let offsets = try value(page.isTiled ? 324 : 273, page: index)?.whole ?? []
        let counts = try value(page.isTiled ? 325 : 279, page: index)?.whole ?? []
        guard row > 0, offsets.count == counts.count else { return }
        let pieces = zip(offsets, counts).filter { $0.1 > 0 }.sorted { $0 < $1 }
        for (one, next) in zip(pieces, pieces.dropFirst()) {
            if page.isTiled, one == next { continue }
            guard one.0 + min(one.1, Int.max - one.0) - next.0 < row else {
                throw failure(.corrupt("has strips or tiles that lie one upon another"))
            }
        }
    }

    /// What to say of a page all of whose uncompressed strips have some bytes a row more than its columns make: its rows may be longer, or
    /// padded one by one, and the picture slants. Less than a row in all, as the padding of a strip is.
    func slantFinding(_ index: Int) throws(ImageFilesFailure) -> RasterFinding? {
        let page = try tags(index)
        guard page.compression == 1, !page.isTiled, page.depth == 1, page.photometric != 6 else { return nil }
        let row = (page.columns * page.bits * (page.isPlanar ? 1 : page.samples) + 7) / 8
        let height = min(try value(278, page: index)?.whole.first ?? page.rows, page.rows)
        let counts = try value(279, page: index)?.whole ?? []
        guard height >= 16, row > 0,
            counts.count == (page.rows + height - 1) / height * (page.isPlanar ? page.samples : 1)
        else { return nil }
        let strips = (page.rows + height - 1) / height, last = page.rows - (strips - 1) * height
        let surplus = counts.enumerated().map { number, count in
            let rows = number % strips == strips - 1 ? last : height
            return count > rows * row && (count - rows * row) % rows == 0 ? (count - rows * row) / rows : 0
        }
        guard let first = surplus.first, first > 0, surplus.allSatisfy({ $0 == first }) else { return nil }
        return RasterFinding(
            .picture, isWarning: true,
            "the page's strips hold \(first) bytes a row more than its \(page.columns) columns make: the picture slants where its rows are longer than it says."
        )
    }

    /// What to say of a file whose pages tell, by their numbers, of more than there are; nil for others.
    ///
    /// *Source*: TIFF 6.0, section 12, PageNumber: the second number is the total of pages, 0 where it is not known.
    func missingPages() throws(ImageFilesFailure) -> RasterFinding? {
        var most = 0
        for index in 0..<pageCount {
            guard let numbers = try value(297, page: index)?.whole, numbers.count == 2, numbers[0] < numbers[1] else {
                return nil
            }
            most = max(most, numbers[1])
        }
        guard most > pageCount else { return nil }
        return RasterFinding(
            .pages, isWarning: true,
            "the pages say that they are \(most) (PageNumber), and the file holds \(pageCount): some may be missing.")
    }
}
