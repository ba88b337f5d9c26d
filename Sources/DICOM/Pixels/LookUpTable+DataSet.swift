package import Imaging

/// What the descriptor of a look-up table or palette says (PS3.3 C.11.1.1, C.11.2.1.1, C.7.6.3.1.5).
///
/// Values 1 and 3 are unsigned whatever VR stands in the file; value 2 has the sign of the input.
struct LUTDescriptor {
    let count: Int
    /// The input that the first entry belongs to.
    let first: Int
    let bits: Int

    /// Nil where it is missing or no descriptor.
    init?(_ dataSet: DataSet, _ attribute: Attribute, signedInput: Bool) {
        let unsigned = dataSet.ints16(attribute, signed: false)
        let values = dataSet.ints16(attribute, signed: signedInput)
        guard unsigned.count == 3, values.count == 3 else { return nil }
        count = unsigned[0] == 0 ? 65536 : unsigned[0]
        first = values[1]
        bits = unsigned[2]
    }

    /// Words, or bytes as entries of 8 bits may be packed two to a word, whatever the descriptor says of their bits: the length tells
    /// them apart.
    ///
    /// Nil for any other length: of a table that is cut off, or longer than it says, nobody knows which entry belongs to which input.
    func entries(_ data: [UInt8]) -> [UInt16]? {
        if data.count == count * 2 {
            return (0..<count).map { UInt16(data[$0 * 2]) | UInt16(data[$0 * 2 + 1]) << 8 }
        }
        guard data.count == count || data.count == count + 1 && count % 2 == 1 else { return nil }
        return data.prefix(count).map(UInt16.init)
    }
}

extension LookUpTable {
    /// From an item of Modality LUT or VOI LUT Sequence; nil when descriptor or data are missing or do not fit.
    package init?(_ item: DataSet, signedInput: Bool) {
        guard let descriptor = LUTDescriptor(item, .lutDescriptor, signedInput: signedInput),
            let data = item.bytes(.lutData), let entries = descriptor.entries(data)
        else { return nil }
        // Descriptors often name fewer bits than the entries use.
        let needed = UInt16.bitWidth - (entries.max() ?? 0).leadingZeroBitCount
        let bits = min(16, max(descriptor.bits, needed, 1))
        self.init(first: descriptor.first, entries: entries.map(Float.init), maximum: Float(1 << bits - 1))
    }
}
