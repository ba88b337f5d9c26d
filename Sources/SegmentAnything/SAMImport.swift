package import Tensors

/// From an official Segment Anything checkpoint to a model of ours.
///
/// Which tensor of SAM becomes which of ours is declared by the layers (`Parameter.upstream`): the encoder stays as it is; neck,
/// mask decoder and `no_mask_embed` are copied to every level; mask tokens and hypernetworks of output m come from SAM's output
/// m mod 4. What SAM has no part of (LoRA, prompts) starts fresh.
///
/// *Source*: `docs/model.md`, section 10; the reference implementation's `load_sam`.
package struct SAMImport {
    private let checkpoint: TorchCheckpoint
    /// What stands before SAM's own names in the file: `module.`, `sam.`, ….
    private let prefix: String

    private static let positions = "image_encoder.pos_embed"

    /// *Throws* `TensorFailure` when the file cannot be read or holds several networks, `ModelFailure.tensors` when it is no SAM.
    package init(_ path: String) throws {
        checkpoint = try TorchCheckpoint(path: path, with: Self.positions)
        let prefixes = checkpoint.prefixes(of: Self.positions)
        guard let first = prefixes.first else {
            throw ModelFailure.tensors(
                path: path, differences: ["\(Self.positions) is missing, so this is no Segment Anything model"])
        }
        guard prefixes.count == 1 else { throw TensorFailure.several(path: path, names: prefixes) }
        prefix = first
    }

    /// `vit_b`, `vit_l` or `vit_h`, recognised by the shapes; nil for another size.
    package var size: Configuration.NamedSize? {
        guard let grid = shape(Self.positions), grid.rank == 4, grid[1] == 64,
            let table = shape("image_encoder.blocks.0.attn.rel_pos_h")
        else { return nil }
        let depth = Set(checkpoint.names.compactMap(block)).count
        return [.vitB, .vitL, .vitH].first {
            var configuration = Configuration()
            configuration.apply($0)
            return (configuration.embedDim, configuration.depth) == (grid[3], depth)
                && table.last == configuration.embedDim / configuration.heads
        }
    }

    private func block(_ name: String) -> Substring? {
        let start = prefix + "image_encoder.blocks."
        return name.hasPrefix(start) ? name.dropFirst(start.count).prefix { $0 != "." } : nil
    }

    /// The weights for `configuration`: `fresh`, with SAM's tensor wherever SAM has one.
    ///
    /// - Parameters:
    ///   - configuration: of SAM's own shape but for the input size; position tables are resized to it.
    ///   - fresh: every tensor of the configuration, newly initialised.
    /// *Throws* `ModelFailure.tensors` with every tensor that is missing, has another shape or is no part of SAM, and
    /// a preparation of pictures that is not SAM's;
    /// `.notFinite`, `.blank`; `TensorFailure.elementType` when one holds no numbers of floating point.
    package func tensors(for configuration: Configuration, fresh: [String: Tensor]) throws -> [String: Tensor] {
        var original = configuration
        if let grid = shape(Self.positions), grid.rank == 4, grid[1] == grid[2] {
            original.inputSize = grid[1] * original.patch
        }
        var result: [String: Tensor] = [:]
        var differences: [String] = []
        for parameter in ParameterShapes.of(original) {
            guard let upstream = parameter.upstream else {
                result[parameter.name] = fresh[parameter.name]
                continue
            }
            guard let found = shape(upstream.name) else {
                differences.append("\(upstream.name) is missing")
                continue
            }
            let expected = upstream.shape(for: parameter.shape)
            if found == expected {
                let tensor = try tensor(upstream.name)
                if tensor.isZero, parameter.isNeverZero {
                    throw ModelFailure.blank(path: checkpoint.path, name: upstream.name)
                }
                result[parameter.name] = upstream.convert(tensor, to: parameter.shape)
            } else if upstream.part == .wholeIfSame {
                result[parameter.name] = fresh[parameter.name]
            } else {
                differences.append("\(upstream.name) is \(found), not \(expected)")
            }
        }
        differences += try surplus(beside: original)
        guard differences.isEmpty else {
            var seen = Set<String>()
            throw ModelFailure.tensors(
                path: checkpoint.path, differences: differences.filter { seen.insert($0).inserted })
        }
        return PositionTables.resized(result, to: configuration)
    }

    /// In what the file's network is another than SAM of the shape of `configuration`, in SAM's names: further blocks, adapters, LoRA, scales of
    /// 8 bits, heads of another size, whatever becomes of them here. What counts (batches, positions) is no weight.
    private func surplus(beside configuration: Configuration) throws -> [String] {
        var sam = configuration
        sam.instances = .none
        sam.apply(.sam)
        var known: [String: Shape] = [:]
        for parameter in ParameterShapes.of(sam) {
            if let upstream = parameter.upstream { known[upstream.name] = upstream.shape(for: parameter.shape) }
        }
        let names = checkpoint.names.filter { checkpoint.type($0)?.isFloatingPoint == true && $0.hasPrefix(prefix) }
            .map { String($0.dropFirst(prefix.count)) }
        return try names.compactMap { name in
            if let wanted = known[name] {
                return shape(name).flatMap { $0 == wanted ? nil : "\(name) is \($0), not \(wanted)" }
            }
            if let wanted = Self.preparation[name] {
                let values = try tensor(name).values
                // 16 bits round to 1/256.
                let isSame = values.count == 3 && zip(values, wanted).allSatisfy { abs($0 - $1) <= $1 / 256 }
                let found = values.prefix(3).map { "\($0)" }.joined(separator: ", ")
                return isSame ? nil : "\(name) is \(found), so its pictures were prepared otherwise than SAM's"
            }
            return Self.promptEncoder.contains(name) ? nil : "\(name) is not part of the model"
        }
    }

    /// How SAM's pictures are prepared, where a file holds it.
    private static let preparation: [String: [Float]] = {
        let sam = ModelDescription(configuration: Configuration(), configurationName: "sam")
        return ["pixel_mean": sam.pixelMean, "pixel_std": sam.pixelStd]
    }()

    /// Weights of SAM's prompts, of which our model has none.
    private static let promptEncoder: Set<String> = {
        var names = ["no_mask_embed.weight", "not_a_point_embed.weight"]
        names += ["pe_layer.positional_encoding_gaussian_matrix"]
        names += (0..<4).map { "point_embeddings.\($0).weight" }
        names += [0, 1, 3, 4, 6].flatMap { ["mask_downscaling.\($0).weight", "mask_downscaling.\($0).bias"] }
        return Set(names.map { "prompt_encoder." + $0 })
    }()

    private func shape(_ name: String) -> Shape? { checkpoint.shape(prefix + name) }

    private func tensor(_ name: String) throws -> Tensor {
        if let type = checkpoint.type(prefix + name), !type.isFloatingPoint {
            throw TensorFailure.elementType(
                path: checkpoint.path, name: prefix + name, found: type.rawValue,
                wanted: "F32, F16, BF16 or F64")
        }
        let tensor = try checkpoint.tensor(prefix + name)
        guard tensor.isFinite else { throw ModelFailure.notFinite(path: checkpoint.path, name: name) }
        return tensor
    }
}

extension Parameter.Upstream {
    /// The shape that SAM's tensor must have to become one of `shape`.
    fileprivate func shape(for shape: Shape) -> Shape {
        switch part {
        case .whole, .wholeIfSame: shape
        case .row: Shape([1] + shape.dimensions)
        case .rowsModulo4: [4, shape[1]]
        }
    }

    /// - Parameter tensor: of `shape(for: shape)`.
    fileprivate func convert(_ tensor: Tensor, to shape: Shape) -> Tensor {
        switch part {
        case .whole, .wholeIfSame: return tensor
        case .row: return tensor.reshaped(shape)
        case .rowsModulo4:
            let values = tensor.values
            let width = shape[1]
            return Tensor(shape, (0..<shape[0]).flatMap { values[$0 % 4 * width..<($0 % 4 + 1) * width] })
        }
    }
}
