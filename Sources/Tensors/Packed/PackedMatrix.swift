internal import CKernels

/// The weight of a linear layer in the order and type in which it is multiplied: for inference, where it never changes.
///
/// *Cost*: 4, 2 or 1 byte an element, rows filled up to a multiple of 32.
package struct PackedMatrix: Sendable {
    private final class Memory: @unchecked Sendable {
        // Sendable: written by the initialiser that makes it, read afterwards.
        private let block: MemoryBlock
        var base: UnsafeMutableRawPointer { block.base }
        init(bytes: Int) { block = .allocate(bytes: bytes) }
        deinit { block.deallocate() }
    }

    package let precision: Precision
    /// n: the layer's outputs.
    package let outputs: Int
    /// k: its inputs.
    package let inputs: Int
    private let memory: Memory

    /// - Parameters:
    ///   - weight: `[n, k, …]`, the dimensions after n taken as one.
    ///   - inputScale: `[k]`, positive, for 8 bits: what inputs are multiplied and columns divided by before both are rounded.
    package init(_ weight: Tensor, _ precision: Precision, inputScale: [Float]? = nil) {
        let n = weight.shape[0]
        let k = n == 0 ? 0 : weight.count / n
        precondition(
            inputScale.map { $0.count == k && $0.allSatisfy { $0 > 0 } } ?? true,
            "PackedMatrix: \(inputScale?.count ?? 0) input scales for \(weight.shape)")
        self.precision = precision
        (outputs, inputs) = (n, k)
        memory = Memory(bytes: ck_matrix_bytes(precision.type, n, k))
        withMatrix { matrix in
            if let inputScale {
                inputScale.withUnsafeBufferPointer { ck_matrix_pack(matrix, weight.pointer, $0.baseAddress) }
            } else {
                ck_matrix_pack(matrix, weight.pointer, nil)
            }
        }
        withExtendedLifetime(weight) {}
    }

    func withMatrix<Result>(_ body: (UnsafePointer<ck_matrix>) -> Result) -> Result {
        withExtendedLifetime(memory) {
            withUnsafePointer(to: ck_matrix_at(kernels, precision.type, outputs, inputs, memory.base), body)
        }
    }
}

extension Precision {
    var type: ck_type {
        switch self {
        case .fp32: ck_type_f32
        case .bf16: ck_type_bf16
        case .int8: ck_type_i8
        }
    }
}
