package import Imaging
import Numbers
import Tensors

/// What the network finds in one image, on the image's own grid.
package struct Prediction: Sendable {
    /// One a segment.
    package var masks: [Mask]
    /// One a segment, `[rows · columns]`, row-major.
    package var probabilities: [[Float]]
    /// One a segment, as `Restoration.Result`; empty where the model has learned nothing of edges.
    package var interiors: [Mask]
    /// What the prompts looked at; empty unless asked for.
    package var heatMaps: [HeatMap]
    /// Predicted IoU a segment; empty when the model has no head for it.
    package var predictedIoU: [Float]
    package let placement: Placement
}

/// What one prompt looked at in one level (§4.5, fig. 4).
package struct HeatMap: Sendable {
    /// Whose attention it is: of Q in the encoder, or of A in the decoder.
    package enum Kind: String, Sendable { case question, answer }

    package let kind: Kind
    /// From 1, the shallowest.
    package let level: Int
    /// From 1.
    package let prompt: Int
    /// Tokens a side.
    package let grid: Int
    /// Attention of each token of the padded square, `[grid · grid]`; they sum to 1.
    package let values: [Float]

    /// The map laid over the image, the largest value 1. *Shape*: `[rows · columns]`.
    package func overImage(_ placement: Placement) -> [Float] {
        let image = Restoration.logits(Tensor([1, grid, grid], values), placement: placement).values
        guard let largest = image.max(), largest > 0 else { return image }
        return image.map { max($0, 0) / largest }
    }
}

/// A model ready to segment pictures: weights loaded, LoRA merged.
package struct Predictor: Sendable {
    package let description: ModelDescription
    /// What each picture is segmented as, besides as it is.
    package let augmentation: TestTimeAugmentation
    private let network: HSPSAM
    private let preparation: Preparation

    /// Most of its weights are read with the first picture (`HSPSAM.init`).
    ///
    /// *Throws* `ModelFailure.encoderOnly`, `.notQuantised`, `.digest`.
    package init(
        _ directory: ModelDirectory, _ choice: PrecisionChoice = .fp32, _ augmentation: TestTimeAugmentation = .none
    ) throws {
        self.init(directory.description, try HSPSAM(directory, choice), augmentation)
    }

    /// - Parameter parameters: every tensor of the description's configuration.
    package init(
        _ description: ModelDescription, _ parameters: Parameters, _ packing: Packing = Packing(.fp32),
        _ augmentation: TestTimeAugmentation = .none
    ) {
        self.init(description, HSPSAM(description.configuration, parameters, packing: packing), augmentation)
    }

    private init(_ description: ModelDescription, _ network: HSPSAM, _ augmentation: TestTimeAugmentation) {
        self.description = description
        self.augmentation = augmentation
        self.network = network
        preparation = Preparation(description)
    }

    /// One picture's layers are too little work to be cut into parts, and their activations take a few megabytes: several pictures
    /// are best segmented side by side.
    package var isSmall: Bool {
        let configuration = description.configuration
        return configuration.grid * configuration.grid * configuration.embedDim <= 1 << 17
    }

    /// The picture as it is, or the mean with its mirror image: probabilities and whatever is decided by them. Heat maps are those of the
    /// picture as it is.
    ///
    /// - Parameters:
    ///   - spacing: of the pixels, where they are not square.
    ///   - extent: pixels of a row that fill the network's input; the picture's longer side when nil.
    ///   - heatMaps: also computes what the prompts look at.
    /// *Throws* `ModelFailure.digest`, `.notFinite`, or what kept a weight from being read: of a model directory; `.output` when the
    /// network's numbers for this picture are not all finite.
    package func segment(
        _ image: DisplayImage, spacing: PixelSpacing? = nil, extent: Double? = nil, heatMaps: Bool = false
    ) throws -> Prediction {
        var pass = try pass(image, spacing, extent, heatMaps: heatMaps)
        if augmentation == .flip {
            let mirrored = try self.pass(image.mirrored, spacing, extent, heatMaps: false)
            pass.found = FlipMean.of(
                pass.found, mirrored.found, softmax: description.configuration.activation == .softmax)
            pass.iou = zip(pass.iou, mirrored.iou).map { ($0 + $1) / 2 }
        }
        return Prediction(
            masks: pass.found.masks, probabilities: pass.found.probabilities, interiors: pass.found.interiors,
            heatMaps: pass.heatMaps, predictedIoU: pass.iou, placement: pass.placement)
    }

    /// Once through the network and back.
    private struct Pass {
        var found: Restoration.Result
        let heatMaps: [HeatMap]
        var iou: [Float]
        let placement: Placement
    }

    private func pass(
        _ image: DisplayImage, _ spacing: PixelSpacing?, _ extent: Double?, heatMaps: Bool
    ) throws -> Pass {
        let (input, placement) = preparation.prepare(image, spacing: spacing, extent: extent)
        let side = description.configuration.inputSize
        let output = network(
            input.reshaped([1, side, side, 3]), pictures: [placement.tokens(patch: description.configuration.patch)],
            heatMaps: heatMaps)
        try network.confirm()
        guard let logits = output.logits[0] else { preconditionFailure("Predictor: level 1 gave no logits") }
        // Where they are NaN nothing would be found, as in a picture that shows nothing.
        guard logits.isFinite, output.iou[0]?.isFinite ?? true else { throw ModelFailure.output }
        let masks = logits.reshaped(Shape(Array(logits.shape.dimensions.dropFirst())))
        let restored = Restoration.restore(
            masks, placement: placement, activation: description.configuration.activation,
            instances: description.configuration.instances, keepsMargins: augmentation == .flip)
        return Pass(
            found: restored,
            heatMaps: Self.maps(.question, output.questionHeat) + Self.maps(.answer, output.answerHeat),
            iou: output.iou[0]?.values ?? [], placement: placement)
    }

    /// From `[1, c, g²]` a level.
    private static func maps(_ kind: HeatMap.Kind, _ heat: [Int: Tensor]) -> [HeatMap] {
        heat.sorted { $0.key < $1.key }.flatMap { level, tensor in
            let (prompts, tokens) = (tensor.shape[-2], tensor.shape[-1])
            let grid = Int(rounding: Double(tokens).squareRoot(), clampedTo: 0...tokens)
            let values = tensor.values
            return (0..<prompts).map {
                HeatMap(
                    kind: kind, level: level + 1, prompt: $0 + 1, grid: grid,
                    values: Array(values[$0 * tokens..<($0 + 1) * tokens]))
            }
        }
    }
}
