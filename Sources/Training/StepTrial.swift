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
        let parameters = stage.task.parameters(
            .initial(configuration, seed: plan.seed), configuration, seed: plan.seed)
        let objective = Objective(stage.task, configuration, parameters)
        let optimiser = AdamW(parameters, objective.trained, options: plan.optimiser)
        let batch = Batch.noise(stage.task, configuration, images: stage.batch)
        let clock = ContinuousClock()
        var taken = 0.0
        for _ in 0..<2 {
            let started = clock.now
            let (_, tape) = objective.derivatives(of: batch, for: optimiser, plan.tape)
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

    /// Steps of an epoch that draws so many images, at least one: `TrainingPlan.confirmDraws`.
    static func stepsPerEpoch(_ stage: TrainingPlan.Stage, images: Int) -> Int {
        (images + stage.stepImages - 1) / stage.stepImages
    }

    /// Steps that its schedule is made for.
    static func plannedSteps(_ stage: TrainingPlan.Stage, images: Int) -> Int {
        Int(rounding: Double(stepsPerEpoch(stage, images: images)) * stage.epochs, clampedTo: 1...Int(Int32.max))
    }
}
