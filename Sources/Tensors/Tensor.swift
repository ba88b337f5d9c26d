internal import Synchronization

/// The elements of a tensor, freed with their last owner.
final class TensorStorage: @unchecked Sendable {
    private static let made = Atomic<UInt64>(0)

    // Sendable: written by one owner while it is built (an operation's output), read by many afterwards. The optimiser and
    // the tape, which write in place, run on one thread and share nothing.
    let base: UnsafeMutablePointer<Float>
    let count: Int
    private let block: MemoryBlock
    /// No other tensor has it, also when this one is gone.
    let identity = TensorStorage.made.add(1, ordering: .relaxed).newValue

    init(count: Int) {
        self.count = count
        block = .allocate(bytes: count * MemoryLayout<Float>.stride)
        base = block.base.bindMemory(to: Float.self, capacity: max(count, 1))
    }

    deinit { block.deallocate() }
}

/// A dense float32 array, contiguous and row-major. Copies share memory; an operation writes only tensors that it made.
package struct Tensor: Sendable {
    package let shape: Shape
    let storage: TensorStorage

    init(shape: Shape, storage: TensorStorage) {
        precondition(shape.count == storage.count, "Tensor: shape \(shape) does not fit \(storage.count) elements")
        self.shape = shape
        self.storage = storage
    }

    /// Memory that is not set to anything; the maker fills it.
    init(uninitialised shape: Shape) {
        self.init(shape: shape, storage: TensorStorage(count: shape.count))
    }

    package init(zeros shape: Shape) { self.init(shape, repeating: 0) }

    package init(_ shape: Shape, repeating value: Float) {
        self.init(uninitialised: shape)
        storage.base.initialize(repeating: value, count: shape.count)
    }

    /// From values in row-major order, as many as the shape says.
    package init(_ shape: Shape, _ values: [Float]) {
        precondition(values.count == shape.count, "Tensor: \(values.count) values for shape \(shape)")
        self.init(uninitialised: shape)
        values.withUnsafeBufferPointer { source in
            if let base = source.baseAddress { storage.base.initialize(from: base, count: source.count) }
        }
    }

    /// A copy of the elements in row-major order.
    package var values: [Float] { Array(UnsafeBufferPointer(start: storage.base, count: shape.count)) }

    package var count: Int { shape.count }

    /// The elements, row-major, without a copy; the buffer must not outlive the call.
    package func withElements<Result>(_ body: (UnsafeBufferPointer<Float>) throws -> Result) rethrows -> Result {
        try withExtendedLifetime(storage) { try body(UnsafeBufferPointer(start: storage.base, count: shape.count)) }
    }

    /// The same elements under another shape of equal count; memory is shared.
    package func reshaped(_ shape: Shape) -> Tensor {
        precondition(shape.count == self.shape.count, "reshaped: \(self.shape) cannot become \(shape)")
        return Tensor(shape: shape, storage: storage)
    }

    /// Valid while this tensor lives: a local one whose last use is this needs `withExtendedLifetime`.
    var pointer: UnsafeMutablePointer<Float> { storage.base }
}
