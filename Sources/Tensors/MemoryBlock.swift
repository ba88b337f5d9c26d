internal import CKernels
internal import Synchronization

/// Memory of a tensor or of packed weights, not set to anything, aligned to 64 bytes.
///
/// What is large has pages of its own, which `KeptBlocks` hands from one to the next: a process has what its tensors need, and no holes of a
/// heap between them.
package struct MemoryBlock: @unchecked Sendable, Equatable {
    // Sendable: an address and a size; its one owner says who reads and writes there.
    package let base: UnsafeMutableRawPointer
    package let bytes: Int

    package init(base: UnsafeMutableRawPointer, bytes: Int) {
        self.base = base
        self.bytes = bytes
    }

    private static let kept = Mutex(KeptBlocks())
    private static let exhausted = Mutex<(@Sendable (_ bytes: Int) -> Never)?>(nil)

    /// What happens when the system has no memory left for a block: no operation can go on, and none could throw. The program says how it
    /// ends then; elsewhere it is a broken precondition.
    package static func whenExhausted(_ end: @escaping @Sendable (_ bytes: Int) -> Never) {
        exhausted.withLock { $0 = end }
    }

    /// From here on a block has pages of its own.
    private static let largeBytes = 1 << 20

    static func allocate(bytes wanted: Int) -> MemoryBlock {
        guard wanted >= largeBytes else {
            let bytes = max(wanted, 64)
            return MemoryBlock(base: .allocate(byteCount: bytes, alignment: 64), bytes: bytes)
        }
        let (block, gone) = kept.withLock { $0.take(wanted) }
        unmap(gone)
        if let block { return block }
        if let base = ck_pages_map(wanted) { return MemoryBlock(base: base, bytes: wanted) }
        unmap(kept.withLock { $0.takeAll() })
        guard let base = ck_pages_map(wanted) else {
            if let end = exhausted.withLock({ $0 }) { end(wanted) }
            preconditionFailure("MemoryBlock: no memory for \(wanted) bytes")
        }
        return MemoryBlock(base: base, bytes: wanted)
    }

    private static func unmap(_ blocks: [MemoryBlock]) {
        for block in blocks { ck_pages_unmap(block.base, block.bytes) }
    }

    func deallocate() {
        guard bytes >= Self.largeBytes else { return base.deallocate() }
        Self.kept.withLock { $0.keep(self) }
    }
}
