package import Imaging

/// One page of an image file, upright, its colours as grey or RGB.
///
/// *Shape*: `values` is `[rows, columns, samples]`, row-major. *Units*: 0 … 2^`bits` − 1, 0 is black.
package struct RasterPage: Sendable, Equatable {
    package private(set) var rows: Int
    package private(set) var columns: Int
    /// 1 (grey) or 3 (RGB).
    package let samples: Int
    /// Significant bits of a sample: 8, or 9 to 16. Pictures of fewer bits come stretched to 8.
    package private(set) var bits: Int
    package var values: [UInt16]
    /// Distance of pixel centres in mm, where the file says it in a unit.
    package var spacing: PixelSpacing?
    /// The file says two sizes of its pixels: neither is believed.
    package var saysTwoScales = false
    /// How much smaller the page is than the picture that it is a copy of.
    package var reduction = LevelReduction.none
    /// Where the page lies along Z, mm from the first slice, where the file says how far its slices lie apart.
    package var positionMM: Double?
    /// Height and width of a pixel in any unit, where the file says they differ but not how large they are.
    package var pixelAspect: PixelSpacing?
    /// What `values` mean, where they are not themselves: signed, 32-bit and floating point pages, and calibrated ones.
    package var mapping: ValueMapping?
    /// Takes over how large pixels are, and what there is to say of it.
    mutating func take(_ calibration: PixelCalibration) {
        spacing = calibration.spacing.map(reduction.spacing)
        pixelAspect = calibration.aspect.map(reduction.spacing) ?? reduction.aspect
        saysTwoScales = calibration.saysTwoScales
        findings += calibration.findings
    }
    /// How many of `values` stand for none: the file has NaN, an infinity or what no measurement has in their place.
    package var missing: Int { mapping?.hasPadding == true ? values.count { $0 == 0 } : 0 }
    /// TIFF's Orientation (tag 274) of how the file stores the page; 1: upright.
    package private(set) var orientation = 1
    /// How the file lost information, where it did.
    package var loss: LossyCompression?
    /// TIFF tag 306, `YYYY:MM:DD HH:MM:SS`, as the file says it.
    package var dateTime: String?
    /// Red, green and blue of each index, where `values` are indices of a palette: of `ImageFile.readStored` alone.
    package var palette: [UInt8]?
    /// Transparent pixels have a colour, or all are black and some are transparent: the colours, which are given, say something else than
    /// what is seen. Of `ImageFile.readStored` alone.
    package var isContradictedByAlpha = false
    /// What a person should know: dropped alpha, turned picture.
    package var findings: [RasterFinding] = []

    package struct LossyCompression: Sendable, Equatable {
        /// Lossy Image Compression Method (0028,2114); nil when DICOM has no word for it.
        package let method: String?
        /// Bytes of the pixels over bytes of the file's compressed pixels.
        package let ratio: Double
    }

    package init(rows: Int, columns: Int, samples: Int, bits: Int, values: [UInt16]) {
        precondition(samples == 1 || samples == 3, "RasterPage: \(samples) samples a pixel")
        precondition((8...16).contains(bits), "RasterPage: \(bits) bits")
        precondition(
            values.count == rows * columns * samples,
            "RasterPage: \(values.count) values for \(rows)×\(columns)×\(samples)")
        self.rows = rows
        self.columns = columns
        self.samples = samples
        self.bits = bits
        self.values = values
    }

    /// The values in 8 bits, rounded; `[rows, columns, samples]`. *Cost*: one pass.
    package var values8: [UInt8] {
        guard bits > 8 else { return values.map { UInt8(truncatingIfNeeded: $0) } }
        let top = UInt32((1 << bits) - 1)
        return values.map { UInt8((min(UInt32($0), top) * 255 + top / 2) / top) }
    }

    /// The values as little-endian bytes, one each for 8 bits, two above.
    package var bytes: [UInt8] {
        if bits == 8 { return values.map { UInt8(truncatingIfNeeded: $0) } }
        return values.flatMap { [UInt8(truncatingIfNeeded: $0), UInt8(truncatingIfNeeded: $0 >> 8)] }
    }

    /// The picture as a display shows it: 8 bits, grey repeated to RGB. Values above 8 bits are scaled by their whole range.
    package var displayImage: DisplayImage {
        let bytes = values8
        guard samples == 1 else { return DisplayImage(rows: rows, columns: columns, pixels: bytes) }
        var pixels = [UInt8](repeating: 0, count: bytes.count * 3)
        for (index, byte) in bytes.enumerated() {
            pixels[3 * index] = byte
            pixels[3 * index + 1] = byte
            pixels[3 * index + 2] = byte
        }
        return DisplayImage(rows: rows, columns: columns, pixels: pixels)
    }

    /// The picture upright, given TIFF's Orientation (tag 274) of how it is stored: 1 as it is, 3 half a turn, 6 a quarter.
    func upright(from orientation: Int) -> RasterPage {
        guard (2...8).contains(orientation) else { return self }
        // Orientation names the sides of the upright picture on which the stored row 0 and column 0 lie.
        let turned = orientation >= 5
        let rowsReversed = [3, 4, 6, 7].contains(orientation)
        let columnsReversed = [2, 3, 7, 8].contains(orientation)
        let (newRows, newColumns) = turned ? (columns, rows) : (rows, columns)
        var moved: [UInt16] = []
        moved.reserveCapacity(values.count)
        for y in 0..<newRows {
            for x in 0..<newColumns {
                let (r, c) = turned ? (x, y) : (y, x)
                let row = rowsReversed ? rows - 1 - r : r
                let column = columnsReversed ? columns - 1 - c : c
                let start = (row * columns + column) * samples
                moved.append(contentsOf: values[start..<start + samples])
            }
        }
        var page = self
        (page.rows, page.columns, page.values, page.orientation) = (newRows, newColumns, moved, orientation)
        if turned {
            page.spacing = spacing.map { PixelSpacing(row: $0.column, column: $0.row) }
            page.pixelAspect = pixelAspect.map { PixelSpacing(row: $0.column, column: $0.row) }
            page.reduction = reduction.turned
        }
        page.findings.append(RasterFinding(.picture, "turned upright (Orientation \(orientation))"))
        return page
    }
}

extension RasterPage {
    /// Which bits colours of 16 use; nothing for other pictures.
    var colourSurvey: SampleSurvey {
        var survey = SampleSurvey()
        if samples == 3, bits == 16 { survey.add(colour: UInt32(values.max() ?? 0)) }
        return survey
    }

    /// A colour picture of 16 bits by the bits that are used: 12 in 16 is a camera's, and dark by its whole range.
    ///
    /// - Parameter survey: of all pictures that are to be comparable.
    func reduced(to survey: SampleSurvey) -> RasterPage {
        guard samples == 3, bits == 16 else { return self }
        let used = survey.significantBits(limit: 16)
        guard used < 16 else { return self }
        var page = self
        page.bits = used
        page.findings.append(.unusedBits(of: 16, used: used))
        return page
    }
}
