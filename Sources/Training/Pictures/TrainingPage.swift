import Foundation
import Numbers
import Pages
import SegmentAnything
import Storage

/// `training.html` of a run: where it stands, its curves, outlines on validation images. It needs no network and no script,
/// and reads itself anew while the run goes on. A run that is killed cannot say so: the page tells when it was written, and
/// when to expect it anew.
enum TrainingPage {
    /// In the page's words.
    enum State: String {
        case running = "Running when this was written"
        /// Before its end; `--resume` goes on.
        case stopped = "Stopped"
        case ended = "Ended"
    }

    static let name = "training.html"

    /// When a page is written.
    struct Moment {
        let now: Date
        /// Of the page before, of the same process.
        let before: Date?

        /// Of a page that says that the run goes on.
        fileprivate var expectation: String {
            let seconds = before.map { now.timeIntervalSince($0).rounded(.up) }
            let pace = seconds.map {
                ", the last after \($0 < 120 ? "\(NumberText.fixed($0, 0)) s" : "\(NumberText.fixed($0 / 60, 0)) min")"
            }
            return
                " It is written after each epoch\(pace ?? ""): where it is much older than one takes, the run has been ended from"
                + " outside, and the same command with --resume goes on from its last checkpoint."
        }
    }

    static func write(
        _ log: MetricsLog, plan: TrainingPlan, examples: [Overlay], best: BestWeights?, _ state: State,
        _ moment: Moment, to folder: String
    ) throws {
        try DurableFile.write(
            try page(log, plan: plan, examples: examples, best: best, state, moment), to: Folder.join(folder, name))
    }

    static func page(
        _ log: MetricsLog, plan: TrainingPlan, examples: [Overlay], best: BestWeights?, _ state: State,
        _ moment: Moment
    ) throws -> String {
        let steps = log.lines.filter { $0.kind == "step" }
        let validations = log.lines.filter { $0.kind == "validation" }
        // Steps of the whole run: those of earlier stages come before.
        var (offsets, before) = ([Int: Int](), 0)
        for stage in plan.stages.indices {
            offsets[stage + 1] = before
            before += steps.last { $0.stage == stage + 1 }?.step ?? 0
        }
        func curve(
            _ name: String, _ style: String, _ lines: [MetricsLog.Line], isMarked: Bool = false,
            _ value: (MetricsLog.Line) -> Double?
        ) -> Chart.Curve {
            Chart.Curve(
                name: name, style: style,
                points: lines.compactMap { line in
                    value(line).map { (Double(line.step + (offsets[line.stage] ?? 0)), $0) }
                }, isMarked: isMarked)
        }
        let (segmenting, pretraining) = (
            steps.filter { plan.stage($0).task.isSegmentation }, steps.filter { !plan.stage($0).task.isSegmentation }
        )
        let charts = [
            Chart(title: "Reconstruction loss", curves: [curve("masked patches", "c", pretraining, \.loss)]),
            Chart(
                title: "Loss",
                curves: [
                    curve("loss", "a", segmenting, \.loss), curve("cross-entropy", "b", segmenting, \.crossEntropy),
                ]),
            Chart(
                title: "Dice",
                curves: [
                    curve("training batches", "a", steps, \.dice),
                    curve("validation", "b", validations, isMarked: true, \.dice),
                ]),
            Chart(title: "Learning rate", curves: [curve("rate", "c", steps, \.learningRate)]),
        ]
        let figures = try examples.map { try $0.figure() }
        let pictures: HTML =
            figures.isEmpty
            ? .empty
            : """
            <h2>Validation images</h2>
            <p class="names"><span class="truth">truth</span> <span class="found">found</span></p>
            <div class="figures">\(figures)</div>

            """
        let body: HTML = """
            <h1>Training</h1>
            <p>\(status(steps, plan, state))</p>
            \(words(best, plan, state))<p>Written \(moment.now.formatted(.iso8601)).\(state == .running ? moment.expectation : "")</p>
            \(table(validations, plan))\(charts.map(\.html))\(pictures)
            """
        return Page(
            title: "Training", style: style, body: body, refreshSeconds: state == .running ? 30 : nil
        ).html
    }

    private static func status(_ steps: [MetricsLog.Line], _ plan: TrainingPlan, _ state: State) -> String {
        guard let last = steps.last else { return "Nothing has been learned yet." }
        let stage = plan.stage(last)
        let loss = stage.task.isSegmentation ? "loss" : "masked autoencoding, reconstruction loss"
        return state.rawValue
            + ": stage \(last.stage) of \(plan.stages.count), input \(stage.inputSize), epoch \(last.epoch), step \(last.step);"
            + " \(loss) \(NumberText.fixed(last.loss ?? .nan, 4)), \(NumberText.short(last.imagesPerSecond ?? .nan)) images a second."
    }

    /// Which weights the model has, or would have now; where its validations tell.
    private static func words(_ best: BestWeights?, _ plan: TrainingPlan, _ state: State) -> HTML {
        guard let best else { return .empty }
        let labels = plan.segmentLabels ?? ModelDescription.numberedLabels(plan.configuration.segments)
        let missed = best.found.missed.map { labels[$0] }.joined(separator: ", ")
        let warning = missed.isEmpty ? "" : " They find no pixel of \(missed)."
        return """
            <p>\(state == .ended ? "The model has the weights" : "The best weights of this stage are those") after epoch \(best.epoch), \
            with a validation Dice of \(NumberText.fixed(best.dice, 4)).\(warning)</p>

            """
    }

    private static func table(_ validations: [MetricsLog.Line], _ plan: TrainingPlan) -> HTML {
        guard !validations.isEmpty else { return .empty }
        let labels = plan.segmentLabels ?? (0..<plan.configuration.segments).map { "segment-\($0 + 1)" }
        let head: [HTML] = labels.map { "<th>\($0)</th>" }
        let rows: [HTML] = validations.suffix(20).map { line in
            let cells: [HTML] = (line.segments ?? []).map { "<td>\(NumberText.fixed($0, 4))</td>" }
            return """
                <tr><td>\(line.stage)</td><td>\(line.epoch)</td><td>\(line.images ?? 0)</td>\
                <td>\(NumberText.fixed(line.dice ?? .nan, 4))</td>\(cells)</tr>

                """
        }
        return """
            <h2>Validation Dice</h2>
            <table><tr><th>stage</th><th>epoch</th><th>images</th><th>mean</th>\(head)</tr>
            \(rows)</table>

            """
    }

    static let style = """
        :root { color-scheme: light dark; font: 15px/1.5 system-ui, sans-serif }
        body { max-width: 62rem; margin: 0 auto; padding: 1rem }
        table { border-collapse: collapse } th, td { padding: .15rem .8rem .15rem 0; text-align: right; font-variant-numeric: tabular-nums }
        .figures { display: flex; flex-wrap: wrap; gap: 1rem } figure { margin: 0; max-width: 288px } figcaption { font-size: .85rem; overflow-wrap: anywhere }
        .row { display: grid; grid-template-columns: repeat(4, minmax(0, 1fr)); gap: 1rem; margin-bottom: 1rem }
        img { display: block; max-width: 100%; height: auto }
        .names .truth { border-color: #00dc5a } .names .found { border-color: #ff3cc8 }

        """ + Chart.style
}

extension TrainingPlan {
    /// The stage of a line.
    fileprivate func stage(_ line: MetricsLog.Line) -> Stage { stages[min(max(line.stage, 1), stages.count) - 1] }
}
