import Tensors

/// The learning rate over the steps of a stage: linear warm-up, then cosine or polynomial decay to zero.
package struct Schedule: Sendable, Equatable {
    package enum Decay: String, Sendable, CaseIterable {
        case cosine
        /// (1 − progress)^0.9, SAMed's.
        case poly
        case constant
    }

    package var peak: Double
    package var warmup: Int
    package var steps: Int
    package var decay: Decay

    package init(peak: Double, warmup: Int, steps: Int, decay: Decay) {
        self.peak = peak
        self.warmup = min(warmup, steps / 2)
        self.steps = steps
        self.decay = decay
    }

    /// The rate of step `index`, from 0.
    package func rate(_ index: Int) -> Double {
        if index < warmup { return peak * Double(index + 1) / Double(warmup) }
        let progress = min(1, Double(index - warmup) / Double(max(1, steps - warmup)))
        switch decay {
        case .cosine: return peak * 0.5 * (1 + cosine(.pi * progress))
        case .poly: return peak * power(1 - progress, 0.9)
        case .constant: return peak
        }
    }
}
