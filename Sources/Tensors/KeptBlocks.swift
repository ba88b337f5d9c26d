/// Which freed blocks wait for the next one of about their size, since page faults cost more than many an operation, and which go.
///
/// Blocks in use and blocks kept are never more together than five quarters of what was in use at once: then a step of training and a pass
/// of a ViT-B find every block among those of the last one.
package struct KeptBlocks: Sendable {
    /// Those that were freed first stand first.
    private var kept: [MemoryBlock] = []
    private var keptBytes = 0
    private var usedBytes = 0
    private var mostUsedBytes = 0

    package init() {}

    /// The shortest kept block of at least `bytes` and at most twice as many, which is in use from now on; nil where there is none.
    package mutating func reuse(_ bytes: Int) -> MemoryBlock? {
        let fitting = kept.indices.filter { (bytes...2 * bytes).contains(kept[$0].bytes) }
        guard let best = fitting.min(by: { kept[$0].bytes < kept[$1].bytes }) else { return nil }
        let block = kept.remove(at: best)
        keptBytes -= block.bytes
        use(block.bytes)
        return block
    }

    /// Counts a new block of `bytes` as in use. *Returns* those that go back to the system for it.
    package mutating func makeRoom(for bytes: Int) -> [MemoryBlock] {
        use(bytes)
        var gone = 0
        while gone < kept.count, usedBytes + keptBytes > mostUsedBytes / 4 * 5 {
            keptBytes -= kept[gone].bytes
            gone += 1
        }
        defer { kept.removeFirst(gone) }
        return Array(kept.prefix(gone))
    }

    /// Keeps a block that was in use.
    package mutating func keep(_ block: MemoryBlock) {
        usedBytes -= block.bytes
        keptBytes += block.bytes
        kept.append(block)
    }

    private mutating func use(_ bytes: Int) {
        usedBytes += bytes
        mostUsedBytes = max(mostUsedBytes, usedBytes)
    }
}
