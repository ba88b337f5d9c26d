import Numbers
package import SegmentAnything
package import Tensors
import Training

/// One forward pass or training step on random images: what `hspsam bench` times.
package struct BenchStep {
    private let model: HSPSAM
    private let image: Tensor
    private let labels: LabelMaps?
    private let optimiser: AdamW?
    private let recomputes: Bool
    /// The tokens that the pictures reach, for a model that drops the others; nil: all.
    package var picture: GridSize?

    /// A training step of a model with random weights, as a training of that configuration does it.
    ///
    /// - Parameter recomputes: with activation checkpointing.
    package init(training configuration: Configuration, batch: Int, recomputes: Bool) {
        self.recomputes = recomputes
        let parameters = Parameters.initial(configuration, seed: 1)
        model = HSPSAM(configuration, parameters, mergeLoRA: false)
        image = Self.image(configuration, batch)
        let side = configuration.inputSize
        let classes = [UInt8]((0..<side * side).map { $0 / side > side / 2 ? 1 : 0 })
        labels = LabelMaps(
            classes: Array(repeating: classes, count: batch),
            valid: Array(repeating: Array(repeating: 1, count: side * side), count: batch),
            configuration)
        optimiser = AdamW(parameters, configuration, options: AdamW.Options())
    }

    /// A forward pass with random weights, made one by one as a model's are read, so that memory is that of inference.
    package init(_ configuration: Configuration, batch: Int, _ precision: Precision) throws {
        var random = SplitMix64(seed: 1)
        let reader = ParameterReader { _, shape, initialisation in initialisation.tensor(shape, &random) }
        model = try HSPSAM(configuration, reading: reader, packing: .uncalibrated(precision, configuration))
        image = Self.image(configuration, batch)
        (labels, optimiser, recomputes) = (nil, nil, false)
    }

    /// A forward pass of a model.
    ///
    /// *Throws* as `Predictor`.
    package init(_ directory: ModelDirectory, batch: Int, _ choice: PrecisionChoice) throws {
        model = try HSPSAM(directory, choice)
        image = Self.image(directory.configuration, batch)
        (labels, optimiser, recomputes) = (nil, nil, false)
    }

    private static func image(_ configuration: Configuration, _ batch: Int) -> Tensor {
        var random = SplitMix64(seed: 2)
        return .uniform([batch, configuration.inputSize, configuration.inputSize, 3], bound: 1.7, &random)
    }

    package func run() {
        let pictures = picture.map { Array(repeating: $0, count: image.shape[0]) }
        guard let optimiser, let labels else {
            _ = model(image, pictures: pictures)
            return
        }
        let tape = Tape(recomputes: recomputes)
        optimiser.watch(tape)
        let loss = Losses.total(model(image, pictures: pictures, tape: tape), labels, model.configuration, tape: tape)
        tape.backward(from: loss.total)
        optimiser.step(tape, learningRate: 1e-4)
    }
}
