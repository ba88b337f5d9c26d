import Imaging
import Testing

@Suite("Tiles")
struct TileTests {
    @Test(
        "tiles cover a side, share what was asked for, and their weights sum to 1 without a step",
        arguments: [(100, 32, 8), (33, 32, 8), (1000, 256, 64), (257, 256, 128), (640, 64, 0), (97, 16, 8)])
    func axis(_ side: Int, _ tile: Int, _ overlap: Int) {
        let axis = TileAxis(side: side, tile: tile, overlap: overlap)
        #expect(axis.starts.first == 0 && (axis.starts.last ?? 0) + axis.length == side)
        for (a, b) in zip(axis.starts, axis.starts.dropFirst()) { #expect(b > a && a + tile - b >= overlap) }
        var sums = [Float](repeating: 0, count: side)
        for index in axis.starts.indices {
            let weights = axis.weights(index)
            for (offset, weight) in weights.enumerated() { sums[axis.starts[index] + offset] += weight }
            guard overlap > 0 else { continue }
            // An edge inside the picture counts for little, and neighbours differ by little.
            if index > 0 { #expect(weights[0] <= 0.5 / Float(overlap) + 1e-6) }
            for (one, next) in zip(weights, weights.dropFirst()) { #expect(abs(one - next) <= 1.5 / Float(overlap)) }
        }
        #expect(sums.allSatisfy { abs($0 - 1) < 1e-5 })
    }

    @Test("a side no longer than a tile is one tile that counts everywhere alike")
    func single() {
        let axis = TileAxis(side: 20, tile: 32, overlap: 8)
        #expect(axis.starts == [0] && axis.length == 20 && axis.weights(0).allSatisfy { $0 == 1 })
    }

    @Test("an overview is the mean of squares, however the rows arrive", arguments: [1, 3, 7])
    func overview(_ band: Int) {
        let (rows, columns) = (7, 5)
        let picture = DisplayImage(
            rows: rows, columns: columns, pixels: (0..<rows * columns * 3).map { UInt8($0 * 5 % 251) })
        var overview = Overview(rows: rows, columns: columns, side: 4)
        for start in stride(from: 0, to: rows, by: band) {
            let count = min(band, rows - start)
            overview.add(
                DisplayImage(
                    rows: count, columns: columns,
                    pixels: Array(picture.pixels[start * columns * 3..<(start + count) * columns * 3])))
        }
        let small = overview.image
        #expect(small.rows == 4 && small.columns == 3)
        func mean(_ rows: Range<Int>, _ columns: Range<Int>) -> Int {
            let values = rows.flatMap { y in columns.map { Int(picture.pixels[(y * 5 + $0) * 3]) } }
            return (values.reduce(0, +) + values.count / 2) / values.count
        }
        #expect(Int(small.pixels[0]) == mean(0..<2, 0..<2))
        #expect(Int(small.pixels[11 * 3]) == mean(6..<7, 4..<5))
    }
}
