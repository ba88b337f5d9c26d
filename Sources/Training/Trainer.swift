import Foundation
import Imaging
import SegmentAnything
import Storage
import Tensors

/// Trains a model as a plan says. Results depend on plan, data and instruction set, not on threads or interruptions.
package final class Trainer {
    package struct Progress: Sendable {
        package let stage, stages, epoch, epochs, step, steps: Int
        package let loss, dice, crossEntropy, learningRate: Double
        package let imagesPerSecond: Double
        /// Of this stage.
        package let secondsLeft: Double
    }

    package enum Event: Sendable {
        case started(stage: Int, inputSize: Int, images: Int, steps: Int)
        case resumed(stage: Int, step: Int)
        case progress(Progress)
        case validated(epoch: Int, dice: Double, images: Int)
        case written(path: String)
    }

    /// A checkpoint is written at least so often.
    static let checkpointSeconds = 300.0

    private let plan: TrainingPlan
    private let folder: String
    private let report: (Event) -> Void
    private let identity: String
    private let datasets: [(Dataset, weight: Double)]
    private let validation: Dataset?
    private var seconds = 0.0

    /// Looks at everything that the plan names before the first step.
    ///
    /// - Parameter folder: the model directory to be; made when it is missing.
    package init(_ plan: TrainingPlan, folder: String, report: @escaping (Event) -> Void) throws {
        self.plan = plan
        self.folder = folder
        self.report = report
        identity = FileDigest(of: "\(plan)").hex
        datasets = try plan.data.map {
            (try Dataset(images: $0.images, masks: $0.masks, list: $0.list, split: $0.split), $0.weight)
        }
        validation = try plan.validation.map {
            try Dataset(images: $0.source.images, masks: $0.source.masks, list: $0.source.list, split: $0.source.split)
        }
        try Folder.make(folder)
    }

    /// Trains all stages and writes the model directory.
    ///
    /// - Parameter shouldStop: asked behind every step; at true the run leaves a checkpoint and gives false.
    /// *Throws* `TrainingFailure.notFinite` when the loss diverges; failures of the data and of writing.
    @discardableResult
    package func run(resume: Bool, shouldStop: () -> Bool = { false }) throws -> Bool {
        var first = 0
        var (parameters, configuration) = try start()
        var resumed: Checkpoint?
        if resume, FileStatus.exists(Checkpoint.path(in: folder)) {
            let checkpoint = try Checkpoint.read(from: folder, plan: identity)
            first = checkpoint.stage
            configuration.inputSize = plan.stages[first].inputSize
            parameters = Parameters(checkpoint.weights)
            seconds = checkpoint.seconds
            resumed = checkpoint
            report(.resumed(stage: first + 1, step: checkpoint.step))
        }
        for stage in first..<plan.stages.count {
            var next = configuration
            next.inputSize = plan.stages[stage].inputSize
            parameters = Parameters(PositionTables.resized(parameters.tensors, from: configuration, to: next))
            configuration = next
            guard try run(stage, configuration, parameters, from: resumed, shouldStop) else { return false }
            resumed = nil
        }
        var final = configuration
        final.inputSize = plan.configuration.inputSize
        let tensors = PositionTables.resized(parameters.tensors, from: configuration, to: final)
        try write(Parameters(tensors), final)
        return true
    }

    private func start() throws -> (Parameters, Configuration) {
        var configuration = plan.configuration
        guard let path = plan.startFrom else {
            configuration.inputSize = plan.stages[0].inputSize
            return (Parameters.initial(configuration, seed: plan.seed), configuration)
        }
        let model = try ModelDirectory.open(path)
        var found = model.description.configuration
        configuration.inputSize = found.inputSize
        (found.alpha, found.lossAt) = (configuration.alpha, configuration.lossAt)
        guard found == configuration else {
            throw TrainingFailure.plan(
                path: path, reason: "this model does not have the shape that train.yaml asks for",
                cure: "Make both agree.")
        }
        return (Parameters(try model.tensors()), configuration)
    }

    /// Draws of one epoch: every image of a source `weight` times, in an order of its own.
    private func order(stage: Int, epoch: Int) -> [(dataset: Int, index: Int)] {
        var random = RandomSource(seed: plan.seed &+ UInt64(stage) &* 1_000_003 &+ UInt64(epoch) &* 7919)
        var draws: [(dataset: Int, index: Int)] = []
        for (number, (dataset, weight)) in datasets.enumerated() {
            let wanted = Int((Double(dataset.pairs.count) * weight).rounded())
            while draws.count(where: { $0.dataset == number }) < wanted {
                var indices = Array(dataset.pairs.indices)
                random.shuffle(&indices)
                draws += indices.prefix(wanted - draws.count(where: { $0.dataset == number })).map { (number, $0) }
            }
        }
        random.shuffle(&draws)
        return draws
    }

    /// Gives false when it was asked to stop.
    private func run(
        _ index: Int, _ configuration: Configuration, _ parameters: Parameters, from checkpoint: Checkpoint?,
        _ shouldStop: () -> Bool
    ) throws -> Bool {
        let stage = plan.stages[index]
        let perEpoch = max(1, order(stage: index, epoch: 0).count / stage.batch)
        let steps = max(1, Int((Double(perEpoch) * stage.epochs).rounded()))
        let schedule = Schedule(peak: stage.learningRate, warmup: plan.warmup, steps: steps, decay: plan.decay)
        let optimiser = AdamW(
            parameters, configuration, options: plan.optimiser, steps: checkpoint?.step ?? 0,
            state: checkpoint?.optimiser ?? [:])
        let model = HSPSAM(configuration, parameters, mergeLoRA: false)
        report(.started(stage: index + 1, inputSize: stage.inputSize, images: perEpoch * stage.batch, steps: steps))
        var meter = Meter(batch: stage.batch)
        var saved = Date()
        var draws: [(dataset: Int, index: Int)] = []
        let firstStep = checkpoint?.step ?? 0
        for step in firstStep..<max(steps, firstStep) {
            let started = Date()
            let (epoch, position) = (step / perEpoch, step % perEpoch)
            if position == 0 || draws.isEmpty { draws = order(stage: index, epoch: epoch) }
            let batch = try batch(
                Array(draws[position * stage.batch..<min(draws.count, (position + 1) * stage.batch)]), index, epoch,
                configuration)
            let tape = Tape()
            optimiser.watch(tape)
            let loss = Losses.total(model(batch.images, tape: tape), batch.labels, configuration, tape: tape)
            guard loss.total.isFinite else {
                throw TrainingFailure.notFinite(step: step + 1, checkpoint: Checkpoint.path(in: folder))
            }
            tape.backward(from: loss.total)
            optimiser.step(tape, learningRate: schedule.rate(step))
            seconds += Date().timeIntervalSince(started)
            meter.add(loss, seconds: Date().timeIntervalSince(started))
            report(
                .progress(
                    Progress(
                        stage: index + 1, stages: plan.stages.count, epoch: epoch + 1,
                        epochs: Int(stage.epochs.rounded(.up)), step: step + 1,
                        steps: steps, loss: meter.loss, dice: meter.dice, crossEntropy: meter.crossEntropy,
                        learningRate: schedule.rate(step),
                        imagesPerSecond: meter.imagesPerSecond,
                        secondsLeft: meter.secondsPerStep * Double(steps - step - 1))))
            let epochEnds = position == perEpoch - 1 || step == steps - 1
            let stops = shouldStop()
            if epochEnds || stops || Date().timeIntervalSince(saved) > Self.checkpointSeconds {
                try Checkpoint(
                    plan: identity, stage: index, step: step + 1, seconds: seconds, weights: parameters.tensors,
                    optimiser: optimiser.state
                ).write(to: folder)
                saved = Date()
            }
            if stops { return false }
            if epochEnds, let validation, let settings = plan.validation,
                (epoch + 1) % settings.every == 0 || step == steps - 1
            {
                let some = settings.limit > 0 ? validation.prefix(settings.limit) : validation
                let result = try Evaluation.run(Predictor(description(configuration), parameters), on: some)
                report(.validated(epoch: epoch + 1, dice: result.mean.dice, images: result.files.count))
            }
        }
        return true
    }

    private func batch(
        _ draws: [(dataset: Int, index: Int)], _ stage: Int, _ epoch: Int, _ configuration: Configuration
    ) throws -> Batch {
        let results = ThreadPool.map(draws.count) { [plan, datasets] i -> Result<Dataset.Sample, any Error> in
            Result {
                let (dataset, index) = draws[i]
                let source = datasets[dataset].0
                var random = RandomSource(seed: plan.seed)
                for part in [stage, epoch, dataset, index, i] { random.state = random.next() &+ UInt64(part) }
                return plan.augmentation.apply(
                    try source.sample(source.pairs[index], segments: configuration.segments, input: plan.input),
                    &random)
            }
        }
        return Batch(try results.map { try $0.get() }, configuration, ignorePadding: plan.ignorePadding)
    }

    private func description(_ configuration: Configuration) -> ModelDescription {
        ModelDescription(
            configuration: configuration, configurationName: plan.configurationName,
            segmentLabels: plan.segmentLabels, precision: .f16, trainedInput: plan.input,
            provenance: [
                "command": "hspsam train", "seed": "\(plan.seed)", "training_seconds": "\(Int(seconds))",
                "images": "\(datasets.reduce(0) { $0 + $1.0.pairs.count })", "plan": identity,
            ])
    }

    private func write(_ parameters: Parameters, _ configuration: Configuration) throws {
        try ModelDirectory.write(description(configuration), tensors: parameters.tensors, to: folder)
        report(.written(path: folder))
    }
}

/// Running means over about the last twenty steps.
private struct Meter {
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
