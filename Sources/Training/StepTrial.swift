import Numbers
import SegmentAnything
import Tensors

/// One step of a stage with random weights on noise: what a run will take, measured.
package enum StepTrial {
    /// Seconds of one step of stage number `index` (from 0) after one that warms up, without reading images.
    package static func seconds(_ plan: TrainingPlan, stage index: Int) -> Double {
        let stage = plan.stages[index]
        var configuration = plan.configuration
        configuration.inputSize = stage.inputSize
        let parameters = Parameters.initial(configuration, seed: plan.seed)
        let model = HSPSAM(configuration, parameters, mergeLoRA: false)
        let optimiser = AdamW(parameters, configuration, options: plan.optimiser)
        var random = SplitMix64(seed: plan.seed)
        let side = stage.inputSize
        let images = Tensor.uniform([stage.batch, side, side, 3], bound: 1.7, &random)
        let classes = [UInt8]((0..<side * side).map { $0 / side > side / 2 ? 1 : 0 })
        let labels = LabelMaps(
            classes: Array(repeating: classes, count: stage.batch),
            valid: Array(repeating: Array(repeating: 1, count: side * side), count: stage.batch), configuration)
        let clock = ContinuousClock()
        var taken = 0.0
        for _ in 0..<2 {
            let started = clock.now
            let tape = Tape(recomputes: plan.activationCheckpointing)
            optimiser.watch(tape)
            let loss = Losses.total(model(images, tape: tape), labels, configuration, tape: tape)
            tape.backward(from: loss.total)
            optimiser.step(tape, learningRate: 1e-4)
            taken = started.duration(to: clock.now) / .seconds(1)
        }
        return taken * Double(stage.accumulate)
    }

    /// Steps that a stage takes on so many images.
    package static func steps(_ stage: TrainingPlan.Stage, images: Int) -> Int {
        let planned = plannedSteps(stage, images: images)
        return min(planned, stage.until ?? planned)
    }

    /// Steps that its schedule is made for.
    static func plannedSteps(_ stage: TrainingPlan.Stage, images: Int) -> Int {
        let perEpoch = max(1, (images + stage.stepImages - 1) / stage.stepImages)
        return Int(rounding: Double(perEpoch) * stage.epochs, clampedTo: 1...Int(Int32.max))
    }
}
