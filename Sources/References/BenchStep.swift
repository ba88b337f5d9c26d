import Numbers
package import SegmentAnything
import Synchronization
package import Tensors
import Training

/// One forward pass or training step on random images: what `hspsam bench` times.
package struct BenchStep {
    private enum Work {
        case inference(HSPSAM, Tensor)
        case training(Objective, Batch, AdamW, Tape.Options)
    }

    private let work: Work
    /// The tokens that the pictures reach, for a model that drops the others; nil: all.
    package var picture: GridSize?

    /// A training step of a model with random weights, as a training of that configuration does it.
    package init(training configuration: Configuration, batch: Int, _ options: Tape.Options) {
        let parameters = Parameters.initial(configuration, seed: 1)
        let objective = Objective(.segmentation, configuration, parameters)
        work = .training(
            objective, .noise(.segmentation, configuration, images: batch),
            AdamW(parameters, objective.trained, options: AdamW.Options()), options)
    }

    /// A forward pass with random weights, made one by one as a model's are read, so that memory is that of inference.
    package init(_ configuration: Configuration, batch: Int, _ precision: Precision) throws {
        let random = Mutex(SplitMix64(seed: 1))
        let reader = ParameterReader { _, shape, initialisation in
            random.withLock { initialisation.tensor(shape, &$0) }
        }
        let model = try HSPSAM(configuration, reading: reader, packing: .uncalibrated(precision, configuration))
        work = .inference(model, Self.image(configuration, batch))
    }

    /// A forward pass of a model.
    ///
    /// *Throws* as `Predictor`.
    package init(_ directory: ModelDirectory, batch: Int, _ choice: PrecisionChoice) throws {
        work = .inference(try HSPSAM(directory, choice), Self.image(directory.configuration, batch))
    }

    private static func image(_ configuration: Configuration, _ batch: Int) -> Tensor {
        var random = SplitMix64(seed: 2)
        return .uniform([batch, configuration.inputSize, configuration.inputSize, 3], bound: 1.7, &random)
    }

    /// - Parameter begins: called when everything is there that the encoder's first block needs; of a training step before all of it.
    /// *Throws* as `HSPSAM.confirm`.
    package func run(begins: () -> Void = {}) throws {
        switch work {
        case .inference(let model, let image):
            withoutActuallyEscaping(begins) { begins in
                _ = model(
                    image, pictures: picture.map { Array(repeating: $0, count: image.shape[0]) },
                    observe: { name, _ in if name == "patch_embed" { begins() } })
            }
            try model.confirm()
        case .training(let objective, let batch, let optimiser, let options):
            begins()
            let (_, tape) = objective.derivatives(of: batch, for: optimiser, options)
            optimiser.step(tape, learningRate: 1e-4)
        }
    }
}
