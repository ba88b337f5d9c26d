import Numbers

/// A table of output values for consecutive integer inputs (PS3.3 C.11.1, C.11.2). Inputs below the first entry take
/// the first, inputs above the last take the last.
package struct LookUpTable: Sendable, Equatable {
    /// The input that the first entry belongs to.
    package let first: Int
    package let entries: [Float]
    /// The greatest output that the table's bit depth allows.
    package let maximum: Float

    /// `entries` must not be empty.
    package init(first: Int, entries: [Float], maximum: Float) {
        precondition(!entries.isEmpty, "LookUpTable: no entries")
        self.first = first
        self.entries = entries
        self.maximum = maximum
    }

    /// The entry of the largest input that is not above `value`.
    package func callAsFunction(_ value: Float) -> Float {
        entries[Int(rounding: (value - Float(first)).rounded(.down), clampedTo: 0...entries.count - 1)]
    }
}
