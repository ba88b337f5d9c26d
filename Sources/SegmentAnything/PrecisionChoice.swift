package import Tensors

/// What a person may ask for: one precision, or the fastest that is good enough.
///
/// The raw values are the words of `--precision` and of `pipeline.yaml`.
package enum PrecisionChoice: String, Sendable, CaseIterable {
    case fp32, bf16, int8
    /// 8 bits where the model was quantised and lost little by it, bfloat16 where the CPU multiplies it faster than float32, else
    /// float32.
    case auto

    /// The least mean Dice against the float32 masks with which `auto` takes a precision.
    package static let leastDice = 0.99

    /// The precision that serves `model` on this CPU; never `auto`.
    ///
    /// *Throws* `ModelFailure.notQuantised` when 8 bits are asked for and the model has not been prepared for them.
    package func resolved(for model: ModelDirectory) throws(ModelFailure) -> PrecisionChoice {
        let quantisation = model.description.quantisation
        switch self {
        case .fp32, .bf16: return self
        case .int8:
            guard quantisation != nil else { throw .notQuantised(path: model.path) }
            return .int8
        case .auto:
            if let quantisation, quantisation.meanDice >= Self.leastDice, InstructionSet.prefers(.int8) { return .int8 }
            return InstructionSet.prefers(.bf16) ? .bf16 : .fp32
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
