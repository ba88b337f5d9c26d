package import Imaging
import Numbers

/// Dice over thresholds of the probability.
///
/// *Source*: PraNet's evaluation (`meanDic`): thresholds from 0 to 1 in 256 steps, a pixel is marked at and above each.
package enum ThresholdDice {
    /// - Parameter probabilities: 0…1, one a pixel of `truth`.
    package static func mean(_ probabilities: [Float], _ truth: Mask) -> Double {
        let steps = 256
        var (marked, right) = ([Int](repeating: 0, count: steps), [Int](repeating: 0, count: steps))
        for pixel in probabilities.indices {
            // The last threshold that the pixel reaches: k/255.
            let at = Int(rounding: (probabilities[pixel] * Float(steps - 1)).rounded(.down), clampedTo: 0...steps - 1)
            marked[at] += 1
            if truth[pixel] { right[at] += 1 }
        }
        let wanted = truth.count
        var (sum, allMarked, allRight) = (0.0, 0, 0)
        for at in (0..<steps).reversed() {
            allMarked += marked[at]
            allRight += right[at]
            sum += allMarked + wanted == 0 ? 1 : 2 * Double(allRight) / Double(allMarked + wanted)
        }
        return sum / Double(steps)
    }
}
