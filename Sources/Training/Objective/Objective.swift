package import SegmentAnything
package import Tensors

/// What a stage learns by: the tensors that it changes, and the loss of a batch. Trainer, time trial and benchmark take their steps from here.
package struct Objective {
    package struct Loss {
        /// A scalar.
        package let total: Tensor
        /// Of masks, as validation's; nil where nothing is segmented.
        package let dice: Double?
        /// The part of `total`; nil where nothing is segmented.
        package let crossEntropy: Double?
    }

    private enum Network {
        case whole(HSPSAM)
        case autoencoder(MaskedAutoencoder)
    }

    /// What the optimiser changes.
    package let trained: [Parameter]
    private let network: Network
    private let configuration: Configuration

    /// - Parameter parameters: those that `task.parameters` gives; training changes them in place.
    package init(_ task: TrainingTask, _ configuration: Configuration, _ parameters: Parameters) {
        self.configuration = configuration
        switch task {
        case .segmentation:
            trained = ParameterShapes.of(configuration).filter(\.trains)
            network = .whole(HSPSAM(configuration, parameters, mergeLoRA: false))
        case .maskedAutoencoding:
            trained = MaskedAutoencoder.parameters(of: configuration)
            network = .autoencoder(MaskedAutoencoder(configuration, parameters))
        }
    }

    /// - Parameter batch: one of the same task.
    package func loss(_ batch: Batch, tape: Tape?) -> Loss {
        switch (network, batch.truth) {
        case (.whole(let model), .labels(let labels)):
            let output = model(batch.images, pictures: batch.pictures, tape: tape)
            let loss = Losses.total(output, labels, configuration, tape: tape)
            return Loss(
                total: loss.total, dice: output.logits[0].map { HardDice.mean($0, labels, configuration) },
                crossEntropy: Double(loss.crossEntropy.values[0]))
        case (.autoencoder(let model), .hidden(let hidden)):
            let pixels = model(batch.images, pictures: batch.pictures, hidden: hidden.tokens, tape: tape)
            return Loss(
                total: meanSquaredError(pixels, hidden.pixels, where: hidden.counted, tape: tape), dice: nil,
                crossEntropy: nil)
        default: preconditionFailure("Objective: a batch of another task")
        }
    }

    /// Forward and back: the tape holds the gradients that `optimiser` asks for.
    package func derivatives(of batch: Batch, for optimiser: AdamW, _ options: Tape.Options) -> (
        loss: Loss, tape: Tape
    ) {
        let tape = Tape(options)
        optimiser.watch(tape)
        let loss = loss(batch, tape: tape)
        tape.backward(from: loss.total)
        return (loss, tape)
    }
}
