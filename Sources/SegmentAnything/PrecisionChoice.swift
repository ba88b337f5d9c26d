package import Tensors

/// What a person may ask for: one precision, or the fastest that is good enough.
///
/// The raw values are the words of `--precision` and of `pipeline.yaml`.
package enum PrecisionChoice: String, Sendable, CaseIterable {
    case fp32, bf16, int8
    /// The fastest of this CPU whose cost was measured on this model and is small; float32 where nothing was.
    case auto

    /// The least mean Dice against the float32 masks with which `auto` takes a precision.
    package static let leastDice = 0.99

    /// The precision that serves `model` on this CPU; never `auto`.
    ///
    /// - Parameter isFaster: whether the CPU multiplies a precision faster than float32.
    /// *Throws* `ModelFailure.notQuantised` when 8 bits are asked for and the model has not been prepared for them.
    package func resolved(
        for model: ModelDirectory, isFaster: (Precision) -> Bool = InstructionSet.prefers
    ) throws(ModelFailure) -> PrecisionChoice {
        let quantisation = model.description.quantisation
        switch self {
        case .fp32, .bf16: return self
        case .int8:
            guard quantisation != nil else { throw .notQuantised(path: model.path) }
            return .int8
        case .auto:
            guard let quantisation else { return .fp32 }
            if quantisation.meanDice >= Self.leastDice, isFaster(.int8) { return .int8 }
            let isBrief = quantisation.bfloat16MeanDice.map { $0 >= Self.leastDice } ?? false
            return isBrief && isFaster(.bf16) ? .bf16 : .fp32
        }
    }

    /// Of a choice that is resolved.
    package var arithmetic: Precision {
        switch self {
        case .fp32, .auto: .fp32
        case .bf16: .bf16
        case .int8: .int8
        }
    }
}
