package import SegmentAnything
package import Tensors

/// The Dice of a training batch as validation means it: of masks, not of probabilities; of each segment of each image, 1 where mask and
/// truth are both empty; on the network's own grid of a quarter of the input. A segment's inside and boundary are one, as they are there:
/// their probabilities are added before the largest is looked for.
package enum HardDice {
    /// The mean over images and segments. *Shape*: logits `[B, M, S/4, S/4]`.
    package static func mean(_ logits: Tensor, _ labels: LabelMaps, _ configuration: Configuration) -> Double {
        let (batch, outputs, side) = (logits.shape[0], logits.shape[1], logits.shape[2])
        // Labels at full size are looked at where a quarter's would be taken.
        let (factor, full) = (labels.valid.shape[2] / side, labels.valid.shape[2])
        let first = configuration.activation == .softmax ? 1 : 0
        let segments = configuration.foregroundOutputs
        var sum = 0.0
        let (values, targets, valid) = (logits.values, labels.targets.values, labels.valid.values)
        // In proportion to the probabilities of the background and of each segment, where one of them wins.
        var shares = [Float](repeating: 0, count: first == 1 ? segments + 1 : 0)
        var line = [Float](repeating: 0, count: outputs)
        for image in 0..<batch {
            var (both, found, wanted) = (
                [Int](repeating: 0, count: segments), [Int](repeating: 0, count: segments),
                [Int](repeating: 0, count: segments)
            )
            for pixel in 0..<side * side {
                let at = (pixel / side * factor + factor / 2) * full + pixel % side * factor + factor / 2
                guard valid[image * full * full + at] > 0 else { continue }
                let logit = { (output: Int) in values[(image * outputs + output) * side * side + pixel] }
                var winner = 0
                if !shares.isEmpty {
                    let largest = (0..<outputs).reduce(-Float.infinity) { max($0, logit($1)) }
                    for index in shares.indices { shares[index] = 0 }
                    for output in 0..<outputs { line[output] = logit(output) - largest }
                    exponentiate(&line)
                    for output in 0..<outputs { shares[output == 0 ? 0 : (output - 1) % segments + 1] += line[output] }
                    for index in shares.indices where shares[index] > shares[winner] { winner = index }
                }
                for segment in 0..<segments {
                    let own = stride(from: first + segment, to: outputs, by: segments)
                    let isFound = first == 1 ? winner == segment + 1 : logit(segment) > 0
                    let isWanted = own.contains { targets[(image * outputs + $0) * full * full + at] > 0 }
                    if isFound { found[segment] += 1 }
                    if isWanted { wanted[segment] += 1 }
                    if isFound && isWanted { both[segment] += 1 }
                }
            }
            for segment in 0..<segments {
                let all = found[segment] + wanted[segment]
                sum += all == 0 ? 1 : 2 * Double(both[segment]) / Double(all)
            }
        }
        return sum / Double(max(1, batch * segments))
    }
}
