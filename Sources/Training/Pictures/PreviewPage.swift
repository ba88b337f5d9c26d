import Numbers
import Pages
import SegmentAnything
import Storage

/// A contact sheet of what the network will see: images of the first stage as they are and as they are changed, with their masks.
package enum PreviewPage {
    /// - Parameters:
    ///   - sets: of `TrainingData.training`, as the check gave them.
    ///   - count: images; each is shown once as it is and three times changed.
    /// *Throws* what reading an image throws.
    package static func html(_ plan: TrainingPlan, _ sets: [LabelledSet], count: Int = 8) throws -> String {
        let stage = plan.stages[0]
        let order = EpochOrder(
            zip(sets, plan.data).map { (images: $0.pairs.count, weight: $1.weight) }, seed: plan.seed, stage: 0,
            epoch: 0)
        let segments = plan.configuration.segments
        var rows: [HTML] = []
        for (position, draw) in order.draws.prefix(count).enumerated() {
            let set = sets[draw.dataset]
            let pair = set.pairs[draw.index]
            let sample = try set.sample(pair, segments: segments, input: plan.input)
            var figures = [try Overlay(name: pair.name, caption: "as it is", sample, segments: segments).figure()]
            for epoch in 0..<3 {
                var random = EpochOrder.random(
                    seed: plan.seed, stage: 0, epoch: epoch, draw, position: position % stage.stepImages)
                let changed = stage.augmentation.apply(sample, &random)
                figures.append(
                    try Overlay(name: "", caption: "epoch \(epoch + 1)", changed, segments: segments).figure())
            }
            rows.append("<div class=\"figures\">\(figures)</div>\n")
        }
        let body: HTML = """
            <h1>What the network will see</h1>
            <p>Stage 1, input \(stage.inputSize). Outlines are those of the masks.</p>
            \(rows)
            """
        return Page(title: "Preview", style: TrainingPage.style, body: body).html
    }
}
