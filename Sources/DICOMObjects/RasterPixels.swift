package import Imaging

/// One picture as plain values: a page of a TIFF, a photograph.
package struct RasterPixels: Sendable {
    /// Pixels of a column.
    package let rows: Int
    /// Pixels of a row.
    package let columns: Int
    /// 1 (grey) or 3 (RGB).
    package let samples: Int
    /// Bits that carry a value, 8 to 16; values lie in 0…2^bits − 1.
    package let bits: Int
    /// *Shape*: `[rows, columns, samples]`, row-major.
    package let values: [UInt16]
    /// Known from the file, when the identity does not say.
    package var spacing: PixelSpacing?
    /// Place along the normal of a volume, mm.
    package var positionMM: Double?
    /// Relative height (row) and width (column) of a pixel, without unit.
    package var pixelAspect: PixelSpacing?
    /// What grey values mean: `value = stored · slope + intercept`; nil: themselves.
    package var rescale: (slope: Double, intercept: Double)?
    /// The stored value that stands for none.
    package var padding: Int?
    /// What was done to the values on the way, for Derivation Description; nil when nothing.
    package var derivation: String?
    /// Lossy compression of the file: DICOM's defined term (nil when it has none) and the ratio.
    package var lossy: (method: String?, ratio: Double)?
    /// The date in the file, when the identity has none.
    package var time: JobTime?

    /// *Shape*: `values` `[rows, columns, samples]`.
    package init(rows: Int, columns: Int, samples: Int, bits: Int, values: [UInt16]) {
        precondition(
            values.count == rows * columns * samples,
            "RasterPixels: \(values.count) values for \(rows)×\(columns)×\(samples)")
        self.rows = rows
        self.columns = columns
        self.samples = samples
        self.bits = bits
        self.values = values
    }

    /// One byte a sample; more than 8 bits lose the low ones.
    var bytes: [UInt8] { values.map { UInt8(truncatingIfNeeded: bits > 8 ? $0 >> UInt16(bits - 8) : $0) } }

    /// Two bytes a sample, little endian.
    var words: [UInt8] {
        var words: [UInt8] = []
        words.reserveCapacity(values.count * 2)
        for value in values {
            words.append(UInt8(truncatingIfNeeded: value))
            words.append(UInt8(truncatingIfNeeded: value >> 8))
        }
        return words
    }
}
