import Tensors

/// What a run reports while it goes on.
package enum TrainingEvent: Sendable {
    /// So many of all files of the data have been looked at.
    case checking(done: Int, of: Int)
    /// What was found in one data set.
    case data(DataCheck.Summary)
    case started(stage: Int, task: TrainingTask, inputSize: Int, images: Int, steps: Int)
    case resumed(stage: Int, step: Int)
    /// A run was to be gone on with, and the folder has no checkpoint.
    case begunAnew(folder: String)
    case progress(TrainingProgress)
    case validated(
        epoch: Int, dice: Double, segments: [(label: String, dice: Double)], images: Int, isBest: Bool)
    case written(path: String)
}

/// Where a stage stands; counts from 1, figures are means over about the last twenty steps. `dice` is that of masks, as validation's; it and
/// `crossEntropy` are nil where nothing is segmented, and `loss` is that of the reconstruction.
package struct TrainingProgress: Sendable {
    package let stage, stages, epoch, epochs, step, steps: Int
    package let loss, learningRate: Double
    package let dice, crossEntropy: Double?
    package let imagesPerSecond: Double
    /// Of the whole run, without validations; later stages by their work.
    package let secondsLeft: Double
}

/// Running means over about the last twenty steps.
struct RunningMeans {
    private(set) var loss = 0.0, dice = 0.0, crossEntropy = 0.0, secondsPerStep = 0.0, secondsPerImage = 0.0
    private var count = 0

    mutating func add(_ figures: Trainer.Figures, images: Int, seconds: Double) {
        count += 1
        let share = 1 / Double(min(count, 20))
        loss += share * (figures.loss - loss)
        dice += share * (figures.dice - dice)
        crossEntropy += share * (figures.crossEntropy - crossEntropy)
        secondsPerStep += share * (seconds - secondsPerStep)
        secondsPerImage += share * (seconds / Double(max(1, images)) - secondsPerImage)
    }
}
