/// Where a point between pixels lies: its four neighbours, and how far it is from the upper left one. Outside the image the image
/// goes on as its mirror image.
package struct BilinearPoint {
    package let above, below, left, right: Int
    /// In [0, 1), downwards and to the right.
    package let down, across: Float

    /// - Parameters x, y: in pixels, 0 at the centre of the first.
    package init(x: Double, y: Double, rows: Int, columns: Int) {
        let (x0, y0) = (x.rounded(.down), y.rounded(.down))
        (across, down) = (Float(x - x0), Float(y - y0))
        let (column, row) = (Int(exactly: x0) ?? 0, Int(exactly: y0) ?? 0)
        (left, right) = (Self.mirrored(column, columns), Self.mirrored(column + 1, columns))
        (above, below) = (Self.mirrored(row, rows), Self.mirrored(row + 1, rows))
    }

    private static func mirrored(_ index: Int, _ count: Int) -> Int {
        let period = 2 * count
        let phase = ((index % period) + period) % period
        return phase < count ? phase : period - 1 - phase
    }
}
