import Tensors

/// What a run reports while it goes on.
package enum TrainingEvent: Sendable {
    case started(stage: Int, inputSize: Int, images: Int, steps: Int)
    case resumed(stage: Int, step: Int)
    case progress(TrainingProgress)
    case validated(epoch: Int, dice: Double, images: Int)
    case written(path: String)
}

/// Where a stage stands; counts from 1, figures are means over about the last twenty steps.
package struct TrainingProgress: Sendable {
    package let stage, stages, epoch, epochs, step, steps: Int
    package let loss, dice, crossEntropy, learningRate: Double
    package let imagesPerSecond: Double
    /// Of this stage.
    package let secondsLeft: Double
}

/// Running means over about the last twenty steps.
struct RunningMeans {
    let batch: Int
    private(set) var loss = 0.0, dice = 0.0, crossEntropy = 0.0, secondsPerStep = 0.0
    private var count = 0

    init(batch: Int) { self.batch = batch }

    var imagesPerSecond: Double { Double(batch) / max(secondsPerStep, 1e-9) }

    mutating func add(_ value: Losses.Value, seconds: Double) {
        count += 1
        let share = 1 / Double(min(count, 20))
        loss += share * (Double(value.total.values[0]) - loss)
        dice += share * (1 - Double(value.dice.values[0]) - dice)
        crossEntropy += share * (Double(value.crossEntropy.values[0]) - crossEntropy)
        secondsPerStep += share * (seconds - secondsPerStep)
    }
}
