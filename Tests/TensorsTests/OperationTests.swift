import Foundation
import Numbers
import Tensors
import Testing

/// One row of the table: an operation on inputs of some shapes.
struct OperationCase: Sendable, CustomTestStringConvertible {
    let operation: String
    let variant: String
    let shapes: [Shape]
    let apply: @Sendable ([Tensor], Tape?) -> Tensor

    var testDescription: String { variant.isEmpty ? operation : "\(operation), \(variant)" }

    init(
        _ operation: String, _ variant: String = "", _ shapes: [Shape],
        _ apply: @escaping @Sendable ([Tensor], Tape?) -> Tensor
    ) {
        self.operation = operation
        self.variant = variant
        self.shapes = shapes
        self.apply = apply
    }
}

private func loss(_ logits: Tensor, softmax: Bool, _ tape: Tape?) -> Tensor {
    let shape = logits.shape
    var targets = [Float](repeating: 0, count: shape.count)
    let pixels = shape[2] * shape[3]
    for b in 0..<shape[0] {
        for i in 0..<pixels { targets[(b * shape[1] + (i * 7 + b) % shape[1]) * pixels + i] = 1 }
    }
    let valid = (0..<shape[0] * pixels).map { Float($0 % 5 == 0 ? 0 : 1) }
    let labels = LabelMaps(targets: Tensor(shape, targets), valid: Tensor([shape[0], shape[2], shape[3]], valid))
    let terms = segmentationLoss(logits, labels, softmax: softmax, tape: tape)
    return weightedSum([(terms.dice, 0.8), (terms.crossEntropy, 0.2)], tape: tape)
}

/// Every operation that has a derivative, in the shapes that the model uses and in awkward ones.
let operationTable: [OperationCase] = [
    OperationCase("linear", "bias", [[2, 3, 5], [4, 5], [4]]) { linear($0[0], $0[1], $0[2], tape: $1) },
    OperationCase("linear", "no bias, many rows", [[700, 9], [33, 9]]) { linear($0[0], $0[1], nil, tape: $1) },
    OperationCase("layerNorm", "", [[67, 19], [19], [19]]) { layerNorm($0[0], $0[1], $0[2], epsilon: 1e-6, tape: $1) },
    OperationCase("gelu", "", [[3, 37]]) { gelu($0[0], tape: $1) },
    OperationCase("relu", "", [[3, 37]]) { relu($0[0], tape: $1) },
    OperationCase("add", "", [[4, 6], [4, 6]]) { add($0[0], $0[1], tape: $1) },
    OperationCase("add", "to itself", [[4, 6]]) { add($0[0], $0[0], tape: $1) },
    OperationCase("addRepeated", "", [[2, 3, 70], [3, 70]]) { addRepeated($0[0], $0[1], tape: $1) },
    OperationCase("mean", "", [[], [], []]) { mean($0, tape: $1) },
    OperationCase("weightedSum", "", [[], []]) { weightedSum([($0[0], 0.3), ($0[1], -2)], tape: $1) },
    OperationCase("updatedLinear", "two updates", [[2, 3, 5], [9, 5], [9], [2, 5], [3, 2], [2, 5], [3, 2]]) {
        let updates = [
            LowRankUpdate(a: $0[3], b: $0[4], column: 0), LowRankUpdate(a: $0[5], b: $0[6], column: 6),
        ]
        return updatedLinear($0[0], $0[1], $0[2], updates, tape: $1)
    },
    OperationCase("appendPrompts", "", [[2, 4, 3], [2, 3]]) { appendPrompts($0[0], $0[1], tape: $1) },
    OperationCase("concatenateRows", "", [[1, 4], [3, 4], [2, 4]]) { concatenateRows($0, tape: $1) },
    OperationCase("repeated", "", [[3, 4]]) { repeated($0[0], batch: 3, tape: $1) },
    OperationCase("sliceTokens", "", [[2, 5, 3]]) { sliceTokens($0[0], 1..<4, tape: $1) },
    OperationCase("stackTokens", "", [[2, 1, 3], [2, 1, 3]]) { stackTokens($0, tape: $1) },
    OperationCase("partitionWindows", "padded", [[2, 5, 5, 3]]) { partitionWindows($0[0], window: 3, tape: $1) },
    OperationCase("joinWindows", "padded", [[8, 9, 3]]) { joinWindows($0[0], batch: 2, grid: 5, window: 3, tape: $1) },
    OperationCase("encoderAttention", "windows", [[3, 9, 24], [5, 4], [5, 4]]) {
        encoderAttention($0[0], relativeH: $0[1], relativeW: $0[2], side: 3, heads: 2, tape: $1)
    },
    OperationCase("encoderAttention", "prompts", [[2, 18, 24], [7, 4], [7, 4]]) {
        encoderAttention($0[0], relativeH: $0[1], relativeW: $0[2], side: 4, heads: 2, tape: $1)
    },
    OperationCase("encoderAttention", "prompts, some tokens gone", [[2, 18, 24], [7, 4], [7, 4]]) {
        encoderAttention(
            $0[0], relativeH: $0[1], relativeW: $0[2], side: 4, heads: 2,
            keyBias: KeyBias.grid([GridSize(rows: 3, columns: 2), GridSize(rows: 1, columns: 4)], side: 4, prompts: 2),
            tape: $1)
    },
    OperationCase("encoderAttention", "windows, some tokens gone", [[4, 9, 24], [5, 4], [5, 4]]) {
        encoderAttention(
            $0[0], relativeH: $0[1], relativeW: $0[2], side: 3, heads: 2,
            keyBias: KeyBias.windows([GridSize(rows: 4, columns: 2)], side: 5, window: 3), tape: $1)
    },
    OperationCase("attention", "some keys gone", [[2, 3, 8], [2, 16, 8], [2, 16, 8]]) {
        attention(
            $0[0], $0[1], $0[2], heads: 2,
            keyBias: KeyBias.grid([GridSize(rows: 2, columns: 4), GridSize(rows: 4, columns: 3)], side: 4), tape: $1)
    },
    OperationCase("zeroOutside", "", [[2, 4, 5, 3]]) {
        zeroOutside($0[0], [GridSize(rows: 2, columns: 5), GridSize(rows: 4, columns: 1)], tape: $1)
    },
    OperationCase("extendEdges", "", [[2, 3, 4, 5]]) {
        extendEdges($0[0], [GridSize(rows: 2, columns: 5), GridSize(rows: 4, columns: 1)], side: 6, tape: $1)
    },
    OperationCase("attention", "tokens to image", [[2, 3, 8], [2, 20, 8], [2, 20, 8]]) {
        attention($0[0], $0[1], $0[2], heads: 2, tape: $1)
    },
    OperationCase("attention", "image to tokens", [[2, 300, 8], [2, 3, 8], [2, 3, 8]]) {
        attention($0[0], $0[1], $0[2], heads: 4, tape: $1)
    },
    OperationCase("convolution", "stem", [[2, 7, 7, 3], [5, 3, 3, 3], [5]]) {
        convolution($0[0], $0[1], $0[2], stride: 2, padding: 1, tape: $1)
    },
    OperationCase("convolution", "patch", [[1, 8, 8, 3], [6, 3, 4, 4], [6]]) {
        convolution($0[0], $0[1], $0[2], stride: 4, padding: 0, tape: $1)
    },
    OperationCase("convolution", "pointwise", [[2, 3, 3, 4], [5, 4, 1, 1]]) {
        convolution($0[0], $0[1], nil, stride: 1, padding: 0, tape: $1)
    },
    OperationCase("transposedConvolution", "", [[2, 3, 3, 4], [4, 5, 2, 2], [5]]) {
        transposedConvolution($0[0], $0[1], $0[2], tape: $1)
    },
    OperationCase("transposedConvolution", "a rectangle", [[2, 2, 3, 4], [4, 5, 2, 2], [5]]) {
        transposedConvolution($0[0], $0[1], $0[2], tape: $1)
    },
    OperationCase("maskProduct", "", [[2, 4, 4, 3], [2, 2, 3]]) { maskProduct($0[0], $0[1], tape: $1) },
    OperationCase("resizePlanes", "up and down", [[2, 5, 7]]) { resizePlanes($0[0], height: 12, width: 3, tape: $1) },
    OperationCase("segmentationLoss", "softmax", [[2, 3, 4, 4]]) { loss($0[0], softmax: true, $1) },
    OperationCase("segmentationLoss", "sigmoid", [[2, 2, 4, 4]]) { loss($0[0], softmax: false, $1) },
    OperationCase("replaceRows", "", [[2, 3, 4], [4]]) {
        replaceRows($0[0], by: $0[1], where: [true, false, false, true, true, false], tape: $1)
    },
    OperationCase("meanSquaredError", "some rows", [[5, 3]]) {
        let target = Tensor([5, 3], (0..<15).map { Float($0 % 4) / 4 })
        return meanSquaredError($0[0], target, where: [true, false, true, true, false], tape: $1)
    },
]

@Suite("operations")
struct OperationTests {
    @Test(
        "a packed convolution equals the other one, whether its patches are gathered at once or a band of rows after the other"
    )
    func packedConvolutions() {
        for shape in [[2, 9, 7, 3], [0, 9, 7, 3], [3, 70, 61, 24]] as [Shape] {
            var random = SplitMix64(seed: 3)
            let x = Tensor.uniform(shape, bound: 0.5, &random)
            let weight = Tensor.uniform([33, shape[3], 3, 3], bound: 0.5, &random)
            let bias = Tensor.uniform([33], bound: 0.5, &random)
            for stride in [1, 2] {
                let layer = PackedLinear(PackedMatrix(weight.channelsLast(), .fp32), bias: bias)
                let packed = packedConvolution(x, layer, kernel: 3, stride: stride, padding: 1)
                let expected = convolution(x, weight, bias, stride: stride, padding: 1, tape: nil)
                #expect(packed.shape == expected.shape)
                #expect(zip(packed.values, expected.values).allSatisfy { abs($0 - $1) < 1e-5 }, "\(shape), \(stride)")
            }
        }
    }

    @Test("a norm and an activation behind a packed convolution are those of the plain operations, of odd widths too")
    func normedConvolutions() {
        for (kernel, outputs) in [(3, 33), (3, 64), (1, 48), (3, 7)] {
            var random = SplitMix64(seed: 5)
            let x = Tensor.uniform([2, 40, 31, 8], bound: 0.5, &random)
            let weight = Tensor.uniform([outputs, 8, kernel, kernel], bound: 0.5, &random)
            let scale = Tensor.uniform([outputs], bound: 2, &random)
            let shift = Tensor.uniform([outputs], bound: 0.5, &random)
            let layer = PackedLinear(PackedMatrix(weight.channelsLast(), .fp32), bias: shift)
            let norm = PackedNorm(weight: scale, bias: shift, epsilon: 1e-6)
            let plain = packedConvolution(x, layer, kernel: kernel, stride: 1, padding: kernel / 2)
            let normed = layerNorm(plain, scale, shift, epsilon: 1e-6, tape: nil)
            let expected: [(PackedActivation, Tensor)] = [
                (.none, normed), (.gelu, gelu(normed, tape: nil)), (.relu, relu(normed, tape: nil)),
            ]
            for (activation, values) in expected {
                let packed = packedConvolution(
                    x, layer, kernel: kernel, stride: 1, padding: kernel / 2, norm: norm, activation)
                #expect(packed.values == values.values, "\(kernel) × \(kernel), \(outputs), \(activation)")
            }
        }
    }

    /// Float32 differences over a step of 1e-2 are good to about a thousandth; a wrong term is off by far more.
    static let tolerance: Float = 5e-3
    static let step: Float = 1e-2

    /// Σ weight · y, so that every element of the output matters differently.
    private func scalar(_ row: OperationCase, _ inputs: [Tensor], _ tape: Tape?) -> Tensor {
        let y = row.apply(inputs, tape)
        var random = SplitMix64(seed: 5)
        return linear(y.reshaped([1, y.count]), .uniform([1, y.count], bound: 1, &random), nil, tape: tape)
    }

    @Test("derivatives agree with finite differences", arguments: operationTable)
    func differences(_ row: OperationCase) {
        var random = SplitMix64(seed: 3)
        let inputs = row.shapes.map { Tensor.uniform($0, bound: 1, &random) }
        let tape = Tape()
        for input in inputs { tape.watch(input) }
        tape.backward(from: scalar(row, inputs, tape))
        for (number, input) in inputs.enumerated() {
            guard let gradient = tape.gradient(input)?.values else {
                Issue.record("input \(number) has no gradient")
                continue
            }
            let values = input.values
            let largest = max(gradient.reduce(0) { max($0, abs($1)) }, 1e-3)
            // A few dozen elements of each input, spread over it.
            for index in stride(from: 0, to: values.count, by: max(1, values.count / 40)) {
                func shifted(_ by: Float) -> Double {
                    var moved = values
                    moved[index] += by
                    var all = inputs
                    all[number] = Tensor(input.shape, moved)
                    let y = row.apply(all, nil).values
                    var random = SplitMix64(seed: 5)
                    let weights = Tensor.uniform([1, y.count], bound: 1, &random).values
                    return zip(y, weights).reduce(0) { $0 + Double($1.0) * Double($1.1) }
                }
                // A kink between the two points has no derivative.
                if row.operation == "relu", abs(values[index]) < 2 * Self.step { continue }
                let difference = Float((shifted(Self.step) - shifted(-Self.step)) / Double(2 * Self.step))
                #expect(
                    abs(difference - gradient[index]) <= Self.tolerance * max(largest, 1),
                    "input \(number), element \(index): derivative \(gradient[index]), difference \(difference)")
            }
        }
    }

    @Test("without a tape the result is the same")
    func untaped() {
        var random = SplitMix64(seed: 4)
        for row in operationTable {
            let inputs = row.shapes.map { Tensor.uniform($0, bound: 1, &random) }
            let tape = Tape()
            for input in inputs { tape.watch(input) }
            #expect(row.apply(inputs, tape).values == row.apply(inputs, nil).values, "\(row.testDescription)")
        }
    }

    @Test("every operation of the sources has a row in the table")
    func complete() throws {
        let folder = URL(filePath: #filePath).deletingLastPathComponent().appending(
            path: "../../Sources/Tensors/Operations")
        let withoutDerivative: Set = [
            "attentionWeights", "promptWeights", "adamWStep", "approach", "scale", "updatedWeight",
            "upperLeft", "amongZeros",
        ]
        var names: Set<String> = []
        for file in try FileManager.default.contentsOfDirectory(at: folder, includingPropertiesForKeys: nil) {
            for match in try String(contentsOf: file, encoding: .utf8).matches(of: /package func (\w+)/) {
                names.insert(String(match.1))
            }
        }
        #expect(names.count > 15)
        #expect(names.subtracting(withoutDerivative) == Set(operationTable.map(\.operation)))
    }

    @Test("attention over many blocks of queries is the plain formula")
    func plainAttention() {
        var random = SplitMix64(seed: 6)
        let (n, m, dim, heads) = (70, 20_000, 8, 2)
        let (q, k, v) = (
            Tensor.uniform([1, n, dim], bound: 2, &random), Tensor.uniform([1, m, dim], bound: 2, &random),
            Tensor.uniform([1, m, dim], bound: 1, &random)
        )
        let ours = attention(q, k, v, heads: heads, tape: nil).values
        let (a, b, c) = (q.values, k.values, v.values)
        for i in [0, 31, 32, n - 1] {
            for h in 0..<heads {
                let channels = h * 4..<h * 4 + 4
                let weights = (0..<m).map { j in
                    exp(channels.reduce(0.0) { $0 + Double(a[i * dim + $1]) * Double(b[j * dim + $1]) } / 2)
                }
                let sum = weights.reduce(0, +)
                for channel in channels {
                    let expected = (0..<m).reduce(0.0) { $0 + weights[$1] * Double(c[$1 * dim + channel]) } / sum
                    #expect(abs(Double(ours[i * dim + channel]) - expected) < 1e-5)
                }
            }
        }
    }
}
