internal import CKernels

/// Records operations on the way forward so that their derivatives can be taken on the way back.
///
/// A gradient belongs to a tensor's memory, so a reshaped tensor shares it. Operations record only what leads to a watched
/// tensor. A tape is used once, from one thread.
package final class Tape {
    private var tracked: Set<ObjectIdentifier> = []
    private var gradients: [ObjectIdentifier: Tensor] = [:]
    private var steps: [() -> Void] = []
    /// Watched tensors stay alive as long as the tape: their identity is their address.
    private var watched: [Tensor] = []

    package init() {}

    /// Asks for the gradient of `tensor`.
    package func watch(_ tensor: Tensor) {
        tracked.insert(tensor.identity)
        watched.append(tensor)
    }

    /// True when a gradient of `tensor` is asked for or needed on the way to one.
    package func needs(_ tensor: Tensor?) -> Bool {
        tensor.map { tracked.contains($0.identity) } ?? false
    }

    /// Notes that `output` came from inputs of which at least one is needed; `backward` gets its gradient.
    func record(_ output: Tensor, backward: @escaping (Tensor) -> Void) {
        let identity = output.identity
        tracked.insert(identity)
        steps.append { [self] in
            // `output` is captured to keep its identity from being given to another tensor.
            if let gradient = withExtendedLifetime(output, { gradients.removeValue(forKey: identity) }) {
                backward(gradient)
            }
        }
    }

    /// Adds `gradient` to that of `tensor`. The tape may take over the memory: it must be the caller's own.
    func accumulate(_ tensor: Tensor, _ gradient: Tensor) {
        precondition(
            gradient.count == tensor.count, "accumulate: gradient \(gradient.shape) for tensor \(tensor.shape)")
        guard needs(tensor) else { return }
        if let sum = gradients[tensor.identity] {
            ck_add_into(kernels, sum.pointer, gradient.pointer, sum.count)
        } else {
            gradients[tensor.identity] = gradient.reshaped(tensor.shape)
        }
    }

    /// The same for memory that somebody else goes on using.
    func accumulateCopy(_ tensor: Tensor, _ gradient: Tensor) {
        guard needs(tensor) else { return }
        accumulate(tensor, gradients[tensor.identity] == nil ? gradient.copy() : gradient)
    }

    /// Runs the recorded operations back from the scalar `loss`, whose gradient is 1.
    package func backward(from loss: Tensor) {
        precondition(loss.count == 1, "backward: the loss has shape \(loss.shape), not one element")
        gradients[loss.identity] = Tensor(loss.shape, repeating: 1)
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
