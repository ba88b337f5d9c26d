/// One frame's stored values, as the file has them: before modality transform, palette and colour conversion.
///
/// *Shape*: `[rows, columns, samples]`, row-major, by pixel. Bits above Bits Stored are gone, the sign is extended.
package struct StoredFrame: Sendable {
    package enum Values: Sendable {
        /// Unsigned 32-bit values stand as their bit patterns.
        case integers([Int32])
        case floats([Float])
        case doubles([Double])
    }

    /// What three samples mean. A codec may have turned what the tag says into something else.
    package enum Colour: Sendable { case rgb, ybrFull, ybrPartial }

    package let rows: Int
    package let columns: Int
    package let samples: Int
    package let isSigned: Bool
    package let bitsAllocated: Int
    /// Significant bits of a value: Bits Stored, or the precision of a colour's stream where that is another.
    package let bits: Int
    package let values: Values
    /// Nil for one sample.
    package let colour: Colour?
    /// What the stream and the tags disagree about, and what was made of it.
    package let notes: [String]
    /// What was decided by a rule of the standard, and a person has to look at: the values may not be those that were meant.
    package let doubts: [String]

    /// Whether a whole number of them is `value` or more.
    func reaches(_ value: Int) -> Bool {
        guard case .integers(let values) = values else { return false }
        return values.contains { (isSigned ? Int($0) : Int(UInt32(bitPattern: $0))) >= value }
    }

    /// The values as little-endian bytes, in the smallest of 8, 16, 32 and 64 bits that holds Bits Allocated: the form
    /// in which decoders are compared.
    package var canonicalBytes: [UInt8] {
        var bytes: [UInt8] = []
        switch values {
        case .integers(let values):
            let size = bitsAllocated <= 8 ? 1 : bitsAllocated <= 16 ? 2 : 4
            bytes.reserveCapacity(values.count * size)
            for value in values {
                var bits = UInt32(bitPattern: value)
                for _ in 0..<size {
                    bytes.append(UInt8(truncatingIfNeeded: bits))
                    bits >>= 8
                }
            }
        case .floats(let values):
            for value in values { withUnsafeBytes(of: value.bitPattern.littleEndian) { bytes.append(contentsOf: $0) } }
        case .doubles(let values):
            for value in values { withUnsafeBytes(of: value.bitPattern.littleEndian) { bytes.append(contentsOf: $0) } }
        }
        return bytes
    }
}
