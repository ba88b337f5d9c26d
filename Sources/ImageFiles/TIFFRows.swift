import CImageFiles

/// A plane from top to bottom in bands of its strips or tiles, so that it is never in memory as a whole.
///
/// *Cost*: memory of one band: `bandRows` rows, or one strip or row of tiles where these are higher.
package struct TIFFRows {
    /// 1 (grey) or 3 (RGB).
    package let samples: Int
    private let rows: Int
    private let columns: Int
    private let file: TIFFFile
    private let page: Int
    private let reading: SampleReading
    private let palette: [UInt16]?
    private let survey: SampleSurvey
    /// Rows of a band but for the last.
    private let height: Int
    private var done = 0
    /// The extra samples of the first pixel, and whether others have others.
    private var extras: (first: [UInt8], differ: Bool) = ([], false)
    private let ofTags: [RasterFinding]

    /// As stored: Orientation is not applied.
    ///
    /// - Parameter survey: of all planes that are to be comparable.
    /// *Throws* `ImageFilesFailure`, as `TIFFFile.page`.
    package init(_ file: TIFFFile, _ plane: TIFFPlane, survey: SampleSurvey) throws(ImageFilesFailure) {
        precondition(plane.inPage == 0, "TIFFRows: a picture inside of a page")
        let (tags, reading) = try file.reading(plane, survey: survey)
        palette = try file.palette(plane.page, tags)
        (self.file, self.reading, self.survey, page) = (file, reading, survey, plane.page)
        (rows, columns) = (Int(tags.rows), Int(tags.columns))
        samples = reading.samples
        ofTags = try file.tagFindings(plane.page, samples: reading.samples)
        height = try file.bandRows(plane.page)
    }

    /// The next rows, and how many bits of their values are significant; nil behind the last.
    package mutating func next() throws(ImageFilesFailure) -> RasterPage? {
        guard done < rows else { return nil }
        let count = min(height, rows - done)
        let (reading, palette, survey, columns) = (reading, palette, survey, columns)
        var extras = extras
        let (values, hasNoData) = try file.withRows(page, done..<done + count) { bytes in
            extras.differ =
                reading.extrasDiffer(bytes, pixels: count * columns, from: &extras.first) || extras.differ
            return (
                reading.values(bytes, pixels: count * columns, palette: palette, survey: survey),
                reading.hasNoData(bytes, pixels: count * columns)
            )
        }
        self.extras = extras
        if hasNoData { throw try file.noDataFailure(page) }
        done += count
        return RasterPage(rows: count, columns: columns, samples: samples, bits: values.bits, values: values.values)
    }

    /// Of the rows that were given: what a person should know.
    package var findings: [RasterFinding] {
        reading.findings(survey, extrasDiffer: extras.differ) + ofTags
    }
}

extension TIFFFile {
    /// Rows of a band: whole strips or tiles, 256 rows or the next more.
    fileprivate func bandRows(_ index: Int) throws(ImageFilesFailure) -> Int {
        let piece = try pieceRows(index)
        return (256 + piece - 1) / piece * piece
    }

    /// Rows of one strip or tile.
    func pieceRows(_ index: Int) throws(ImageFilesFailure) -> Int {
        var rows: UInt32 = 0
        var error = ci_error()
        guard ci_tiff_piece_rows(handle, UInt32(clamping: index), &rows, &error) == CI_OK else { throw failure(error) }
        return max(1, Int(rows))
    }

    /// Calls `body` with the stored samples of each band of a page, from top to bottom, and how many rows it has.
    func forEachBand(
        _ index: Int, rows: Int, _ body: (UnsafeRawBufferPointer, Int) -> Void
    ) throws(ImageFilesFailure) {
        let height = try bandRows(index)
        for first in stride(from: 0, to: rows, by: height) {
            let count = min(height, rows - first)
            try withRows(index, first..<first + count) { body($0, count) }
        }
    }

    func withRows<Result>(
        _ index: Int, _ rows: Range<Int>, _ body: (UnsafeRawBufferPointer) -> Result
    ) throws(ImageFilesFailure) -> Result {
        var pixels: UnsafeMutablePointer<UInt8>?
        var size = 0
        var error = ci_error()
        guard
            ci_tiff_rows(
                handle, UInt32(clamping: index), UInt32(clamping: rows.lowerBound), UInt32(clamping: rows.count),
                &pixels, &size, &error) == CI_OK, let pixels
        else { throw failure(error) }
        defer { ci_free(pixels) }
        return body(UnsafeRawBufferPointer(start: pixels, count: size))
    }
}
