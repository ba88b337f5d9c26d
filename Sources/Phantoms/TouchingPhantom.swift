package import Imaging

/// A fluorescence picture of round nuclei side by side: eight pairs that touch, each pair by itself, and one nucleus alone.
package struct TouchingPhantom: Sendable {
    /// Of the picture, 8 bits.
    package static let (rows, columns) = (270, 270)
    package static let radius = 15.0
    package static let nuclei = 17
    /// *Shape*: `[rows, columns]`, 0…255.
    package let values: [UInt16]
    /// The number of the nucleus that each pixel belongs to, from 1; 0 outside.
    package let truth: [Int32]

    package init() {
        let (rows, columns, radius) = (Self.rows, Self.columns, Self.radius)
        var middles: [(row: Double, column: Double)] = []
        for cell in 0..<9 {
            let (row, column) = (Double(cell / 3 * 90 + 45), Double(cell % 3 * 90 + 45))
            // Steps of 22.5 degrees; half of the distance is 0.9 radii, so that the neck is less than half as wide as a nucleus.
            let (down, across) = [
                (0.0, 1.0), (0.383, 0.924), (0.707, 0.707), (0.924, 0.383), (0, 0), (1, 0), (0.924, -0.383),
                (0.707, -0.707), (0.383, -0.924),
            ][cell]
            for side in cell == 4 ? [0.0] : [-0.9, 0.9] {
                middles.append((row + side * radius * down, column + side * radius * across))
            }
        }
        var values = [UInt16](repeating: 12, count: rows * columns)
        var truth = [Int32](repeating: 0, count: rows * columns)
        for pixel in values.indices {
            let distances = middles.map { middle in
                let (dy, dx) = (Double(pixel / columns) - middle.row, Double(pixel % columns) - middle.column)
                return (dy * dy + dx * dx).squareRoot()
            }
            guard let nearest = distances.indices.min(by: { distances[$0] < distances[$1] }) else { continue }
            if distances[nearest] <= radius { truth[pixel] = Int32(nearest + 1) }
            // The lens blurs the border over about two pixels.
            let cover = smoothStep((radius - distances[nearest]) / 3 + 0.5)
            values[pixel] += UInt16(exactly: (cover * 170).rounded()) ?? 0
        }
        self.values = values
        self.truth = truth
    }

    package var mask: Mask { Mask(rows: Self.rows, columns: Self.columns, flags: truth.map { $0 > 0 }) }
}
