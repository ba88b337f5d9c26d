import Tensors

/// What `hspsam model quantize` found: how a model fares in 8 bits. The scales themselves are tensors beside the weights.
package struct Quantisation: Sendable, Equatable, Codable {
    /// Images that it was calibrated and measured on.
    package var images: Int
    /// Layers of the encoder that stay in bfloat16, by the names of their weights, sorted.
    package var bfloat16Layers: [String]
    /// Dice of the masks in 8 bits against those in float32, over the images.
    package var meanDice: Double
    package var leastDice: Double
    /// Of all in bfloat16, likewise; nil in models that were prepared before this was kept.
    package var bfloat16MeanDice: Double?

    package init(
        images: Int, bfloat16Layers: [String], meanDice: Double, leastDice: Double, bfloat16MeanDice: Double? = nil
    ) {
        self.images = images
        self.bfloat16Layers = bfloat16Layers
        self.meanDice = meanDice
        self.leastDice = leastDice
        self.bfloat16MeanDice = bfloat16MeanDice
    }

    private enum CodingKeys: String, CodingKey {
        case images
        case bfloat16Layers = "bfloat16_layers"
        case meanDice = "mean_dice"
        case leastDice = "least_dice"
        case bfloat16MeanDice = "bfloat16_mean_dice"
    }

    /// The tensor with what the inputs of the layer with this weight are multiplied by.
    package static func scaleName(_ weight: String) -> String { weight + ".input_scale" }

    /// The weights that 8 bits are for: the four layers of every block of the encoder.
    package static func weights(_ configuration: Configuration) -> [String] {
        (0..<configuration.depth).flatMap { block in
            ["attn.qkv", "attn.proj", "mlp.lin1", "mlp.lin2"].map { "image_encoder.blocks.\(block).\($0).weight" }
        }
    }

    /// The same weights with the inputs of their layers, in the order of the model.
    static func layers(_ configuration: Configuration) -> [(weight: String, inputs: Int)] {
        let wanted = Set(weights(configuration))
        return ParameterShapes.of(configuration).filter { wanted.contains($0.name) }.map { ($0.name, $0.shape[1]) }
    }
}
