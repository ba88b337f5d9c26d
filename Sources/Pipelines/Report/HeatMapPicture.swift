import Imaging
import Numbers

/// A heat map in colours that a person with any colour vision reads in order: dark violet to yellow.
enum HeatMapPicture {
    /// Anchors of matplotlib's viridis (CC0) at even steps.
    private static let anchors: [[Float]] = [
        [68, 1, 84], [71, 44, 122], [59, 81, 139], [44, 113, 142], [33, 144, 141], [39, 173, 129], [92, 200, 99],
        [170, 220, 50],
        [253, 231, 37],
    ]

    /// From the smallest to the largest value. *Shape*: `values` is `[rows, columns]`.
    static func image(_ values: [Float], rows: Int, columns: Int) -> DisplayImage {
        let finite = values.filter(\.isFinite)
        let low = finite.min() ?? 0, high = finite.max() ?? 0
        let pixels = values.flatMap { value -> [UInt8] in
            color(value.isFinite && high > low ? (value - low) / (high - low) : 0)
        }
        return DisplayImage(rows: rows, columns: columns, pixels: pixels)
    }

    private static func color(_ share: Float) -> [UInt8] {
        let position = max(0, min(1, share)) * Float(anchors.count - 1)
        let index = Int(rounding: position.rounded(.down), clampedTo: 0...anchors.count - 2)
        let rest = position - Float(index)
        return (0..<3).map {
            UInt8(grey: anchors[index][$0] + (anchors[index + 1][$0] - anchors[index][$0]) * rest)
        }
    }
}
