/// A binary mask of one frame, one bit a pixel.
///
/// *Shape*: pixel (r, c) is bit `r · columns + c`, least significant first, without padding at row ends: the order of DICOM
/// PS3.5 8.1.1, so that a BINARY segmentation's Pixel Data is the concatenation of such bit strings.
package struct Mask: Sendable, Equatable {
    package let rows: Int
    package let columns: Int
    /// ⌈rows · columns / 8⌉ bytes; unused bits of the last are 0.
    package private(set) var bits: [UInt8]

    package init(rows: Int, columns: Int) {
        precondition(rows >= 0 && columns >= 0, "Mask: \(rows)×\(columns)")
        self.rows = rows
        self.columns = columns
        bits = [UInt8](repeating: 0, count: (rows * columns + 7) / 8)
    }

    /// From one flag a pixel, `[rows · columns]`.
    package init(rows: Int, columns: Int, flags: [Bool]) {
        precondition(flags.count == rows * columns, "Mask: \(flags.count) flags for \(rows)×\(columns)")
        self.init(rows: rows, columns: columns)
        for index in flags.indices where flags[index] {
            bits[index >> 3] |= 1 << UInt8(index & 7)
        }
    }

    /// Whether a pixel is set.
    package subscript(row: Int, column: Int) -> Bool {
        get { self[row * columns + column] }
        set { self[row * columns + column] = newValue }
    }

    /// Pixel number `index` = row · columns + column.
    package subscript(index: Int) -> Bool {
        get { bits[index >> 3] & (1 << UInt8(index & 7)) != 0 }
        set {
            let bit: UInt8 = 1 << UInt8(index & 7)
            if newValue { bits[index >> 3] |= bit } else { bits[index >> 3] &= ~bit }
        }
    }

    /// Sets the pixels of a row for which `isSet` of their column holds; they were not set before.
    package mutating func setRow(_ row: Int, where isSet: (_ column: Int) -> Bool) {
        let (start, columns) = (row * columns, columns)
        var bits = bits.mutableSpan
        for column in 0..<columns where isSet(column) {
            let pixel = start + column
            bits[pixel >> 3] |= 1 << UInt8(truncatingIfNeeded: pixel & 7)
        }
    }

    /// Sets the pixels of a range, eight at a time.
    package mutating func set(_ pixels: Range<Int>) {
        var at = pixels.lowerBound
        while at < pixels.upperBound {
            let count = min(8 - at & 7, pixels.upperBound - at)
            bits[at >> 3] |= UInt8(truncatingIfNeeded: (1 << count - 1) << (at & 7))
            at += count
        }
    }

    /// Sets `count` pixels from `start` to what `other` has from `source`; they were not set before.
    package mutating func copy(_ other: Mask, from source: Int, count: Int, to start: Int) {
        if source & 7 == 0, start & 7 == 0 {
            for byte in 0..<count >> 3 { bits[start >> 3 + byte] = other.bits[source >> 3 + byte] }
            for pixel in count & ~7..<count where other[source + pixel] { self[start + pixel] = true }
        } else {
            for pixel in 0..<count where other[source + pixel] { self[start + pixel] = true }
        }
    }

    /// The number of pixels set.
    package var count: Int { bits.reduce(0) { $0 + $1.nonzeroBitCount } }

    /// The first pixel that is set, in row-major order; nil where none is.
    package var first: Int? {
        bits.firstIndex { $0 != 0 }.map { $0 * 8 + bits[$0].trailingZeroBitCount }
    }

    package var isEmpty: Bool { bits.allSatisfy { $0 == 0 } }

    /// One flag a pixel, `[rows · columns]`.
    package var flags: [Bool] { (0..<rows * columns).map { self[$0] } }
}
