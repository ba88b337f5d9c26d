import Numbers

/// How well a mask agrees with the truth.
///
/// *Units*: distances in those of the spacing (pixels when it is 1).
package struct Metrics: Sendable, Equatable, Codable {
    /// 2·|A ∩ B| / (|A| + |B|)
    package let dice: Double
    /// |A ∩ B| / |A ∪ B|
    package let iou: Double
    /// Hausdorff distance: the largest of all distances between the two boundaries.
    package let hd: Double
    /// The 95th percentile of all distances, both ways together.
    package let hd95: Double

    package init(dice: Double, iou: Double, hd: Double, hd95: Double) {
        self.dice = dice
        self.iou = iou
        self.hd = hd
        self.hd95 = hd95
    }

    /// Compares two masks of one size.
    ///
    /// Both empty: Dice and IoU 1, distances 0. One empty: Dice and IoU 0, distances the image's diagonal. A boundary holds the
    /// pixels that have a 4-neighbour outside the mask; outside the image is outside.
    ///
    /// *Source*: the recorded references' `metrics`.
    package init(prediction: Mask, truth: Mask, spacing: PixelSpacing = PixelSpacing(row: 1, column: 1)) {
        precondition(
            prediction.rows == truth.rows && prediction.columns == truth.columns,
            "Metrics: \(prediction.rows)×\(prediction.columns) against \(truth.rows)×\(truth.columns)")
        let (a, b) = (prediction.count, truth.count)
        if a == 0 && b == 0 {
            self.init(dice: 1, iou: 1, hd: 0, hd95: 0)
            return
        }
        if a == 0 || b == 0 {
            let height = Double(truth.rows) * spacing.row
            let width = Double(truth.columns) * spacing.column
            let diagonal = (height * height + width * width).squareRoot()
            self.init(dice: 0, iou: 0, hd: diagonal, hd95: diagonal)
            return
        }
        let both = zip(prediction.bits, truth.bits).reduce(0) { $0 + ($1.0 & $1.1).nonzeroBitCount }
        let edges = (prediction.boundary, truth.boundary)
        let distances =
            (Self.distances(from: edges.0, to: edges.1, spacing) + Self.distances(from: edges.1, to: edges.0, spacing))
            .sorted()
        self.init(
            dice: 2 * Double(both) / Double(a + b), iou: Double(both) / Double(a + b - both), hd: distances.last ?? 0,
            hd95: Self.percentile(95, of: distances))
    }

    private static func distances(from edge: Mask, to other: Mask, _ spacing: PixelSpacing) -> [Double] {
        let field = DistanceTransform.squared(to: other, spacing: spacing)
        return (0..<edge.rows * edge.columns).filter { edge[$0] }.map { field[$0].squareRoot() }
    }

    /// With linear interpolation between the neighbours in rank.
    private static func percentile(_ percent: Double, of sorted: [Double]) -> Double {
        guard let last = sorted.last else { return 0 }
        let position = percent / 100 * Double(sorted.count - 1)
        let lower = Int(rounding: position.rounded(.down), clampedTo: 0...sorted.count - 1)
        guard lower + 1 < sorted.count else { return last }
        return sorted[lower] + (sorted[lower + 1] - sorted[lower]) * (position - Double(lower))
    }

    /// The mean of each figure; nil of none.
    package static func mean(_ all: [Metrics]) -> Metrics? {
        guard !all.isEmpty else { return nil }
        func mean(_ figure: (Metrics) -> Double) -> Double { all.map(figure).reduce(0, +) / Double(all.count) }
        return Metrics(dice: mean(\.dice), iou: mean(\.iou), hd: mean(\.hd), hd95: mean(\.hd95))
    }
}

extension Mask {
    /// The pixels that have a 4-neighbour outside the mask or lie at the image's border.
    package var boundary: Mask {
        let flags = self.flags
        var edge = [Bool](repeating: false, count: flags.count)
        for row in 0..<rows {
            for column in 0..<columns {
                let i = row * columns + column
                guard flags[i] else { continue }
                let inside =
                    row > 0 && row + 1 < rows && column > 0 && column + 1 < columns && flags[i - columns]
                    && flags[i + columns]
                    && flags[i - 1] && flags[i + 1]
                edge[i] = !inside
            }
        }
        return Mask(rows: rows, columns: columns, flags: edge)
    }
}
