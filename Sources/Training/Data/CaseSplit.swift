import Storage

/// Which split a case belongs to when no list says it: decided by the content of its picture's file, or by its patient, and the seed alone.
/// Files may be renamed and cases added: none ever moves from one split to another.
package struct CaseSplit: Sendable, Equatable {
    /// Of the share that is not for the test.
    package var folds: Int
    /// The one that validates, from 0.
    package var fold: Int
    /// The test's share.
    package var test: Double
    package var seed: Int

    package enum Part: Equatable, Sendable {
        case test
        case fold(Int)
    }

    /// - Parameter key: the patient, or the digest of the picture's file.
    package func part(of key: String) -> Part {
        var fields = CanonicalEncoding("hspsam split 1")
        fields.add("seed", seed)
        fields.add("case", key)
        // 48 bits as a number from 0 to 1.
        let number = fields.digest.bytes.prefix(6).reduce(0.0) { $0 * 256 + Double($1) } / 0x1p48
        if number < test { return .test }
        let share = (number - test) / (1 - test)
        return .fold(Swift.min(folds - 1, (0..<folds).last { Double($0) <= share * Double(folds) } ?? 0))
    }

    package func part(of pair: Dataset.Pair) throws -> Part {
        part(of: try pair.patient ?? pair.image.fileDigest().hex)
    }
}
