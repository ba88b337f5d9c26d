internal import CKernels

/// Records operations on the way forward so that their derivatives can be taken on the way back.
///
/// A gradient belongs to a tensor's memory, so a reshaped tensor shares it. Operations record only what leads to a watched
/// tensor. A tape is used once, from one thread.
///
/// With `recomputes` what happens inside of a block is not kept but computed again on the way back (activation checkpointing; T. Chen et
/// al., "Training Deep Nets with Sublinear Memory Cost", 2016): less memory, about a forward pass more time, the same bits.
package final class Tape {
    private var tracked: Set<ObjectIdentifier> = []
    private var gradients: [ObjectIdentifier: Tensor] = [:]
    private var steps: [() -> Void] = []
    /// Watched tensors stay alive as long as the tape: their identity is their address.
    private var watched: [Tensor] = []
    private let recomputes: Bool
    /// Of the part that is recomputed: what leads to a tensor of the whole goes on there.
    private let whole: Tape?
    /// False: only which tensors lead to a watched one is noted.
    private let keepsSteps: Bool

    package init(recomputes: Bool = false) {
        self.recomputes = recomputes
        (whole, keepsSteps) = (nil, true)
    }

    private init(partOf whole: Tape, keepsSteps: Bool) {
        recomputes = false
        self.whole = whole
        self.keepsSteps = keepsSteps
    }

    /// Asks for the gradient of `tensor`.
    package func watch(_ tensor: Tensor) {
        tracked.insert(tensor.identity)
        watched.append(tensor)
    }

    /// True when a gradient of `tensor` is asked for or needed on the way to one.
    package func needs(_ tensor: Tensor?) -> Bool {
        guard let tensor else { return false }
        return tracked.contains(tensor.identity) || whole?.needs(tensor) ?? false
    }

    /// Notes that `output` came from inputs of which at least one is needed; `backward` gets its gradient.
    func record(_ output: Tensor, backward: @escaping (Tensor) -> Void) {
        let identity = output.identity
        tracked.insert(identity)
        guard keepsSteps else { return }
        steps.append { [unowned self] in
            // `output` is captured to keep its identity from being given to another tensor; nobody asks for it after this.
            if let gradient = withExtendedLifetime(output, { gradients.removeValue(forKey: identity) }) {
                backward(gradient)
            }
            tracked.remove(identity)
        }
    }

    /// `body` of this tape: where the tape recomputes, nothing of it is kept but its result, and `backward` runs it again.
    package func block(_ body: @escaping (Tape) -> Tensor) -> Tensor {
        guard recomputes else { return body(self) }
        let scout = Tape(partOf: self, keepsSteps: false)
        let output = body(scout)
        guard scout.needs(output) else { return output }
        record(output) { [unowned self] gradient in
            let part = Tape(partOf: self, keepsSteps: true)
            part.backward(from: body(part), gradient)
        }
        return output
    }

    /// Adds `gradient` to that of `tensor`. The tape may take over the memory: it must be the caller's own.
    func accumulate(_ tensor: Tensor, _ gradient: Tensor) {
        precondition(
            gradient.count == tensor.count, "accumulate: gradient \(gradient.shape) for tensor \(tensor.shape)")
        guard needs(tensor) else { return }
        if let whole, !tracked.contains(tensor.identity) { return whole.accumulate(tensor, gradient) }
        if let sum = gradients[tensor.identity] {
            ck_add_into(kernels, sum.pointer, gradient.pointer, sum.count)
        } else {
            gradients[tensor.identity] = gradient.reshaped(tensor.shape)
        }
    }

    /// The same for memory that somebody else goes on using.
    func accumulateCopy(_ tensor: Tensor, _ gradient: Tensor) {
        guard needs(tensor) else { return }
        accumulate(tensor, holdsGradient(tensor) ? gradient : gradient.copy())
    }

    private func holdsGradient(_ tensor: Tensor) -> Bool {
        if let whole, !tracked.contains(tensor.identity) { return whole.holdsGradient(tensor) }
        return gradients[tensor.identity] != nil
    }

    /// Runs the recorded operations back from the scalar `loss`, whose gradient is 1.
    package func backward(from loss: Tensor) {
        precondition(loss.count == 1, "backward: the loss has shape \(loss.shape), not one element")
        backward(from: loss, Tensor(loss.shape, repeating: 1))
    }

    private func backward(from output: Tensor, _ gradient: Tensor) {
        accumulate(output, gradient)
        while let step = steps.popLast() { step() }
    }

    /// The gradient of a watched tensor, nil when the loss does not depend on it.
    package func gradient(_ tensor: Tensor) -> Tensor? { gradients[tensor.identity] }
}

extension Tensor {
    var identity: ObjectIdentifier { ObjectIdentifier(storage) }

    /// A tensor of its own memory with the same elements.
    package func copy() -> Tensor {
        let result = Tensor(uninitialised: shape)
        result.pointer.update(from: pointer, count: count)
        return result
    }
}
