import Foundation
import Imaging
import SegmentAnything
import Tensors
import Testing

@Suite("Preparation and restoration")
struct PreparationTests {
    /// `golden/README.md`: absolute on inputs, relative to the largest on what comes back.
    static let tolerance: Float = 1e-4

    /// `[S, S, 3]` as `[3, S, S]`.
    private static func channelFirst(_ tensor: Tensor) -> Tensor {
        let side = tensor.shape[0]
        let values = tensor.values
        let moved = (0..<3).flatMap { channel in (0..<side * side).map { values[$0 * 3 + channel] } }
        return Tensor([3, side, side], moved)
    }

    @Test("a segment is its inside and its boundary together, and an inside is where that is the more likely of both")
    func boundaries() {
        // Background, inside, boundary: in the left half both together win over a background that is above each.
        let logits = Tensor(
            [3, 4, 4],
            [Float](repeating: 1, count: 16) + (0..<16).map { $0 % 4 < 2 ? 0.8 : -5 }
                + (0..<16).map { $0 % 4 < 1 ? 0.9 : $0 % 4 < 2 ? 0.7 : -5 })
        let (_, placement) = Preparation(inputSize: 16).prepare(
            DisplayImage(rows: 16, columns: 16, pixels: [UInt8](repeating: 0, count: 768)))
        let one = Restoration.restore(logits, placement: placement, activation: .softmax, instances: .boundary)
        #expect(one.masks.count == 1 && one.probabilities.count == 1 && one.interiors.count == 1)
        #expect(one.masks[0][5, 1] && one.masks[0][5, 5] && !one.masks[0][5, 12])
        #expect(!one.interiors[0][5, 1] && one.interiors[0][5, 5])
        let e = (Float(2.718_281_8), Float(2.225_540_9), Float(2.459_603_1))
        #expect(abs(one.probabilities[0][0] - (e.1 + e.2) / (e.0 + e.1 + e.2)) < 1e-5)
        let three = Restoration.restore(logits, placement: placement, activation: .softmax)
        #expect(three.masks.count == 2 && three.masks.allSatisfy(\.isEmpty) && three.interiors.isEmpty)
    }

    @Test("images of awkward sizes become the recorded inputs and come back", .enabled(if: Goldens.isPresent))
    func recorded() throws {
        let reference = try SafeTensors(path: Goldens.path("preprocess/reference.safetensors"))
        let images = reference.names.filter { $0.hasSuffix(".image") }
        #expect(images.count == 7)
        for name in images {
            let key = String(name.dropLast(".image".count))
            let shape = try #require(reference.shape(name))
            let side = try #require(Int(key.split(separator: ".")[1]))
            let image = DisplayImage(rows: shape[0], columns: shape[1], pixels: try reference.bytes(name))
            let (input, placement) = Preparation(inputSize: side).prepare(image)
            let moved = Self.channelFirst(input)
            if reference.contains("\(key).input") {
                #expect(Goldens.difference(moved, try reference.tensor("\(key).input")) < Self.tolerance, "\(key)")
                let floats = Preparation(inputSize: side).prepare(
                    rgb: image.pixels.map(Float.init), rows: image.rows, columns: image.columns)
                #expect(floats.input.values == input.values)
                let back = try reference.tensor("\(key).back")
                let ours = Restoration.logits(try reference.tensor("\(key).logits"), placement: placement)
                #expect(ours.shape == back.shape)
                #expect(Goldens.difference(ours, back) < Self.tolerance * (back.values.map(abs).max() ?? 0), "\(key)")
            } else {
                let every8th = moved.values.enumerated().filter {
                    ($0.offset % side) % 8 == 0 && ($0.offset / side % side) % 8 == 0
                }
                let wanted = try reference.tensor("\(key).input_every_8th")
                #expect(
                    Goldens.difference(Tensor(wanted.shape, every8th.map(\.element)), wanted) < Self.tolerance, "\(key)"
                )
            }
        }
    }

    @Test("pixels that are not square are resized by their physical sides")
    func anisotropic() {
        let tall = Placement(rows: 100, columns: 100, inputSize: 64, spacing: PixelSpacing(row: 1, column: 0.5))
        #expect((tall.resizedRows, tall.resizedColumns) == (64, 32))
        let square = Placement(rows: 100, columns: 100, inputSize: 64, spacing: PixelSpacing(row: 1, column: 1.009))
        #expect((square.resizedRows, square.resizedColumns) == (64, 64))
        let line = Placement(rows: 1, columns: 4000, inputSize: 64)
        #expect((line.resizedRows, line.resizedColumns) == (1, 64))
    }

    @Test(
        "a disc comes back where it was",
        arguments: [(512, 512, 1.0, 1.0), (61, 53, 1, 1), (600, 800, 1, 1), (200, 300, 0.5, 1.0)])
    func centroid(rows: Int, columns: Int, rowSpacing: Double, columnSpacing: Double) {
        // An identity model: logits are the resized picture itself, at a quarter of the input.
        let (cy, cx, radius) = (Double(rows) * 0.4, Double(columns) * 0.55, Double(min(rows, columns)) * 0.3)
        let flags = (0..<rows * columns).map { hypot(Double($0 / columns) - cy, Double($0 % columns) - cx) < radius }
        let rgb = flags.flatMap { [Float](repeating: $0 ? 255 : 0, count: 3) }
        let preparation = Preparation(inputSize: 1024, mean: [0, 0, 0], std: [255, 255, 255])
        let spacing = PixelSpacing(row: rowSpacing, column: columnSpacing)
        let (input, placement) = preparation.prepare(rgb: rgb, rows: rows, columns: columns, spacing: spacing)
        let values = input.values
        var logits = [Float](repeating: 0, count: 256 * 256)
        for y in 0..<1024 {
            for x in 0..<1024 { logits[y / 4 * 256 + x / 4] += (values[(y * 1024 + x) * 3] - 0.5) / 16 }
        }
        let result = Restoration.restore(Tensor([1, 256, 256], logits), placement: placement, activation: .sigmoid)
        func centroid(_ flags: [Bool]) -> (Double, Double) {
            let set = flags.indices.filter { flags[$0] }
            let count = Double(max(set.count, 1))
            return (
                set.reduce(0) { $0 + Double($1 / columns) } / count, set.reduce(0) { $0 + Double($1 % columns) } / count
            )
        }
        let (a, b) = (centroid(flags), centroid(result.masks[0].flags))
        #expect(abs(a.0 - b.0) < 0.05 && abs(a.1 - b.1) < 0.05, "\(a) \(b)")
    }

    @Test("softmax takes the largest output, and the probabilities of all outputs sum to one")
    func softmax() {
        let logits = Tensor([3, 4, 4], (0..<48).map { Float(($0 * 7) % 5) })
        let placement = Placement(rows: 9, columns: 16, inputSize: 16)
        let result = Restoration.restore(logits, placement: placement, activation: .softmax)
        let back = Restoration.logits(logits, placement: placement).values
        #expect(result.masks.count == 2)
        for i in 0..<9 * 16 {
            let column = [back[i], back[144 + i], back[288 + i]]
            let winner = column.firstIndex(of: column.max() ?? 0)
            #expect(result.masks[0][i] == (winner == 1) && result.masks[1][i] == (winner == 2))
            let sum = column.map { exp($0) }.reduce(0, +)
            #expect(abs(result.probabilities[1][i] - exp(column[2]) / sum) < 1e-5)
        }
    }
}
