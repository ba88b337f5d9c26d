import Imaging
import Numbers

/// The outlines of a mask as Contour Data: x, y and z of each corner, as text.
enum ContourPoints {
    /// What a value field of DS holds in Explicit VR.
    private static let maximumLength = 65_534

    /// One list a contour. An outline whose text would exceed its value field is cut in two along a row of pixels: parts that share an
    /// edge hold together what the whole one holds.
    static func contours(of mask: Mask, on plane: Plane, spacing: PixelSpacing) -> [[String]] {
        let decimals = decimals(spacing)
        var contours: [[String]] = []
        var components: Components?
        for (index, corners) in MaskOutline.polygons(of: mask).enumerated() {
            let points = corners.flatMap { text($0, plane, spacing, decimals) }
            if points.reduce(points.count - 1, { $0 + $1.utf8.count }) <= maximumLength {
                contours.append(points)
                continue
            }
            let all = components ?? Components(of: mask, neighbours: .faces)
            components = all
            for half in halves(all.masks { $0 == index + 1 }[0]) {
                contours += self.contours(of: half, on: plane, spacing: spacing)
            }
        }
        return contours
    }

    /// A thousandth of a pixel, at least of a millimetre.
    private static func decimals(_ spacing: PixelSpacing) -> Int {
        var (decimals, unit) = (4, min(spacing.row, spacing.column))
        while unit < 0.1, decimals < 9 {
            unit *= 10
            decimals += 1
        }
        return decimals
    }

    private static func text(
        _ corner: MaskOutline.Corner, _ plane: Plane, _ spacing: PixelSpacing, _ decimals: Int
    ) -> [String] {
        let point =
            plane.position + plane.rowCosine * ((Double(corner.column) - 0.5) * spacing.column)
            + plane.columnCosine * ((Double(corner.row) - 0.5) * spacing.row)
        return [point.x, point.y, point.z].map { DecimalString.text($0.rounded(decimals: decimals)) ?? "0" }
    }

    /// The upper and the lower rows that hold something; a mask of one row has an outline that is short enough.
    private static func halves(_ mask: Mask) -> [Mask] {
        let rows = (0..<mask.rows).filter { row in (0..<mask.columns).contains { mask[row, $0] } }
        let middle = rows[rows.count / 2]
        return [0..<middle, middle..<mask.rows].map { rows in
            var half = Mask(rows: mask.rows, columns: mask.columns)
            let start = rows.lowerBound * mask.columns
            half.copy(mask, from: start, count: rows.count * mask.columns, to: start)
            return half
        }
    }
}
