/// Which freed blocks wait for the next one of about their size, since page faults cost more than many an operation, and which go.
///
/// Blocks in use and blocks kept are never more together than seven quarters of what was in use at once: then a step of training and a pass
/// find every block among those of the last one.
package struct KeptBlocks: Sendable {
    /// Those that were freed first stand first.
    private var kept: [MemoryBlock] = []
    private var keptBytes = 0
    private var usedBytes = 0
    private var mostUsedBytes = 0

    package init() {}

    /// Counts `bytes` as in use from now on. *Returns* the shortest kept block of at least as many and at most twice as many bytes; where there is
    /// none, a new one is to be mapped and `gone` goes back to the system.
    package mutating func take(_ bytes: Int) -> (block: MemoryBlock?, gone: [MemoryBlock]) {
        var best: Int?
        for (index, block) in kept.enumerated() where (bytes...2 * bytes).contains(block.bytes) {
            if best.map({ block.bytes < kept[$0].bytes }) ?? true { best = index }
        }
        if let best {
            let block = kept.remove(at: best)
            keptBytes -= block.bytes
            use(block.bytes)
            return (block, [])
        }
        use(bytes)
        return (nil, oldest { $0.usedBytes + $0.keptBytes > $0.mostUsedBytes / 4 * 7 })
    }

    /// All kept blocks, which go back to the system.
    package mutating func takeAll() -> [MemoryBlock] { oldest { _ in true } }

    /// Lets go of the oldest as long as `isTooMuch`.
    private mutating func oldest(while isTooMuch: (KeptBlocks) -> Bool) -> [MemoryBlock] {
        var gone = 0
        while gone < kept.count, isTooMuch(self) {
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
