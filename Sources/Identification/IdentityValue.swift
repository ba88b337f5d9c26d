/// One value of a patient or study attribute, as far as it means something: without padding, empty components and spelling that DICOM
/// leaves open. `Doe^J` and `DOE^J^^^ ` are one name, `1970.01.01` and `19700101` one date.
package struct IdentityValue: Sendable {
    /// What a value is, which says how else it may be written.
    package enum Kind: Sendable {
        case name, date, time, code, text
    }

    /// Component groups of a name (alphabetic, ideographic, phonetic), otherwise the one value; an empty part is unknown.
    package private(set) var parts: [String]

    /// Nil when nothing is said.
    package init?(_ text: String, _ kind: Kind) {
        let text = Self.trimmed(text[...])
        switch kind {
        case .name:
            parts = text.split(separator: "=", omittingEmptySubsequences: false).map { group in
                var components = group.split(separator: "^", omittingEmptySubsequences: false).map {
                    Self.trimmed($0).lowercased()
                }
                while components.last?.isEmpty == true { components.removeLast() }
                return components.joined(separator: "^")
            }
            while parts.last?.isEmpty == true { parts.removeLast() }
        case .date: parts = [text.filter { $0 != "." }]
        case .time: parts = [Self.time(text)]
        case .code: parts = [text.uppercased()]
        case .text: parts = [text]
        }
        if parts.allSatisfy(\.isEmpty) { return nil }
    }

    /// Both together where they do not contradict each other; nil where they do.
    package func merged(with other: IdentityValue) -> IdentityValue? {
        var merged = self
        for (index, part) in other.parts.enumerated() {
            if !merged.parts.indices.contains(index) {
                merged.parts.append(part)
            } else if merged.parts[index].isEmpty {
                merged.parts[index] = part
            } else if !part.isEmpty, merged.parts[index] != part {
                return nil
            }
        }
        return merged
    }

    /// More means that more is known.
    package var fullness: Int { parts.reduce(0) { $0 + ($1.isEmpty ? 0 : 1) } }

    private static func trimmed(_ text: Substring) -> String {
        var text = text
        while text.first == " " { text.removeFirst() }
        while text.last == " " { text.removeLast() }
        return String(text)
    }

    /// Without colons, and without zeros that end a fraction.
    private static func time(_ text: String) -> String {
        var digits = text.filter { $0 != ":" }
        guard digits.contains(".") else { return digits }
        while digits.last == "0" { digits.removeLast() }
        if digits.last == "." { digits.removeLast() }
        return digits
    }
}
