internal import CKernels

/// sin x, x in radians.
package func sine(_ x: Double) -> Double { ck_sin(x) }

/// cos x, x in radians.
package func cosine(_ x: Double) -> Double { ck_cos(x) }

/// base raised to exponent.
package func power(_ base: Double, _ exponent: Double) -> Double { ck_pow(base, exponent) }

/// e raised to each value, in place; the same bits on every machine. Values are taken as −87.3 to 88.3.
package func exponentiate(_ values: inout [Float]) {
    values.withUnsafeMutableBufferPointer { buffer in
        if let base = buffer.baseAddress { ck_exp(kernels, base, buffer.count) }
    }
}

extension Tensor {
    /// Channels first to channels last. *Shape*: `[B, C, H, W]` → `[B, H, W, C]`.
    package func channelsLast() -> Tensor {
        let (batch, channels, area) = (shape[0], shape[1], shape[2] * shape[3])
        let result = Tensor(uninitialised: [batch, shape[2], shape[3], channels])
        for b in 0..<batch {
            ck_transpose(result.pointer + b * channels * area, pointer + b * channels * area, channels, area)
        }
        return result
    }

    /// Channels last to channels first. *Shape*: `[B, H, W, C]` → `[B, C, H, W]`.
    package func channelsFirst() -> Tensor {
        let (batch, channels, area) = (shape[0], shape[3], shape[1] * shape[2])
        let result = Tensor(uninitialised: [batch, channels, shape[1], shape[2]])
        for b in 0..<batch {
            ck_transpose(result.pointer + b * channels * area, pointer + b * channels * area, area, channels)
        }
        return result
    }

    /// False if any element is NaN or infinite.
    package var isFinite: Bool { ck_all_finite(pointer, count) }

    /// Whether it has elements and all of them are 0. *Cost*: as a rule none, as the first is not.
    package var isZero: Bool { count > 0 && withElements { $0.allSatisfy { $0 == 0 } } }
}
