package import SegmentAnything
package import Tensors

/// Loss of a forward pass (§3.5, eq. 7): α·Dice + (1 − α)·CE, averaged over the levels that have a head.
package enum Losses {
    package struct Value {
        /// Scalars.
        package let dice, crossEntropy, total: Tensor
    }

    /// - Parameter labels: at a quarter of the input size or at full size, as the configuration's `lossAt` says.
    package static func total(_ output: HSPSAM.Output, _ labels: LabelMaps, _ configuration: Configuration, tape: Tape?)
        -> Value
    {
        let side = configuration.inputSize
        let terms = output.logits.keys.sorted().compactMap { output.logits[$0] }.map { logits in
            let logits =
                configuration.lossAt == .full ? resizePlanes(logits, height: side, width: side, tape: tape) : logits
            return segmentationLoss(logits, labels, softmax: configuration.activation == .softmax, tape: tape)
        }
        let dice = mean(terms.map(\.dice), tape: tape)
        let crossEntropy = mean(terms.map(\.crossEntropy), tape: tape)
        let total = weightedSum([(dice, configuration.alpha), (crossEntropy, 1 - configuration.alpha)], tape: tape)
        return Value(dice: dice, crossEntropy: crossEntropy, total: total)
    }
}

extension LabelMaps {
    /// From class indices and validity of the padded square at full size.
    ///
    /// At a quarter, both are taken at rows and columns 2, 6, 10, …
    /// *Shape*: labels and valid `[B, S, S]`; a label is 0 (background) … K. Sigmoid outputs have no background.
    package init(classes: [[UInt8]], valid: [[UInt8]], _ configuration: Configuration) {
        let (outputs, first) = (configuration.outputs, configuration.activation == .softmax ? 0 : 1)
        self.init(valid: valid, configuration) { image, m, pixel in
            classes[image][pixel] == UInt8(m + first) && m < outputs
        }
    }

    /// From a question per output and pixel of the full-size square.
    package init(
        valid: [[UInt8]], _ configuration: Configuration, isTarget: (_ image: Int, _ output: Int, _ pixel: Int) -> Bool
    ) {
        let side = configuration.inputSize
        let lines = configuration.lossAt == .full ? Array(0..<side) : Array(stride(from: 2, to: side, by: 4))
        let (batch, outputs, n) = (valid.count, configuration.outputs, lines.count)
        var targets = [Float](repeating: 0, count: batch * outputs * n * n)
        var counted = [Float](repeating: 0, count: batch * n * n)
        for b in 0..<batch {
            for (i, row) in lines.enumerated() {
                for (j, column) in lines.enumerated() {
                    let pixel = row * side + column
                    counted[(b * n + i) * n + j] = valid[b][pixel] > 0 ? 1 : 0
                    for m in 0..<outputs where isTarget(b, m, pixel) {
                        targets[((b * outputs + m) * n + i) * n + j] = 1
                    }
                }
            }
        }
        self.init(targets: Tensor([batch, outputs, n, n], targets), valid: Tensor([batch, n, n], counted))
    }
}
