import Numbers
import SegmentAnything
import Tensors

extension Trainer {
    /// One stage; gives false when it was asked to stop.
    func run(
        _ index: Int, _ configuration: Configuration, _ parameters: Parameters, from checkpoint: Checkpoint?,
        _ shouldStop: () -> Bool
    ) throws -> Bool {
        let stage = plan.stages[index]
        let images = order(index, epoch: 0).draws.count
        // The last batch of an epoch may be smaller: every image is drawn.
        let perEpoch = StepTrial.stepsPerEpoch(stage, images: images)
        let planned = StepTrial.plannedSteps(stage, images: images)
        let schedule = Schedule(peak: stage.learningRate, warmup: plan.warmup, steps: planned, decay: plan.decay)
        let steps = StepTrial.steps(stage, images: images)
        let objective = Objective(stage.task, configuration, parameters)
        let optimiser = AdamW(
            parameters, objective.trained, options: plan.optimiser, steps: checkpoint?.step ?? 0,
            state: checkpoint?.optimiser ?? [:])
        let segments = stage.task.isSegmentation
        if checkpoint == nil { best = nil }
        report(
            .started(stage: index + 1, task: stage.task, inputSize: stage.inputSize, images: images, steps: steps))
        let clock = ContinuousClock()
        var means = RunningMeans()
        var saved = clock.now
        var draws: [EpochOrder.Draw] = []
        var step = checkpoint?.step ?? 0
        if checkpoint?.isPending == true {
            try validate(
                index, epoch: (step - 1) / perEpoch, step: step, isLast: step == steps, configuration, parameters)
            try save(index, step: step, parameters, optimiser, isPending: false)
        }
        while step < steps, !hasStopped {
            let started = clock.now
            let (epoch, position) = (step / perEpoch, step % perEpoch)
            if position == 0 || draws.isEmpty { draws = order(index, epoch: epoch).draws }
            let part = draws[position * stage.stepImages..<min(draws.count, (position + 1) * stage.stepImages)]
            let figures = try self.step(
                Array(part), index, epoch, configuration, objective, optimiser, step: step, shouldStop)
            let rate = schedule.rate(step)
            let norm = optimiser.step(figures.gradients, learningRate: rate)
            // The loss may still be a number where its derivatives are none any more; the weights are damaged then, the checkpoint is not.
            guard norm.isFinite else { throw diverged(atStep: step + 1) }
            average?.update(parameters, objective.trained)
            let taken = started.duration(to: clock.now) / .seconds(1)
            seconds += taken
            step += 1
            means.add(figures, images: part.count, seconds: taken)
            log.add(
                .init(
                    kind: "step", stage: index + 1, epoch: epoch + 1, step: step, loss: figures.loss,
                    dice: segments ? figures.dice : nil, crossEntropy: segments ? figures.crossEntropy : nil,
                    learningRate: rate, gradientNorm: norm,
                    imagesPerSecond: Double(part.count) / max(taken, 1e-9), exchangeSeconds: figures.exchangeSeconds))
            report(.progress(progress(index, step: step, steps: steps, epoch: epoch, learningRate: rate, means)))
            let epochEnds = position == perEpoch - 1 || step == steps
            let stops = ranks == nil ? shouldStop() : figures.stops
            // Validated before the checkpoint, so that a run that goes on from it has this epoch's validation behind it; only when
            // somebody asked to stop it comes after.
            if epochEnds, !stops {
                try validate(index, epoch: epoch, step: step, isLast: step == steps, configuration, parameters)
            }
            if epochEnds || stops || saved.duration(to: clock.now) > Self.checkpointInterval {
                try save(index, step: step, parameters, optimiser, isPending: epochEnds && stops)
                saved = clock.now
            }
            if stops { return false }
        }
        return true
    }

    /// Whether early stopping ends the stage.
    private var hasStopped: Bool {
        guard let patience = plan.validation?.patience, patience > 0, let best else { return false }
        return best.since >= patience
    }

    private func save(
        _ stage: Int, step: Int, _ parameters: Parameters, _ optimiser: AdamW, isPending: Bool
    ) throws {
        guard isFirst else { return }
        try log.write(to: folder)
        try Checkpoint(
            plan: identity, stage: stage, step: step, seconds: seconds, weights: parameters.tensors,
            optimiser: optimiser.state, average: average.map { ($0.tensors, $0.updates) }, best: best,
            lines: log.lines.count, isPending: isPending
        ).write(to: folder)
        try BestWeights.accept(in: folder)
    }

    private func progress(
        _ index: Int, step: Int, steps: Int, epoch: Int, learningRate: Double, _ means: RunningMeans
    ) -> TrainingProgress {
        let stage = plan.stages[index]
        let epochs = Int(rounding: stage.epochs.rounded(.up), clampedTo: 1...Int(Int32.max))
        var left = means.secondsPerStep * Double(steps - step)
        let (work, segments) = (plan.work(of: stage), stage.task.isSegmentation)
        for (number, later) in plan.stages.enumerated().dropFirst(index + 1) {
            let images = Double(order(number, epoch: 0).draws.count) * later.epochs
            left += images * means.secondsPerImage * plan.work(of: later) / work
        }
        return TrainingProgress(
            stage: index + 1, stages: plan.stages.count, epoch: epoch + 1, epochs: epochs, step: step, steps: steps,
            loss: means.loss, learningRate: learningRate, dice: segments ? means.dice : nil,
            crossEntropy: segments ? means.crossEntropy : nil,
            imagesPerSecond: 1 / max(means.secondsPerImage, 1e-9), secondsLeft: left)
    }

    func order(_ stage: Int, epoch: Int) -> EpochOrder {
        EpochOrder(plan.draws(stage, from: drawn), seed: plan.seed, stage: stage, epoch: epoch)
    }
}

extension TrainingPlan {
    /// How many images each data set has that a stage draws, and how often: those of `data`, and where it needs no masks those without.
    ///
    /// - Parameter sets: of `data`, then of `unlabelled`.
    package func draws(_ stage: Int, from sets: [LabelledSet]) -> [(images: Int, weight: Double)] {
        let sources = stages[stage].task.isSegmentation ? data : data + unlabelled
        return zip(sets, sources).map { ($0.pairs.count, $1.weight) }
    }

    /// Images that an epoch of a stage draws.
    ///
    /// - Parameter sets: of `data`, then of `unlabelled`.
    package func imagesPerEpoch(_ stage: Int, from sets: [LabelledSet]) -> Int {
        draws(stage, from: sets).reduce(0) { $0 + EpochOrder.count($1) }
    }

    /// *Throws* `TrainingFailure.plan` for a data set of which an epoch draws no image: a run would learn from less than the plan says, or from
    /// nothing.
    func confirmDraws(_ training: [Dataset], _ unlabelled: [Dataset]) throws(TrainingFailure) {
        for (key, sets, sources) in [("data", training, data), ("unlabelled", unlabelled, self.unlabelled)] {
            for (index, set) in sets.enumerated()
            where EpochOrder.count((set.pairs.count, sources[index].weight)) == 0 {
                throw .plan(
                    path: set.path,
                    reason: "\(key)[\(index)] has \(set.pairs.count) images and the weight"
                        + " \(NumberText.short(sources[index].weight)): an epoch draws none of them, and nothing is learned from it",
                    cure: "Write a weight by which at least one is drawn, or take the data set out of train.yaml.")
            }
        }
    }

    /// Multiplications of one training image of a stage, up to a factor: for times.
    func work(of stage: Stage) -> Double {
        let tokens = Double(stage.inputSize / configuration.patch * stage.inputSize / configuration.patch)
        let width = Double(configuration.embedDim)
        let (blocks, global) = (Double(configuration.depth), Double(configuration.globalBlocks.count))
        // Linear layers, attention of the global blocks, and about as much a token for stem, necks and decoders as for two blocks.
        let others = stage.task.isSegmentation ? 2.0 : 0.5
        return tokens * (blocks + others) * 12 * width * width + global * 2 * tokens * tokens * width
    }
}
