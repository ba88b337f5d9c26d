package import Tensors

/// The whole network: encoder, Q&A prompts, hierarchy of decoders.
///
/// *Source*: arXiv 2506.02854. Training and inference run these same modules, with and without a tape.
package struct HSPSAM: Sendable {
    package let configuration: Configuration
    package let parameters: Parameters
    private let build: Modules

    /// - Parameter mergeLoRA: adds LoRA to the weights, for inference; training keeps it apart.
    package init(_ configuration: Configuration, _ parameters: Parameters, mergeLoRA: Bool) {
        self.configuration = configuration
        self.parameters = parameters
        build = Modules(configuration, parameters, mergeLoRA: mergeLoRA)
    }

    /// What a forward pass gives. Level 0 is level 1 of the paper: the shallowest, decoded last, with the masks.
    package struct Output {
        /// Mask logits `[B, M, S/4, S/4]` of every level that has a head; level 0 always has one.
        package internal(set) var logits: [Int: Tensor] = [:]
        /// Predicted IoU `[B, M]`.
        package internal(set) var iou: [Int: Tensor] = [:]
        /// `[B, c, g²]`, rows sum to 1; only when asked for.
        package internal(set) var questionHeat: [Int: Tensor] = [:]
        package internal(set) var answerHeat: [Int: Tensor] = [:]
    }

    /// - Parameters:
    ///   - image: `[B, S, S, 3]`, normalised.
    ///   - heatMaps: also computes what the prompts look at (§4.5).
    ///   - observe: gets every intermediate under the reference implementation's name, channel-last.
    package func callAsFunction(
        _ image: Tensor, heatMaps: Bool = false, tape: Tape? = nil, observe: ((String, Tensor) -> Void)? = nil
    ) -> Output {
        let side = configuration.inputSize
        precondition(
            image.shape.rank == 4 && image.shape.dimensions.suffix(3) == [side, side, 3],
            "HSPSAM: image \(image.shape) for input size \(side)")
        var output = Output()
        var x = build.encoder.embed(image, tape)
        observe?("patch_embed", x)
        var embeddings: [Tensor] = []
        for (index, block) in build.encoder.blocks.enumerated() {
            let level = configuration.levels.firstIndex(of: index)
            let prompts = level.flatMap { build.levels[$0].prompts?.question }
            x = block(x, prompts: prompts, heat: heatMaps ? { output.questionHeat[level ?? 0] = $0 } : nil, tape)
            observe?("block_\(index)", x)
            if level != nil { embeddings.append(x) }
        }
        var top: Tensor?
        var deeper: Tensor?
        for j in build.levels.indices.reversed() {
            let level = build.levels[j]
            var feature = level.neck(embeddings[j], tape)
            observe?("neck_\(j)", feature)
            if let deeper { feature = add(deeper, feature, tape: tape) }
            if deeper != nil, configuration.skip, let top { feature = add(feature, top, tape: tape) }
            let result = level.decode(feature, position: build.position, wantsHeat: heatMaps, tape)
            observe?("output_\(j)", result.image)
            deeper = result.image
            top = top ?? result.image
            if let answers = result.answers { observe?("a_prompts_\(j)", answers) }
            output.answerHeat[j] = result.heat
            output.logits[j] = result.logits
            output.iou[j] = result.iou
        }
        return output
    }
}

/// The layers, built once from the weights.
private struct Modules: @unchecked Sendable {
    // Sendable: immutable after init; the weights inside are Sendable tensors.
    let encoder: ImageEncoderViT
    let levels: [LevelDecoder]
    /// `[g², E]`
    let position: Tensor

    init(_ configuration: Configuration, _ parameters: Parameters, mergeLoRA: Bool) {
        encoder = ImageEncoderViT(configuration, parameters.scope("image_encoder"), mergeLoRA: mergeLoRA)
        levels = configuration.levels.indices.map {
            LevelDecoder(
                configuration, parameters.scope("levels.\($0)"), withHead: $0 == 0 || configuration.deepSupervision)
        }
        position = Self.fourierPosition(parameters["positional_encoding_gaussian_matrix"], grid: configuration.grid)
    }

    /// SAM's random Fourier features of the pixel centres: sin and cos of 2π·(2·[x, y] − 1)·G.
    ///
    /// *Shape*: G `[2, E/2]` → `[g², E]`.
    static func fourierPosition(_ matrix: Tensor, grid: Int) -> Tensor {
        let half = matrix.shape[1]
        let g = matrix.values
        var values: [Float] = []
        values.reserveCapacity(grid * grid * 2 * half)
        for row in 0..<grid {
            for column in 0..<grid {
                let x = 2 * (Float(column) + 0.5) / Float(grid) - 1
                let y = 2 * (Float(row) + 0.5) / Float(grid) - 1
                let angles = (0..<half).map { 2 * Double.pi * Double(x * g[$0] + y * g[half + $0]) }
                values += angles.map { Float(sine($0)) }
                values += angles.map { Float(cosine($0)) }
            }
        }
        return Tensor([grid * grid, 2 * half], values)
    }
}
