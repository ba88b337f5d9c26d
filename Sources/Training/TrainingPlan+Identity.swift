import SegmentAnything
package import Storage
import Tensors

extension TrainingPlan {
    /// SHA-256 of everything that decides the trained weights, defaults filled in: the network, what it begins with, the content of the
    /// data, the stages, optimiser, loss, augmentation and seed, and what the best weights are chosen by. Where files lie, and what is only
    /// written down (names, labels), is no part of it.
    ///
    /// - Parameters:
    ///   - data: the cases of `self.data` that train, in that order.
    ///   - unlabelled: the images of `self.unlabelled`.
    ///   - validated: the cases by which the best weights are chosen.
    ///   - parent: the digest of the model that the run begins with; nil when it begins with fresh weights.
    ///   - encoder: the digest of the model whose encoder it begins with.
    /// *Throws* Storage's failures. *Cost*: one pass over all files of the data.
    package func identity(
        data: [Dataset], unlabelled: [Dataset] = [], validated: [Dataset] = [], parent: FileDigest?,
        encoder: FileDigest? = nil
    ) throws -> FileDigest {
        var fields = CanonicalEncoding("hspsam training plan 2")
        add(configuration, to: &fields)
        fields.add("parent", optional: parent) { $0.add("model", $1.hex) }
        fields.add("encoder", optional: encoder) { $0.add("model", $1.hex) }
        let pairs = try data.map { try $0.pairs.map { try PairDigest($0) } }
        fields.list("data", Array(zip(self.data, pairs))) { fields, entry in
            fields.add("weight", entry.0.weight)
            fields.list("pairs", entry.1) { fields, pair in
                fields.add("name", pair.name)
                fields.add("image", pair.image.hex)
                fields.add("mask", pair.mask.hex)
            }
            fields.add("masks", optional: entry.0.rule) { $1.add(to: &$0) }
        }
        // Programs before this line taught the connected parts of annotations as objects.
        if configuration.instances == .boundary, data.contains(where: { $0.pairs.contains { $0.mask.outlines != nil } })
        {
            fields.add("objects", "annotations")
        }
        // Fields that older plans do not have are left away where they say nothing, so that their runs can be gone on with.
        if hasPretraining { try add(unlabelled, to: &fields) }
        if tape.products != .fp32 { fields.add("precision", tape.products.rawValue) }
        add(input.windowing, to: &fields)
        fields.list("stages", stages) { fields, stage in
            fields.add("input_size", stage.inputSize)
            fields.add("epochs", stage.epochs)
            fields.add("batch", stage.batch)
            fields.add("accumulate", stage.accumulate)
            fields.add("learning_rate", stage.learningRate)
            fields.add("until", optional: stage.until) { $0.add("steps", $1) }
            add(stage.augmentation, to: &fields)
            if case .maskedAutoencoding(let masking) = stage.task {
                fields.add("mask_ratio", masking.ratio)
                fields.add("mask_patch", masking.patch)
            }
        }
        fields.add("beta1", Double(optimiser.beta1))
        fields.add("beta2", Double(optimiser.beta2))
        fields.add("epsilon", Double(optimiser.epsilon))
        fields.add("weight_decay", Double(optimiser.decay))
        fields.add("clip_norm", optimiser.clipNorm)
        fields.add("ema", optional: averageDecay) { $0.add("decay", $1) }
        fields.add("warmup", warmup)
        fields.add("schedule", decay.rawValue)
        fields.add("ignore_padding", ignorePadding)
        fields.add("seed", String(seed))
        // What is written is the best by validation, and early stopping ends a stage by it.
        fields.add("validation", optional: validation) { fields, validation in
            fields.add("every", validation.every)
            fields.add("limit", validation.limit)
            fields.add("patience", validation.patience)
        }
        fields.list("validated", try validated.flatMap { try $0.pairs.map { try PairDigest($0) } }) { fields, pair in
            fields.add("image", pair.image.hex)
            fields.add("mask", pair.mask.hex)
        }
        return fields.digest
    }

    /// Images without masks, which decide what is learned from them.
    private func add(_ sets: [Dataset], to fields: inout CanonicalEncoding) throws {
        let images = try sets.map { try $0.pairs.map { (name: $0.name, digest: try $0.image.digest()) } }
        fields.list("unlabelled", Array(zip(unlabelled, images))) { fields, entry in
            fields.add("weight", entry.0.weight)
            fields.list("images", entry.1) { fields, image in
                fields.add("name", image.name)
                fields.add("image", image.digest.hex)
            }
        }
    }

    private func add(_ augmentation: Augmentation, to fields: inout CanonicalEncoding) {
        fields.add("flip", augmentation.flip)
        fields.add("turn", augmentation.turn)
        fields.add("scale", augmentation.scale)
        fields.add("aspect", augmentation.aspect)
        fields.add("brightness", augmentation.brightness)
        fields.add("contrast", augmentation.contrast)
        fields.add("gain", augmentation.gain)
        fields.add("crop", augmentation.crop)
        fields.add("elastic", augmentation.elastic)
        fields.add("gamma", augmentation.gamma)
        fields.add("hue", augmentation.hue)
        fields.add("saturation", augmentation.saturation)
        fields.add("noise", augmentation.noise)
        fields.add("blur", augmentation.blur)
        fields.add("jpeg", augmentation.jpeg)
        fields.add("strokes", augmentation.strokes)
    }

    private func add(_ configuration: Configuration, to fields: inout CanonicalEncoding) {
        fields.add("input_size", configuration.inputSize)
        fields.add("patch", configuration.patch)
        fields.add("stem", configuration.stem.rawValue)
        fields.add("embed_dim", configuration.embedDim)
        fields.add("depth", configuration.depth)
        fields.add("heads", configuration.heads)
        fields.add("window", configuration.window)
        fields.add("global_blocks", configuration.globalBlocks)
        fields.add("decoder_dim", configuration.decoderDim)
        fields.add("decoder_heads", configuration.decoderHeads)
        fields.add("segments", configuration.segments)
        fields.add("activation", configuration.activation.rawValue)
        fields.add("outputs", configuration.outputs)
        fields.add("prompts", configuration.prompts)
        fields.add("lora_rank", configuration.loraRank)
        fields.add("hierarchy", configuration.hierarchy)
        fields.add("skip", configuration.skip)
        fields.add("freeze_encoder", configuration.freezeEncoder)
        fields.add("deep_supervision", configuration.deepSupervision)
        fields.add("iou_head", configuration.iouHead)
        fields.add("alpha", Double(configuration.alpha))
        fields.add("loss_at", configuration.lossAt.rawValue)
        // Without it plans are as they were before there was a choice.
        if configuration.instances != .none { fields.add("instances", configuration.instances.rawValue) }
        // Plans from before there was another keep their identity.
        if configuration.padding != .keep { fields.add("padding", configuration.padding.rawValue) }
    }

    private func add(_ windowing: TrainedInput.Windowing, to fields: inout CanonicalEncoding) {
        fields.add("windowing", windowing.mode.rawValue)
        switch windowing {
        case .asIs, .color, .minmax: break
        case .fixed(let center, let width):
            fields.add("center", center)
            fields.add("width", width)
        case .percentile(let low, let high):
            fields.add("low", low)
            fields.add("high", high)
        }
    }
}

/// The content of one image and its mask.
private struct PairDigest {
    let name: String
    let image, mask: FileDigest

    init(_ pair: Dataset.Pair) throws {
        name = pair.name
        image = try pair.image.digest()
        mask = try pair.mask.digest()
    }
}
