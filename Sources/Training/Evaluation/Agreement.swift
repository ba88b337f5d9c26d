import Foundation
import Imaging

/// How far the masks of a faster arithmetic are those of float32, and what the difference costs against the truth.
package struct Agreement: Sendable {
    /// One file beside the same network in float32.
    package struct File: Sendable, Codable {
        /// Dice of the masks against those of float32, the mean over segments; two empty masks agree.
        package let dice: Double
        /// Dice against the truth minus that of float32.
        package let change: Double

        init(_ masks: [Mask], beside exact: [Mask], truth: [Mask]) {
            dice = Agreement.dice(masks, exact)
            change = Agreement.dice(masks, truth) - Agreement.dice(exact, truth)
        }
    }

    package let files: [(name: String, figures: File)]
    /// The mean Dice of the masks against those of float32.
    package let mean: Double
    package let worst: (name: String, dice: Double)
    /// The mean change of Dice against the truth, and the largest loss of one file.
    package let meanChange: Double
    package let largestLoss: (name: String, change: Double)

    /// Nil where files were not compared with float32, or there is none.
    package init?(_ evaluation: Evaluation) {
        files = evaluation.files.compactMap { file in file.agreement.map { (file.name, $0) } }
        guard files.count == evaluation.files.count,
            let worst = files.min(by: { $0.figures.dice < $1.figures.dice }),
            let loss = files.min(by: { $0.figures.change < $1.figures.change })
        else { return nil }
        let dices = files.map(\.figures.dice)
        mean = dices.reduce(0, +) / Double(dices.count)
        self.worst = (worst.name, worst.figures.dice)
        meanChange = files.reduce(0) { $0 + $1.figures.change } / Double(files.count)
        largestLoss = (loss.name, loss.figures.change)
    }

    /// The mean Dice of segments; two empty masks agree.
    static func dice(_ a: [Mask], _ b: [Mask]) -> Double {
        zip(a, b).reduce(0) { $0 + PixelCounts(prediction: $1.0, truth: $1.1).dice } / Double(max(1, a.count))
    }

    /// Two lines for a person.
    package var words: String {
        let interval = Bootstrap.interval(ofMean: files.map(\.figures.dice))
        let range = interval.map { String(format: " [%.5f, %.5f]", $0.lowerBound, $0.upperBound) } ?? ""
        return String(
            format: """
                against the masks of float32: Dice %.5f%@ in the mean of %d images, %.5f at least (%@)
                against the truth: Dice %+.5f in the mean, %+.5f at worst (%@)
                """,
            mean, range, files.count, worst.dice, worst.name, meanChange, largestLoss.change, largestLoss.name)
    }
}
