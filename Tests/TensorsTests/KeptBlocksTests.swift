import Tensors
import Testing

@Suite("Freed blocks of memory")
struct KeptBlocksTests {
    private static let mebibyte = 1 << 20

    private func block(_ number: Int, _ mebibytes: Int) throws -> MemoryBlock {
        MemoryBlock(
            base: try #require(UnsafeMutableRawPointer(bitPattern: number << 32)), bytes: mebibytes * Self.mebibyte)
    }

    @Test("the next block takes the shortest one that is long enough, and none that is more than twice as long")
    func reuse() throws {
        var blocks = KeptBlocks()
        let sizes = [12, 10, 11, 30]
        for size in sizes { #expect(blocks.take(size * Self.mebibyte) == (nil, [])) }
        for (number, size) in sizes.enumerated() { blocks.keep(try block(number + 1, size)) }
        #expect(try blocks.take(10 * Self.mebibyte).block == block(2, 10))
        #expect(try blocks.take(10 * Self.mebibyte).block == block(3, 11))
        #expect(try blocks.take(10 * Self.mebibyte).block == block(1, 12))
        #expect(blocks.take(10 * Self.mebibyte).block == nil)
        #expect(try blocks.take(15 * Self.mebibyte).block == block(4, 30))
        blocks.keep(try block(4, 30))
        #expect(blocks.take(31 * Self.mebibyte).block == nil)
    }

    @Test("what is used and kept is never more than seven quarters of what was used at once, and the oldest goes first")
    func bound() throws {
        var blocks = KeptBlocks()
        var used = 0
        var kept = 0
        var most = 0
        var gone: [MemoryBlock] = []
        for number in 1...200 {
            // Every size is another and none is asked for again; every third block stays in use.
            let size = 100 + 31 * number
            let (reused, leaving) = blocks.take(size * Self.mebibyte)
            #expect(reused == nil)
            gone += leaving
            kept -= leaving.map(\.bytes).reduce(0, +) / Self.mebibyte
            used += size
            most = max(most, used)
            #expect(used + kept <= most * 7 / 4)
            guard !number.isMultiple(of: 3) else { continue }
            blocks.keep(try block(number, size))
            used -= size
            kept += size
        }
        #expect(gone.count > 50)
        #expect(blocks.takeAll().map(\.bytes).reduce(0, +) == kept * Self.mebibyte)
        #expect(blocks.takeAll().isEmpty)
        #expect(gone.map { UInt(bitPattern: $0.base) } == gone.map { UInt(bitPattern: $0.base) }.sorted())
    }
}
