package import Imaging

extension LookUpTable {
    /// From an item of Modality LUT or VOI LUT Sequence; nil when descriptor or data are missing or do not fit.
    ///
    /// Values 1 and 3 of the descriptor are unsigned whatever VR stands in the file; value 2 has the sign of the input.
    /// Entries of 8 bits may be packed two to a word.
    /// *Source*: PS3.3 C.11.1.1, C.11.2.1.1.
    package init?(_ item: DataSet, signedInput: Bool) {
        let descriptor = item.ints16(.lutDescriptor, signed: false)
        guard descriptor.count == 3, let data = item.bytes(.lutData), !data.isEmpty else { return nil }
        let count = descriptor[0] == 0 ? 65536 : descriptor[0]
        let first = item.ints16(.lutDescriptor, signed: signedInput)[1]
        let entries: [Int]
        if data.count >= count * 2 {
            entries = (0..<count).map { Int(data[$0 * 2]) | Int(data[$0 * 2 + 1]) << 8 }
        } else if data.count >= count {
            entries = data.prefix(count).map(Int.init)
        } else {
            return nil
        }
        // Descriptors often name fewer bits than the entries use.
        let needed = Int.bitWidth - (entries.max() ?? 0).leadingZeroBitCount
        let bits = min(16, max(descriptor[2], needed, 1))
        self.init(first: first, entries: entries.map(Float.init), maximum: Float(1 << bits - 1))
    }
}
