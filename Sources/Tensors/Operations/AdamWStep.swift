internal import CKernels

/// One AdamW step on `weight` and its moments, in place.
///
/// w ← w·(1 − rate·decay) − rate/c₁ · m / (√v/√c₂ + ε), m and v the updated moments, c₁ = 1 − β₁ᵗ, c₂ = 1 − β₂ᵗ.
/// *Source*: I. Loshchilov and F. Hutter, "Decoupled Weight Decay Regularization", arXiv 1711.05101.
package func adamWStep(
    _ weight: Tensor, first: Tensor, second: Tensor, gradient: Tensor, learningRate: Float, beta1: Float, beta2: Float,
    epsilon: Float, decay: Float, correction1: Float, correction2: Float
) {
    precondition(weight.count == gradient.count, "adamWStep: weight \(weight.shape), gradient \(gradient.shape)")
    ck_adamw(
        kernels, weight.pointer, first.pointer, second.pointer, gradient.pointer, weight.count, learningRate, beta1,
        beta2, epsilon, decay, correction1, correction2)
}

extension Tensor {
    /// Σ x², in double.
    package var sumOfSquares: Double { ck_sum_squares(pointer, count) }

    /// x ← factor · x, in place: for gradients, which nobody else holds.
    package func scale(by factor: Float) { ck_scale(kernels, pointer, factor, pointer, count) }

    /// x ← x + other, in place: for gradients of several batches, which nobody else holds.
    package func add(_ other: Tensor) {
        precondition(count == other.count, "add: \(shape) and \(other.shape)")
        withExtendedLifetime(other) { ck_add_into(kernels, pointer, other.pointer, count) }
    }

    /// x ← x + share · (target − x), in place: for a running mean, which nobody else holds.
    package func approach(_ target: Tensor, share: Float) {
        precondition(count == target.count, "approach: \(shape) and \(target.shape)")
        withExtendedLifetime(target) {
            let (mean, value) = (pointer, target.pointer)
            for i in 0..<count { mean[i] += share * (value[i] - mean[i]) }
        }
    }
}
