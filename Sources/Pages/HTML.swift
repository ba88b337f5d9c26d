/// A piece of a page. What is written in a literal is markup; every value that is put into one becomes text, escaped here and
/// nowhere else. So a name with a bracket in it stays a name, and a page cannot be written that forgets to escape.
///
///     let row: HTML = "<td>\(patientName)</td>"
package struct HTML: Sendable, Equatable, ExpressibleByStringInterpolation {
    /// As it stands in the file.
    package private(set) var markup: String

    private init(markup: String) { self.markup = markup }

    package init(stringLiteral value: String) { markup = value }
    package init(stringInterpolation: Interpolation) { markup = stringInterpolation.markup }

    /// Text, escaped.
    package init(text: String) { markup = Self.escaped(text) }

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
        markup = out
    }

    /// Base64, which has no letter that markup means; anything else in `text` is left out.
    package init(base64 text: String) {
        let isPlain = text.utf8.allSatisfy { byte in
            (0x41...0x5A).contains(byte) || (0x61...0x7A).contains(byte) || (0x2F...0x39).contains(byte)
                || byte == 0x2B || byte == 0x3D
        }
        markup = isPlain ? text : ""
    }

    /// Nothing.
    package static let empty = HTML(markup: "")

    package var isEmpty: Bool { markup.isEmpty }

    package static func += (left: inout HTML, right: HTML) { left.markup += right.markup }
    package static func + (left: HTML, right: HTML) -> HTML { HTML(markup: left.markup + right.markup) }

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
        fileprivate var markup = ""

        package init(literalCapacity: Int, interpolationCount: Int) { markup.reserveCapacity(literalCapacity) }

        package mutating func appendLiteral(_ literal: String) { markup += literal }

        /// A piece of a page, as it is.
        package mutating func appendInterpolation(_ piece: HTML) { markup += piece.markup }
        package mutating func appendInterpolation(_ piece: HTML?) { markup += piece?.markup ?? "" }
        package mutating func appendInterpolation(_ pieces: [HTML]) { markup += pieces.joined(by: .empty).markup }

        /// Anything else becomes text.
        package mutating func appendInterpolation(_ text: some StringProtocol) { markup += HTML.escaped(String(text)) }
        package mutating func appendInterpolation(_ number: some BinaryInteger) { markup += "\(number)" }
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
