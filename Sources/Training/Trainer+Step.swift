import Processes
import SegmentAnything
import Tensors

extension Trainer {
    /// What some of a step's images give.
    struct Figures {
        /// One a trained tensor; nil where the loss does not depend on it. Empty before the first batch.
        var gradients: [Tensor?] = []
        /// Dice and cross-entropy are 0 where nothing is segmented.
        var loss = 0.0, dice = 0.0, crossEntropy = 0.0
        /// A process of several was asked to stop after this step.
        var stops = false
        /// Seconds that the sum over processes took, waiting for them included; nil in one process.
        var exchangeSeconds: Double?

        mutating func add(_ other: Figures) {
            gradients =
                gradients.isEmpty
                ? other.gradients
                : zip(gradients, other.gradients).map { sum, gradient in
                    guard let sum, let gradient else { return sum ?? gradient }
                    sum.add(gradient)
                    return sum
                }
            loss += other.loss
            dice += other.dice
            crossEntropy += other.crossEntropy
            stops = stops || other.stops
        }
    }

    /// The sum over a step's batches, always in their order: how many processes share them changes no bit.
    func step(
        _ draws: [EpochOrder.Draw], _ stage: Int, _ epoch: Int, _ configuration: Configuration,
        _ objective: Objective, _ optimiser: AdamW, step: Int, _ shouldStop: () -> Bool
    ) throws -> Figures {
        let size = plan.stages[stage].batch
        let starts = Array(stride(from: 0, to: draws.count, by: size))
        var figures = Figures()
        // Of a process behind the first one: they are added when the sum of those before has come.
        var held: [Figures] = []
        for start in starts[ranks?.share(of: starts.count) ?? 0..<starts.count] {
            let part = Array(draws[start..<min(start + size, draws.count)])
            let one = try figuresOf(
                batch(part, stage, epoch, configuration, from: start), share: Double(part.count) / Double(draws.count),
                objective, optimiser, step: step)
            if isFirst { figures.add(one) } else { held.append(one) }
        }
        if let ranks {
            // Asked here, so that all of them stop after the same step.
            figures.stops = shouldStop()
            let started = ContinuousClock.now
            ranks.sum(&figures, held, shapes: optimiser.shapes)
            figures.exchangeSeconds = started.duration(to: .now) / .seconds(1)
        }
        return figures
    }

    /// - Parameter share: of the step's images.
    private func figuresOf(
        _ batch: Batch, share: Double, _ objective: Objective, _ optimiser: AdamW, step: Int
    ) throws -> Figures {
        let (loss, tape) = objective.derivatives(of: batch, for: optimiser, plan.tape)
        guard loss.total.isFinite else { throw diverged(atStep: step + 1) }
        return Figures(
            gradients: optimiser.gradients(tape, share: Float(share)), loss: share * Double(loss.total.values[0]),
            dice: share * (loss.dice ?? 0), crossEntropy: share * (loss.crossEntropy ?? 0))
    }

    func diverged(atStep step: Int) -> TrainingFailure { .notFinite(step: step, folder: folder) }

    private func batch(
        _ draws: [EpochOrder.Draw], _ index: Int, _ epoch: Int, _ configuration: Configuration, from start: Int
    ) throws -> Batch {
        let stage = plan.stages[index]
        let drawn = try ThreadPool.map(draws.count) { [plan, drawn] position in
            let draw = draws[position]
            let source = drawn[draw.dataset]
            let pair = source.pairs[draw.index]
            var random = EpochOrder.random(
                seed: plan.seed, stage: index, epoch: epoch, draw, position: start + position)
            let sample =
                stage.task.isSegmentation
                ? try source.sample(
                    pair, segments: configuration.segments, input: plan.input,
                    withObjects: configuration.instances == .boundary)
                : try source.unlabelled(pair, input: plan.input)
            return (sample: stage.augmentation.apply(sample, &random), random: random)
        }
        switch stage.task {
        case .segmentation: return Batch(drawn.map(\.sample), configuration, ignorePadding: plan.ignorePadding)
        case .maskedAutoencoding(let masking):
            return Batch(hiding: drawn.map { ($0.sample.image, $0.random) }, masking, configuration)
        }
    }
}
