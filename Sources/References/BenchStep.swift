import Numbers
package import SegmentAnything
import Tensors
import Training

/// One forward pass or training step of a model with random weights on random images: what `hspsam bench` times.
package struct BenchStep {
    private let model: HSPSAM
    private let image: Tensor
    private let labels: LabelMaps
    private let optimiser: AdamW?

    package init(_ configuration: Configuration, batch: Int, training: Bool) {
        var random = SplitMix64(seed: 1)
        let side = configuration.inputSize
        let parameters = Parameters.initial(configuration, seed: 1)
        model = HSPSAM(configuration, parameters, mergeLoRA: !training)
        image = .uniform([batch, side, side, 3], bound: 1.7, &random)
        let classes = [UInt8]((0..<side * side).map { $0 / side > side / 2 ? 1 : 0 })
        labels = LabelMaps(
            classes: Array(repeating: classes, count: batch),
            valid: Array(repeating: Array(repeating: 1, count: side * side), count: batch),
            configuration)
        optimiser = training ? AdamW(parameters, configuration, options: AdamW.Options()) : nil
    }

    package func run() {
        guard let optimiser else {
            _ = model(image)
            return
        }
        let tape = Tape()
        optimiser.watch(tape)
        let loss = Losses.total(model(image, tape: tape), labels, model.configuration, tape: tape)
        tape.backward(from: loss.total)
        optimiser.step(tape, learningRate: 1e-4)
    }
}
