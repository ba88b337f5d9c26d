import Imaging
import Numbers
import Pages

/// The cases of an evaluation with the lowest Dice, with outlines of truth and prediction: `worst.html`.
package struct WorstPage {
    private let limit: Int
    private var cases: [(dice: Double, overlay: Overlay)] = []

    package init(limit: Int = 12) { self.limit = limit }

    /// Takes a case in when it is among the worst so far.
    package mutating func add(_ file: Evaluation.File, _ shown: Evaluation.Shown) {
        if cases.count == limit, let last = cases.last, file.metrics.dice >= last.dice { return }
        let place = cases.firstIndex { $0.dice > file.metrics.dice } ?? cases.count
        cases.insert((file.metrics.dice, Overlay(file, shown)), at: place)
        cases = Array(cases.prefix(limit))
    }

    package func html(of evaluation: Evaluation) throws -> String {
        let figures = try cases.map { try $0.overlay.figure() }
        let body: HTML = """
            <h1>The \(figures.count) worst of \(evaluation.files.count)</h1>
            <p>Mean Dice \(NumberText.fixed(evaluation.mean.dice, 4)).</p>
            <p class="names"><span class="truth">truth</span> <span class="found">found</span></p>
            <div class="figures">\(figures)</div>
            """
        return Page(title: "Worst cases", style: TrainingPage.style, body: body).html
    }
}
