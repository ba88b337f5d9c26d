internal import CKernels

/// Records operations on the way forward so that their derivatives can be taken on the way back.
///
/// A gradient belongs to a tensor's memory, so a reshaped tensor shares it. Operations record only what leads to a watched
/// tensor, and keep only the values that their derivatives need: the input of a frozen layer is gone as soon as it was used. A tape is used
/// once, from one thread.
///
/// With `recomputes` what happens inside of a block is not kept but computed again on the way back (activation checkpointing; T. Chen et
/// al., "Training Deep Nets with Sublinear Memory Cost", 2016): less memory, about a forward pass more time, the same bits.
package final class Tape {
    /// A tensor whose gradient is needed, without its values.
    struct Mark {
        let identity: UInt64
        let shape: Shape
    }

    private var tracked: Set<UInt64> = []
    private var gradients: [UInt64: Tensor] = [:]
    private var steps: [() -> Void] = []
    private let options: Options
    /// Of the part that is recomputed: what leads to a tensor of the whole goes on there.
    private let whole: Tape?
    /// False: only which tensors lead to a watched one is noted.
    private let keepsSteps: Bool

    /// How a step is computed.
    package struct Options: Sendable, Equatable {
        /// With activation checkpointing.
        package var recomputes: Bool
        /// What linear layers and convolutions multiply, forward and back: float32, or bfloat16 with float32 sums.
        package var products: Precision

        package init(recomputes: Bool = false, products: Precision = .fp32) {
            precondition(products != .int8, "Tape: derivatives have no products of 8 bits")
            (self.recomputes, self.products) = (recomputes, products)
        }
    }

    package init(_ options: Options = Options()) {
        self.options = options
        (whole, keepsSteps) = (nil, true)
    }

    private init(partOf whole: Tape, keepsSteps: Bool) {
        options = Options(products: whole.options.products)
        self.whole = whole
        self.keepsSteps = keepsSteps
    }

    /// What linear layers and convolutions multiply.
    var products: ck_type { options.products.type }

    /// Asks for the gradient of `tensor`.
    package func watch(_ tensor: Tensor) { tracked.insert(tensor.identity) }

    /// True when a gradient of `tensor` is asked for or needed on the way to one.
    package func needs(_ tensor: Tensor?) -> Bool {
        tensor.map { needs($0.identity) } ?? false
    }

    private func needs(_ identity: UInt64) -> Bool { tracked.contains(identity) || whole?.needs(identity) ?? false }

    /// Where an operation's derivative leaves the gradient of one of its inputs; nil when nobody needs it.
    func mark(_ tensor: Tensor?) -> Mark? {
        tensor.flatMap { needs($0) ? Mark(identity: $0.identity, shape: $0.shape) : nil }
    }

    /// Notes that `output` came from inputs of which at least one is needed; `backward` gets its gradient.
    func record(_ output: Tensor, backward: @escaping (Tensor) -> Void) {
        let identity = output.identity
        tracked.insert(identity)
        guard keepsSteps else { return }
        steps.append { [unowned self] in
            if let gradient = gradients.removeValue(forKey: identity) { backward(gradient) }
        }
    }

    /// `body` of this tape: where the tape recomputes, nothing of it is kept but its result, and `backward` runs it again.
    package func block(_ body: @escaping (Tape) -> Tensor) -> Tensor {
        guard options.recomputes else { return body(self) }
        let scout = Tape(partOf: self, keepsSteps: false)
        let output = body(scout)
        guard scout.needs(output) else { return output }
        record(output) { [unowned self] gradient in
            let part = Tape(partOf: self, keepsSteps: true)
            part.backward(from: body(part), gradient)
        }
        return output
    }

    /// Adds `gradient` to that of a tensor. The tape may take over the memory: it must be the caller's own.
    func accumulate(_ mark: Mark?, _ gradient: Tensor) {
        guard let mark else { return }
        precondition(
            gradient.count == mark.shape.count, "accumulate: gradient \(gradient.shape) for tensor \(mark.shape)")
        if let whole, !tracked.contains(mark.identity) { return whole.accumulate(mark, gradient) }
        if let sum = gradients[mark.identity] {
            ck_add_into(kernels, sum.pointer, gradient.pointer, sum.count)
        } else {
            gradients[mark.identity] = gradient.reshaped(mark.shape)
        }
    }

    /// The same for memory that somebody else goes on using.
    func accumulateCopy(_ mark: Mark?, _ gradient: Tensor) {
        guard let mark else { return }
        accumulate(mark, holdsGradient(mark) ? gradient : gradient.copy())
    }

    private func holdsGradient(_ mark: Mark) -> Bool {
        if let whole, !tracked.contains(mark.identity) { return whole.holdsGradient(mark) }
        return gradients[mark.identity] != nil
    }

    /// Runs the recorded operations back from the scalar `loss`, whose gradient is 1.
    package func backward(from loss: Tensor) {
        precondition(loss.count == 1, "backward: the loss has shape \(loss.shape), not one element")
        backward(from: loss, Tensor(loss.shape, repeating: 1))
    }

    private func backward(from output: Tensor, _ gradient: Tensor) {
        accumulate(mark(output), gradient)
        while let step = steps.popLast() { step() }
    }

    /// The gradient of a watched tensor, nil when the loss does not depend on it.
    package func gradient(_ tensor: Tensor) -> Tensor? { gradients[tensor.identity] }
}

extension Tensor {
    var identity: UInt64 { storage.identity }

    /// A tensor of its own memory with the same elements.
    package func copy() -> Tensor {
        let result = Tensor(uninitialised: shape)
        result.pointer.update(from: pointer, count: count)
        return result
    }
}
