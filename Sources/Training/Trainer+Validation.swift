import Imaging
import Processes
import SegmentAnything
import Storage
import Tensors

extension Trainer {
    /// Dice on the validation images, every so many epochs and at a stage's end; keeps the weights when they are the best so far.
    /// One process looks, and tells the others, which have nothing to do meanwhile. A stage that does not segment has none.
    func validate(
        _ stage: Int, epoch: Int, step: Int, isLast: Bool, _ configuration: Configuration, _ parameters: Parameters
    ) throws {
        guard let settings = plan.validation, plan.stages[stage].task.isSegmentation,
            (epoch + 1) % settings.every == 0 || isLast
        else {
            try writePage(.running)
            return
        }
        guard isFirst else {
            var dice = [0.0]
            ranks?.broadcast(&dice, from: 0)
            best = BestWeights.after(dice[0], epoch: epoch + 1, best)
            return
        }
        var left = settings.limit > 0 ? settings.limit : Int.max
        var some: [LabelledSet] = []
        for set in validation where left > 0 {
            some.append(set.prefix(left))
            left -= some[some.count - 1].pairs.count
        }
        let weights = average.map { Parameters($0.tensors) } ?? parameters
        examples = []
        let result = try Evaluation.run(Predictor(description(configuration), weights), on: some) { _, file, shown in
            if self.examples.count < 6 { self.examples.append(Overlay(file, shown)) }
        }
        var dice = [result.mean.dice]
        ranks?.broadcast(&dice, from: 0)
        best = BestWeights.after(dice[0], epoch: epoch + 1, best)
        if best?.since == 0 { try best?.write(weights.tensors, to: folder) }
        log.add(
            .init(
                kind: "validation", stage: stage + 1, epoch: epoch + 1, step: step, dice: result.mean.dice,
                segments: result.segments.map(\.mean.dice), images: result.files.count))
        try writePage(.running)
        report(
            .validated(
                epoch: epoch + 1, dice: result.mean.dice, segments: result.segments.map { ($0.label, $0.mean.dice) },
                images: result.files.count, isBest: best?.since == 0))
    }
}
