/// The part of a source that a parser looks at: a few reads of some ten thousand bytes, each where the parser is, so that pixel
/// data is skipped without being read.
struct ByteWindow {
    let source: ByteSource
    /// Of the source.
    let count: Int
    private let size: Int
    private var start = 0
    private var bytes: [UInt8]

    /// - Parameters:
    ///   - head: the first bytes of the source, read already.
    ///   - size: how many are read at once.
    init(_ source: ByteSource, head: [UInt8] = [], size: Int) {
        self.source = source
        self.size = size
        count = source.count
        if case .memory(let all) = source { bytes = all } else { bytes = head }
    }

    /// A byte that was loaded.
    subscript(at: Int) -> UInt8 { bytes[at - start] }

    /// Makes sure that the `wanted` bytes from `at` on are here, or those of them that the source has.
    ///
    /// - Parameter ahead: how many more may be read at once, where what follows is likely to be skipped.
    mutating func load(_ at: Int, _ wanted: Int, ahead: Int = .max) throws(DICOMFailure) {
        let end = min(count, at + wanted)
        if at >= start, end <= start + bytes.count { return }
        bytes = try source.bytes(at..<min(count, at + max(wanted, min(size, ahead))))
        start = at
    }

    /// A copy of bytes that lie inside the source.
    mutating func copy(_ range: Range<Int>) throws(DICOMFailure) -> [UInt8] {
        if range.lowerBound < start || range.upperBound > start + bytes.count, range.count > size {
            return try source.bytes(range)
        }
        try load(range.lowerBound, range.count)
        return Array(bytes[range.lowerBound - start..<range.upperBound - start])
    }
}
