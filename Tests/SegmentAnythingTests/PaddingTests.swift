import Foundation
import Imaging
import SegmentAnything
import Tensors
import Testing

/// `padding: drop`: tokens wholly in the padding are left out. Packed networks work on the rest alone; those of training work on the
/// whole grid with dropped tokens masked in attention: one is the reference of the other.
@Suite("padding")
struct PaddingTests {
    static func configuration(_ stem: Configuration.Stem, _ padding: Configuration.Padding = .drop)
        -> Configuration
    {
        var configuration = Configuration()
        configuration.inputSize = 128
        (configuration.embedDim, configuration.depth, configuration.heads, configuration.globalBlocks) =
            (
                32, 4, 2, [1, 3]
            )
        (
            configuration.window, configuration.decoderDim, configuration.decoderHeads,
            configuration.loraRank
        ) = (
            3, 16, 2, 2
        )
        (configuration.prompts, configuration.deepSupervision) = (2, true)
        (configuration.stem, configuration.padding) = (stem, padding)
        return configuration
    }

    private func parameters(_ configuration: Configuration) -> Parameters {
        var parameters = Parameters.initial(configuration, seed: 3)
        // Positions, LoRA's B and biases begin at zero or small: those of a model that was trained do not.
        for (name, tensor) in parameters.tensors
        where ["_b", "pos_embed", "rel_pos_h", "rel_pos_w", "qkv.bias"].contains(where: name.hasSuffix) {
            parameters.tensors[name] = Tensor(
                tensor.shape, (0..<tensor.count).map { Float($0 % 7) / 20 - 0.14 })
        }
        return parameters
    }

    /// Pictures with zeros outside of their parts, or with something else there.
    private func images(_ parts: [GridSize], outside: Float = 0) -> Tensor {
        let side = 128
        return Tensor(
            [parts.count, side, side, 3],
            parts.enumerated().flatMap { b, part in
                (0..<side * side * 3).map {
                    let (y, x) = ($0 / 3 / side, $0 / 3 % side)
                    let isInside = y < part.rows * 16 && x < part.columns * 16
                    return isInside ? Float(($0 * 37 + b * 11) % 101) / 50 - 1 : outside
                }
            })
    }

    private func packed(_ configuration: Configuration) -> HSPSAM {
        HSPSAM(configuration, parameters(configuration), packing: Packing(.fp32))
    }

    private func training(_ configuration: Configuration) -> HSPSAM {
        HSPSAM(configuration, parameters(configuration), mergeLoRA: false)
    }

    private func expectNear(_ a: Tensor?, _ b: Tensor?, _ bound: Float = 1e-4) throws {
        let (a, b) = (try #require(a), try #require(b))
        let largest = b.values.map(abs).max() ?? 0
        let worst = zip(a.values, b.values).map { abs($0 - $1) }.max() ?? 0
        #expect(a.shape == b.shape && worst <= bound * largest, "\(worst) of \(largest)")
    }

    static let parts = [(8, 5), (3, 8), (6, 6), (7, 1), (1, 1), (2, 7), (8, 8)].map {
        GridSize(rows: $0.0, columns: $0.1)
    }

    @Test(
        "a network that works on the picture's tokens alone gives what the whole one with masked attention gives",
        arguments: Configuration.Stem.allCases, parts)
    func cutIsMasked(_ stem: Configuration.Stem, _ part: GridSize) throws {
        let configuration = Self.configuration(stem)
        let image = images([part])
        let ours = packed(configuration)(image, pictures: [part], heatMaps: true)
        let expected = training(configuration)(image, pictures: [part], heatMaps: true)
        for level in 0..<2 {
            try expectNear(ours.logits[level], expected.logits[level])
            try expectNear(ours.questionHeat[level], expected.questionHeat[level])
            try expectNear(ours.answerHeat[level], expected.answerHeat[level])
            let heat = try #require(ours.answerHeat[level]).values
            for token in 0..<64 where token / 8 >= part.rows || token % 8 >= part.columns {
                #expect(heat[token] == 0 && heat[64 + token] == 0)
            }
        }
    }

    @Test("what lies in the padding changes nothing", arguments: Configuration.Stem.allCases)
    func paddingIsNotSeen(_ stem: Configuration.Stem) throws {
        let configuration = Self.configuration(stem)
        let part = GridSize(rows: 5, columns: 8)
        for network in [packed(configuration), training(configuration)] {
            try expectNear(
                network(images([part], outside: 3), pictures: [part]).logits[0],
                network(images([part]), pictures: [part]).logits[0], 1e-6)
        }
        // The same network would see it.
        let kept = packed(Self.configuration(stem, .keep))
        let (a, b) = (kept(images([part], outside: 3)).logits[0], kept(images([part])).logits[0])
        #expect(a?.values != b?.values)
    }

    @Test("pictures of unlike sizes in one batch each get what they get alone")
    func batch() throws {
        let configuration = Self.configuration(.patch)
        let together = try #require(
            packed(configuration)(images(Self.parts), pictures: Self.parts).logits[0])
        let masked = try #require(
            training(configuration)(images(Self.parts), pictures: Self.parts).logits[0])
        let all = images(Self.parts).values
        for (index, part) in Self.parts.enumerated() {
            let own = Tensor(
                [1, 128, 128, 3], Array(all[index * 128 * 128 * 3..<(index + 1) * 128 * 128 * 3]))
            let alone = try #require(packed(configuration)(own, pictures: [part]).logits[0])
            for logits in [together, masked] {
                let slice = Array(logits.values[index * alone.count..<(index + 1) * alone.count])
                try expectNear(Tensor(alone.shape, slice), alone)
            }
        }
    }

    @Test(
        "a picture that fills the square, and every picture where padding is kept, gets SAM's own arithmetic"
    )
    func kept() throws {
        let (dropping, keeping) = (Self.configuration(.conv), Self.configuration(.conv, .keep))
        let (whole, part) = (GridSize(rows: 8, columns: 8), GridSize(rows: 4, columns: 8))
        let image = images([part])
        let expected = try #require(packed(keeping)(image).logits[0]).values
        #expect(packed(keeping)(image, pictures: [part]).logits[0]?.values == expected)
        #expect(packed(dropping)(image, pictures: [whole]).logits[0]?.values == expected)
        #expect(packed(dropping)(image).logits[0]?.values == expected)
        #expect(packed(dropping)(image, pictures: [part]).logits[0]?.values != expected)
    }

    @Test("gradients of a batch know nothing of the padding")
    func gradients() throws {
        let configuration = Self.configuration(.conv)
        let parts = [GridSize(rows: 5, columns: 8), GridSize(rows: 8, columns: 2)]
        let parameters = parameters(configuration)
        func gradient(outside: Float) throws -> [Float] {
            let network = HSPSAM(configuration, parameters, mergeLoRA: false)
            let tape = Tape()
            let watched = try ["levels.0.neck.0.weight", "levels.1.neck.2.weight", "levels.0.f.weight"]
                .map {
                    try #require(parameters.tensors[$0])
                }
            for tensor in watched { tape.watch(tensor) }
            let logits = try #require(
                network(images(parts, outside: outside), pictures: parts, tape: tape).logits[0])
            let targets: [Float] = (0..<logits.count).map { (index: Int) -> Float in index / 100 % 2 == 0 ? 1 : 0 }
            let valid = (0..<2 * 1024).map { index -> Float in
                let part = parts[index / 1024].times(4)
                return index % 1024 / 32 < part.rows && index % 32 < part.columns ? 1 : 0
            }
            let labels = LabelMaps(
                targets: Tensor(logits.shape, targets), valid: Tensor([2, 32, 32], valid))
            let loss = segmentationLoss(logits, labels, softmax: true, tape: tape)
            tape.backward(from: weightedSum([(loss.dice, 1), (loss.crossEntropy, 1)], tape: tape))
            return try watched.flatMap { try #require(tape.gradient($0)).values }
        }
        let (a, b) = (try gradient(outside: 0), try gradient(outside: 3))
        let largest = a.map(abs).max() ?? 0
        #expect(largest > 0 && zip(a, b).allSatisfy { abs($0 - $1) <= 1e-5 * largest })
    }

    @Test("a picture's tokens are those that it reaches")
    func tokens() {
        func tokens(_ rows: Int, _ columns: Int) -> GridSize {
            Placement(rows: rows, columns: columns, inputSize: 128).tokens(patch: 16)
        }
        #expect(tokens(100, 100) == GridSize(rows: 8, columns: 8))
        #expect(tokens(96, 128) == GridSize(rows: 6, columns: 8))
        #expect(tokens(97, 128) == GridSize(rows: 7, columns: 8))
        #expect(tokens(300, 1) == GridSize(rows: 8, columns: 1))
    }

    @Test("config.json names it where it is dropped, so that a program that cannot refuses the model")
    func json() throws {
        func text(_ padding: Configuration.Padding) throws -> String {
            let description = ModelDescription(
                configuration: Self.configuration(.patch, padding), configurationName: "hsp_sam",
                segmentLabels: ["lesion"])
            return String(decoding: try description.json(), as: UTF8.self)
        }
        #expect(try text(.drop).contains("\"padding\" : \"drop\""))
        #expect(try !text(.keep).contains("padding"))
        let path = FileManager.default.temporaryDirectory.appendingPathComponent(
            "padding-\(UUID().uuidString)"
        ).path
        defer { try? FileManager.default.removeItem(atPath: path) }
        try text(.drop).write(toFile: path, atomically: true, encoding: .utf8)
        #expect(try ModelDescription.read(path).configuration.padding == .drop)
        try text(.drop).replacingOccurrences(of: "\"drop\"", with: "\"cut\"").write(
            toFile: path, atomically: true, encoding: .utf8)
        #expect(
            #expect(throws: ModelFailure.self) { try ModelDescription.read(path) }?.code == "MODEL-CONFIG"
        )
    }

    @Test(
        "a predictor gives masks of the picture's own size, also where only a part of the square is computed"
    )
    func predictor() throws {
        let configuration = Self.configuration(.patch)
        let description = ModelDescription(
            configuration: configuration, configurationName: "hsp_sam", segmentLabels: ["lesion"])
        let image = DisplayImage(
            rows: 60, columns: 200, pixels: (0..<60 * 200 * 3).map { UInt8($0 * 7 % 251) })
        let prediction = try Predictor(description, parameters(configuration)).segment(
            image, heatMaps: true)
        // As the network of training sees the same picture, told which tokens it reaches; and not as it sees the whole square.
        let (input, placement) = Preparation(description).prepare(image)
        func probabilities(_ pictures: [GridSize]?) throws -> [Float] {
            let logits = try #require(
                training(configuration)(input.reshaped([1, 128, 128, 3]), pictures: pictures).logits[0])
            return Restoration.restore(
                logits.reshaped(Shape(Array(logits.shape.dimensions.dropFirst()))), placement: placement,
                activation: .softmax
            ).probabilities[0]
        }
        func distance(_ others: [Float]) -> Float {
            zip(prediction.probabilities[0], others).map { abs($0 - $1) }.max() ?? 1
        }
        #expect(distance(try probabilities([placement.tokens(patch: 16)])) < 1e-4)
        #expect(distance(try probabilities(nil)) > 1e-3)
        #expect(prediction.masks[0].rows == 60 && prediction.masks[0].columns == 200)
        #expect(prediction.probabilities[0].allSatisfy { $0.isFinite })
        #expect(
            prediction.heatMaps.allSatisfy {
                $0.values.count == 64 && abs($0.values.reduce(0, +) - 1) < 1e-4
            })
    }
}
