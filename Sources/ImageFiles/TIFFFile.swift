import CImageFiles
import Imaging
package import Storage

/// An open TIFF whose pages are decoded one at a time (`docs/tiff-support.md`). One thread at a time.
package final class TIFFFile {
    package let file: InputFile
    package let pageCount: Int
    let handle: OpaquePointer
    /// Lives as long as the handle that reads through it.
    private let reader: FileReader
    /// Directories below pages, as far as they were asked for.
    var knownSubdirectories: [Int: Range<Int>] = [:]
    /// Whether a page shows what a larger one shows, as far as that was asked for.
    var knownCopies: [[Int]: Bool] = [:]

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
        /// New Subfile Type.
        package let subfile: Int
        /// Stored in tiles.
        package let isTiled: Bool
        /// Slices that the page holds, 1 but for SGI's volumes.
        package let depth: Int
        /// Resolution Unit: 1 none, 2 inch, 3 cm.
        package let unit: Int
        /// Pixels a unit along a column and along a row; 0: not said.
        package let rowResolution: Double
        package let columnResolution: Double
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
        return page
    }

    /// A page's tags. *Throws* `ImageFilesFailure`: `limit` for sides so long that the page's pixels cannot be counted.
    package func tags(_ index: Int) throws(ImageFilesFailure) -> PageTags {
        let page = try described(index)
        guard max(page.rows, page.columns) <= 1 << 30 else {
            throw failure(.limit("claims \(page.rows) rows of \(page.columns) columns"))
        }
        return PageTags(
            rows: Int(page.rows), columns: Int(page.columns), samples: Int(page.samples), bits: Int(page.bits),
            format: Int(page.format), photometric: Int(page.photometric), compression: Int(page.compression),
            orientation: Int(page.orientation), isPlanar: page.planar != 0, subfile: Int(page.subfile),
            isTiled: page.tiled != 0, depth: Int(page.depth), unit: Int(page.unit), rowResolution: page.y_resolution,
            columnResolution: page.x_resolution, isReduced: page.subfile & 1 != 0,
            isMask: page.subfile & 4 != 0 || page.photometric == 4)
    }

    /// A page's samples as they are stored: not turned, not inverted, palette indices as they are, extra samples kept.
    ///
    /// *Shape*: `[rows, columns, samples]`, each sample in 1, 2, 4 or 8 bytes of native order.
    package func storedSamples(_ index: Int, inPage: Int = 0) throws(ImageFilesFailure) -> [UInt8] {
        try withPixels(index, inPage) { Array($0) }
    }

    /// SHA-256 over the stored samples of all pages in order, little-endian, plane by plane where they are stored so.
    package func pixelDigest() throws(ImageFilesFailure) -> FileDigest {
        var digest = FileDigest.Accumulator()
        for index in 0..<pageCount {
            let tags = try tags(index)
            guard tags.depth <= ContentsReader.mostPlanes else {
                throw failure(.limit("holds more than \(ContentsReader.mostPlanes) slices in a page"))
            }
            guard tags.isPlanar || tags.depth > 1 else {
                try forEachBand(index, rows: tags.rows) { bytes, _ in digest.add(Array(bytes)) }
                continue
            }
            for slice in 0..<tags.depth {
                let samples = try storedSamples(index, inPage: slice)
                digest.add(tags.isPlanar ? Self.planes(samples, tags) : samples)
            }
        }
        return digest.finish()
    }

    private static func planes(_ interleaved: [UInt8], _ tags: PageTags) -> [UInt8] {
        let pixels = tags.rows * tags.columns, each = interleaved.count / (pixels * tags.samples)
        var planes: [UInt8] = []
        planes.reserveCapacity(interleaved.count)
        for sample in 0..<tags.samples {
            for pixel in 0..<pixels {
                let start = (pixel * tags.samples + sample) * each
                planes += interleaved[start..<start + each]
            }
        }
        return planes
    }

    /// How many uncompressed pictures like a page's stand in the file from its first on, were they written without directories of
    /// their own.
    func following(_ index: Int) throws(ImageFilesFailure) -> Int {
        var count: UInt64 = 0
        var error = ci_error()
        guard ci_tiff_following(handle, UInt32(clamping: index), &count, &error) == CI_OK else { throw failure(error) }
        return Int(clamping: count)
    }

    /// Refuses a page that says one thing twice and differently. *Throws* `ImageFilesFailure`: `corrupt`.
    func checkTags(_ index: Int) throws(ImageFilesFailure) {
        var error = ci_error()
        guard ci_tiff_check_tags(handle, UInt32(clamping: index), &error) == CI_OK else { throw failure(error) }
    }

    /// What the file's pages are and belong to.
    ///
    /// *Throws* `ImageFilesFailure`: `axes`, truncated; `corrupt` when uncompressed strips are longer than the pages say.
    package func contents() throws(ImageFilesFailure) -> TIFFContents {
        var contents = try TIFFContents(self)
        for page in Set(contents.pictures.flatMap(\.planes).map(\.page)).sorted() {
            for case let finding? in [try besides(page), try slantFinding(page)]
            where !contents.findings.contains(finding) {
                contents.findings.append(finding)
            }
        }
        if let finding = try missingPages() { contents.findings.append(finding) }
        // Programs count pictures behind the first to its strip.
        for picture in contents.pictures where picture.planes.allSatisfy({ $0.inPage == 0 }) {
            for page in Set(picture.planes.map(\.page) + picture.smaller).sorted() {
                var error = ci_error()
                guard ci_tiff_check_counts(handle, UInt32(clamping: page), &error) == CI_OK else {
                    throw failure(error)
                }
                try checkPlaces(page)
            }
        }
        return contents
    }

    /// What a plane's samples need to be held in 16 bits; nothing for those that fit as they are. *Cost*: the plane is decoded.
    package func survey(_ plane: TIFFPlane) throws(ImageFilesFailure) -> SampleSurvey {
        let (tags, reading) = try reading(plane, survey: SampleSurvey())
        guard reading.needsSurvey else { return SampleSurvey() }
        guard plane.inPage == 0, tags.depth == 1 else {
            return try withPixels(plane.page, plane.inPage) {
                reading.survey($0, pixels: Int(tags.rows) * Int(tags.columns))
            }
        }
        var survey = SampleSurvey()
        try forEachBand(plane.page, rows: Int(tags.rows)) { bytes, rows in
            survey.add(reading.survey(bytes, pixels: rows * Int(tags.columns)))
        }
        return survey
    }

    /// A plane as grey or RGB, upright.
    ///
    /// - Parameters:
    ///   - picture: what the plane belongs to, or is a smaller copy of: its calibration.
    ///   - survey: of all planes that are to be comparable.
    ///   - isMask: values are classes, also those that are no measurement.
    /// *Throws* `ImageFilesFailure`: what the table of `docs/tiff-support.md` refuses, and pixels that cannot be decoded.
    package func page(
        _ plane: TIFFPlane, of picture: TIFFPicture, survey: SampleSurvey, isMask: Bool = false
    ) throws(ImageFilesFailure) -> RasterPage {
        let (tags, reading) = try reading(plane, survey: survey)
        guard survey.range != nil || !survey.lacksValues else { throw failure(.noValues) }
        let palette = try palette(plane.page, tags)
        let rows = Int(tags.rows), columns = Int(tags.columns)
        let (samples, hasNoData, extrasDiffer) = try withPixels(plane.page, plane.inPage) {
            var first: [UInt8] = []
            return (
                reading.values($0, pixels: rows * columns, palette: palette, survey: survey),
                !isMask && reading.hasNoData($0, pixels: rows * columns),
                reading.extrasDiffer($0, pixels: rows * columns, from: &first)
            )
        }
        if hasNoData { throw try noDataFailure(plane.page) }
        var page = RasterPage(
            rows: rows, columns: columns, samples: reading.samples, bits: samples.bits, values: samples.values)
        page.mapping = samples.mapping
        if let function = picture.values {
            page.mapping = (page.mapping ?? ValueMapping(slope: 1, intercept: 0)).followed(by: function)
        }
        page.dateTime = text(of: tags)
        page.findings = reading.findings(survey, extrasDiffer: extrasDiffer)
        page.findings += try tagFindings(plane.page, samples: reading.samples)
        // Of values that are held as the page has them.
        if let stated = picture.significantBits, (1..<16).contains(stated), page.mapping == nil, tags.photometric == 1,
            let largest = page.values.max(), largest >> stated > 0
        {
            page.findings.append(
                RasterFinding(
                    .picture, isWarning: true,
                    "by the OME description the samples use \(stated) bits (SignificantBits), and they use more: what they stand for is uncertain."
                ))
        }
        page.loss = loss(tags, reading, plane.page, bits: samples.bits)
        page.reduction = LevelReduction(of: (picture.rows, picture.columns), to: (rows, columns))
        page.take(picture.calibration)
        if picture.isVolume { page.positionMM = picture.calibration.sliceMM.map { $0 * Double(plane.slice) } }
        return page.upright(from: Int(tags.orientation))
    }

    private func loss(
        _ tags: ci_tiff_page, _ reading: SampleReading, _ index: Int, bits: Int
    ) -> RasterPage.LossyCompression? {
        let isLossy =
            switch tags.compression {
            case 7, 50001: true
            case 34887: mayBeLossyLERC(index)
            default: false
            }
        guard isLossy else { return nil }
        let bytes = Double(tags.rows) * Double(tags.columns) * Double(reading.samples * (bits > 8 ? 2 : 1))
        return .init(
            method: tags.compression == 7 ? "ISO_10918_1" : nil, ratio: bytes / Double(max(tags.compressed_bytes, 1)))
    }

    /// How a plane of 8 bits lost information, where it did.
    package func loss(of plane: TIFFPlane) throws(ImageFilesFailure) -> RasterPage.LossyCompression? {
        let (tags, reading) = try reading(plane, survey: SampleSurvey())
        return loss(tags, reading, plane.page, bits: 8)
    }

    /// TIFF tag 306 of a plane's page, as the file says it.
    package func dateTime(of plane: TIFFPlane) throws(ImageFilesFailure) -> String? {
        text(of: try described(plane.page))
    }

    /// Every picture of the file, by the default choice where there are axes: the first channel, all slices and times.
    func allPlanes() throws(ImageFilesFailure) -> [(picture: TIFFPicture, plane: TIFFPlane)] {
        var all: [(picture: TIFFPicture, plane: TIFFPlane)] = []
        for picture in try contents().pictures {
            for plane in try picture.planes(TIFFSelection(), path: path) { all.append((picture, plane)) }
        }
        return all
    }

    func allPages() throws(ImageFilesFailure) -> [RasterPage] {
        let planes = try allPlanes()
        var survey = SampleSurvey()
        for plane in planes { survey.add(try self.survey(plane.plane)) }
        var pages: [RasterPage] = []
        for (picture, plane) in planes { pages.append(try page(plane, of: picture, survey: survey)) }
        return pages
    }

    /// The same for masks: signed, floating point and wider numbers as they are.
    ///
    /// *Throws* as `page`; `.bits` when a number is no whole one that fits into 16 bits.
    func allStoredPages() throws(ImageFilesFailure) -> [RasterPage] {
        var pages: [RasterPage] = []
        for (picture, plane) in try allPlanes() {
            let (tags, reading) = try reading(plane, survey: SampleSurvey())
            var page =
                reading.holdsNumbers
                ? try wholePage(plane, tags, reading)
                : try page(plane, of: picture, survey: SampleSurvey(), isMask: true)
            if reading.hasExtraSamples {
                page.isContradictedByAlpha = try withPixels(plane.page, plane.inPage) {
                    reading.isContradictedByAlpha($0, pixels: page.rows * page.columns)
                }
            }
            pages.append(page)
        }
        return pages
    }

    /// A page whose numbers are all whole ones from 0 to 65535, where white is 0 after they are turned round, as pages of fewer bits are.
    private func wholePage(
        _ plane: TIFFPlane, _ tags: ci_tiff_page, _ reading: SampleReading
    ) throws(ImageFilesFailure) -> RasterPage {
        let rows = Int(tags.rows), columns = Int(tags.columns)
        let values = try withPixels(plane.page, plane.inPage) { reading.labels($0, pixels: rows * columns) }
        guard let values else {
            throw failure(.bits("has \(tags.bits)-bit values that are no whole numbers from 0 to 65535"))
        }
        var page = RasterPage(
            rows: rows, columns: columns, samples: 1, bits: tags.bits > 8 ? 16 : 8, values: values)
        page.findings = reading.findings(SampleSurvey()).filter { $0.kind == .picture }
        return page.upright(from: Int(tags.orientation))
    }

    // MARK: Inside

    func failure(_ error: ci_error) -> ImageFilesFailure { reader.failure(error) }
    func failure(_ reason: ImageFilesFailure.Reason) -> ImageFilesFailure {
        ImageFilesFailure(path: file.path.text, reason: reason)
    }

    private func withPixels<Result>(
        _ index: Int, _ inPage: Int, _ body: (UnsafeRawBufferPointer) -> Result
    ) throws(ImageFilesFailure) -> Result {
        var pixels: UnsafeMutablePointer<UInt8>?
        var size = 0
        var error = ci_error()
        guard
            ci_tiff_pixels(handle, UInt32(clamping: index), UInt32(clamping: inPage), &pixels, &size, &error) == CI_OK,
            let pixels
        else {
            throw failure(error)
        }
        defer { ci_free(pixels) }
        return body(UnsafeRawBufferPointer(start: pixels, count: size))
    }

    /// The colours of a page's indices; nil for a page without.
    func palette(_ index: Int, _ tags: ci_tiff_page) throws(ImageFilesFailure) -> [UInt16]? {
        guard tags.photometric == 3 else { return nil }
        let entries = 1 << Int(tags.bits)
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

    /// How a plane's samples are read. *Throws* what refuses it before it is decoded.
    func reading(
        _ plane: TIFFPlane, survey: SampleSurvey
    ) throws(ImageFilesFailure) -> (tags: ci_tiff_page, reading: SampleReading) {
        let tags = try described(plane.page)
        try check(tags)
        let reading = SampleReading(tags, sample: plane.sample, noData: try noData(plane.page).flatMap { Double($0) })
        if let problem = reading.problem(survey) { throw failure(.bits(problem)) }
        return (tags, reading)
    }

    /// Of tags of a page that contradict its picture and that libtiff passes over: Orientation, curves, and the colour profile.
    func tagFindings(_ index: Int, samples: Int) throws(ImageFilesFailure) -> [RasterFinding] {
        var findings = [try orientationFinding(index), try curveFinding(index), try meaningFinding(index)]
        if samples == 3, let profile = try value(34675, page: index), profile.byteCount > 0 {
            findings.append(.profile(profile.prefix(ColourProfile.headerBytes), size: profile.byteCount))
        }
        return findings.compactMap { $0 }
    }

    /// A grey page has its meaning from Photometric. What stands beside it (TransferFunction, GrayResponseCurve, a colour map) is for display and
    /// is not applied; but where it makes the brighter samples the darker ones, black and white are in doubt.
    ///
    /// *Source*: TIFF 6.0, section 8, GrayResponseCurve (densities), and section 20, TransferFunction.
    private func curveFinding(_ index: Int) throws(ImageFilesFailure) -> RasterFinding? {
        let page = try tags(index)
        guard page.photometric <= 1, (1...16).contains(page.bits) else { return nil }
        var curves: [(tag: UInt16, name: String)] = [(291, "GrayResponseCurve")]
        if page.photometric == 1 { curves += [(301, "TransferFunction"), (320, "colour map")] }
        for (tag, name) in curves {
            guard let curve = try value(tag, page: index)?.whole, curve.count >= 1 << page.bits else { continue }
            let (first, last) = (curve[0], curve[(1 << page.bits) - 1])
            let isBrighter = tag == 291 ? (last < first) == (page.photometric == 1) : last > first
            if first == last || isBrighter { continue }
            return RasterFinding(
                .picture, isWarning: true,
                "the \(name) of the page makes bright what its Photometric makes dark: black and white may be exchanged."
            )
        }
        return nil
    }

    /// Of a grey page that does not say its Photometric, white could be 0 as well.
    private func meaningFinding(_ index: Int) throws(ImageFilesFailure) -> RasterFinding? {
        guard try described(index).has_photometric == 0, try tags(index).photometric == 1 else { return nil }
        return RasterFinding(
            .picture, isWarning: true,
            "the page does not say whether black or white is 0 (PhotometricInterpretation): black is taken for it.")
    }

    /// 0 is written by programs that do not know it.
    private func orientationFinding(_ index: Int) throws(ImageFilesFailure) -> RasterFinding? {
        guard let value = try value(274, page: index) else { return nil }
        if value.whole.count == 1, let orientation = value.whole.first, (0...8).contains(orientation) { return nil }
        return RasterFinding(
            .picture, isWarning: true,
            "the Orientation of the page is damaged or none of those that there are (1 to 8): the picture is not turned."
        )
    }

    /// What a page calls no measurement, as GDAL writes it (tag 42113); nil where it does not.
    private func noData(_ index: Int) throws(ImageFilesFailure) -> String? {
        try value(42113, page: index)?.text.trimmed
    }

    func noDataFailure(_ index: Int) throws(ImageFilesFailure) -> ImageFilesFailure {
        // Only what was read as a number comes here.
        failure(.noData(try noData(index) ?? ""))
    }

    private func check(_ tags: ci_tiff_page) throws(ImageFilesFailure) {
        if let refusal = Self.refusal(of: tags) { throw failure(refusal) }
    }
}
