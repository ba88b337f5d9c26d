package import Imaging

/// How the pixels of a mask and of the truth fall together; those of many images add up to pooled figures.
package struct PixelCounts: Sendable, Equatable, Codable {
    package private(set) var truePositive = 0
    package private(set) var falsePositive = 0
    package private(set) var falseNegative = 0
    package private(set) var trueNegative = 0

    package init() {}

    package init(prediction: Mask, truth: Mask) {
        let both = zip(prediction.bits, truth.bits).reduce(0) { $0 + ($1.0 & $1.1).nonzeroBitCount }
        truePositive = both
        falsePositive = prediction.count - both
        falseNegative = truth.count - both
        trueNegative = truth.rows * truth.columns - truePositive - falsePositive - falseNegative
    }

    package static func += (sum: inout PixelCounts, other: PixelCounts) {
        sum.truePositive += other.truePositive
        sum.falsePositive += other.falsePositive
        sum.falseNegative += other.falseNegative
        sum.trueNegative += other.trueNegative
    }

    /// 2·TP / (2·TP + FP + FN); 1 when mask and truth are empty.
    package var dice: Double { share(2 * truePositive, 2 * truePositive + falsePositive + falseNegative) }
    /// TP / (TP + FP + FN); 1 when mask and truth are empty.
    package var iou: Double { share(truePositive, truePositive + falsePositive + falseNegative) }
    /// TP / (TP + FN); 1 when there is nothing to find.
    package var sensitivity: Double { share(truePositive, truePositive + falseNegative) }
    /// TN / (TN + FP); 1 when there is no background.
    package var specificity: Double { share(trueNegative, trueNegative + falsePositive) }

    private func share(_ part: Int, _ whole: Int) -> Double { whole == 0 ? 1 : Double(part) / Double(whole) }
}
