import Numbers
package import SegmentAnything

/// What a stage teaches.
package enum TrainingTask: Sendable, Equatable {
    /// The whole network, but for what its configuration freezes, by masks.
    case segmentation
    /// The encoder alone, by images: it tells what was hidden from what was not.
    case maskedAutoencoding(Masking)

    package var isSegmentation: Bool { self == .segmentation }

    /// The tensors of a stage: those of the model, and those that the task has beside them, drawn anew where they are missing.
    package func parameters(
        _ parameters: Parameters, _ configuration: Configuration, seed: UInt64
    ) -> Parameters {
        guard !isSegmentation else {
            return Parameters(parameters.tensors.filter { !MaskedAutoencoder.isOwn($0.key) })
        }
        var tensors = parameters.tensors
        var random = SplitMix64(seed: seed)
        for parameter in MaskedAutoencoder.parameters(of: configuration) where tensors[parameter.name] == nil {
            tensors[parameter.name] = parameter.initialisation.tensor(parameter.shape, &random)
        }
        return Parameters(tensors)
    }
}
