import Failures
import Foundation
import Numbers
import Processes
import SegmentAnything
import Storage
import Tensors
import Training

/// `hspsam train --check` and `--preview`.
struct TrainingCheck {
    let plan: TrainingPlan

    /// *Throws* an exit status when the data has problems; each is a line on standard error.
    func run(preview: String?, times: Bool) throws {
        let check = try DataOptions.listingProblems {
            let data = try TrainingData(plan)
            let check = try DataCheck.run(
                data.roles, segments: plan.configuration.segments, input: plan.input,
                tellsObjects: plan.configuration.instances == .boundary, allowsSimilar: plan.allowsSimilar)
            if !times { try check.confirm() }
            return (data, check)
        }
        for summary in check.1.summaries {
            try StandardOutput.line(
                Self.line(summary, tellsObjects: plan.configuration.instances == .boundary))
            for line in table(summary) { try StandardOutput.line(line) }
        }
        try DataOptions.listingProblems { try check.1.confirm() }
        let sets = Array(check.1.sets.prefix(check.0.training.count + check.0.unlabelled.count))
        if let preview {
            try DurableFile.write(try PreviewPage.html(plan, sets), to: preview)
            try StandardOutput.line("preview written to \(preview)")
        }
        guard times else { return }
        var all = 0.0
        for (index, stage) in plan.stages.enumerated() {
            let images = plan.imagesPerEpoch(index, from: sets)
            let seconds = StepTrial.seconds(plan, stage: index)
            let steps = StepTrial.steps(stage, images: images)
            all += seconds * Double(steps)
            try StandardOutput.line(
                "stage \(index + 1): \(Self.prefix(stage.task))input \(stage.inputSize), \(steps) steps of \(stage.stepImages) images, "
                    + String(format: "%.2f s a step: ", seconds) + Self.time(seconds * Double(steps)))
        }
        try StandardOutput.line(
            "the run: about \(Self.time(all)) on \(ThreadPool.threads) threads without reading images and validating, "
                + String(format: "%.1f GB of memory", Double(peakMemory()) / 1e9))
        try StandardOutput.line("nothing is wrong with the data")
    }

    /// One line of what was found in a data set.
    ///
    /// - Parameter tellsObjects: also what tells objects apart.
    static func line(_ summary: DataCheck.Summary, tellsObjects: Bool = false) -> String {
        let sizes =
            summary.sizes.smallest == summary.sizes.largest
            ? summary.sizes.smallest : "\(summary.sizes.smallest) to \(summary.sizes.largest)"
        let notes = summary.notes.map { "; \($0)" }.joined()
        let masks = summary.rule.map { "; masks: \($0.words); \(summary.empty) without any segment" } ?? ""
        let objects =
            summary.objects.map {
                $0.touching > 0
                    ? "; \($0.all) objects, of which \($0.touching) touch another"
                    : "; \($0.all) objects, none of which touches another: what touches in these masks is one object"
            } ?? ""
        let telling = summary.telling.map { tellsObjects ? "; objects: \($0.words)" : "" } ?? ""
        return
            "\(summary.split): \(summary.images) images of \(sizes) from \(summary.path)\(masks)\(telling)\(objects)\(notes)"
    }

    /// What a stage does where that is not segmentation.
    static func prefix(_ task: TrainingTask) -> String { task.isSegmentation ? "" : "masked autoencoding, " }

    private func table(_ summary: DataCheck.Summary) -> [String] {
        guard summary.rule != nil else { return [] }
        let all = Double(max(1, summary.pixels.reduce(0, +)))
        let labels =
            ["background"] + (plan.segmentLabels ?? (0..<plan.configuration.segments).map { "segment-\($0 + 1)" })
        return labels.indices.map { index in
            "  \(labels[index]): in \(summary.occurrences[index]) images, "
                + String(format: "%.3f %% of the pixels", 100 * Double(summary.pixels[index]) / all)
        }
    }

    static func time(_ seconds: Double) -> String {
        let whole = Int(rounding: seconds.rounded(.down), clampedTo: 0...Int(Int32.max))
        let minutes = whole / 60
        return minutes >= 60
            ? "\(minutes / 60) h \(minutes % 60) min" : minutes > 0 ? "\(minutes) min" : "\(whole) s"
    }
}
