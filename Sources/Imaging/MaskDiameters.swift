/// How long a shape in one plane is, and how wide across that.
///
/// Measured between the outer edges of pixels (the middles of their sides), so that a row of n pixels is n pixels long.
/// *Units*: mm, or pixels under a spacing of 1.
package struct MaskDiameters: Sendable, Equatable {
    /// The longest distance between two points of the outline.
    package let longest: Double
    /// The shape's extent at right angles to it.
    package let perpendicular: Double

    private typealias Point = (x: Double, y: Double)

    /// Nil for a mask without pixels.
    package init?(of mask: Mask, spacing: PixelSpacing) {
        var rows: [RowExtent] = []
        PixelRuns(of: [mask], where: true).visit { _, _, pixels in
            let (row, first) = pixels.lowerBound.quotientAndRemainder(dividingBy: mask.columns)
            let last = first + pixels.count - 1
            if rows.last?.row == row {
                rows[rows.count - 1].last = last
            } else {
                rows.append(RowExtent(row: row, first: first, last: last))
            }
        }
        self.init(of: rows, spacing: spacing)
    }

    /// The pixels of one row that lie outermost.
    package struct RowExtent: Sendable {
        package var row: Int
        package var first: Int
        package var last: Int

        package init(row: Int, first: Int, last: Int) {
            self.row = row
            self.first = first
            self.last = last
        }
    }

    /// Nil for no rows. A row may be given more than once.
    package init?(of rows: [RowExtent], spacing: PixelSpacing) {
        guard !rows.isEmpty else { return nil }
        var points: [Point] = []
        for extent in rows {
            let y = Double(extent.row)
            for (column, side) in [(extent.first, -0.5), (extent.last, 0.5)] {
                let x = Double(column)
                for (dx, dy) in [(side, 0), (0, -0.5), (0, 0.5)] {
                    points.append(((x + dx) * spacing.column, (y + dy) * spacing.row))
                }
            }
        }
        let hull = Self.hull(points)
        var longest = 0.0
        var direction: Point = (1, 0)
        for (index, a) in hull.enumerated() {
            for b in hull[(index + 1)...] {
                let (dx, dy) = (b.x - a.x, b.y - a.y)
                let length = (dx * dx + dy * dy).squareRoot()
                if length > longest { (longest, direction) = (length, (dx / length, dy / length)) }
            }
        }
        let across = hull.map { $0.y * direction.x - $0.x * direction.y }
        self.longest = longest
        perpendicular = (across.max() ?? 0) - (across.min() ?? 0)
    }

    /// The corners of the convex hull. *Source*: A. M. Andrew, Inf. Process. Lett. 9 (1979).
    private static func hull(_ points: [Point]) -> [Point] {
        let sorted = points.sorted { ($0.x, $0.y) < ($1.x, $1.y) }
        func half(_ points: some Sequence<Point>) -> [Point] {
            var chain: [Point] = []
            for point in points {
                while chain.count >= 2 {
                    let (a, b) = (chain[chain.count - 2], chain[chain.count - 1])
                    if (b.x - a.x) * (point.y - a.y) - (b.y - a.y) * (point.x - a.x) > 0 { break }
                    chain.removeLast()
                }
                chain.append(point)
            }
            return Array(chain.dropLast())
        }
        return half(sorted) + half(sorted.reversed())
    }
}
