package import Imaging
import Numbers

/// The overlapping tiles of one picture.
package struct Tiling: Sendable, Equatable {
    package let down: TileAxis
    package let across: TileAxis
    /// Pixels of a row that fill the network's input: a tile's width, also where the picture is narrower.
    package let extent: Double

    /// - Parameters:
    ///   - side, overlap: of a tile, in pixels of a row.
    ///   - aspect: height of a pixel over its width; tiles are square in the proportions in which they are shown.
    package init(rows: Int, columns: Int, side: Int, overlap: Int, aspect: Double = 1) {
        func height(_ length: Int) -> Int { Int(rounding: Double(length) / aspect, clampedTo: 1...Int(Int32.max)) }
        across = TileAxis(side: columns, tile: side, overlap: overlap)
        let tall = height(side)
        down = TileAxis(side: rows, tile: tall, overlap: min(height(overlap), tall - 1))
        extent = Double(side)
    }

    package var count: Int { down.starts.count * across.starts.count }
}
