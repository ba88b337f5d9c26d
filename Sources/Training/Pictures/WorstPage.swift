import Imaging
import Numbers
import Pages
package import Processes

/// The cases of an evaluation with the lowest Dice, with outlines of truth and prediction: `worst.html`. Beside float32 they
/// are those whose masks agree least with its, which stand in the place of the truth.
package struct WorstPage {
    private struct Case: Codable {
        let dice: Double
        let overlay: Overlay
    }

    private let limit: Int
    /// The worst first.
    private var cases: [Case] = []

    package init(limit: Int = 12) { self.limit = limit }

    /// Takes a case in when it is among the worst so far.
    ///
    /// - Parameter set: what its name begins with, where there are several sets.
    package mutating func add(_ file: Evaluation.File, _ shown: Evaluation.Shown, set: String = "") {
        var file = file
        file.name = set + file.name
        let dice = file.agreement?.dice ?? file.metrics.dice
        if cases.count == limit, let last = cases.last, dice >= last.dice { return }
        let place = cases.firstIndex { $0.dice > dice } ?? cases.count
        cases.insert(Case(dice: dice, overlay: Overlay(file, shown)), at: place)
        cases = Array(cases.prefix(limit))
    }

    /// The worst of what all processes have seen, at each of them.
    package mutating func join(_ ranks: Ranks) throws {
        cases = Array(try ranks.joined(cases).sorted { $0.dice < $1.dice }.prefix(limit))
    }

    /// The worst of both.
    package mutating func merge(_ other: WorstPage) {
        cases = Array((cases + other.cases).sorted { $0.dice < $1.dice }.prefix(limit))
    }

    /// - Parameter evaluations: of one model, one a set.
    package func html(of evaluations: [Evaluation]) throws -> String {
        let labels = evaluations.first?.segments.map(\.label) ?? []
        guard let evaluation = Evaluation(evaluations.flatMap(\.files), labels: labels) else {
            throw TrainingFailure.noPairs(path: "the data set", reason: "it is empty")
        }
        let figures = try cases.map { try $0.overlay.figure() }
        let agreement = Agreement(evaluation)
        let mean = agreement?.mean ?? evaluation.mean.dice
        let body: HTML = """
            <h1>The \(figures.count) worst of \(evaluation.files.count)</h1>
            <p>Mean Dice \(NumberText.fixed(mean, 4)).</p>
            <p class="names"><span class="truth">\(agreement == nil ? "truth" : "float32")</span> <span class="found">found</span></p>
            <div class="figures">\(figures)</div>
            """
        return Page(title: "Worst cases", style: TrainingPage.style, body: body).html
    }
}
