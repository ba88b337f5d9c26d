package import SegmentAnything
package import Tensors

/// A training run as `train.yaml` describes it.
package struct TrainingPlan: Sendable, Equatable {
    /// A part of the run with a task, a size and a schedule of its own.
    package struct Stage: Sendable, Equatable {
        package var task: TrainingTask
        package var inputSize: Int
        /// May be a fraction: 0.5 is half of the images.
        package var epochs: Double
        package var batch: Int
        /// Batches whose gradients are one step.
        package var accumulate: Int
        package var learningRate: Double
        /// Steps after which the stage ends though its schedule goes on; nil: it goes to its end.
        package var until: Int?
        /// Images of one step.
        package var stepImages: Int { batch * accumulate }
        /// The plan's, with what the stage says instead.
        package var augmentation: Augmentation
    }

    /// How often the model is measured on pictures that it does not learn from, and on which.
    package struct Validation: Sendable, Equatable {
        /// Nil: what `splits` keeps for it.
        package var source: Source?
        /// In epochs.
        package var every: Int
        /// At most so many images, the first of the list; 0: all.
        package var limit: Int
        /// Validations of a stage without a better one, after which it ends; 0: it goes to its end.
        package var patience: Int
    }

    package var configuration: Configuration
    package var configurationName: String
    /// A model directory whose weights the run begins with.
    package var startFrom: String?
    /// A model directory whose encoder the run begins with; everything else is drawn anew.
    package var encoderFrom: String?
    package var input: TrainedInput
    /// One a segment; nil: they are numbered.
    package var segmentLabels: [String]?
    package var data: [Source]
    /// Images without masks, for stages that need none.
    package var unlabelled: [Source]
    package var validation: Validation?
    /// Nearly equal pictures may stand in two splits: phantoms, slices that nobody can tell apart.
    package var allowsSimilar: Bool
    /// Divides `data` where no list does.
    package var splits: CaseSplit?
    package var stages: [Stage]
    package var optimiser: AdamW.Options
    /// Of the moving average of the weights that is validated and written; nil: the last step's weights are.
    package var averageDecay: Double?
    package var warmup: Int
    package var decay: Schedule.Decay
    /// Padding weighs nothing in the loss.
    package var ignorePadding: Bool
    /// How a step is computed: with activation checkpointing (the same weights in less memory), in float32 or with products of bfloat16.
    package var tape: Tape.Options
    package var seed: UInt64
    /// The file as it was read; the model directory keeps it.
    package var text: [UInt8] = []

    /// False: only the encoder learns, and there are no masks at the end.
    package var hasSegmentation: Bool { stages.contains { $0.task.isSegmentation } }
    /// The encoder learns from images alone first.
    package var hasPretraining: Bool { stages.contains { !$0.task.isSegmentation } }

    /// - Parameter folders: what `${name}` in a path stands for.
    /// *Throws* `SettingsFailure` with file and line; `TrainingFailure.role`, `.unusedRole`.
    package static func read(_ path: String, folders: DataFolders = DataFolders()) throws -> TrainingPlan {
        var (plan, text) = try folders.reading(path) { try TrainingPlan($0, $1) }
        plan.text = text
        return plan
    }
}
