import Imaging
import Numbers
import SegmentAnything
import Storage
import Tensors

/// Trains a model as a plan says. Results depend on plan, data and instruction set, not on threads or interruptions.
package final class Trainer {
    /// A checkpoint is written at least so often.
    private static let checkpointInterval = Duration.seconds(300)

    private let plan: TrainingPlan
    private let folder: String
    private let report: (TrainingEvent) -> Void
    private let identity: String
    private let datasets: [Dataset]
    private let validation: Dataset?
    /// The model that the run begins with.
    private let parent: ModelDirectory?
    private var seconds = 0.0

    /// Looks at everything that the plan names before the first step.
    ///
    /// - Parameter folder: the model directory to be; made when it is missing.
    ///
    /// *Throws* `TrainingFailure.plan` when the plan's parent has another shape; failures of the data and of the parent.
    package init(_ plan: TrainingPlan, folder: String, report: @escaping (TrainingEvent) -> Void) throws {
        self.plan = plan
        self.folder = folder
        self.report = report
        datasets = try plan.data.map { try Dataset($0) }
        validation = try plan.validation.map { try Dataset($0.source) }
        parent = try plan.startFrom.map { try ModelDirectory.open($0) }
        if let parent {
            var found = parent.configuration
            found.inputSize = plan.configuration.inputSize
            (found.alpha, found.lossAt) = (plan.configuration.alpha, plan.configuration.lossAt)
            guard found == plan.configuration else {
                throw TrainingFailure.plan(
                    path: parent.path, reason: "this model does not have the shape that train.yaml asks for",
                    cure: "Make both agree.")
            }
        }
        identity = try plan.identity(data: datasets, parent: parent?.digest).hex
        try Folder.make(folder)
    }

    /// Trains all stages and writes the model directory.
    ///
    /// - Parameter shouldStop: asked after every step; at true the run leaves a checkpoint and gives false.
    ///
    /// *Throws* `TrainingFailure.notFinite` when the loss diverges; failures of the data and of writing.
    @discardableResult
    package func run(resume: Bool, shouldStop: () -> Bool = { false }) throws -> Bool {
        var configuration = plan.configuration
        var (first, parameters) = (0, Parameters([:]))
        var resumed: Checkpoint?
        if resume, FileStatus.exists(Checkpoint.path(in: folder)) {
            let checkpoint = try Checkpoint.read(from: folder, plan: identity)
            (first, parameters) = (checkpoint.stage, Parameters(checkpoint.weights))
            seconds = checkpoint.seconds
            resumed = checkpoint
            report(.resumed(stage: first + 1, step: checkpoint.step))
        } else if let parent {
            parameters = Parameters(try parent.tensors())
        } else {
            configuration.inputSize = plan.stages[0].inputSize
            parameters = .initial(configuration, seed: plan.seed)
        }
        for stage in first..<plan.stages.count {
            configuration.inputSize = plan.stages[stage].inputSize
            parameters = Parameters(PositionTables.resized(parameters.tensors, to: configuration))
            guard try run(stage, configuration, parameters, from: resumed, shouldStop) else { return false }
            resumed = nil
        }
        let tensors = PositionTables.resized(parameters.tensors, to: plan.configuration)
        try ModelDirectory.write(description(plan.configuration), tensors: tensors, to: folder)
        report(.written(path: folder))
        return true
    }

    /// One stage; gives false when it was asked to stop.
    private func run(
        _ index: Int, _ configuration: Configuration, _ parameters: Parameters, from checkpoint: Checkpoint?,
        _ shouldStop: () -> Bool
    ) throws -> Bool {
        let stage = plan.stages[index]
        let perEpoch = max(1, order(index, epoch: 0).draws.count / stage.batch)
        let steps = Int(rounding: Double(perEpoch) * stage.epochs, clampedTo: 1...Int(Int32.max))
        let schedule = Schedule(peak: stage.learningRate, warmup: plan.warmup, steps: steps, decay: plan.decay)
        let optimiser = AdamW(
            parameters, configuration, options: plan.optimiser, steps: checkpoint?.step ?? 0,
            state: checkpoint?.optimiser ?? [:])
        let model = HSPSAM(configuration, parameters, mergeLoRA: false)
        report(.started(stage: index + 1, inputSize: stage.inputSize, images: perEpoch * stage.batch, steps: steps))
        let clock = ContinuousClock()
        var means = RunningMeans(batch: stage.batch)
        var saved = clock.now
        var draws: [EpochOrder.Draw] = []
        let firstStep = checkpoint?.step ?? 0
        for step in firstStep..<max(steps, firstStep) {
            let started = clock.now
            let (epoch, position) = (step / perEpoch, step % perEpoch)
            if position == 0 || draws.isEmpty { draws = order(index, epoch: epoch).draws }
            let part = draws[position * stage.batch..<min(draws.count, (position + 1) * stage.batch)]
            let batch = try batch(Array(part), index, epoch, configuration)
            let tape = Tape()
            optimiser.watch(tape)
            let loss = Losses.total(model(batch.images, tape: tape), batch.labels, configuration, tape: tape)
            guard loss.total.isFinite else {
                throw TrainingFailure.notFinite(step: step + 1, checkpoint: Checkpoint.path(in: folder))
            }
            tape.backward(from: loss.total)
            let rate = schedule.rate(step)
            optimiser.step(tape, learningRate: rate)
            let taken = started.duration(to: clock.now) / .seconds(1)
            seconds += taken
            means.add(loss, seconds: taken)
            report(
                .progress(
                    progress(index, step: step, steps: steps, epoch: epoch, learningRate: rate, means)))
            let epochEnds = position == perEpoch - 1 || step == steps - 1
            let stops = shouldStop()
            if epochEnds || stops || saved.duration(to: clock.now) > Self.checkpointInterval {
                try Checkpoint(
                    plan: identity, stage: index, step: step + 1, seconds: seconds, weights: parameters.tensors,
                    optimiser: optimiser.state
                ).write(to: folder)
                saved = clock.now
            }
            if stops { return false }
            if epochEnds { try validate(epoch: epoch, isLast: step == steps - 1, configuration, parameters) }
        }
        return true
    }

    private func progress(
        _ index: Int, step: Int, steps: Int, epoch: Int, learningRate: Double, _ means: RunningMeans
    ) -> TrainingProgress {
        let epochs = Int(rounding: plan.stages[index].epochs.rounded(.up), clampedTo: 1...Int(Int32.max))
        return TrainingProgress(
            stage: index + 1, stages: plan.stages.count, epoch: epoch + 1, epochs: epochs, step: step + 1, steps: steps,
            loss: means.loss, dice: means.dice, crossEntropy: means.crossEntropy, learningRate: learningRate,
            imagesPerSecond: means.imagesPerSecond, secondsLeft: means.secondsPerStep * Double(steps - step - 1))
    }

    private func validate(
        epoch: Int, isLast: Bool, _ configuration: Configuration, _ parameters: Parameters
    ) throws {
        guard let validation, let settings = plan.validation, (epoch + 1) % settings.every == 0 || isLast else {
            return
        }
        let some = settings.limit > 0 ? validation.prefix(settings.limit) : validation
        let result = try Evaluation.run(Predictor(description(configuration), parameters), on: some)
        report(.validated(epoch: epoch + 1, dice: result.mean.dice, images: result.files.count))
    }

    private func order(_ stage: Int, epoch: Int) -> EpochOrder {
        EpochOrder(
            zip(datasets, plan.data).map { (images: $0.pairs.count, weight: $1.weight) }, seed: plan.seed, stage: stage,
            epoch: epoch)
    }

    private func batch(
        _ draws: [EpochOrder.Draw], _ stage: Int, _ epoch: Int, _ configuration: Configuration
    ) throws -> Batch {
        let results = ThreadPool.map(draws.count) { [plan, datasets] position -> Result<Dataset.Sample, any Error> in
            Result {
                let draw = draws[position]
                let source = datasets[draw.dataset]
                var random = EpochOrder.random(
                    seed: plan.seed, stage: stage, epoch: epoch, draw, position: position)
                return plan.augmentation.apply(
                    try source.sample(
                        source.pairs[draw.index], segments: configuration.segments, input: plan.input), &random)
            }
        }
        return Batch(try results.map { try $0.get() }, configuration, ignorePadding: plan.ignorePadding)
    }

    private func description(_ configuration: Configuration) -> ModelDescription {
        var provenance = [
            "command": "hspsam train", "seed": "\(plan.seed)",
            "training_seconds": "\(Int(rounding: seconds.rounded(.down), clampedTo: 0 ... .max))",
            "images": "\(datasets.reduce(0) { $0 + $1.pairs.count })", "plan": identity,
        ]
        provenance["parent"] = parent?.digest.hex
        return ModelDescription(
            configuration: configuration, configurationName: plan.configurationName,
            segmentLabels: plan.segmentLabels, precision: .f16, trainedInput: plan.input, provenance: provenance)
    }
}
