import Failures
import Foundation
import SegmentAnything
import Tensors
import Testing

@Suite("Configuration")
struct ConfigurationTests {
    @Test(
        "every tensor of the recorded weights is listed with its shape, and no other", .enabled(if: Goldens.isPresent),
        arguments: [
            "nano-paper", "nano-sigmoid", "nano-ft-sam", "nano-ablation-1", "nano-ablation-2", "nano-ablation-4",
            "nano-ablation-5",
        ])
    func shapes(name: String) throws {
        let configuration = try Configuration.read(Goldens.path("\(name)/config.json"))
        let weights = try SafeTensors(path: Goldens.path("\(name)/weights.safetensors"))
        let parameters = ParameterShapes.of(configuration)
        #expect(parameters.map(\.name).sorted() == weights.names)
        for parameter in parameters { #expect(weights.shape(parameter.name) == parameter.shape, "\(parameter.name)") }
        let reference = try SafeTensors(path: Goldens.path("\(name)/reference.safetensors"))
        let trained = reference.names.filter { $0.hasPrefix("grad.") }.map { String($0.dropFirst(5)) }
        let listed = parameters.filter(\.trains).map(\.name)
        #expect(Set(trained).isSubset(of: listed))
    }

    @Test(
        "ViT-B trains as many parameters as the reference implementation counts",
        arguments: [
            ("ft_sam", 93.32), ("ablation_1", 5.94), ("ablation_2", 19.17), ("hsp_sam", 19.17), ("ablation_4", 17.85),
            ("ablation_5", 17.85),
        ])
    func counts(name: String, millions: Double) throws {
        var configuration = Configuration()
        configuration.apply(.vitB)
        configuration.apply(try #require(Configuration.Named(name: name)))
        let trained = ParameterShapes.of(configuration).filter(\.trains).reduce(0) { $0 + $1.shape.count }
        #expect((Double(trained) / 1e4).rounded() / 100 == millions)
    }

    @Test("a configuration survives its JSON, and missing keys are the reference implementation's defaults")
    func json() throws {
        var configuration = Configuration()
        configuration.apply(.vitT)
        configuration.apply(.sam)
        configuration.stem = .conv
        configuration.lossAt = .full
        let data = try JSONEncoder().encode(configuration)
        #expect(try JSONDecoder().decode(Configuration.self, from: data) == configuration)
        #expect(try JSONDecoder().decode(Configuration.self, from: Data("{}".utf8)) == Configuration())
    }

    @Test("all problems of a configuration are told at once")
    func problems() {
        var configuration = Configuration()
        configuration.inputSize = 1000
        configuration.globalBlocks = [3, 2]
        configuration.alpha = .nan
        let problems = configuration.problems.joined(separator: "\n")
        #expect(configuration.problems.count == 3)
        for key in ["input_size", "global_blocks", "alpha"] { #expect(problems.contains(key)) }
        #expect(Configuration().problems.isEmpty)
    }

    @Test(
        "a wrong configuration file is refused by file and key",
        arguments: [
            ("{\"depth\": \"12\"}", "\"depth\" is no whole number"), ("{\"dept\": 12}", "\"dept\" is unknown"),
            ("[1]", "no JSON object"),
            ("{\"stem\": \"tree\"}", "\"stem\" has a value that is not known"), ("{", "not valid JSON"),
            ("{\"heads\": 7}", "no multiple of 7"),
            ("{\"depth\": 12, \"heads\": 12, \"depth\": 8}", "\"depth\" stands twice"),
            (#"{"heads": 12, "a\\": {"\"b:": 1, "c": [{"d": 1}, {"d": 2}]}, "heads" : 12}"#, "\"heads\" stands twice"),
            ("{\"decoder_heads\": 4611686018427387904}", "decoder_heads is 4611686018427387904, not within 1 to 128"),
            ("{\"depth\": -9223372036854775808}", "depth is -9223372036854775808, not within 1 to 256"),
        ])
    func refused(text: String, reason: String) throws {
        let path = FileManager.default.temporaryDirectory.appendingPathComponent("config-\(UUID().uuidString).json")
            .path
        try Data(text.utf8).write(to: URL(fileURLWithPath: path))
        let failure = #expect(throws: ModelFailure.self) { try Configuration.read(path) }
        #expect(
            failure?.text.contains(reason) == true && failure?.text.contains(path) == true, "\(failure?.text ?? "")")
    }

    @Test("position tables resized to another input size are the recorded ones", .enabled(if: Goldens.isPresent))
    func positionTables() throws {
        let new = try Configuration.read(Goldens.path("position-resize/config.json"))
        let weights = try SafeTensors(path: Goldens.path("position-resize/weights_128.safetensors")).tensors()
        let reference = try SafeTensors(path: Goldens.path("position-resize/reference.safetensors"))
        let resized = PositionTables.resized(weights, to: new)
        let recorded = reference.names.filter { $0.hasPrefix("resized.") }
        #expect(recorded.count == 5)
        for name in recorded {
            let ours = try #require(resized[String(name.dropFirst("resized.".count))])
            let wanted = try reference.tensor(name)
            #expect(ours.shape == wanted.shape && Goldens.difference(ours, wanted) < 1e-5, "\(name)")
        }
        for parameter in ParameterShapes.of(new) { #expect(resized[parameter.name]?.shape == parameter.shape) }
    }
}
