import Failures
import Foundation
import SegmentAnything
import Tensors
import Testing
import TinyNetworks

/// Checkpoints that hold another network than Segment Anything of the configuration: none of it may be left aside without a word.
@Suite("SAMImport of other networks")
struct ForeignCheckpointTests {
    private let path = FileManager.default.temporaryDirectory.appendingPathComponent("sam-\(UUID().uuidString).pth")
        .path

    private static let nano = Configuration.tiny(inputSize: 32)

    private static let attention = "image_encoder.blocks.0.attn.qkv.weight"

    private func tensors(of file: TorchFile, _ configuration: Configuration = nano) throws -> [String: Tensor] {
        defer { try? FileManager.default.removeItem(atPath: path) }
        try file.write(to: path)
        return try SAMImport(path).tensors(
            for: configuration, fresh: Parameters.initial(configuration, seed: 1).tensors)
    }

    private func failure(of file: TorchFile, _ configuration: Configuration = nano) -> (any Failure)? {
        do {
            _ = try tensors(of: file, configuration)
            return nil
        } catch {
            return error as? any Failure
        }
    }

    @Test(
        "SAM's tensors are taken for every configuration, in every type of floating point, with counters and constants beside them",
        arguments: [ElementType.f64, .f32, .f16, .bf16])
    func official(type: ElementType) throws {
        var sam = TorchFile.sam(Self.nano)
        for name in sam.keys { sam[name]?.type = type }
        sam["image_encoder.neck.1.num_batches_tracked"] = .init(shape: [], type: .i64)
        sam["image_encoder.position_ids"] = .init(shape: [4], type: .i64)
        sam["pixel_mean"] = .init(shape: [3, 1, 1], type: type, first: Self.bytes([123.675, 116.28, 103.53], type))
        for named in Configuration.Named.allCases {
            var configuration = Self.nano
            configuration.apply(named)
            let tensors = try tensors(of: TorchFile(sam), configuration)
            for parameter in ParameterShapes.of(configuration) {
                #expect(tensors[parameter.name]?.shape == parameter.shape, "\(named.rawValue) \(parameter.name)")
            }
        }
        let wrapped = Dictionary(uniqueKeysWithValues: sam.map { ("module.\($0)", $1) })
        let state = ["step": TorchFile.Entry(shape: []), "exp_avg": .init(shape: [2])]
        #expect(failure(of: TorchFile([("model", wrapped), ("optimizer", state)])) == nil)
    }

    @Test(
        "a tensor of encoder or decoder that SAM does not have is refused by its name",
        arguments: [
            "image_encoder.blocks.0.Adapter.channel.0.weight", "image_encoder.blocks.2.norm1.weight",
            "image_encoder.blocks.1.attn.qkv.linear_a_q.weight", "mask_decoder.hf_token.weight",
            "mask_decoder.output_hypernetworks_mlps.4.layers.0.weight", "image_encoder.blocks.0.attn.qkv.SCB",
        ])
    func surplus(name: String) throws {
        for prefix in ["", "module."] {
            var sam = TorchFile.sam(Self.nano)
            sam[name] = .init(shape: [8])
            let file = TorchFile(Dictionary(uniqueKeysWithValues: sam.map { (prefix + $0, $1) }))
            let failure = failure(of: file)
            #expect(failure?.code == "MODEL-TENSORS", "\(name)")
            #expect(failure?.text.contains("\(name) is not part of the model") == true, "\(failure?.text ?? "")")
        }
    }

    /// Little-endian numbers of a type of floating point.
    private static func bytes(_ values: [Float], _ type: ElementType) -> [UInt8] {
        values.flatMap { value -> [UInt8] in
            let bits: (count: Int, pattern: UInt64) =
                switch type {
                case .f64: (8, Double(value).bitPattern)
                // Of numbers from 64 to 128: four bits of exponent less, the last bits cut off.
                case .f16: (2, UInt64(value.bitPattern >> 13 & 0x3FF | 21 << 10))
                case .bf16: (2, UInt64(value.bitPattern >> 16))
                default: (4, UInt64(value.bitPattern))
                }
            return (0..<bits.count).map { UInt8(truncatingIfNeeded: bits.pattern >> UInt64(8 * $0)) }
        }
    }

    @Test(
        "nothing is passed over: adapters beside encoder and decoder, pictures prepared otherwise, a head of another count"
    )
    func passedOver() throws {
        let cases: [(name: String, entry: TorchFile.Entry, reason: String)] = [
            ("prompt_encoder.adapter.bias", .init(shape: [16]), "prompt_encoder.adapter.bias is not part of the model"),
            ("w_a_000", .init(shape: [4, 16]), "w_a_000 is not part of the model"),
            ("pixel_mean", .init(shape: [3, 1, 1]), "pixel_mean is 0.0, 0.0, 0.0"),
            (
                "pixel_std", .init(shape: [3], first: Self.bytes([0.229, 0.224, 0.225], .f32)),
                "pixel_std is 0.229, 0.224, 0.225"
            ),
            (
                "mask_decoder.iou_prediction_head.layers.2.bias", .init(shape: [7]),
                "mask_decoder.iou_prediction_head.layers.2.bias is [7], not [4]"
            ),
        ]
        for (name, entry, reason) in cases {
            for (prefix, named) in [("", Configuration.Named.ablation3), ("module.", .sam)] {
                var configuration = Self.nano
                configuration.apply(named)
                var sam = TorchFile.sam(Self.nano)
                sam[name] = entry
                let file = TorchFile(Dictionary(uniqueKeysWithValues: sam.map { (prefix + $0, $1) }))
                let failure = failure(of: file, configuration)
                #expect(failure?.code == "MODEL-TENSORS", "\(name)")
                #expect(failure?.text.contains(reason) == true, "\(failure?.text ?? "")")
            }
        }
    }

    @Test("weights that are 0 throughout are refused by name, biases and positions are not")
    func blank() throws {
        for name in [Self.attention, "image_encoder.neck.1.weight", "mask_decoder.mask_tokens.weight"] {
            var sam = TorchFile.sam(Self.nano)
            sam[name]?.fill = 0
            let failure = failure(of: TorchFile(sam))
            #expect(failure?.code == "MODEL-ZERO" && failure?.text.contains("\"\(name)\"") == true, "\(name)")
        }
        var sam = TorchFile.sam(Self.nano)
        let mayBe = ["image_encoder.blocks.0.attn.qkv.bias", "image_encoder.pos_embed", "image_encoder.neck.1.bias"]
        for name in mayBe + ["image_encoder.blocks.0.attn.rel_pos_h"] {
            #expect(sam[name] != nil, "\(name)")
            sam[name]?.fill = 0
        }
        #expect(failure(of: TorchFile(sam)) == nil)
    }

    @Test("a configuration with fewer blocks than the file is refused")
    func depth() throws {
        var shallow = Self.nano
        (shallow.depth, shallow.globalBlocks) = (1, [0])
        let failure = failure(of: TorchFile(TorchFile.sam(Self.nano)), shallow)
        #expect(failure?.code == "MODEL-TENSORS")
        #expect(failure?.text.contains("image_encoder.blocks.1.attn.proj.bias is not part of the model") == true)
    }

    @Test("two networks in one file are refused, side by side or each in its dictionary")
    func several() throws {
        let sam = TorchFile.sam(Self.nano)
        func under(_ prefix: String) -> [String: TorchFile.Entry] {
            Dictionary(uniqueKeysWithValues: sam.map { (prefix + $0, $1) })
        }
        for (a, b) in [("ema.", "net."), ("model.", "ema."), ("", "teacher.")] {
            let failure = failure(of: TorchFile(under(a).merging(under(b)) { $1 }))
            #expect(failure?.code == "CHECKPOINT-SEVERAL", "\(a) \(b)")
            #expect(failure?.text.contains("\"\(a)\"") == true && failure?.text.contains("\"\(b)\"") == true)
        }
        var average = under("module.")
        average["n_averaged"] = .init(shape: [], type: .i64)
        let failure = failure(of: TorchFile([("model", sam), ("model_ema", average)]))
        #expect(failure?.code == "CHECKPOINT-SEVERAL" && failure?.text.contains("\"model\", \"model_ema\"") == true)
    }

    @Test(
        "weights that are no numbers of floating point are refused by name and type",
        arguments: [ElementType.i8, .u8, .i16, .i32, .i64, .bool])
    func integers(type: ElementType) throws {
        var sam = TorchFile.sam(Self.nano)
        sam[Self.attention]?.type = type
        let failure = failure(of: TorchFile(sam))
        #expect(failure?.code == "TENSOR-TYPE")
        #expect(failure?.text.contains(Self.attention) == true && failure?.text.contains(type.rawValue) == true)
    }
}
