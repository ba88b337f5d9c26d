import Imaging
import Numbers
import Pages
import SegmentAnything
import Storage

/// A contact sheet of what the network will see: images as they are and as they are changed, with their masks, or with what is hidden.
package enum PreviewPage {
    /// The first stage, and the first that segments.
    ///
    /// - Parameters:
    ///   - sets: of `TrainingData.training` and `.unlabelled`, as the check gave them.
    ///   - count: images of a stage; each is shown once as it is and three times changed.
    /// *Throws* what reading an image throws.
    package static func html(_ plan: TrainingPlan, _ sets: [LabelledSet], count: Int = 8) throws -> String {
        let segmenting = plan.stages.firstIndex { $0.task.isSegmentation }
        let shown = Set([0, segmenting ?? 0]).sorted()
        let parts = try shown.map { try part(plan, sets, stage: $0, count: count) }
        let labels = plan.segmentLabels ?? ModelDescription.numberedLabels(plan.configuration.segments)
        let names: [HTML] = labels.enumerated().map { "<span class=\"s\($0 + 1)\">\($1)</span> " }
        let legend: HTML = segmenting == nil ? .empty : "<p class=\"names\">\(names)</p>\n"
        let colors = labels.indices.map { index in
            let color = Overlay.color(segment: index + 1).reduce(0) { $0 << 8 | Int($1) }
            return ".names .s\(index + 1) { border-color: \(MaskRule.hex(color)) }\n"
        }
        let body: HTML = "<h1>What the network will see</h1>\n\(legend)\(parts)"
        return Page(title: "Preview", style: TrainingPage.style + "\n" + colors.joined(), body: body).html
    }

    /// Before the work that makes the page.
    ///
    /// *Throws* `TrainingFailure.previewName` for a name of something else (`p.png`), `.preview` where something stands that is no page: a plan or an image, for example; Storage's failures.
    package static func confirmWritable(_ path: String) throws {
        try DurableFile.confirmWritable(path)
        guard FileStatus.exists(path) else {
            let name = path.lowercased()
            guard name.hasSuffix(".html") || name.hasSuffix(".htm") else {
                throw TrainingFailure.previewName(path: path)
            }
            return
        }
        let file = try InputFile(path)
        let beginning = Array(Page.beginning.utf8)
        guard try file.size == 0 || file.read(0..<min(file.size, beginning.count)) == beginning else {
            throw TrainingFailure.preview(path: path)
        }
    }

    private static func part(
        _ plan: TrainingPlan, _ sets: [LabelledSet], stage index: Int, count: Int
    ) throws -> HTML {
        let stage = plan.stages[index]
        let order = EpochOrder(plan.draws(index, from: sets), seed: plan.seed, stage: index, epoch: 0)
        let segments = plan.configuration.segments
        let tellsObjects = plan.configuration.instances == .boundary
        var rows: [HTML] = []
        for (position, draw) in order.draws.prefix(count).enumerated() {
            let set = sets[draw.dataset]
            let pair = set.pairs[draw.index]
            let sample =
                stage.task.isSegmentation
                ? try set.sample(pair, segments: segments, input: plan.input, withObjects: tellsObjects)
                : try set.unlabelled(pair, input: plan.input)
            var figures = [try Overlay(name: pair.name, caption: "as it is", sample).figure()]
            for epoch in 0..<3 {
                var random = EpochOrder.random(
                    seed: plan.seed, stage: index, epoch: epoch, draw, position: position % stage.stepImages)
                var changed = stage.augmentation.apply(sample, &random)
                if case .maskedAutoencoding(let masking) = stage.task {
                    masking.hide(
                        in: &changed.image, inputSize: stage.inputSize, token: plan.configuration.patch, &random)
                }
                figures.append(try Overlay(name: "", caption: "epoch \(epoch + 1)", changed).figure())
            }
            rows.append("<div class=\"row\">\(figures)</div>\n")
        }
        let words =
            stage.task.isSegmentation
            ? "Outlines are those of the masks\(tellsObjects ? ", of each object its own" : "")."
            : "What is grey is hidden."
        return """
            <p>Stage \(index + 1), input \(stage.inputSize). \(words)</p>
            \(rows)
            """
    }
}

extension Masking {
    /// Makes grey what a stage of the input size would hide of a picture.
    fileprivate func hide(in image: inout DisplayImage, inputSize: Int, token: Int, _ random: inout SplitMix64) {
        let placement = Placement(rows: image.rows, columns: image.columns, inputSize: inputSize)
        let hidden = hidden(placement, token: token, &random)
        for row in 0..<image.rows {
            let y = row * placement.resizedRows / image.rows / token
            for column in 0..<image.columns {
                let x = column * placement.resizedColumns / image.columns / token
                guard hidden[y * (inputSize / token) + x] else { continue }
                for channel in 0..<3 { image.pixels[(row * image.columns + column) * 3 + channel] = 128 }
            }
        }
    }
}
