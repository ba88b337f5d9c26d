/// How one side of a picture is cut into overlapping tiles of one length, and how much each tile counts where several lie.
///
/// Tiles are spread evenly: the first begins and the last ends with the picture. A tile's weight falls linearly to its edges inside the
/// picture, and the weights of all tiles at a pixel sum to 1, so what is joined by them has no seams.
package struct TileAxis: Sendable, Equatable {
    /// Pixels of the picture along this axis.
    package let side: Int
    /// Pixels of a tile; the picture's where that is shorter.
    package let length: Int
    /// First pixel of each tile, ascending.
    package let starts: [Int]

    /// - Parameter overlap: pixels that neighbours share at least; below `tile`.
    package init(side: Int, tile: Int, overlap: Int) {
        precondition(side > 0 && tile > 0 && (0..<tile).contains(overlap), "TileAxis: \(tile)−\(overlap) in \(side)")
        self.side = side
        length = min(tile, side)
        let step = tile - overlap
        let gaps = side > tile ? (side - tile + step - 1) / step : 0
        starts = (0...gaps).map { gaps == 0 ? 0 : $0 * (side - tile) / gaps }
    }

    /// The weights of tile number `index`, one for each of its pixels.
    package func weights(_ index: Int) -> [Float] {
        (starts[index]..<starts[index] + length).map { pixel in
            var sum = 0.0
            var other = index
            while other > 0, starts[other - 1] + length > pixel { other -= 1 }
            while other < starts.count, starts[other] <= pixel {
                sum += height(other, pixel)
                other += 1
            }
            return Float(height(index, pixel) / sum)
        }
    }

    /// Distance of a pixel's middle from the nearer edge of a tile; edges of the picture are none.
    private func height(_ index: Int, _ pixel: Int) -> Double {
        let left = index == 0 ? Double(side) : Double(pixel - starts[index]) + 0.5
        let right = index + 1 == starts.count ? Double(side) : Double(starts[index] + length - pixel) - 0.5
        return min(left, right)
    }
}
