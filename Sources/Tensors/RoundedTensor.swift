internal import CKernels

/// A tensor's elements as bfloat16, in half the memory.
struct RoundedTensor {
    private let shape: Shape
    /// Two elements a word.
    private let words: TensorStorage

    init(_ x: Tensor) {
        shape = x.shape
        words = TensorStorage(count: (x.count + 1) / 2)
        ck_encode_bf16(kernels, words.base, x.pointer, x.count)
    }

    /// The rounded elements. *Cost*: one pass and memory for all of them.
    var tensor: Tensor {
        let x = Tensor(uninitialised: shape)
        // That some may not be finite is for the loss to tell.
        _ = ck_decode(kernels, x.pointer, words.base, ck_stored_bf16, x.count)
        return x
    }
}
