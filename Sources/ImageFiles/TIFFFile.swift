import CImageFiles
import Imaging
package import Storage

/// An open TIFF whose pages are decoded one at a time (`dicom.md` 5.1). One thread at a time.
package final class TIFFFile {
    package let file: InputFile
    package let pageCount: Int
    private let handle: OpaquePointer
    /// Lives as long as the handle that reads through it.
    private let reader: FileReader

    /// Follows the file's chain of pages. Everything is read through its descriptor.
    ///
    /// *Throws* `ImageFilesFailure`: corrupt (loops included), truncated, limit, unreadable, changed.
    package init(_ file: InputFile, limits: ImageLimits = .standard) throws(ImageFilesFailure) {
        let reader = FileReader(file)
        var source = reader.source
        var opened: OpaquePointer?
        var error = ci_error()
        var limits = limits.c
        guard ci_tiff_open(&source, &limits, &opened, &error) == CI_OK, let opened else {
            throw reader.failure(error)
        }
        self.file = file
        self.reader = reader
        handle = opened
        pageCount = Int(ci_tiff_count(opened))
    }

    /// Opens the file at `path`. *Throws* `ImageFilesFailure`: as above.
    package convenience init(_ path: String, limits: ImageLimits = .standard) throws(ImageFilesFailure) {
        let file: InputFile
        do throws(StorageFailure) { file = try InputFile(path) } catch {
            throw ImageFilesFailure(path: path, error)
        }
        try self.init(file, limits: limits)
    }

    deinit { ci_tiff_close(handle) }

    /// As the person knows it.
    package var path: String { file.path.text }

    /// A page's tags.
    package struct PageTags: Sendable, Equatable {
        package let rows: Int
        package let columns: Int
        package let samples: Int
        package let bits: Int
        /// Sample Format: 1 unsigned, 2 signed, 3 floating point.
        package let format: Int
        /// Photometric Interpretation; guessed from the samples when the tag is missing.
        package let photometric: Int
        package let compression: Int
        package let orientation: Int
        /// Planar Configuration 2: stored one plane a sample.
        package let isPlanar: Bool
        /// A smaller copy of another page (New Subfile Type bit 0).
        package let isReduced: Bool
        /// A transparency mask of another page (New Subfile Type bit 2, or Photometric 4).
        package let isMask: Bool
    }

    private func described(_ index: Int) throws(ImageFilesFailure) -> ci_tiff_page {
        var page = ci_tiff_page()
        var error = ci_error()
        guard ci_tiff_describe(handle, UInt32(clamping: index), &page, &error) == CI_OK else { throw failure(error) }
        if page.has_photometric == 0 { page.photometric = page.samples >= 3 ? 2 : 1 }
        if pageCount == 1, page.imagej_images > 1 {
            throw failure(.codec("an ImageJ stack of \(page.imagej_images) pictures in one page"))
        }
        return page
    }

    package func tags(_ index: Int) throws(ImageFilesFailure) -> PageTags {
        let page = try described(index)
        return PageTags(
            rows: Int(page.rows), columns: Int(page.columns), samples: Int(page.samples), bits: Int(page.bits),
            format: Int(page.format), photometric: Int(page.photometric), compression: Int(page.compression),
            orientation: Int(page.orientation), isPlanar: page.planar != 0, isReduced: page.subfile & 1 != 0,
            isMask: page.subfile & 4 != 0 || page.photometric == 4)
    }

    /// A page's samples as they are stored: not turned, not inverted, palette indices as they are, extra samples kept.
    ///
    /// *Shape*: `[rows, columns, samples]`, each sample in 1, 2, 4 or 8 bytes of native order.
    package func storedSamples(_ index: Int) throws(ImageFilesFailure) -> [UInt8] {
        try withPixels(index) { Array($0) }
    }

    /// A page as grey or RGB, upright.
    ///
    /// *Throws* `ImageFilesFailure`: what the table of `dicom.md` 5.1 refuses, and pixels that cannot be decoded.
    package func page(_ index: Int) throws(ImageFilesFailure) -> RasterPage {
        let tags = try described(index)
        try check(tags)
        let palette = tags.photometric == 3 ? try self.palette(index, bits: Int(tags.bits)) : nil
        let reading = SampleReading(tags)
        let rows = Int(tags.rows), columns = Int(tags.columns)
        let (values, mapping) = try withPixels(index) { reading.values($0, pixels: rows * columns, palette: palette) }
        var page = RasterPage(
            rows: rows, columns: columns, samples: reading.samples, bits: reading.outputBits, values: values)
        page.mapping = mapping
        page.dateTime = text(of: tags)
        page.notes = reading.notes
        let bytes = Double(rows * columns * reading.samples * (reading.outputBits > 8 ? 2 : 1))
        if tags.compression == 7 || tags.compression == 50001 {
            page.loss = .init(
                method: tags.compression == 7 ? "ISO_10918_1" : nil,
                ratio: bytes / Double(max(tags.compressed_bytes, 1)))
        }
        let perMetre = tags.unit == 2 ? 1 / 0.0254 : tags.unit == 3 ? 100.0 : 0
        page.spacing = spacing(
            rowsPerMetre: tags.y_resolution * perMetre, columnsPerMetre: tags.x_resolution * perMetre)
        if tags.unit == 1, tags.x_resolution > 0, tags.y_resolution > 0, tags.x_resolution != tags.y_resolution {
            page.pixelAspect = PixelSpacing(row: 1 / tags.y_resolution, column: 1 / tags.x_resolution)
        }
        return page.upright(from: Int(tags.orientation))
    }

    /// Every page that is a picture of its own, without masks and smaller copies; the first page if nothing else is left.
    package func pictureIndices() throws(ImageFilesFailure) -> [Int] {
        var pictures: [Int] = []
        for index in 0..<pageCount {
            let tags = try tags(index)
            if !tags.isReduced && !tags.isMask { pictures.append(index) }
        }
        return pictures.isEmpty ? [0] : pictures
    }

    func allPages() throws(ImageFilesFailure) -> [RasterPage] {
        var pages: [RasterPage] = []
        for index in try pictureIndices() { pages.append(try page(index)) }
        return pages
    }

    /// The same for masks: 32-bit whole numbers as they are.
    ///
    /// *Throws* as `page`; `.bits` when a number does not fit into 16 bits.
    func allStoredPages() throws(ImageFilesFailure) -> [RasterPage] {
        var pages: [RasterPage] = []
        for index in try pictureIndices() {
            let tags = try described(index)
            pages.append(tags.bits == 32 && tags.samples == 1 ? try wholePage(index, tags) : try page(index))
        }
        return pages
    }

    /// A page of one 32-bit sample a pixel, all of them whole numbers from 0 to 65535.
    private func wholePage(_ index: Int, _ tags: ci_tiff_page) throws(ImageFilesFailure) -> RasterPage {
        let values = try withPixels(index) { bytes in
            (0..<bytes.count / 4).map { pixel in
                let bits = bytes.loadUnaligned(fromByteOffset: 4 * pixel, as: UInt32.self)
                return tags.format == 3 ? UInt16(exactly: Float(bitPattern: bits)) : UInt16(exactly: bits)
            }
        }
        let whole = values.compactMap { $0 }
        guard whole.count == values.count else {
            throw failure(.bits("has 32-bit values that are no whole numbers from 0 to 65535"))
        }
        return RasterPage(rows: Int(tags.rows), columns: Int(tags.columns), samples: 1, bits: 16, values: whole)
            .upright(from: Int(tags.orientation))
    }

    // MARK: Inside

    private func failure(_ error: ci_error) -> ImageFilesFailure { reader.failure(error) }
    private func failure(_ reason: ImageFilesFailure.Reason) -> ImageFilesFailure {
        ImageFilesFailure(path: file.path.text, reason: reason)
    }

    private func withPixels<Result>(
        _ index: Int, _ body: (UnsafeRawBufferPointer) -> Result
    ) throws(ImageFilesFailure) -> Result {
        var pixels: UnsafeMutablePointer<UInt8>?
        var size = 0
        var error = ci_error()
        guard ci_tiff_pixels(handle, UInt32(clamping: index), &pixels, &size, &error) == CI_OK, let pixels else {
            throw failure(error)
        }
        defer { ci_free(pixels) }
        return body(UnsafeRawBufferPointer(start: pixels, count: size))
    }

    private func palette(_ index: Int, bits: Int) throws(ImageFilesFailure) -> [UInt16] {
        let entries = 1 << bits
        var map = [UInt16](repeating: 0, count: 3 * entries)
        var error = ci_error()
        guard ci_tiff_palette(handle, UInt32(clamping: index), &map, entries, &error) == CI_OK else {
            throw failure(error)
        }
        return map
    }

    private func text(of tags: ci_tiff_page) -> String? {
        var tags = tags
        let text = withUnsafeBytes(of: &tags.date_time) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
        return text.isEmpty ? nil : text
    }

    private func check(_ tags: ci_tiff_page) throws(ImageFilesFailure) {
        switch tags.photometric {
        case 0, 1, 3: break
        case 2, 6:
            guard tags.samples >= 3 else {
                throw failure(
                    .photometric(
                        "says RGB or YCbCr (Photometric \(tags.photometric)) but has \(tags.samples) samples a pixel"))
            }
        case 4: throw failure(.photometric("is a transparency mask (Photometric 4)"))
        case 5: throw failure(.photometric("is CMYK (Photometric 5)"))
        case 8, 9, 10: throw failure(.photometric("is CIE L*a*b* (Photometric \(tags.photometric))"))
        case 32844, 32845: throw failure(.photometric("is LogLuv (Photometric \(tags.photometric))"))
        default: throw failure(.photometric("has the unknown Photometric \(tags.photometric)"))
        }
        let readable =
            switch tags.format {
            case 1, 4: (1...16).contains(tags.bits) || tags.bits == 32
            case 2: tags.bits == 8 || tags.bits == 16
            case 3: tags.bits == 32 || tags.bits == 64
            default: false
            }
        guard readable, tags.photometric != 3 || tags.bits <= 16, tags.photometric != 6 || tags.bits == 8 else {
            let format = [1: "unsigned", 2: "signed", 3: "floating point", 4: "untyped"][tags.format] ?? "complex"
            throw failure(.bits("has \(format) samples of \(tags.bits) bits"))
        }
    }
}
