/// Elements of an XML document one after the other: what OME's and slide makers' descriptions need, and nothing that expands,
/// fetches or recurses.
struct XMLScanner {
    struct Element {
        /// Without the name space's prefix.
        let name: String
        let attributes: [String: String]
        /// An end tag, `</name>`.
        let isEnd: Bool
        /// The text that stands before the next tag.
        let text: String
    }

    private let bytes: [UInt8]
    private var at = 0

    init(_ text: String) { bytes = Array(text.utf8) }

    /// The next tag; nil at the end, and where the document is none.
    mutating func next() -> Element? {
        while let open = bytes[at...].firstIndex(of: UInt8(ascii: "<")) {
            at = open + 1
            if skip("!--", until: "-->") || skip("![CDATA[", until: "]]>") || skip("?", until: "?>") { continue }
            // No document type: nothing may be defined here.
            if starts("!") { return nil }
            return element()
        }
        return nil
    }

    private func starts(_ prefix: String) -> Bool { bytes[at...].starts(with: Array(prefix.utf8)) }

    /// Passes over a part that begins here.
    private mutating func skip(_ prefix: String, until end: String) -> Bool {
        guard starts(prefix) else { return false }
        let end = Array(end.utf8)
        while at < bytes.count, !bytes[at...].starts(with: end) { at += 1 }
        at = min(at + end.count, bytes.count)
        return true
    }

    private mutating func element() -> Element? {
        let isEnd = starts("/")
        if isEnd { at += 1 }
        let name = word()
        var attributes: [String: String] = [:]
        while at < bytes.count, bytes[at] != UInt8(ascii: ">") {
            if bytes[at] == UInt8(ascii: "/") || Self.isBlank(bytes[at]) {
                at += 1
                continue
            }
            let key = word()
            while at < bytes.count, Self.isBlank(bytes[at]) || bytes[at] == UInt8(ascii: "=") { at += 1 }
            guard !key.isEmpty, at < bytes.count, bytes[at] == UInt8(ascii: "\"") || bytes[at] == UInt8(ascii: "'")
            else {
                return nil
            }
            let quote = bytes[at]
            guard let end = bytes[(at + 1)...].firstIndex(of: quote) else { return nil }
            attributes[key] = Self.decoded(bytes[(at + 1)..<end])
            at = end + 1
        }
        guard at < bytes.count else { return nil }
        at += 1
        let end = bytes[at...].firstIndex(of: UInt8(ascii: "<")) ?? bytes.count
        return Element(name: name, attributes: attributes, isEnd: isEnd, text: Self.decoded(bytes[at..<end]).trimmed)
    }

    /// A name, without its prefix.
    private mutating func word() -> String {
        let start = at
        while at < bytes.count, !Self.isBlank(bytes[at]), !"=/>\"'<".utf8.contains(bytes[at]) { at += 1 }
        let name = bytes[start..<at]
        return String(decoding: name[(name.lastIndex(of: UInt8(ascii: ":")).map { $0 + 1 } ?? start)...], as: UTF8.self)
    }

    private static func isBlank(_ byte: UInt8) -> Bool { [0x20, 0x09, 0x0A, 0x0D].contains(byte) }

    /// With the five entities that XML has without a document type, and numbers.
    private static func decoded(_ bytes: ArraySlice<UInt8>) -> String {
        let text = String(decoding: bytes, as: UTF8.self)
        guard text.contains("&") else { return text }
        var result = "", rest = Substring(text)
        while let mark = rest.firstIndex(of: "&") {
            result += rest[..<mark]
            rest = rest[mark...]
            // The longest entity has ten characters.
            guard let end = rest.prefix(10).firstIndex(of: ";"), let character = entity(rest[..<end].dropFirst()) else {
                result += "&"
                rest = rest.dropFirst()
                continue
            }
            result.append(character)
            rest = rest[rest.index(after: end)...]
        }
        return result + rest
    }

    private static func entity(_ name: Substring) -> Character? {
        switch name {
        case "amp": return "&"
        case "lt": return "<"
        case "gt": return ">"
        case "quot": return "\""
        case "apos": return "'"
        default:
            guard name.first == "#" else { return nil }
            let digits = name.dropFirst()
            let code = digits.first == "x" ? UInt32(digits.dropFirst(), radix: 16) : UInt32(digits)
            return code.flatMap(Unicode.Scalar.init).map(Character.init)
        }
    }
}
