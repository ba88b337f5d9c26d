/// Code strings out of files, and what messages may say of them: logs, the ledger and pages of the service repeat messages, and
/// scanners let people type a text where a code belongs.
package enum CodeString {
    /// Whether `value`, without padding, is 1 to 16 capital letters, digits, blanks and underscores.
    ///
    /// *Source*: PS3.5 2024e, table 6.2-1, CS.
    package static func isOne(_ value: String) -> Bool {
        (1...16).contains(value.utf8.count)
            && value.utf8.allSatisfy {
                (0x41...0x5A).contains($0) || (0x30...0x39).contains($0) || $0 == 0x20 || $0 == 0x5F
            }
    }
}

extension DataSet {
    /// The first value of a CS attribute as a message may say it: words in its place where it is none, as that may be anything that
    /// somebody has typed. Nil when it is absent or empty.
    package func shownCode(_ attribute: Attribute) -> String? {
        string(attribute).map { CodeString.isOne($0) ? $0 : "a value that is no code string" }
    }
}
