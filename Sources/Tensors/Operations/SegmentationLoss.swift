internal import CKernels

/// Labels of a batch at the resolution of the logits.
package struct LabelMaps: Sendable {
    /// Target value of every output, `[B, M, h, w]`, 0 or 1.
    package let targets: Tensor
    /// 1 where a pixel counts, `[B, h, w]`.
    package let valid: Tensor

    package init(targets: Tensor, valid: Tensor) {
        precondition(
            targets.count == valid.count * targets.shape[1], "LabelMaps: targets \(targets.shape), valid \(valid.shape)"
        )
        self.targets = targets
        self.valid = valid
    }
}

/// Dice and cross-entropy of eq. 7, each a scalar.
///
/// Dice over the batch for each of the M outputs with p = softmax or sigmoid of the logits, averaged over outputs; cross-entropy
/// is the mean over counted pixels (sigmoid: binary, averaged over outputs).
/// *Shape*: logits `[B, M, h, w]`. *Source*: arXiv 2506.02854, §3.5.
package func segmentationLoss(_ logits: Tensor, _ labels: LabelMaps, softmax: Bool, tape: Tape?) -> (
    dice: Tensor, crossEntropy: Tensor
) {
    precondition(
        labels.targets.shape == logits.shape,
        "segmentationLoss: logits \(logits.shape), targets \(labels.targets.shape)")
    let loss = SegmentationLoss(logits, labels, isSoftmax: softmax)
    let dice = Tensor([], [Float(loss.dice)])
    let crossEntropy = Tensor([], [Float(loss.crossEntropy)])
    guard let tape, let toLogits = tape.mark(logits) else { return (dice, crossEntropy) }
    // Both scalars have the logits' whole gradient as theirs; each walks the pixels once.
    tape.record(dice) { tape.accumulate(toLogits, loss.diceDerivative(scale: Double($0.pointer[0]))) }
    tape.record(crossEntropy) { tape.accumulate(toLogits, loss.crossEntropyDerivative(scale: $0.pointer[0])) }
    return (dice, crossEntropy)
}

/// The probabilities p of a batch against its targets t, and the sums over counted pixels that both losses and their derivatives need.
private struct SegmentationLoss {
    private let labels: LabelMaps
    private let isSoftmax: Bool
    /// p, `[B, M, h, w]`.
    private let probabilities: Tensor
    private let batch, outputs, pixels: Int
    /// 2·Σ p·t + ε and Σ p² + Σ t² + ε of each output, whose quotient is its Dice.
    private var upper, lower: [Double]
    private var entropy = 0.0
    private var counted = 0.0

    init(_ logits: Tensor, _ labels: LabelMaps, isSoftmax: Bool) {
        (self.labels, self.isSoftmax) = (labels, isSoftmax)
        (batch, outputs, pixels) = (logits.shape[0], logits.shape[1], logits.shape[2] * logits.shape[3])
        probabilities = Tensor(uninitialised: logits.shape)
        let none = [Double](repeating: 0, count: outputs)
        (upper, lower) = (none, none)
        var (product, square, mass) = (none, none, none)
        for b in 0..<batch {
            for i in 0..<pixels {
                let at = b * outputs * pixels + i
                let isCounted = labels.valid.pointer[b * pixels + i] > 0
                let (x, t) = (logits.pointer + at, labels.targets.pointer + at)
                let p = probabilities.pointer + at
                if isSoftmax { softmax(p, x, t, isCounted) } else { sigmoid(p, x, t, isCounted) }
                guard isCounted else { continue }
                counted += 1
                for m in 0..<outputs {
                    let (q, t) = (Double(p[m * pixels]), Double(t[m * pixels]))
                    product[m] += q * t
                    square[m] += q * q
                    mass[m] += t * t
                }
            }
        }
        counted = max(counted, 1)
        let epsilon = 1e-5
        upper = product.map { 2 * $0 + epsilon }
        lower = zip(square, mass).map { $0 + $1 + epsilon }
    }

    /// The M probabilities of a pixel, whose values lie `pixels` apart, and its entropy where it counts.
    private mutating func softmax(
        _ p: UnsafeMutablePointer<Float>, _ x: UnsafePointer<Float>, _ t: UnsafePointer<Float>, _ isCounted: Bool
    ) {
        var top = -Float.infinity
        for m in 0..<outputs { top = max(top, x[m * pixels]) }
        var sum: Float = 0
        for m in 0..<outputs {
            let e = ck_expf(x[m * pixels] - top)
            p[m * pixels] = e
            sum += e
        }
        for m in 0..<outputs { p[m * pixels] /= sum }
        guard isCounted else { return }
        let log = top + ck_log(sum)
        for m in 0..<outputs { entropy += Double(t[m * pixels] * (log - x[m * pixels])) }
    }

    /// The same of outputs that are each decided alone.
    private mutating func sigmoid(
        _ p: UnsafeMutablePointer<Float>, _ x: UnsafePointer<Float>, _ t: UnsafePointer<Float>, _ isCounted: Bool
    ) {
        for m in 0..<outputs {
            let (x, t) = (x[m * pixels], t[m * pixels])
            let e = ck_expf(-abs(x))
            p[m * pixels] = x >= 0 ? 1 / (1 + e) : e / (1 + e)
            if isCounted { entropy += Double(max(x, 0) - x * t + ck_log(1 + e)) / Double(outputs) }
        }
    }

    /// 1 − Dice, the mean over outputs.
    var dice: Double { zip(upper, lower).reduce(0) { $0 + 1 - $1.0 / $1.1 } / Double(outputs) }

    var crossEntropy: Double { entropy / counted }

    /// By the logits, times `scale`. *Shape*: `[B, M, h, w]`.
    func diceDerivative(scale: Double) -> Tensor {
        let scale = scale / Double(outputs)
        let derivative = Tensor(zeros: probabilities.shape)
        var slope = [Float](repeating: 0, count: outputs)
        forEachCounted { first in
            var mean: Float = 0
            for m in 0..<outputs {
                let at = first + m * pixels
                let (q, t) = (probabilities.pointer[at], labels.targets.pointer[at])
                slope[m] = Float(
                    scale * (-2 * Double(t) / lower[m] + 2 * Double(q) * upper[m] / (lower[m] * lower[m])))
                mean += slope[m] * q
            }
            for m in 0..<outputs {
                let q = probabilities.pointer[first + m * pixels]
                derivative.pointer[first + m * pixels] = isSoftmax ? q * (slope[m] - mean) : slope[m] * q * (1 - q)
            }
        }
        return derivative
    }

    /// By the logits, times `scale`. *Shape*: `[B, M, h, w]`.
    func crossEntropyDerivative(scale: Float) -> Tensor {
        let scale = scale / Float(counted) / (isSoftmax ? 1 : Float(outputs))
        let derivative = Tensor(zeros: probabilities.shape)
        forEachCounted { first in
            for m in 0..<outputs {
                let at = first + m * pixels
                derivative.pointer[at] = scale * (probabilities.pointer[at] - labels.targets.pointer[at])
            }
        }
        return derivative
    }

    /// Tells of each counted pixel where the value of its first output stands; those of the others lie `pixels` apart behind it.
    private func forEachCounted(_ body: (_ first: Int) -> Void) {
        for b in 0..<batch {
            for i in 0..<pixels where labels.valid.pointer[b * pixels + i] > 0 { body(b * outputs * pixels + i) }
        }
    }
}
