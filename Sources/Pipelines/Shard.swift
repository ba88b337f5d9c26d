/// One of several parts of a run that other machines share: whole studies, each always in the same part, whatever lies beside it.
package struct Shard: Sendable, Equatable {
    /// From 1.
    package let number: Int
    package let count: Int

    /// `2/8`; nil of anything else.
    package init?(_ text: String) {
        let parts = text.split(separator: "/", omittingEmptySubsequences: false).map { Int($0) }
        guard parts.count == 2, let number = parts[0], let count = parts[1], 1 <= number, number <= count,
            count <= 1_000_000
        else { return nil }
        (self.number, self.count) = (number, count)
    }

    /// As it is written: `2/8`.
    var text: String { "\(number)/\(count)" }

    /// - Parameter study: the name of its folder, hexadecimal digits of a digest.
    func holds(study: String) -> Bool {
        guard let digits = UInt64(study, radix: 16) else { preconditionFailure("Shard: a study's name is hexadecimal") }
        return digits % UInt64(count) == UInt64(number - 1)
    }
}

extension InputIndex {
    /// Leaves what belongs to other parts. Files that belong to no study are the first part's.
    mutating func keep(_ shard: Shard) {
        studies.removeAll { !shard.holds(study: $0.name) }
        if shard.number > 1 { settled = [] }
    }
}
