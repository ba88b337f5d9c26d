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
        let segments = configuration.foregroundOutputs
        guard isFirst else {
            var numbers = [Double](repeating: 0, count: 2 + segments)
            ranks?.broadcast(&numbers, from: 0)
            best = BestWeights.after(ValidationResult(numbers: numbers), epoch: epoch + 1, best)
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
        let found = ValidationResult(result)
        var numbers = found.numbers(segments: segments)
        ranks?.broadcast(&numbers, from: 0)
        best = BestWeights.after(found, epoch: epoch + 1, best)
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

    /// The segments of which the weights that were written are not known to find anything; nil where some pixel of each was found, or
    /// nothing is segmented. Without a validation the last epoch's own batches tell.
    package var unfound: TrainingFailure? {
        let labels = plan.segmentLabels ?? ModelDescription.numberedLabels(plan.configuration.segments)
        if let best {
            let missed = best.found.missed.map { labels[$0] }
            return missed.isEmpty ? nil : .unfound(folder: folder, segments: missed, isValidated: true)
        }
        guard let last = log.lines.last(where: { $0.kind == "step" }), last.dice != nil else { return nil }
        let steps = log.lines.filter { $0.kind == "step" && $0.stage == last.stage && $0.epoch == last.epoch }
        guard steps.allSatisfy({ $0.dice == 0 }) else { return nil }
        return .unfound(folder: folder, segments: labels, isValidated: false)
    }
}
