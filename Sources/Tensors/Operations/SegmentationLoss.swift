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
    let (batch, outputs, pixels) = (logits.shape[0], logits.shape[1], logits.shape[2] * logits.shape[3])
    precondition(
        labels.targets.shape == logits.shape,
        "segmentationLoss: logits \(logits.shape), targets \(labels.targets.shape)")
    let p = Tensor(uninitialised: logits.shape)
    let epsilon = 1e-5
    var (product, square, mass) = (
        [Double](repeating: 0, count: outputs), [Double](repeating: 0, count: outputs),
        [Double](repeating: 0, count: outputs)
    )
    var (entropy, counted) = (0.0, 0.0)
    for b in 0..<batch {
        for i in 0..<pixels {
            let valid = labels.valid.pointer[b * pixels + i]
            let at = b * outputs * pixels + i
            if softmax {
                var top = -Float.infinity
                for m in 0..<outputs { top = max(top, logits.pointer[at + m * pixels]) }
                var sum: Float = 0
                for m in 0..<outputs {
                    let e = ck_expf(logits.pointer[at + m * pixels] - top)
                    p.pointer[at + m * pixels] = e
                    sum += e
                }
                let log = top + ck_log(sum)
                for m in 0..<outputs {
                    p.pointer[at + m * pixels] /= sum
                    if valid > 0 {
                        entropy += Double(
                            labels.targets.pointer[at + m * pixels] * (log - logits.pointer[at + m * pixels]))
                    }
                }
            } else {
                for m in 0..<outputs {
                    let (x, t) = (logits.pointer[at + m * pixels], labels.targets.pointer[at + m * pixels])
                    let e = ck_expf(-abs(x))
                    p.pointer[at + m * pixels] = x >= 0 ? 1 / (1 + e) : e / (1 + e)
                    if valid > 0 { entropy += Double(max(x, 0) - x * t + ck_log(1 + e)) / Double(outputs) }
                }
            }
            guard valid > 0 else { continue }
            counted += 1
            for m in 0..<outputs {
                let (q, t) = (Double(p.pointer[at + m * pixels]), Double(labels.targets.pointer[at + m * pixels]))
                product[m] += q * t
                square[m] += q * q
                mass[m] += t * t
            }
        }
    }
    counted = max(counted, 1)
    let upper = product.map { 2 * $0 + epsilon }
    let lower = zip(square, mass).map { $0 + $1 + epsilon }
    let dice = Tensor([], [Float(zip(upper, lower).reduce(0) { $0 + 1 - $1.0 / $1.1 } / Double(outputs))])
    let crossEntropy = Tensor([], [Float(entropy / counted)])
    guard let tape, let toLogits = tape.mark(logits) else { return (dice, crossEntropy) }
    // Both scalars have the logits' whole gradient as theirs; each walks the pixels once.
    tape.record(dice) { d in
        let scale = Double(d.pointer[0]) / Double(outputs)
        let dlogits = Tensor(zeros: toLogits.shape)
        var slope = [Float](repeating: 0, count: outputs)
        for b in 0..<batch {
            for i in 0..<pixels where labels.valid.pointer[b * pixels + i] > 0 {
                let at = b * outputs * pixels + i
                var mean: Float = 0
                for m in 0..<outputs {
                    let (q, t) = (p.pointer[at + m * pixels], labels.targets.pointer[at + m * pixels])
                    slope[m] = Float(
                        scale * (-2 * Double(t) / lower[m] + 2 * Double(q) * upper[m] / (lower[m] * lower[m])))
                    mean += slope[m] * q
                }
                for m in 0..<outputs {
                    let q = p.pointer[at + m * pixels]
                    dlogits.pointer[at + m * pixels] = softmax ? q * (slope[m] - mean) : slope[m] * q * (1 - q)
                }
            }
        }
        tape.accumulate(toLogits, dlogits)
    }
    tape.record(crossEntropy) { d in
        let scale = d.pointer[0] / Float(counted) / (softmax ? 1 : Float(outputs))
        let dlogits = Tensor(zeros: toLogits.shape)
        for b in 0..<batch {
            for i in 0..<pixels where labels.valid.pointer[b * pixels + i] > 0 {
                for m in 0..<outputs {
                    let at = (b * outputs + m) * pixels + i
                    dlogits.pointer[at] = scale * (p.pointer[at] - labels.targets.pointer[at])
                }
            }
        }
        tape.accumulate(toLogits, dlogits)
    }
    return (dice, crossEntropy)
}
