/// What a unique identifier may be; the only owner of that rule.
package enum UID {
    /// As archives accept them: 1 to 64 digits and dots. Components with leading zeros and roots that nobody registered are met in
    /// the field; such a UID names its object as any other and is copied as it stands.
    package static func isAccepted(_ text: some StringProtocol) -> Bool {
        (1...64).contains(text.utf8.count) && text.utf8.contains(where: isDigit)
            && text.utf8.allSatisfy { $0 == 0x2E || isDigit($0) }
    }

    /// As the standard forms them: the first component 0, 1 or 2, at least two, none empty or with a leading zero. Those that we
    /// make or that a person types are so.
    ///
    /// *Source*: PS3.5 2024e, section 9.1.
    package static func isWellFormed(_ text: some StringProtocol) -> Bool {
        guard isAccepted(text) else { return false }
        let components = text.utf8.split(separator: 0x2E, omittingEmptySubsequences: false)
        guard components.count >= 2, let root = components[0].first, components[0].count == 1, root <= 0x32 else {
            return false
        }
        return components.allSatisfy { !$0.isEmpty && ($0.count == 1 || $0.first != 0x30) }
    }

    private static func isDigit(_ byte: UInt8) -> Bool { (0x30...0x39).contains(byte) }
}
