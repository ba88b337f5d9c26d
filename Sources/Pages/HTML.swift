/// A piece of a page. What is written in a literal is markup; every value that is put into one becomes text, escaped here and
/// nowhere else. So a name with a bracket in it stays a name, and a page cannot be written that forgets to escape.
///
///     let row: HTML = "<td>\(patientName)</td>"
package struct HTML: Sendable, ExpressibleByStringInterpolation {
    private enum Part {
        case markup(String)
        /// Becomes base64 when the page is written: most of a page with pictures of slices, held once.
        case base64([UInt8])
    }

    private var parts: [Part]

    private init(markup: String) { parts = markup.isEmpty ? [] : [.markup(markup)] }

    package init(stringLiteral value: String) { self.init(markup: value) }
    package init(stringInterpolation: Interpolation) { self = stringInterpolation.piece }

    /// Text, escaped.
    package init(text: String) { self.init(markup: Self.escaped(text)) }

    /// Bytes, as base64.
    package init(base64 bytes: [UInt8]) { parts = [.base64(bytes)] }

    /// As it stands in the file.
    package var markup: String {
        var bytes: [UInt8] = []
        write { bytes += $0 }
        return String(decoding: bytes, as: UTF8.self)
    }

    /// The bytes of the file, part by part.
    package func write<Failure: Error>(_ put: ([UInt8]) throws(Failure) -> Void) throws(Failure) {
        for part in parts {
            switch part {
            case .markup(let text): try put(Array(text.utf8))
            case .base64(let bytes): try put(Self.base64(bytes))
            }
        }
    }

    private static let letters = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)
    /// Of twelve bits, the first letter in the low byte.
    private static let pairs: [UInt16] = (0..<4096).map { UInt16(letters[$0 >> 6]) | UInt16(letters[$0 & 63]) << 8 }

    /// *Source*: RFC 4648, section 4.
    private static func base64(_ bytes: [UInt8]) -> [UInt8] {
        let (count, whole) = (bytes.count, bytes.count / 3)
        var out = [UInt8](repeating: UInt8(ascii: "="), count: (count + 2) / 3 * 4)
        do {
            let (bytes, letters, pairs) = (bytes.span, letters.span, pairs.span)
            var out = out.mutableSpan
            // Two letters at a time.
            for group in 0..<whole {
                let bits =
                    UInt32(bytes[group * 3]) << 16 | UInt32(bytes[group * 3 + 1]) << 8 | UInt32(bytes[group * 3 + 2])
                let (first, second) = (pairs[Int(bits >> 12)], pairs[Int(bits & 4095)])
                out[group * 4] = UInt8(truncatingIfNeeded: first)
                out[group * 4 + 1] = UInt8(truncatingIfNeeded: first >> 8)
                out[group * 4 + 2] = UInt8(truncatingIfNeeded: second)
                out[group * 4 + 3] = UInt8(truncatingIfNeeded: second >> 8)
            }
            if count > whole * 3 {
                let last = count > whole * 3 + 1 ? UInt32(bytes[whole * 3 + 1]) : 0
                let bits = UInt32(bytes[whole * 3]) << 16 | last << 8
                for letter in 0...count - whole * 3 {
                    out[whole * 4 + letter] = letters[Int(bits >> UInt32(18 - 6 * letter) & 63)]
                }
            }
        }
        return out
    }

    private mutating func append(markup text: String) {
        guard case .markup(var last)? = parts.last else {
            if !text.isEmpty { parts.append(.markup(text)) }
            return
        }
        // Held once, so that what grows is not copied.
        parts[parts.count - 1] = .markup("")
        last += text
        parts[parts.count - 1] = .markup(last)
    }

    private mutating func append(_ piece: HTML) {
        for part in piece.parts {
            switch part {
            case .markup(let text): append(markup: text)
            case .base64: parts.append(part)
            }
        }
    }

    /// JSON for a script's data block: what could end the block is written as JSON's own escapes.
    package init(json text: String) {
        var out = ""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "<": out += "\\u003c"
            case ">": out += "\\u003e"
            case "&": out += "\\u0026"
            default: out.unicodeScalars.append(scalar)
            }
        }
        self.init(markup: out)
    }

    /// Base64, which has no letter that markup means; anything else in `text` is left out.
    package init(base64 text: String) {
        let isPlain = text.utf8.allSatisfy { byte in
            (0x41...0x5A).contains(byte) || (0x61...0x7A).contains(byte) || (0x2F...0x39).contains(byte)
                || byte == 0x2B || byte == 0x3D
        }
        self.init(markup: isPlain ? text : "")
    }

    /// Nothing.
    package static let empty = HTML(markup: "")

    package var isEmpty: Bool { parts.isEmpty }

    package static func += (left: inout HTML, right: HTML) { left.append(right) }
    package static func + (left: HTML, right: HTML) -> HTML {
        var both = left
        both.append(right)
        return both
    }

    /// & < > " ' escaped; control and bidirectional characters shown as ␦.
    private static func escaped(_ text: String) -> String {
        var out = ""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "&": out += "&amp;"
            case "<": out += "&lt;"
            case ">": out += "&gt;"
            case "\"": out += "&quot;"
            case "'": out += "&#39;"
            default: out.unicodeScalars.append(isHidden(scalar.value) ? "␦" : scalar)
            }
        }
        return out
    }

    /// Controls, and characters that turn or hide the text around them.
    private static func isHidden(_ value: UInt32) -> Bool {
        value < 0x20 || (0x7F...0x9F).contains(value) || (0x200B...0x200F).contains(value)
            || (0x202A...0x202E).contains(value) || (0x2060...0x206F).contains(value) || value == 0xFEFF
            || value == 0x061C
    }

    package struct Interpolation: StringInterpolationProtocol {
        fileprivate var piece = HTML.empty

        package init(literalCapacity: Int, interpolationCount: Int) {}

        package mutating func appendLiteral(_ literal: String) { piece.append(markup: literal) }

        /// A piece of a page, as it is.
        package mutating func appendInterpolation(_ other: HTML) { piece.append(other) }
        package mutating func appendInterpolation(_ other: HTML?) { if let other { piece.append(other) } }
        package mutating func appendInterpolation(_ others: [HTML]) { for other in others { piece.append(other) } }

        /// Anything else becomes text.
        package mutating func appendInterpolation(_ text: some StringProtocol) {
            piece.append(markup: HTML.escaped(String(text)))
        }
        package mutating func appendInterpolation(_ number: some BinaryInteger) { piece.append(markup: "\(number)") }
    }
}

extension [HTML] {
    package func joined(by separator: HTML) -> HTML {
        var all = HTML.empty
        for (index, piece) in enumerated() {
            if index > 0 { all += separator }
            all += piece
        }
        return all
    }
}
