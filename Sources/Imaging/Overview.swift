/// A small copy of a picture whose rows arrive from top to bottom: the mean of squares of equal size.
///
/// *Cost*: one pass; memory of the copy and of one of its rows.
package struct Overview: Sendable {
    private let rows: Int
    private let columns: Int
    /// Pixels a side of a square.
    private let factor: Int
    private var sums: [UInt32]
    private var done = 0
    private var pixels: [UInt8] = []

    /// - Parameter side: the longest that the copy has.
    package init(rows: Int, columns: Int, side: Int) {
        (self.rows, self.columns) = (rows, columns)
        factor = max(1, (max(rows, columns) + side - 1) / side)
        sums = [UInt32](repeating: 0, count: (columns + factor - 1) / factor * 3)
        pixels.reserveCapacity((rows + factor - 1) / factor * sums.count)
    }

    /// The next rows, whole ones.
    package mutating func add(_ image: DisplayImage) {
        for row in 0..<image.rows {
            var from = row * columns * 3
            for to in stride(from: 0, to: sums.count, by: 3) {
                var (red, green, blue): (UInt32, UInt32, UInt32) = (0, 0, 0)
                for _ in 0..<min(factor, columns - to / 3 * factor) {
                    red += UInt32(image.pixels[from])
                    green += UInt32(image.pixels[from + 1])
                    blue += UInt32(image.pixels[from + 2])
                    from += 3
                }
                sums[to] += red
                sums[to + 1] += green
                sums[to + 2] += blue
            }
            done += 1
            if done % factor == 0 || done == rows { finishRow() }
        }
    }

    private mutating func finishRow() {
        let height = done % factor == 0 ? factor : done % factor
        for index in sums.indices {
            let width = min(factor, columns - index / 3 * factor)
            let count = UInt32(width * height)
            pixels.append(UInt8(truncatingIfNeeded: (sums[index] + count / 2) / count))
            sums[index] = 0
        }
    }

    /// The copy of all rows that were added.
    package var image: DisplayImage {
        let width = sums.count / 3
        return DisplayImage(rows: pixels.count / max(1, sums.count), columns: width, pixels: pixels)
    }
}
