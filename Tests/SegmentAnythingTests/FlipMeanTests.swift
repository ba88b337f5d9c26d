import Imaging
import SegmentAnything
import Tensors
import Testing
import TinyNetworks

@Suite("mean with the mirror image")
struct FlipMeanTests {
    /// A tiny network of random weights.
    private func predictor(
        _ augmentation: TestTimeAugmentation, _ activation: Configuration.Activation = .softmax,
        _ instances: Configuration.Instances = .none
    ) -> Predictor {
        let configuration = Configuration.tiny(segments: instances == .boundary ? 1 : 2, activation, instances)
        return Predictor(
            ModelDescription(configuration: configuration, configurationName: "hsp_sam"),
            .initial(configuration, seed: 7), Packing(.fp32), augmentation)
    }

    /// - Parameter isSymmetric: left and right alike.
    private func picture(_ rows: Int, _ columns: Int, isSymmetric: Bool = false) -> DisplayImage {
        DisplayImage(
            rows: rows, columns: columns,
            pixels: (0..<rows * columns * 3).map { index -> UInt8 in
                let (row, column) = (index / 3 / columns, index / 3 % columns)
                let across = isSymmetric ? min(column, columns - 1 - column) : column
                return UInt8((across * across * 3 + row * 5 + index % 3 * 40) % 256)
            })
    }

    private func mirrored<Value>(_ values: [Value], columns: Int) -> [Value] {
        values.indices.map { values[$0 / columns * columns + columns - 1 - $0 % columns] }
    }

    @Test("the mirror image's probabilities are mirrored back before they are averaged")
    func byNumbers() {
        func result(_ probabilities: [[Float]], margins: [[Float]] = []) -> Restoration.Result {
            let none = Mask(rows: 1, columns: probabilities[0].count)
            return Restoration.Result(
                masks: probabilities.map { _ in none }, probabilities: probabilities,
                interiors: margins.map { _ in none }, margins: margins)
        }
        let one = FlipMean.of(result([[0.9, 0.1, 0.6, 0.6]]), result([[0.2, 0.8, 0.3, 0.7]]), softmax: false)
        for (got, wanted) in zip(one.probabilities[0], [0.8, 0.2, 0.7, 0.4] as [Float]) {
            #expect(abs(got - wanted) < 1e-6)
        }
        #expect(one.masks[0].flags == [true, false, true, false] && one.interiors.isEmpty)
        // The larger of two segments, if it is larger than the background too.
        let two = FlipMean.of(result([[0.5, 0.3], [0.2, 0.3]]), result([[0.3, 0.5], [0.3, 0.2]]), softmax: true)
        #expect(two.masks.map(\.flags) == [[true, false], [false, false]])
        // Inside where the mean says so.
        let three = FlipMean.of(
            result([[0.9, 0.9, 0.9]], margins: [[0.5, -0.1, -0.4]]),
            result([[0.9, 0.9, 0.9]], margins: [[0.3, 0.3, -0.6]]), softmax: true)
        #expect(three.interiors.map(\.flags) == [[false, true, false]])
    }

    @Test(
        "a prediction is the mean of those of a picture and of its mirror image; heat maps are the picture's own",
        arguments: [Configuration.Activation.softmax, .sigmoid])
    func prediction(_ activation: Configuration.Activation) throws {
        let image = picture(30, 47)
        let mirror = DisplayImage(
            rows: 30, columns: 47,
            pixels: (0..<30 * 47 * 3).map {
                image.pixels[($0 / 141 * 47 + 46 - $0 / 3 % 47) * 3 + $0 % 3]
            })
        #expect(image.mirrored.pixels == mirror.pixels)
        let plain = predictor(.none, activation)
        let (own, other) = (try plain.segment(image, heatMaps: true), try plain.segment(mirror))
        let mean = try predictor(.flip, activation).segment(image, heatMaps: true)
        for segment in 0..<2 {
            let back = mirrored(other.probabilities[segment], columns: 47)
            #expect(mean.probabilities[segment] == zip(own.probabilities[segment], back).map { ($0 + $1) / 2 })
            #expect(mean.probabilities[segment] != own.probabilities[segment])
        }
        var wrong = 0
        for pixel in 0..<30 * 47 {
            let (a, b) = (mean.probabilities[0][pixel], mean.probabilities[1][pixel])
            let isSoft = activation == .softmax
            if mean.masks[0][pixel] != (isSoft ? a > 1 - a - b && a >= b : a > 0.5) { wrong += 1 }
            if mean.masks[1][pixel] != (isSoft ? b > 1 - a - b && b > a : b > 0.5) { wrong += 1 }
        }
        #expect(wrong == 0)
        #expect(mean.heatMaps.map(\.values) == own.heatMaps.map(\.values) && !mean.heatMaps.isEmpty)
    }

    @Test("a picture whose sides are alike gets a mask whose sides are alike")
    func symmetric() throws {
        let image = picture(40, 40, isSymmetric: true)
        #expect(image.mirrored.pixels == image.pixels)
        let plain = try predictor(.none, .softmax, .boundary).segment(image)
        let mean = try predictor(.flip, .softmax, .boundary).segment(image)
        for (masks, isAlike) in [(plain.interiors, false), (mean.interiors, true), (mean.masks, true)] {
            #expect((masks[0].flags == mirrored(masks[0].flags, columns: 40)) == isAlike)
        }
        #expect(mean.probabilities[0] == mirrored(mean.probabilities[0], columns: 40))
        #expect(plain.probabilities[0] != mirrored(plain.probabilities[0], columns: 40))
    }

    @Test("of a picture in tiles each tile is averaged with its mirror image")
    func tiles() throws {
        let (image, predictor) = (picture(50, 70), predictor(.flip))
        let tiling = Tiling(rows: 50, columns: 70, side: 32, overlap: 10)
        var tiled = TiledSegmentation(predictor, tiling)
        try tiled.add(image)
        var expected = [Float](repeating: 0, count: 3500)
        for (i, top) in tiling.down.starts.enumerated() {
            for (j, left) in tiling.across.starts.enumerated() {
                var pixels: [UInt8] = []
                for row in top..<top + 32 {
                    let start = (row * 70 + left) * 3
                    pixels += image.pixels[start..<start + 96]
                }
                let own = try predictor.segment(DisplayImage(rows: 32, columns: 32, pixels: pixels))
                for pixel in 0..<1024 {
                    let (y, x) = (pixel / 32, pixel % 32)
                    let weight = tiling.down.weights(i)[y] * tiling.across.weights(j)[x]
                    expected[(top + y) * 70 + left + x] += weight * own.probabilities[0][pixel]
                }
            }
        }
        var kept = TiledSegmentation(predictor, tiling, keepsProbabilities: true)
        try kept.add(image)
        #expect(kept.masks == tiled.masks)
        for (level, value) in zip(kept.levels[0], expected) { #expect(abs(Float(level) - value * 255) < 0.51) }
    }

    @Test(
        "a name of one side is known by its words",
        arguments: [
            ("lung_left", true), ("Right kidney", true), ("lungLeft", true), ("kidney-l", true), ("R", true),
            ("lesion", false), ("cleft palate", false), ("bright spot", false), ("L4", false), ("both lungs", false),
        ])
    func sides(name: String, isSided: Bool) { #expect(TestTimeAugmentation.namesSide(name) == isSided) }
}
