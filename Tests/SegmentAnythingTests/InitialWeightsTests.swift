import SegmentAnything
import Tensors
import Testing

/// FNV-1a over words and texts.
private struct Fingerprint {
    private(set) var value: UInt64 = 0xCBF2_9CE4_8422_2325

    mutating func add(_ word: UInt64) { value = (value ^ word) &* 0x100_0000_01B3 }
    mutating func add(_ text: String) { for byte in text.utf8 { add(UInt64(byte)) } }
}

@Suite("initial weights and declarations")
struct InitialWeightsTests {
    private static func configuration(_ name: String) throws -> Configuration {
        var configuration = Configuration()
        configuration.apply(.nano)
        (configuration.inputSize, configuration.segments, configuration.prompts, configuration.loraRank) = (64, 2, 2, 4)
        configuration.stem = name == "scratch" ? .conv : .patch
        configuration.deepSupervision = name == "hsp_sam"
        configuration.apply(try #require(Configuration.Named(name: name)))
        return configuration
    }

    @Test(
        "names, shapes, what trains and what decays are the recorded ones; a seed gives the recorded weights",
        arguments: [
            ("scratch", 302, 0xcc76_11fe_2e5c_d547, 0x343f_9617_7958_5747),
            ("hsp_sam", 326, 0x19fd_206a_f9d7_b38d, 0xf5be_d252_06d3_2ea6),
            ("ft_sam", 174, 0xef31_94d1_b25c_03cb, 0x3fc0_933b_a49c_df61),
            ("ablation_1", 201, 0xd48b_9dae_6dc7_5777, 0xc320_3882_d865_ddb4),
            ("ablation_4", 280, 0xfc91_c1c5_3abe_24f5, 0xad61_8bc2_2b6d_96b6),
            ("sam", 187, 0xd803_bce9_62ff_1a27, 0x4f24_2259_24fa_41d2),
        ] as [(String, Int, UInt64, UInt64)])
    func recorded(_ name: String, _ count: Int, _ declarations: UInt64, _ weights: UInt64) throws {
        let configuration = try Self.configuration(name)
        let tensors = Parameters.initial(configuration, seed: 7)
        var (list, drawn) = (Fingerprint(), Fingerprint())
        for parameter in ParameterShapes.of(configuration) {
            // A constant was recorded as decaying, though nothing ever trained it.
            list.add(
                "\(parameter.name) \(parameter.shape) \(parameter.trains) \(parameter.decays || parameter.isConstant)\n"
            )
            // Normal numbers go through the C library's logarithm and cosine, whose last bit is the machine's: see below.
            if case .normal = parameter.initialisation { continue }
            for value in tensors[parameter.name].values { drawn.add(UInt64(value.bitPattern)) }
        }
        #expect(ParameterShapes.of(configuration).count == count)
        #expect(list.value == declarations)
        #expect(drawn.value == weights)
    }

    @Test(
        "tokens and the Fourier matrix begin with the recorded numbers",
        arguments: [
            ("scratch", "levels.0.q_prompts", [0.023325669, -0.0036632018]),
            ("scratch", "levels.1.mask_tokens", [-0.0074927076, -0.014336424]),
            ("scratch", "positional_encoding_gaussian_matrix", [1.2812278, -0.34245247]),
            ("hsp_sam", "levels.1.no_mask_embed", [0.0027933605, 0.00039040545]),
            ("sam", "levels.0.iou_token", [-0.00088253873, 0.008964821]),
        ] as [(String, String, [Float])])
    func normal(_ name: String, _ tensor: String, _ recorded: [Float]) throws {
        let values = Parameters.initial(try Self.configuration(name), seed: 7)[tensor].values
        for (value, wanted) in zip(values, recorded) { #expect(abs(value - wanted) <= 1e-6 * abs(wanted)) }
    }

    @Test("each kind of tensor is declared as what it is")
    func roles() throws {
        let all = ParameterShapes.of(try Self.configuration("hsp_sam"))
        func names(_ keep: (Parameter) -> Bool) -> [String] { all.filter(keep).map(\.name) }
        #expect(names { $0.role == .keyBias }.allSatisfy { $0.hasSuffix("k_proj.bias") })
        #expect(names { $0.role == .keyBias }.count == 2 * 7)
        #expect(names { $0.role == .loraA || $0.role == .loraB }.allSatisfy { $0.contains(".lora_") })
        #expect(names { $0.trains && $0.name.hasPrefix("image_encoder.") }.count == 4 * 4)
        #expect(names(\.isConstant) == ["positional_encoding_gaussian_matrix"])
        #expect(
            all.filter { $0.upstream == nil }.allSatisfy {
                $0.name.contains("lora_") || $0.name.contains("q_prompts") || $0.name.contains(".f.")
                    || $0.name.contains(".mlps.")
            })
    }
}
