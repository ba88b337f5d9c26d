import Imaging
import SegmentAnything
import Tensors
import Testing
import TinyNetworks

@Suite("Tiled segmentation")
struct TiledSegmentationTests {
    /// A tiny network of random weights.
    private func predictor(
        segments: Int = 2, _ activation: Configuration.Activation = .softmax,
        _ instances: Configuration.Instances = .none
    ) -> Predictor {
        let configuration = Configuration.tiny(segments: segments, activation, instances)
        return Predictor(
            ModelDescription(configuration: configuration, configurationName: "hsp_sam"),
            .initial(configuration, seed: 7))
    }

    private func picture(_ rows: Int, _ columns: Int) -> DisplayImage {
        DisplayImage(
            rows: rows, columns: columns,
            pixels: (0..<rows * columns * 3).map { index -> UInt8 in
                let (row, column) = (index / 3 / columns, index / 3 % columns)
                return UInt8((column * 3 + row * 5 + index % 3 * 40) % 256)
            })
    }

    private func rows(_ range: Range<Int>, of image: DisplayImage) -> DisplayImage {
        DisplayImage(
            rows: range.count, columns: image.columns,
            pixels: Array(image.pixels[range.lowerBound * image.columns * 3..<range.upperBound * image.columns * 3]))
    }

    @Test("a picture of one tile gets the masks that it gets as a whole")
    func oneTile() throws {
        let predictor = predictor()
        let image = picture(30, 48)
        let tiling = Tiling(rows: 30, columns: 48, side: 48, overlap: 12)
        #expect(tiling.count == 1)
        var tiled = TiledSegmentation(predictor, tiling)
        try tiled.add(image)
        let whole = try predictor.segment(image)
        #expect(tiled.masks == whole.masks && tiled.seenPixels == 30 * 48)
        for segment in 0..<2 {
            let (one, other) = (
                tiled.probabilities[segment].confidence(of: tiled.masks[segment]),
                ProbabilityRuns(of: whole.masks[segment], probabilities: whole.probabilities[segment])
                    .confidence(of: whole.masks[segment])
            )
            #expect((one == nil) == (other == nil) && abs((one ?? 0) - (other ?? 0)) < 1e-5)
        }
    }

    @Test(
        "insides of objects are joined from tiles: those of one tile are those of the whole, and bands change nothing")
    func interiors() throws {
        let predictor = predictor(segments: 1, .softmax, .boundary)
        let small = picture(30, 48)
        var one = TiledSegmentation(predictor, Tiling(rows: 30, columns: 48, side: 48, overlap: 12))
        try one.add(small)
        let whole = try predictor.segment(small)
        #expect(one.masks == whole.masks && one.interiors == whole.interiors && whole.interiors.count == 1)
        #expect(!whole.interiors[0].isEmpty && whole.interiors[0].count < 30 * 48)
        let image = picture(100, 90)
        let tiling = Tiling(rows: 100, columns: 90, side: 48, overlap: 12)
        var (atOnce, inBands) = (TiledSegmentation(predictor, tiling), TiledSegmentation(predictor, tiling))
        try atOnce.add(image)
        for start in stride(from: 0, to: 100, by: 7) { try inBands.add(rows(start..<min(100, start + 7), of: image)) }
        #expect(atOnce.interiors == inBands.interiors && !atOnce.interiors[0].isEmpty)
    }

    @Test("what is found does not depend on how many rows arrive at a time", arguments: [1, 7, 100])
    func bands(_ band: Int) throws {
        let predictor = predictor()
        let image = picture(100, 90)
        let tiling = Tiling(rows: 100, columns: 90, side: 32, overlap: 8)
        var once = TiledSegmentation(predictor, tiling)
        try once.add(image)
        var tiled = TiledSegmentation(predictor, tiling)
        for start in stride(from: 0, to: 100, by: band) {
            try tiled.add(rows(start..<min(100, start + band), of: image))
        }
        #expect(tiled.masks == once.masks && tiled.seenPixels == 9000)
        #expect(once.masks.allSatisfy { !$0.isEmpty && $0.count < 9000 })
    }

    @Test(
        "joined probabilities are the weighted sum of the tiles' own",
        arguments: [Configuration.Activation.softmax, .sigmoid])
    func joined(_ activation: Configuration.Activation) throws {
        let predictor = predictor(segments: 2, activation)
        let image = picture(50, 70)
        let tiling = Tiling(rows: 50, columns: 70, side: 32, overlap: 10)
        var tiled = TiledSegmentation(predictor, tiling)
        try tiled.add(image)
        var expected = [[Float]](repeating: [Float](repeating: 0, count: 3500), count: 2)
        for (i, top) in tiling.down.starts.enumerated() {
            for (j, left) in tiling.across.starts.enumerated() {
                var pixels: [UInt8] = []
                for y in top..<top + 32 {
                    let start = (y * 70 + left) * 3
                    pixels += image.pixels[start..<start + 96]
                }
                let own = try predictor.segment(DisplayImage(rows: 32, columns: 32, pixels: pixels))
                for segment in 0..<2 {
                    for pixel in 0..<1024 {
                        let (y, x) = (pixel / 32, pixel % 32)
                        let weight = tiling.down.weights(i)[y] * tiling.across.weights(j)[x]
                        let place = (top + y) * 70 + left + x
                        expected[segment][place] += weight * own.probabilities[segment][pixel]
                    }
                }
            }
        }
        var wrong = 0
        for pixel in 0..<3500 {
            let (a, b) = (expected[0][pixel], expected[1][pixel])
            let isSoft = activation == .softmax
            let first = isSoft ? a > 1 - a - b && a >= b : a > 0.5
            let second = isSoft ? b > 1 - a - b && b > a : b > 0.5
            if tiled.masks[0][pixel] != first || tiled.masks[1][pixel] != second { wrong += 1 }
        }
        #expect(wrong == 0 && tiled.masks.allSatisfy { !$0.isEmpty })
    }

    @Test("tiles that show nothing are background and are not inferred")
    func empty() throws {
        let predictor = predictor()
        let tiling = Tiling(rows: 64, columns: 64, side: 32, overlap: 0)
        var tiled = TiledSegmentation(predictor, tiling) { _ in true }
        try tiled.add(picture(64, 64))
        #expect(tiled.seenPixels == 0 && tiled.masks.allSatisfy(\.isEmpty))
    }

    @Test("what was seen of a picture counts each pixel once, however many tiles it lies in")
    func seen() throws {
        let tiling = Tiling(rows: 100, columns: 90, side: 32, overlap: 12)
        var tile = 0
        var tiled = TiledSegmentation(predictor(), tiling) { _ in
            defer { tile += 1 }
            return tile % 3 != 1
        }
        try tiled.add(picture(100, 90))
        var seen = Set<Int>()
        for (i, top) in tiling.down.starts.enumerated() {
            for (j, left) in tiling.across.starts.enumerated()
            where (i * tiling.across.starts.count + j) % 3 == 1 {
                for row in top..<top + 32 { seen.formUnion(row * 90 + left..<row * 90 + left + 32) }
            }
        }
        #expect(tile == tiling.count && tiled.seenPixels == seen.count && seen.count < 9000)
    }

    @Test(
        "a picture smaller than a tile is shown as large as in a tile, and pixels that are not square in their proportions"
    )
    func placement() {
        let small = Placement(rows: 40, columns: 50, inputSize: 64, extent: 100)
        #expect((small.resizedRows, small.resizedColumns) == (26, 32))
        let tall = Tiling(rows: 400, columns: 400, side: 100, overlap: 20, aspect: 2)
        #expect(tall.down.length == 50 && tall.across.length == 100)
        let placed = Placement(
            rows: 50, columns: 100, inputSize: 64, spacing: PixelSpacing(row: 2, column: 1), extent: tall.extent)
        #expect((placed.resizedRows, placed.resizedColumns) == (64, 64))
    }
}
