package import DICOM

/// What a value field may hold, by value representation.
///
/// *Source*: PS3.5 2024e, table 6.2-1.
package enum ValueRules {
    /// What keeps a text that somebody wrote from being one value as it stands, in words without the text; nil when nothing does: it is
    /// not blank, and nothing of it would be changed or taken for the end of the value. Blanks around it do not count.
    package static func violation(of text: String, as vr: VR) -> String? {
        if text.allSatisfy(\.isWhitespace) { return "no text" }
        if text.contains("\\"), ![.ST, .LT, .UT].contains(vr) { return "a backslash, which ends a value" }
        return violation(Substring(text), vr)
    }

    /// What is wrong with the element's own value, in words without the value; nil when it is legal.
    ///
    /// - Parameter characterSet: Specific Character Set in force where the element stands, its terms joined by backslashes.
    static func violation(_ element: Element, characterSet: String) -> String? {
        if let what = structuralViolation(element) { return what }
        guard case .bytes(let bytes) = element.value else { return nil }
        guard element.vr.isText else {
            return multiplicity(element, element.vr.valueSize.map { bytes.count / $0 } ?? 1)
        }
        if bytes.isEmpty { return multiplicity(element, 0) }
        guard let values = values(bytes, element, characterSet) else {
            return "characters that its character set does not explain"
        }
        return multiplicity(element, values.count) ?? values.lazy.compactMap { violation($0, element.vr) }.first
    }

    /// What keeps the element from being written at all, whatever its value means; nil when nothing does.
    static func structuralViolation(_ element: Element) -> String? {
        switch element.value {
        case .items: return element.vr == .SQ ? nil : "items under VR \(element.vr.rawValue)"
        case .inFile, .fragments: return "a value that is not in memory"
        case .bytes(let bytes):
            if element.vr == .SQ { return "a sequence without items" }
            if bytes.count % 2 == 1 { return "an odd length of \(bytes.count)" }
            if bytes.count > (element.vr.hasLongLength ? 0xFFFF_FFFE : 0xFFFE) {
                return "\(bytes.count) bytes, more than the length field holds"
            }
            if let size = element.vr.valueSize, bytes.count % size != 0 {
                return "\(bytes.count) bytes for values of \(size)"
            }
            return nil
        }
    }

    /// The number of values that the attribute's row of the table asks for.
    private static func multiplicity(_ element: Element, _ count: Int) -> String? {
        guard let attribute = Attribute.of(element.tag) else { return nil }
        let definition = attribute.definition
        if !definition.representations.contains(element.vr) {
            return "VR \(element.vr.rawValue) instead of \(attribute.vr.rawValue)"
        }
        if case .bytes(let bytes) = element.value, bytes.isEmpty { return nil }
        // Byte strings are one value however long.
        if [.OB, .OW, .OF, .OL, .OD, .OV, .UN].contains(element.vr) { return nil }
        return definition.multiplicity.contains(count) ? nil : "\(count) values"
    }

    /// The single values; nil when the bytes are none of their character set.
    private static func values(_ bytes: [UInt8], _ element: Element, _ characterSet: String) -> [Substring]? {
        if bytes.allSatisfy({ $0 < 0x80 && $0 != 0x1B }) {
            return split(String(decoding: bytes, as: UTF8.self), element.vr)
        }
        guard element.vr.isEncodedText else { return nil }
        var reader = DataSet()
        reader.characterSet = characterSet
        reader[element.tag] = element
        return reader.isDecodable(element.tag) ? reader.strings(element.tag).map { Substring($0) } : nil
    }

    private static func split(_ text: String, _ vr: VR) -> [Substring] {
        switch vr {
        case .LT, .ST, .UT, .UR: return [Substring(text)]
        default:
            var text = Substring(text)
            if vr == .UI, text.utf8.last == 0 { text.removeLast() }
            return text.split(separator: "\\", omittingEmptySubsequences: false)
        }
    }

    private static func violation(_ value: Substring, _ vr: VR) -> String? {
        let trimmed = trim(value)
        let scalars = trimmed.unicodeScalars
        if trimmed.isEmpty { return nil }
        switch vr {
        case .AE: return scalars.count <= 16 && isPrintableASCII(trimmed) ? nil : "no application entity title"
        case .AS: return isAge(trimmed) ? nil : "no age"
        case .CS:
            return scalars.count <= 16
                && trimmed.utf8.allSatisfy { isUpper($0) || isDigit($0) || $0 == 0x20 || $0 == 0x5F }
                ? nil : "no code string of at most 16 capital letters, digits, spaces and underscores"
        case .DA: return isDate(trimmed) ? nil : "no date"
        case .TM: return isTime(trimmed) ? nil : "no time"
        case .DT:
            return trimmed.utf8.count <= 26 && trimmed.utf8.prefix(4).allSatisfy(isDigit) ? nil : "no date and time"
        case .DS: return isDecimal(trimmed) ? nil : "no decimal number of at most 16 characters"
        case .IS: return trimmed.utf8.count <= 12 && Int32(trimmed) != nil ? nil : "no integer"
        case .UI: return UID.isAccepted(value) ? nil : "no UID"
        case .LO:
            return scalars.count <= 64 && !hasControl(trimmed) ? nil : "more than 64 characters, or control characters"
        case .SH:
            return scalars.count <= 16 && !hasControl(trimmed) ? nil : "more than 16 characters, or control characters"
        case .PN: return isName(trimmed) ? nil : "no person name"
        case .ST:
            return scalars.count <= 1024 && !hasControl(trimmed, lines: true)
                ? nil : "more than 1024 characters, or control characters"
        case .LT:
            return scalars.count <= 10240 && !hasControl(trimmed, lines: true)
                ? nil : "more than 10240 characters, or control characters"
        case .UT: return hasControl(trimmed, lines: true) ? "control characters" : nil
        case .UC: return hasControl(trimmed) ? "control characters" : nil
        case .UR: return isPrintableASCII(trimmed) && !trimmed.utf8.contains(0x20) ? nil : "no URL"
        default: return nil
        }
    }

    static func isDate(_ text: some StringProtocol) -> Bool {
        let digits = Array(text.utf8)
        guard digits.count == 8, digits.allSatisfy(isDigit) else { return false }
        let number = digits.reduce(0) { $0 * 10 + Int($1 - 48) }
        let (year, month, day) = (number / 10000, number / 100 % 100, number % 100)
        let isLeap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
        guard (1...12).contains(month) else { return false }
        let days = [31, isLeap ? 29 : 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]
        return (1...days[month - 1]).contains(day)
    }

    static func isTime(_ text: some StringProtocol) -> Bool {
        let parts = text.utf8.split(separator: 0x2E, omittingEmptySubsequences: false)
        guard let whole = parts.first, parts.count <= 2, whole.allSatisfy(isDigit) else { return false }
        if parts.count == 2 {
            guard whole.count == 6, (1...6).contains(parts[1].count), parts[1].allSatisfy(isDigit) else { return false }
        }
        let digits = whole.map { Int($0 - 48) }
        guard digits.count == 2 || digits.count == 4 || digits.count == 6 else { return false }
        let fields = stride(from: 0, to: digits.count, by: 2).map { digits[$0] * 10 + digits[$0 + 1] }
        return zip(fields, [23, 59, 60]).allSatisfy { $0 <= $1 }
    }

    static func isDecimal(_ text: some StringProtocol) -> Bool {
        text.utf8.count <= 16
            && text.utf8.allSatisfy {
                isDigit($0) || $0 == 0x2B || $0 == 0x2D || $0 == 0x2E || $0 == 0x45 || $0 == 0x65
            }
            && Double(String(text))?.isFinite == true
    }

    private static func isAge(_ text: Substring) -> Bool {
        let bytes = Array(text.utf8)
        return bytes.count == 4 && bytes[..<3].allSatisfy(isDigit) && "DWMY".utf8.contains(bytes[3])
    }

    private static func isName(_ text: Substring) -> Bool {
        let groups = text.split(separator: "=", omittingEmptySubsequences: false)
        return groups.count <= 3 && !hasControl(text)
            && groups.allSatisfy {
                $0.unicodeScalars.count <= 64 && $0.split(separator: "^", omittingEmptySubsequences: false).count <= 5
            }
    }

    private static func trim(_ value: Substring) -> Substring {
        var value = value
        while value.first == " " { value.removeFirst() }
        while value.last == " " { value.removeLast() }
        return value
    }

    private static func hasControl(_ text: Substring, lines: Bool = false) -> Bool {
        text.unicodeScalars.contains {
            let isLine = $0.value == 9 || $0.value == 10 || $0.value == 12 || $0.value == 13
            return ($0.value < 0x20 || (0x7F...0x9F).contains($0.value)) && !(lines && isLine)
        }
    }

    private static func isPrintableASCII(_ text: Substring) -> Bool {
        text.utf8.allSatisfy { (0x20...0x7E).contains($0) }
    }
    private static func isDigit(_ byte: UInt8) -> Bool { (0x30...0x39).contains(byte) }
    private static func isUpper(_ byte: UInt8) -> Bool { (0x41...0x5A).contains(byte) }
}
