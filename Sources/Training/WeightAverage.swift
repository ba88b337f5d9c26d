import SegmentAnything
import Tensors

/// An exponential moving average of the trained weights: what is validated and written instead of the last step's weights.
///
/// The decay rises to its value in the first steps, min(decay, (1 + t) / (10 + t)), so that the beginning is soon forgotten.
/// *Source*: Polyak averaging as in TensorFlow's `ExponentialMovingAverage` with `num_updates`.
struct WeightAverage {
    let decay: Double
    /// Steps of the whole run that went into it.
    private(set) var updates: Int
    /// Of every tensor of the model; those that do not train are the model's own.
    private(set) var tensors: [String: Tensor]

    /// - Parameter tensors: what it begins with; they are copied.
    init(decay: Double, updates: Int = 0, _ tensors: [String: Tensor]) {
        self.decay = decay
        self.updates = updates
        self.tensors = tensors.mapValues { $0.copy() }
    }

    /// Takes in the weights after a step that changed `trained`; what is no part of the model is passed over.
    mutating func update(_ parameters: Parameters, _ trained: [Parameter]) {
        updates += 1
        let now = min(decay, Double(1 + updates) / Double(10 + updates))
        for parameter in trained {
            tensors[parameter.name]?.approach(parameters[parameter.name], share: Float(1 - now))
        }
    }

    /// The average with its position tables for another input size.
    mutating func resize(to configuration: Configuration) {
        tensors = PositionTables.resized(tensors, to: configuration)
    }
}
