import Failures
import Foundation
import Imaging
import SegmentAnything
import Tensors
import Testing

@Suite("precision")
struct PrecisionTests {
    private let folder = FileManager.default.temporaryDirectory.appendingPathComponent("precision-\(UUID().uuidString)")
        .path

    static let configuration: Configuration = {
        var configuration = Configuration()
        configuration.inputSize = 128
        (configuration.embedDim, configuration.depth, configuration.heads, configuration.globalBlocks) = (
            32, 2, 2, [1]
        )
        (configuration.window, configuration.decoderDim, configuration.decoderHeads, configuration.loraRank) = (
            3, 16, 2, 2
        )
        return configuration
    }()

    private func parameters() -> Parameters {
        var parameters = Parameters.initial(Self.configuration, seed: 3)
        // LoRA's B begins at zero: a model that was trained has another.
        for (name, tensor) in parameters.tensors where name.hasSuffix("_b") {
            parameters.tensors[name] = Tensor(tensor.shape, (0..<tensor.count).map { Float($0 % 5) / 50 - 0.04 })
        }
        return parameters
    }

    private var image: Tensor {
        Tensor([1, 128, 128, 3], (0..<128 * 128 * 3).map { Float($0 * 37 % 101) / 50 - 1 })
    }

    private func logits(_ model: HSPSAM) throws -> [Float] { try #require(model(image).logits[0]).values }

    private func packed(_ precision: Precision) -> HSPSAM {
        HSPSAM(Self.configuration, parameters(), packing: .uncalibrated(precision, Self.configuration))
    }

    @Test("packed weights in float32 give the masks of training's network")
    func packedIsTraining() throws {
        let ours = try logits(packed(.fp32))
        let expected = try logits(HSPSAM(Self.configuration, parameters(), mergeLoRA: false))
        let largest = expected.map(abs).max() ?? 0
        #expect(zip(ours, expected).allSatisfy { abs($0 - $1) <= 1e-4 * largest })
    }

    @Test("one thread and all threads give the same bits", arguments: Precision.allCases)
    func threads(_ precision: Precision) throws {
        let model = packed(precision)
        let all = try logits(model).map(\.bitPattern)
        // Within a body of the pool everything runs on its thread alone.
        let alone = ThreadPool.map(2) { $0 == 0 ? (try? logits(model))?.map(\.bitPattern) : [] }[0]
        #expect(alone == all)
    }

    @Test("heat maps of a packed network are those of training's network")
    func heat() throws {
        let ours = packed(.fp32)(image, heatMaps: true)
        let expected = HSPSAM(Self.configuration, parameters(), mergeLoRA: false)(image, heatMaps: true)
        for (a, b) in [(ours.questionHeat[0], expected.questionHeat[0]), (ours.answerHeat[0], expected.answerHeat[0])] {
            #expect(zip(try #require(a).values, try #require(b).values).allSatisfy { abs($0 - $1) < 1e-5 })
        }
    }

    @Test("8 bits need scales; with them the directory is written, read, and auto may take them")
    func quantised() throws {
        defer { try? FileManager.default.removeItem(atPath: folder) }
        var description = ModelDescription(
            configuration: Self.configuration, configurationName: "hsp_sam", segmentLabels: ["lesion"])
        var tensors = parameters().tensors
        try ModelDirectory.write(description, tensors: tensors, to: folder + "/plain")
        let plain = try ModelDirectory.open(folder + "/plain")
        #expect { try PrecisionChoice.int8.resolved(for: plain) } throws: {
            ($0 as? ModelFailure)?.code == "MODEL-INT8"
        }
        #expect(try PrecisionChoice.auto.resolved(for: plain) != .int8)

        let kept = "image_encoder.blocks.0.mlp.lin2.weight"
        description.quantisation = Quantisation(images: 3, bfloat16Layers: [kept], meanDice: 0.999, leastDice: 0.98)
        #expect(throws: ModelFailure.self) {
            try ModelDirectory.write(description, tensors: tensors, to: folder + "/eight")
        }
        for name in Quantisation.weights(Self.configuration) where name != kept {
            let width = try #require(tensors[name]).shape[1]
            tensors[Quantisation.scaleName(name)] = Tensor([width], repeating: 2)
        }
        try ModelDirectory.write(description, tensors: tensors, to: folder + "/eight")
        let eight = try ModelDirectory.open(folder + "/eight")
        #expect(eight.description == description)
        #expect(try PrecisionChoice.int8.resolved(for: eight) == .int8)
        #expect(
            try PrecisionChoice.auto.resolved(for: eight) == .int8 || !InstructionSet.prefers(.int8))
        let picture = DisplayImage(rows: 9, columns: 9, pixels: (0..<243).map { UInt8($0) })
        #expect(try Predictor(eight, .int8).segment(picture).masks.count == 1)
    }

    @Test("auto takes the fastest precision whose measured cost is at its limit or below, on each kind of CPU")
    func automatic() throws {
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let all: Set<Precision> = [.bf16, .int8]
        let cases: [(eight: Double, brief: Double?, fast: Set<Precision>, expected: PrecisionChoice)] = [
            (0.99, 0.999, all, .int8), (0.98999, 0.999, all, .bf16), (0.98999, 0.98999, all, .fp32),
            (0.5, 0.99, all, .bf16), (0.5, nil, all, .fp32), (1, 1, [.bf16], .bf16), (1, 1, [], .fp32),
            (0.5, 1, [.int8], .fp32),
        ]
        var tensors = parameters().tensors
        for name in Quantisation.weights(Self.configuration) {
            tensors[Quantisation.scaleName(name)] = Tensor([try #require(tensors[name]).shape[1]], repeating: 1)
        }
        var description = ModelDescription(
            configuration: Self.configuration, configurationName: "hsp_sam", segmentLabels: ["lesion"])
        for (index, item) in cases.enumerated() {
            description.quantisation = Quantisation(
                images: 3, bfloat16Layers: [], meanDice: item.eight, leastDice: 0, bfloat16MeanDice: item.brief)
            try ModelDirectory.write(description, tensors: tensors, to: "\(folder)/\(index)")
            let model = try ModelDirectory.open("\(folder)/\(index)")
            #expect(model.description == description)
            #expect(try PrecisionChoice.auto.resolved(for: model) { item.fast.contains($0) } == item.expected)
        }
        // Nobody measured what it costs.
        description.quantisation = nil
        try ModelDirectory.write(description, tensors: parameters().tensors, to: folder + "/plain")
        #expect(try PrecisionChoice.auto.resolved(for: ModelDirectory.open(folder + "/plain")) { _ in true } == .fp32)
    }

    @Test("a weight that is no number is refused when a network for inference is made of it")
    func notFinite() throws {
        let reader = ParameterReader { _, shape, _ in
            if shape.rank == 2 { throw ModelFailure.notFinite(path: "weights", name: "a") }
            return Tensor(zeros: shape)
        }
        #expect(throws: ModelFailure.self) {
            try HSPSAM(Self.configuration, reading: reader, packing: Packing(.fp32))
        }
    }
}
