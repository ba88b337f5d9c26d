package import Tensors

/// The whole network: encoder, Q&A prompts, hierarchy of decoders.
///
/// *Source*: arXiv 2506.02854. Training and inference run these same modules, with and without a tape.
package struct HSPSAM: Sendable {
    package let configuration: Configuration
    private let modules: Modules
    private let isPacked: Bool
    /// Where layers are read when they are first used; nil where all of them were.
    private let reader: ParameterReader?
    /// `[g², E]`
    private let position: Later<Tensor>

    /// - Parameters:
    ///   - parameters: every tensor of `ParameterShapes.of(configuration)`.
    ///   - mergeLoRA: adds LoRA to the weights, for inference; training keeps it apart.
    package init(_ configuration: Configuration, _ parameters: Parameters, mergeLoRA: Bool) {
        self.init(configuration, ParameterReader(parameters), mergeLoRA: mergeLoRA)
    }

    /// For inference alone, of tensors that are in memory.
    package init(_ configuration: Configuration, _ parameters: Parameters, packing: Packing) {
        self.init(configuration, ParameterReader(parameters), packing: packing, mergeLoRA: true)
    }

    /// For inference alone: weights are packed as they are read and kept in no other form, LoRA is merged. Takes no tape.
    ///
    /// *Throws* what kept a tensor from being read.
    package init(_ configuration: Configuration, reading reader: ParameterReader, packing: Packing) throws {
        self.init(configuration, reader, packing: packing, mergeLoRA: true)
        try reader.confirm()
    }

    /// The same of a model directory, in the precision that serves it. Blocks and levels are read and packed when the first image comes
    /// to them, and the digest of the weights may still be in the making: nothing that the network finds counts before `confirm`.
    ///
    /// *Throws* `ModelFailure.encoderOnly`, `.notQuantised`; `.digest` or what is wrong with the scales for 8 bits.
    package init(_ directory: ModelDirectory, _ choice: PrecisionChoice) throws {
        try directory.confirmSegments()
        let precision = try choice.resolved(for: directory).arithmetic
        do {
            let scales = precision == .int8 ? try directory.inputScales() : [:]
            self.init(
                directory.configuration, ParameterReader(directory),
                packing: Packing(precision, inputScales: scales), mergeLoRA: true)
        } catch {
            try directory.verify()
            throw error
        }
    }

    private init(
        _ configuration: Configuration, _ reader: ParameterReader, packing: Packing? = nil, mergeLoRA: Bool
    ) {
        self.configuration = configuration
        self.reader = reader.isDeferred ? reader : nil
        isPacked = packing != nil
        modules = Modules(configuration, ParameterScope(reader, packing: packing), mergeLoRA: mergeLoRA)
        position = Later { [modules] in modules.positionEmbedding(grid: configuration.grid) }
    }

    /// That the layers which were used so far are those of the model; after an image that is all of them. Waits for the digest.
    ///
    /// *Throws* `ModelFailure.digest`, `.notFinite`, or what kept a tensor from being read.
    package func confirm() throws { try reader?.confirm() }

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
    ///   - pictures: the tokens that each image's picture reaches, for a model that drops the others; nil: all.
    ///   - heatMaps: also computes what the prompts look at (§4.5).
    ///   - observe: gets every intermediate under the reference implementation's name, channel-last.
    package func callAsFunction(
        _ image: Tensor, pictures: [GridSize]? = nil, heatMaps: Bool = false, tape: Tape? = nil,
        observe: ((String, Tensor) -> Void)? = nil
    ) -> Output {
        self(image, pictures: pictures, heatMaps: heatMaps, tape: tape, observe: observe, inputs: nil)
    }

    /// - Parameter inputs: gets what each large layer of the encoder multiplies, with its weight and that weight's name; of a
    ///   network that is not packed.
    func callAsFunction(
        _ image: Tensor, pictures: [GridSize]?, heatMaps: Bool = false, tape: Tape? = nil,
        observe: ((String, Tensor) -> Void)? = nil, inputs: Block.Inputs?
    ) -> Output {
        let side = configuration.inputSize
        precondition(
            image.shape.rank == 4 && image.shape.dimensions.suffix(3) == [side, side, 3],
            "HSPSAM: image \(image.shape) for input size \(side)")
        precondition(
            pictures.map { $0.count == image.shape[0] } ?? true,
            "HSPSAM: \(pictures?.count ?? 0) pictures in \(image.shape)")
        precondition(tape == nil || !isPacked, "HSPSAM: packed weights have no derivatives")
        let grid = configuration.grid
        let cover = TokenCover(pictures, configuration, cuts: modules.encoder.isFused)
        var output = Output()
        var x = modules.encoder.embed(image, cover, tape)
        observe?("patch_embed", x)
        var embeddings: [Tensor] = []
        for (index, block) in modules.encoder.blocks.lazy.map(\.value).enumerated() {
            let level = configuration.levels.firstIndex(of: index)
            let prompts = level.flatMap { modules.levels[$0].value.prompts?.question }
            let named = inputs.map { inputs in
                { (name: String, x: Tensor, weight: Tensor) in
                    inputs("image_encoder.blocks.\(index).\(name)", x, weight)
                }
            }
            let heat = heatMaps ? { output.questionHeat[level ?? 0] = $0 } : nil
            let input = x
            let forward = { block(input, grid: grid, cover, prompts: prompts, heat: heat, inputs: named, $0) }
            x = tape?.block(forward) ?? forward(nil)
            observe?("block_\(index)", x)
            if level != nil { embeddings.append(x) }
        }
        let square = position.value.reshaped([1, grid, grid, position.value.shape[1]])
        let position = cover.cutting(square, grid: grid)
        var top: Tensor?
        var deeper: Tensor?
        for j in modules.levels.indices.reversed() {
            let level = modules.levels[j].value
            var feature = level.neck(embeddings[j], cover, tape)
            observe?("neck_\(j)", feature)
            if let deeper { feature = add(deeper, feature, tape: tape) }
            if deeper != nil, configuration.skip, let top { feature = add(feature, top, tape: tape) }
            let answers = level.prompts?.answer(tape)
            let result = level.decoder(
                feature, position: position.reshaped([position.count / position.shape[3], position.shape[3]]),
                answers: answers, imageKeys: cover.imageKeys, wantsHeat: heatMaps, tape)
            observe?("output_\(j)", result.image)
            deeper = result.image
            top = top ?? result.image
            if let answers { observe?("a_prompts_\(j)", answers) }
            output.answerHeat[j] = result.heat.map { cover.square(heat: $0, grid: grid) }
            output.logits[j] = result.logits.map { cover.square($0, grid: grid, tape) }
            output.iou[j] = result.iou
        }
        return output
    }
}

/// All layers of a network, in the order in which they declare their parameters.
struct Modules: Sendable {
    let encoder: ImageEncoderViT
    /// The shallowest first.
    let levels: [Later<Level>]
    let positionEmbedding: PositionEmbeddingRandom

    init(_ configuration: Configuration, _ scope: ParameterScope, mergeLoRA: Bool) {
        encoder = ImageEncoderViT(
            configuration,
            scope.scope("image_encoder").upstream("image_encoder").frozen(configuration.freezeEncoder),
            mergeLoRA: mergeLoRA)
        levels = configuration.levels.indices.map { level in
            scope.later {
                Level(
                    configuration, scope.scope("levels.\(level)"),
                    hasHead: level == 0 || configuration.deepSupervision)
            }
        }
        positionEmbedding = PositionEmbeddingRandom(configuration, scope)
    }
}
