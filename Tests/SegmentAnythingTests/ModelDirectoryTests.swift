import Failures
import Foundation
import Imaging
import SegmentAnything
import Storage
import Tensors
import Testing
import TinyNetworks

@Suite("ModelDirectory")
struct ModelDirectoryTests {
    private let path = FileManager.default.temporaryDirectory.appendingPathComponent("model-\(UUID().uuidString)").path

    private static let nano = Configuration.tiny(inputSize: 32)

    private static let picture = DisplayImage(
        rows: 20, columns: 32, pixels: (0..<20 * 32 * 3).map { UInt8($0 * 7 % 251) })

    private func write(_ precision: ElementType = .f32) throws -> [String: Tensor] {
        var tensors: [String: Tensor] = [:]
        for (i, parameter) in ParameterShapes.of(Self.nano).enumerated() {
            tensors[parameter.name] = Tensor(
                parameter.shape, (0..<parameter.shape.count).map { Float(($0 * 31 + i) % 17) / 8 - 1 })
        }
        let description = ModelDescription(
            configuration: Self.nano, configurationName: "hsp_sam", segmentLabels: ["lesion"], precision: precision,
            provenance: ["seed": "1"])
        try ModelDirectory.write(description, tensors: tensors, to: path)
        return tensors
    }

    /// Replaces a file and, when asked, makes the digests right again.
    private func replace(_ name: String, with data: Data, correctSums: Bool) throws {
        try data.write(to: URL(fileURLWithPath: "\(path)/\(name)"))
        guard correctSums else { return }
        let sums = try ["config.json", "weights.safetensors"].map {
            "\(try FileDigest(ofFile: "\(path)/\($0)").hex)  \($0)\n"
        }
        try Data(sums.joined().utf8).write(to: URL(fileURLWithPath: "\(path)/SHA256SUMS"))
    }

    @Test(
        "a model is opened as it was written, and written again is the same bytes",
        arguments: [ElementType.f32, .f16, .bf16])
    func roundTrip(precision: ElementType) throws {
        let tensors = try write(precision)
        let model = try ModelDirectory.open(path)
        #expect(model.description.segmentLabels == ["lesion"] && model.description.precision == precision)
        #expect(model.configuration == Self.nano)
        for (name, tensor) in try model.tensors() { #expect(tensor.values == tensors[name]?.values, "\(name)") }
        #expect(model.weights.type("levels.0.transformer.norm_final_attn.weight") == .f32)
        #expect(model.weights.type("image_encoder.blocks.0.attn.qkv.weight") == precision)
        let digest = model.digest
        _ = try write(precision)
        #expect(try ModelDirectory.open(path).digest == digest)
    }

    @Test(
        "a matrix with an element that 16 bits cannot hold stays float32, and the others do not",
        arguments: [(ElementType.f16, Float(65519.9), Float(65520)), (.bf16, 3.39e38, -3.4e38)])
    func large(precision: ElementType, fits: Float, exceeds: Float) throws {
        var tensors = try write()
        let (small, large) = ("image_encoder.blocks.0.mlp.lin2.weight", "image_encoder.blocks.1.mlp.lin2.weight")
        for (name, value) in [(small, fits), (large, exceeds)] {
            tensors[name] = tensors[name].map { Tensor($0.shape, [value] + $0.values.dropFirst()) }
        }
        let description = ModelDescription(
            configuration: Self.nano, configurationName: "hsp_sam", segmentLabels: ["lesion"], precision: precision)
        try ModelDirectory.write(description, tensors: tensors, to: path)
        let model = try ModelDirectory.open(path)
        #expect(model.weights.type(small) == precision && model.weights.type(large) == .f32)
        #expect(try model.tensors()[large]?.values == tensors[large]?.values)
    }

    @Test("a model's digest is the recorded one: of its configuration and its weights, as they are written")
    func recordedDigest() throws {
        _ = try write(.f16)
        let digest = try ModelDirectory.open(path).digest.hex
        #expect(digest == "6b8bc8e2a21a098d61f6205a875b6d272c3e47a0a805465cc067e5b7532dbbca", "\(digest)")
    }

    @Test("sha256sum checks it")
    func sumsAreReadable() throws {
        _ = try write()
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/sha256sum")
        process.arguments = ["--check", "--strict", "--status", "SHA256SUMS"]
        process.currentDirectoryURL = URL(fileURLWithPath: path)
        try process.run()
        process.waitUntilExit()
        #expect(process.terminationStatus == 0)
    }

    @Test("weights that somebody writes to after they were checked are refused; a new file in their place is another's")
    func writtenInUse() throws {
        _ = try write()
        let file = "\(path)/weights.safetensors"
        func change(_ byte: UInt64, resetting date: Date? = nil) throws {
            let handle = try #require(FileHandle(forUpdatingAtPath: file))
            try handle.seek(toOffset: byte)
            let old = try #require(try handle.read(upToCount: 1)?.first)
            try handle.seek(toOffset: byte)
            try handle.write(contentsOf: [old ^ 1])
            try handle.close()
            if let date { try FileManager.default.setAttributes([.modificationDate: date], ofItemAtPath: file) }
        }
        let last = UInt64(try FileStatus(of: file).size - 1)
        let long = Date(timeIntervalSince1970: 1_000_000_000)
        try FileManager.default.setAttributes([.modificationDate: long], ofItemAtPath: file)
        for date in [nil, long] {
            let model = try ModelDirectory.open(path)
            // Neither tells anything of the bytes.
            try FileManager.default.setAttributes([.posixPermissions: 0o600], ofItemAtPath: file)
            try model.verify()
            try change(last, resetting: date)
            let failure = #expect(throws: ModelFailure.self) { try model.verify() }
            #expect(failure?.code == "MODEL-DIGEST")
            #expect(throws: ModelFailure.self) { _ = try model.tensors() }
            try change(last, resetting: long)
        }
        let model = try ModelDirectory.open(path)
        let data = try Data(contentsOf: URL(fileURLWithPath: file))
        try data.dropLast().write(to: URL(fileURLWithPath: file), options: .atomic)
        try model.verify()
    }

    @Test("a changed byte is refused by the file's name")
    func altered() throws {
        _ = try write()
        var data = try Data(contentsOf: URL(fileURLWithPath: "\(path)/weights.safetensors"))
        data[data.count - 1] ^= 1
        try replace("weights.safetensors", with: data, correctSums: false)
        let failure = #expect(throws: ModelFailure.self) { try ModelDirectory.open(path) }
        #expect(failure?.code == "MODEL-DIGEST" && failure?.text.contains("weights.safetensors") == true)
        // Who does not wait for the digest gets nothing that was made of such weights.
        let model = try ModelDirectory.opening(path)
        #expect(#expect(throws: ModelFailure.self) { try model.verify() }?.code == "MODEL-DIGEST")
        #expect(
            #expect(throws: ModelFailure.self) { try Predictor(model).segment(Self.picture) }?.code == "MODEL-DIGEST")
        #expect(#expect(throws: ModelFailure.self) { try model.tensors() }?.code == "MODEL-DIGEST")
    }

    @Test("damage is told as such, also where the file is no longer a model", arguments: [0, 60, -4])
    func damaged(at offset: Int) throws {
        _ = try write()
        let file = URL(fileURLWithPath: "\(path)/weights.safetensors")
        var data = try Data(contentsOf: file)
        // The header's length, its text, the exponent of the last number.
        for i in 0..<4 { data[(offset < 0 ? data.count + offset : offset) + i] = 0xFF }
        try data.write(to: file)
        #expect(#expect(throws: ModelFailure.self) { try ModelDirectory.open(path) }?.code == "MODEL-DIGEST")
        #expect(
            #expect(throws: ModelFailure.self) {
                try Predictor(try ModelDirectory.opening(path)).segment(Self.picture)
            }?.code == "MODEL-DIGEST")
    }

    @Test("weights are read with the first picture, which gets what weights in memory give it")
    func deferred() throws {
        var tensors = try write()
        let expected = try Predictor(ModelDirectory.open(path).description, Parameters(tensors)).segment(Self.picture)
        let predictor = try Predictor(ModelDirectory.opening(path))
        for _ in 0..<2 {
            let found = try predictor.segment(Self.picture)
            #expect(found.masks == expected.masks && found.probabilities == expected.probabilities)
        }
        // A block that nobody has looked at keeps no model from being opened, and nothing is found with it.
        let name = "image_encoder.blocks.1.mlp.lin2.weight"
        tensors[name] = tensors[name].map { Tensor($0.shape, [.nan] + $0.values.dropFirst()) }
        try SafeTensors.write(tensors, to: "\(path)/weights.safetensors") { _, _ in .f32 }
        try replace(
            "config.json", with: try Data(contentsOf: URL(fileURLWithPath: "\(path)/config.json")), correctSums: true)
        let broken = try Predictor(ModelDirectory.open(path))
        let failure = #expect(throws: ModelFailure.self) { try broken.segment(Self.picture) }
        #expect(failure?.code == "MODEL-NAN" && failure?.text.contains(name) == true)
    }

    @Test(
        "weights that are 0 throughout are refused by name wherever they are read or written; biases may be 0",
        arguments: ["image_encoder.blocks.0.attn.qkv.weight", "levels.0.f.weight", "levels.0.mask_tokens"])
    func blank(name: String) throws {
        var tensors = try write()
        let description = try ModelDirectory.open(path).description
        let config = try Data(contentsOf: URL(fileURLWithPath: "\(path)/config.json"))
        func predictor(without names: [String]) throws -> Predictor {
            for name in names { tensors[name] = tensors[name].map { Tensor(zeros: $0.shape) } }
            try SafeTensors.write(tensors, to: "\(path)/weights.safetensors") { _, _ in .f32 }
            try replace("config.json", with: config, correctSums: true)
            return try Predictor(ModelDirectory.open(path))
        }
        let mayBe = ParameterShapes.of(Self.nano).filter { !$0.isNeverZero }.map(\.name)
        #expect(mayBe.contains("levels.0.f.bias") && mayBe.contains("image_encoder.pos_embed"))
        #expect(throws: Never.self) { try predictor(without: mayBe).segment(Self.picture) }
        let failures = [
            #expect(throws: ModelFailure.self) { try predictor(without: [name]).segment(Self.picture) },
            #expect(throws: ModelFailure.self) { try ModelDirectory.open(path).tensors() },
            #expect(throws: ModelFailure.self) {
                try ModelDirectory.write(description, tensors: tensors, to: path + "-again")
            },
        ]
        for failure in failures {
            #expect(failure?.code == "MODEL-ZERO" && failure?.text.contains("\"\(name)\"") == true)
        }
        #expect(!FileManager.default.fileExists(atPath: path + "-again"))
    }

    @Test("a picture of which the network makes infinities fails instead of showing nothing; large numbers do not")
    func infinite() throws {
        var tensors = try write()
        let description = try ModelDirectory.open(path).description
        tensors["levels.0.head.output_upscaling.3.bias"] = Tensor([2], [100, 100])
        for (value, isFinite) in [(Float(1e30), true), (3e38, false)] {
            tensors["levels.0.head.output_hypernetworks_mlps.1.layers.2.bias"] = Tensor([2], [value, value])
            let predictor = Predictor(description, Parameters(tensors))
            guard !isFinite else {
                #expect(try predictor.segment(Self.picture).masks.first?.isEmpty == false)
                continue
            }
            let failure = #expect(throws: ModelFailure.self) { try predictor.segment(Self.picture) }
            #expect(failure?.code == "MODEL-NAN" && failure?.kind == .failed)
        }
    }

    @Test("all differences between weights and configuration are told in one line")
    func differences() throws {
        var tensors = try write()
        tensors["levels.0.f.bias"] = nil
        tensors["levels.0.mask_tokens"] = Tensor(zeros: [3, 16])
        tensors["surplus"] = Tensor(zeros: [1])
        try SafeTensors.write(tensors, to: "\(path)/weights.safetensors") { name, _ in
            name == "levels.0.no_mask_embed" ? .f16 : .f32
        }
        try replace(
            "config.json", with: try Data(contentsOf: URL(fileURLWithPath: "\(path)/config.json")), correctSums: true)
        let failure = #expect(throws: ModelFailure.self) { try ModelDirectory.open(path) }
        for part in [
            "levels.0.f.bias is missing", "levels.0.mask_tokens is [3, 16], not [2, 16]", "surplus is not part",
            "no_mask_embed holds F16, not F32",
        ] { #expect(failure?.text.contains(part) == true, "\(failure?.text ?? "")") }
    }

    @Test("a version that this program does not know, a missing file and a NaN are refused, each with its own code")
    func refused() throws {
        _ = try write()
        let config = URL(fileURLWithPath: "\(path)/config.json")
        let text = try String(contentsOf: config, encoding: .utf8)
        let newer = text.replacingOccurrences(of: "\"format_version\" : 1", with: "\"format_version\" : 9")
        try replace("config.json", with: Data(newer.utf8), correctSums: true)
        #expect(#expect(throws: ModelFailure.self) { try ModelDirectory.open(path) }?.code == "MODEL-VERSION")
        try replace("config.json", with: Data(text.utf8), correctSums: true)
        var tensors = try ModelDirectory.open(path).tensors()
        tensors["levels.0.f.bias"] = Tensor([16], repeating: .nan)
        try SafeTensors.write(tensors, to: "\(path)/weights.safetensors")
        try replace("config.json", with: Data(text.utf8), correctSums: true)
        #expect(#expect(throws: ModelFailure.self) { try ModelDirectory.open(path).tensors() }?.code == "MODEL-NAN")
        try FileManager.default.removeItem(at: config)
        #expect(#expect(throws: ModelFailure.self) { try ModelDirectory.open(path) }?.code == "MODEL-MISSING")
    }
}
