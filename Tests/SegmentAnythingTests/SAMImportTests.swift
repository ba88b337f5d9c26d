import Failures
import Foundation
import SegmentAnything
import Tensors
import Testing

@Suite("SAMImport", .enabled(if: Goldens.isPresent))
struct SAMImportTests {
    private func configuration(_ named: Configuration.Named) throws -> Configuration {
        var configuration = try Configuration.read(Goldens.path("sam-nano/config.json"))
        configuration.apply(named)
        return configuration
    }

    private func fresh(_ configuration: Configuration) -> [String: Tensor] {
        Dictionary(
            uniqueKeysWithValues: ParameterShapes.of(configuration).map { ($0.name, Tensor($0.shape, repeating: 7)) })
    }

    @Test(
        "every form of the same checkpoint gives the same masks and IoUs as official SAM",
        arguments: ["sam", "sam_legacy", "sam_wrapped"])
    func official(name: String) throws {
        let configuration = try configuration(.sam)
        let tensors = try SAMImport(Goldens.path("sam-nano/\(name).pth")).tensors(for: configuration, fresh: [:])
        let reference = try SafeTensors(path: Goldens.path("sam-nano/reference.safetensors"))
        let image = try reference.tensor("image")
        let model = HSPSAM(configuration, Parameters(tensors), mergeLoRA: true)
        let output = model(image.channelsLast())
        for (ours, name) in [(output.logits[0], "masks"), (output.iou[0], "iou")] {
            let wanted = try reference.tensor(name)
            let scale = wanted.values.map(abs).max() ?? 0
            #expect(Goldens.difference(try #require(ours), wanted) < 1e-4 * scale, "\(name)")
        }
    }

    @Test("half precision is the same model to 11 bits")
    func half() throws {
        let configuration = try configuration(.sam)
        let full = try SAMImport(Goldens.path("sam-nano/sam.pth")).tensors(for: configuration, fresh: [:])
        let half = try SAMImport(Goldens.path("sam-nano/sam_half.pth")).tensors(for: configuration, fresh: [:])
        for (name, tensor) in full {
            let other = try #require(half[name])
            for (a, b) in zip(tensor.values, other.values) { #expect(abs(a - b) <= abs(a) / 2048 + 1e-7) }
        }
    }

    @Test("SAM's parts are copied to every level, and what it does not have stays fresh")
    func hierarchy() throws {
        var configuration = try configuration(.ablation3)
        configuration.segments = 5
        let tensors = try SAMImport(Goldens.path("sam-nano/sam.pth")).tensors(
            for: configuration, fresh: fresh(configuration))
        for parameter in ParameterShapes.of(configuration) {
            #expect(tensors[parameter.name]?.shape == parameter.shape)
        }
        let sam = try TorchCheckpoint(path: Goldens.path("sam-nano/sam.pth"))
        for level in 0..<2 {
            #expect(
                try tensors["levels.\(level).neck.0.weight"]?.values == sam.tensor("image_encoder.neck.0.weight").values
            )
            let tokens = try #require(tensors["levels.\(level).mask_tokens"]).values
            let width = tokens.count / 6
            let original = try sam.tensor("mask_decoder.mask_tokens.weight").values
            for m in 0..<6 {
                #expect(
                    Array(tokens[m * width..<(m + 1) * width]) == Array(original[m % 4 * width..<(m % 4 + 1) * width]))
            }
            #expect(tensors["levels.\(level).q_prompts"]?.values.allSatisfy { $0 == 7 } == true)
        }
        #expect(tensors["image_encoder.blocks.0.attn.lora_q_a"]?.values.allSatisfy { $0 == 7 } == true)
    }

    @Test("another input size resizes the position tables")
    func resized() throws {
        var configuration = try configuration(.sam)
        configuration.inputSize = 192
        let tensors = try SAMImport(Goldens.path("sam-nano/sam.pth")).tensors(for: configuration, fresh: [:])
        for parameter in ParameterShapes.of(configuration) {
            #expect(tensors[parameter.name]?.shape == parameter.shape, "\(parameter.name)")
        }
    }

    @Test(
        "four broken files are refused, each with its own reason",
        arguments: [
            ("truncated", "CHECKPOINT-TRUNCATED", "cut off"),
            ("missing_tensor", "MODEL-TENSORS", "image_encoder.blocks.2.mlp.lin1.weight is missing"),
            ("wrong_shape", "MODEL-TENSORS", "image_encoder.blocks.2.attn.proj.weight is ["),
            ("nan", "MODEL-NAN", "image_encoder.pos_embed"),
        ])
    func broken(name: String, code: String, reason: String) throws {
        let configuration = try configuration(.sam)
        do {
            _ = try SAMImport(Goldens.path("sam-nano/\(name).pth")).tensors(for: configuration, fresh: [:])
            Issue.record("\(name).pth was accepted")
        } catch let failure as any Failure {
            #expect(
                failure.code == code && failure.text.contains(reason) && failure.text.contains("\(name).pth"),
                "\(failure)")
        }
    }
}
