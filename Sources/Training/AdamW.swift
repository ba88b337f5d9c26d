package import SegmentAnything
package import Tensors

/// AdamW with decoupled weight decay, in place on a model's trained parameters.
///
/// What trains and what decays is declared by the layers. *Source*: Loshchilov and Hutter, arXiv 1711.05101.
package final class AdamW {
    package struct Options: Sendable, Equatable {
        package var beta1: Float = 0.9
        package var beta2: Float = 0.999
        package var epsilon: Float = 1e-8
        package var decay: Float = 0.1
        /// Gradients are scaled down to this norm over all parameters; 0: never.
        package var clipNorm: Double = 0

        package init() {}
    }

    private struct Slot {
        let parameter: Parameter
        let weight, first, second: Tensor
    }

    package let options: Options
    /// Steps taken.
    package private(set) var steps: Int
    private let slots: [Slot]

    /// - Parameters:
    ///   - trained: what it changes of the parameters.
    ///   - state: moments of an earlier run, as `state` gives them.
    package init(
        _ parameters: Parameters, _ trained: [Parameter], options: Options, steps: Int = 0,
        state: [String: Tensor] = [:]
    ) {
        self.options = options
        self.steps = steps
        slots = trained.map { parameter in
            let weight = parameters[parameter.name]
            return Slot(
                parameter: parameter, weight: weight,
                first: state["first.\(parameter.name)"]?.copy() ?? Tensor(zeros: weight.shape),
                second: state["second.\(parameter.name)"]?.copy() ?? Tensor(zeros: weight.shape))
        }
    }

    /// Of all that trains in a model.
    package convenience init(_ parameters: Parameters, _ configuration: Configuration, options: Options) {
        self.init(parameters, ParameterShapes.of(configuration).filter(\.trains), options: options)
    }

    /// Asks the tape for all gradients that `step` needs.
    package func watch(_ tape: Tape) {
        for slot in slots { tape.watch(slot.weight) }
    }

    /// Of what is trained, in the order of `gradients`.
    var shapes: [Shape] { slots.map(\.weight.shape) }

    /// The gradients of a batch that is `share` of a step's images.
    package func gradients(_ tape: Tape, share: Float = 1) -> [Tensor?] {
        slots.map { slot in
            let gradient = tape.gradient(slot.weight)
            if share != 1 { gradient?.scale(by: share) }
            return gradient
        }
    }

    @discardableResult
    package func step(_ tape: Tape, learningRate: Double) -> Double {
        step(gradients(tape), learningRate: learningRate)
    }

    /// One step; a parameter without a gradient is left alone. Gives the norm of all gradients before clipping.
    @discardableResult
    package func step(_ gradients: [Tensor?], learningRate: Double) -> Double {
        steps += 1
        let norm = gradients.reduce(0) { $0 + ($1?.sumOfSquares ?? 0) }.squareRoot()
        let scale = options.clipNorm > 0 && norm > options.clipNorm ? Float(options.clipNorm / norm) : 1
        let (correction1, correction2) = (
            1 - power(Double(options.beta1), Double(steps)), 1 - power(Double(options.beta2), Double(steps))
        )
        for (slot, gradient) in zip(slots, gradients) {
            guard let gradient else { continue }
            if scale != 1 { gradient.scale(by: scale) }
            adamWStep(
                slot.weight, first: slot.first, second: slot.second, gradient: gradient,
                learningRate: Float(learningRate),
                beta1: options.beta1, beta2: options.beta2, epsilon: options.epsilon,
                decay: slot.parameter.decays ? options.decay : 0, correction1: Float(correction1),
                correction2: Float(correction2))
        }
        return norm
    }

    /// Both moments of every parameter, by name.
    package var state: [String: Tensor] {
        var state: [String: Tensor] = [:]
        for slot in slots {
            state["first.\(slot.parameter.name)"] = slot.first
            state["second.\(slot.parameter.name)"] = slot.second
        }
        return state
    }
}
