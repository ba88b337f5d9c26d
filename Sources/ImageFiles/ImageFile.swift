import CImageFiles
import Imaging
import Numbers
package import Storage

/// Image files by their content, whatever their name.
package enum ImageFile {
    package enum Format: Sendable {
        case tiff, png, jpeg
    }

    /// The format that the first bytes (16 suffice) are of.
    package static func format(of head: some Collection<UInt8>) -> Format? {
        let head = Array(head.prefix(8))
        if head.starts(with: [0xFF, 0xD8, 0xFF]) { return .jpeg }
        if head == [0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A] { return .png }
        let tiffs: [[UInt8]] = [[0x49, 0x49, 42, 0], [0x4D, 0x4D, 0, 42], [0x49, 0x49, 43, 0], [0x4D, 0x4D, 0, 43]]
        return tiffs.contains { head.starts(with: $0) } ? .tiff : nil
    }

    /// All pages of a TIFF, or the one picture of a PNG or JPEG, upright, as grey or RGB.
    ///
    /// Alpha is dropped, palettes are resolved, pictures of fewer than 8 bits are stretched to 8; a JPEG is turned as its EXIF
    /// orientation says. For TIFFs of many pages, `TIFFFile` gives one at a time.
    /// *Throws* `ImageFilesFailure`.
    package static func read(_ path: String, limits: ImageLimits = .standard) throws(ImageFilesFailure) -> [RasterPage]
    {
        try read(path, limits: limits, stored: false)
    }

    /// The same for masks, whose values are classes: a PNG's palette indices and grey of few bits come as they are stored, a TIFF's
    /// signed, floating point and wider numbers as they are where they are whole ones that fit into 16 bits; others are refused.
    ///
    /// *Throws* `ImageFilesFailure`.
    package static func readStored(
        _ path: String, limits: ImageLimits = .standard
    ) throws(ImageFilesFailure) -> [RasterPage] {
        try read(path, limits: limits, stored: true)
    }

    /// The same of a file that is open.
    package static func readStored(
        _ file: InputFile, limits: ImageLimits = .standard
    ) throws(ImageFilesFailure) -> [RasterPage] {
        try read(file, limits: limits, stored: true)
    }

    private static func read(
        _ path: String, limits: ImageLimits, stored: Bool
    ) throws(ImageFilesFailure) -> [RasterPage] {
        let file: InputFile
        do throws(StorageFailure) {
            file = try InputFile(path)
        } catch {
            throw ImageFilesFailure(path: path, error)
        }
        return try read(file, limits: limits, stored: stored)
    }

    private static func read(
        _ file: InputFile, limits: ImageLimits, stored: Bool
    ) throws(ImageFilesFailure) -> [RasterPage] {
        let path = file.path.text
        let head: [UInt8]
        do throws(StorageFailure) {
            head = try file.read(0..<min(file.size, 16))
        } catch {
            throw ImageFilesFailure(path: path, error)
        }
        guard let format = format(of: head) else { throw ImageFilesFailure(path: path, reason: .notAnImage) }
        guard format == .tiff else {
            return [
                stored
                    ? try picture(file, format, limits, stored: true) : try picture(file, format, limits: limits)
            ]
        }
        let tiff = try TIFFFile(file, limits: limits)
        return stored ? try tiff.allStoredPages() : try tiff.allPages()
    }

    /// The one picture of a PNG or JPEG, upright, read through its descriptor.
    ///
    /// - Parameter survey: of all pictures that are to be comparable; nil: of this one alone.
    /// *Throws* `ImageFilesFailure`.
    package static func picture(
        _ file: InputFile, _ format: Format, survey: SampleSurvey? = nil, limits: ImageLimits = .standard
    ) throws(ImageFilesFailure) -> RasterPage {
        let page = try picture(file, format, limits, stored: false)
        return page.reduced(to: survey ?? page.colourSurvey)
    }

    /// Which bits a picture's colours use; nothing for those of 8 bits. *Throws* `ImageFilesFailure`. *Cost*: colours of 16 bits are
    /// decoded.
    package static func survey(
        _ file: InputFile, _ format: Format, limits: ImageLimits = .standard
    ) throws(ImageFilesFailure) -> SampleSurvey {
        // Bit depth and colour type of a PNG's header.
        guard format == .png, let head = try? file.read(0..<min(file.size, 26)), head.count == 26, head[24] == 16,
            head[25] & 2 != 0
        else { return SampleSurvey() }
        return try picture(file, format, limits, stored: false).colourSurvey
    }

    private static func picture(
        _ file: InputFile, _ format: Format, _ limits: ImageLimits, stored: Bool
    ) throws(ImageFilesFailure) -> RasterPage {
        let reader = FileReader(file)
        var source = reader.source
        var image = ci_image()
        var error = ci_error()
        var limits = limits.c
        let status =
            format == .jpeg
            ? ci_jpeg_read(&source, &limits, &image, &error)
            : stored
                ? ci_png_read_stored(&source, &limits, &image, &error) : ci_png_read(&source, &limits, &image, &error)
        guard status == CI_OK, let pixels = image.pixels else { throw reader.failure(error) }
        defer { ci_image_free(&image) }
        let bytes = UnsafeRawBufferPointer(start: pixels, count: image.size)
        let values =
            image.bits == 16
            ? (0..<bytes.count / 2).map { bytes.loadUnaligned(fromByteOffset: 2 * $0, as: UInt16.self) }
            : bytes.map { UInt16($0) }
        var page = RasterPage(
            rows: Int(image.rows), columns: Int(image.columns), samples: Int(image.samples), bits: Int(image.bits),
            values: values)
        // Without a unit JFIF's densities are read as those by some programs and as sides of a pixel by others.
        let (perUnit, isOfShape) = ((image.rows_per_unit, image.columns_per_unit), format == .png)
        let own =
            perUnit.0 > 0 && isOfShape
            ? PixelCalibration(rows: perUnit.0, columns: perUnit.1, unit: .none)
            : PixelCalibration(rows: image.rows_per_metre, columns: image.columns_per_metre, unit: .metre)
        if !isOfShape, perUnit.0 > 0, perUnit.1 > 0, perUnit.0 != perUnit.1 {
            page.findings.append(
                RasterFinding(
                    .picture, isWarning: true,
                    "the picture's pixels are no squares (JFIF, \(NumberText.short(perUnit.1)) to \(NumberText.short(perUnit.0)) without a unit), which programs read in two ways: they are taken for squares."
                ))
        }
        if image.palette_entries > 0 {
            page.palette = withUnsafeBytes(of: &image.palette) { Array($0.prefix(3 * Int(image.palette_entries))) }
        }
        page.isContradictedByAlpha = stored && image.alpha_contradicts != 0
        if image.alpha_differs != 0 {
            page.findings.append(
                RasterFinding(
                    .picture, isWarning: true, isTransparency: true,
                    "parts of the picture are transparent, and what lies below is shown as if it were seen"))
        } else if image.alpha_dropped != 0 {
            page.findings.append(RasterFinding(.picture, "alpha dropped"))
        }
        if format == .jpeg {
            page.loss = .init(
                method: "ISO_10918_1", ratio: Double(page.values.count) / Double(max(file.size, 1)))
        }
        let orientation: Int
        var problem: String?
        do throws(StorageFailure) {
            if let further = try FurtherPictures.finding(file, format) { page.findings.append(further) }
            let parts = try PictureBlock.all(of: file, format)
            if format == .png, !stored, let colour = try PNGColour(parts, of: file).problem {
                page.findings.append(RasterFinding(.picture, isWarning: true, colour))
            }
            if page.samples == 3 {
                for part in parts {
                    guard let (header, size) = try part.profile(file) else { continue }
                    page.findings += [RasterFinding.profile(header, size: size)].compactMap { $0 }
                }
            }
            if page.samples == 3, try PictureBlock.areContradictory(parts, file) {
                page.findings.append(
                    RasterFinding(
                        .picture, isWarning: true,
                        "one marker says that the samples are luminance and colour differences (JFIF), another red, green and blue (Adobe): the former is believed."
                    ))
            }
            let blocks = try EXIFBlock.all(parts, of: file)
            let read = EXIFOrientation.of(blocks)
            orientation = read.orientation
            if let finding = read.finding { page.findings.append(finding) }
            let scale = try PNGScale.read(parts, of: file)
            problem = scale.problem
            let stated =
                scale.calibration?.confirmed(by: own, ("the picture's scale (sCAL)", "its resolution (pHYs)")) ?? own
            let calibration = blocks.reduce(stated) {
                $0.confirmed(by: $1.calibration, ("the picture's own resolution", "its EXIF block"))
            }
            page.take(calibration)
        } catch {
            throw ImageFilesFailure(path: file.path.text, error)
        }
        if let problem { throw ImageFilesFailure(path: file.path.text, reason: .corrupt(problem)) }
        return page.upright(from: orientation)
    }

    /// A PNG of one page: grey or RGB, 8 or 16 bits (9 to 15 are stretched to 16).
    package static func png(_ page: RasterPage) throws(ImageFilesFailure) -> [UInt8] {
        try encoded([page]) { images, bytes, size, error in
            var image = images[0]
            return ci_png_encode(&image, bytes, size, error)
        }
    }

    /// A TIFF of the pages in order, uncompressed: grey or RGB, 8 or 16 bits (9 to 15 are stretched to 16).
    package static func tiff(_ pages: [RasterPage]) throws(ImageFilesFailure) -> [UInt8] {
        try encoded(pages) { images, bytes, size, error in
            ci_tiff_encode(images, images.count, bytes, size, error)
        }
    }

    private static func encoded(
        _ pages: [RasterPage],
        _ encode: (
            [ci_image], UnsafeMutablePointer<UnsafeMutablePointer<UInt8>?>, UnsafeMutablePointer<Int>,
            UnsafeMutablePointer<ci_error>
        ) -> ci_status
    ) throws(ImageFilesFailure) -> [UInt8] {
        var bytes: UnsafeMutablePointer<UInt8>?
        var size = 0
        var error = ci_error()
        let status = withCImages(pages) { encode($0, &bytes, &size, &error) }
        guard status == CI_OK, let bytes else { throw ImageFilesFailure(path: "picture", error) }
        defer { ci_free(bytes) }
        return Array(UnsafeBufferPointer(start: bytes, count: size))
    }
}
