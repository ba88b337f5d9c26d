import Imaging
import Testing

@Suite("resampling")
struct AxisWeightsTests {
    @Test(
        "shrinking widens the triangle, and every output's weights sum to one",
        arguments: [(4, 2), (7, 3), (1000, 64), (5, 1)])
    func shrinking(_ input: Int, _ output: Int) {
        let weights = AxisWeights.antialiased(from: input, to: output)
        #expect(weights.count == output)
        for i in 0..<output {
            let taps = weights.weights[weights.offsets[i]..<weights.offsets[i + 1]]
            #expect(abs(taps.reduce(0) { $0 + Double($1) } - 1) < 1e-6)
            #expect(weights.starts[i] >= 0 && weights.starts[i] + taps.count <= input)
        }
    }

    @Test("the weights are those of PyTorch's interpolate, written out")
    func values() {
        // 4 → 2: centres at 1 and 3, support 2; 0.75 0.75 0.25 over their sum.
        let down = AxisWeights.antialiased(from: 4, to: 2)
        #expect(down.starts == [0, 1] && down.offsets == [0, 3, 6])
        let expected: [Float] = [3.0 / 7, 3.0 / 7, 1.0 / 7, 1.0 / 7, 3.0 / 7, 3.0 / 7]
        for (weight, wanted) in zip(down.weights, expected) { #expect(abs(weight - wanted) < 1e-7) }
        // 2 → 4: positions 0, 0.25, 0.75 and 1.25, the last beyond the last input.
        let up = AxisWeights.bilinear(from: 2, to: 4)
        #expect(up.starts == [0, 0, 0, 1] && up.weights == [1, 0, 0.75, 0.25, 0.25, 0.75, 1])
    }

    @Test("an image of its own size is resized to itself, and a constant one stays constant")
    func identity() {
        let image = DisplayImage(rows: 5, columns: 4, pixels: (0..<60).map { UInt8($0 * 4) })
        #expect(image.resized(rows: 5, columns: 4) == image)
        let flat = DisplayImage(rows: 31, columns: 17, pixels: [UInt8](repeating: 77, count: 31 * 17 * 3))
        for (rows, columns) in [(7, 90), (64, 64), (1, 1)] {
            #expect(flat.resized(rows: rows, columns: columns).pixels.allSatisfy { $0 == 77 })
        }
    }

    @Test("one map and another on its outputs are one map")
    func composition() {
        let (first, second) = (AxisWeights.bilinear(from: 6, to: 24), AxisWeights.bilinear(from: 20, to: 9))
        let source: [Float] = [3, -1, 4, 1, -5, 9]
        var (middle, twice, once) = (
            [Float](repeating: 0, count: 24), [Float](repeating: 0, count: 9), [Float](repeating: 0, count: 9)
        )
        first.resample(row: source, channels: 1, into: &middle, at: 0)
        second.resample(row: middle, channels: 1, into: &twice, at: 0)
        first.followed(by: second).resample(row: source, channels: 1, into: &once, at: 0)
        for (a, b) in zip(once, twice) { #expect(abs(a - b) < 1e-5) }
    }

    @Test("outside of an image its mirror image goes on")
    func mirrored() {
        let inside = BilinearPoint(x: 1.25, y: 2, rows: 4, columns: 5)
        #expect((inside.left, inside.right, inside.above, inside.below) == (1, 2, 2, 3) && inside.across == 0.25)
        let outside = BilinearPoint(x: -1.5, y: 4.5, rows: 4, columns: 5)
        #expect((outside.left, outside.right, outside.above, outside.below) == (1, 0, 3, 2))
    }
}
