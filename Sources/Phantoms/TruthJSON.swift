/// The few kinds of JSON that a truth file has.
enum TruthJSON {
    case text(String)
    case number(Double)
    case integer(Int)
    case list([TruthJSON])
    case object([(String, TruthJSON)])

    /// Indented, keys in the order given.
    func write(indent: String = "") -> String {
        switch self {
        case .text(let text): Self.quoted(text)
        case .number(let number): number.description
        case .integer(let number): String(number)
        case .list(let values):
            values.contains { if case .object = $0 { true } else { false } }
                ? "[\n" + values.map { indent + "  " + $0.write(indent: indent + "  ") }.joined(separator: ",\n")
                    + "\n\(indent)]"
                : "[" + values.map { $0.write(indent: indent) }.joined(separator: ", ") + "]"
        case .object(let members):
            "{\n"
                + members.map { "\(indent)  \(Self.quoted($0.0)): \($0.1.write(indent: indent + "  "))" }.joined(
                    separator: ",\n") + "\n\(indent)}"
        }
    }

    private static func quoted(_ text: String) -> String {
        var out = "\""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"": out += "\\\""
            case "\\": out += "\\\\"
            case let s where s.value < 0x20: out += " "
            default: out.unicodeScalars.append(scalar)
            }
        }
        return out + "\""
    }
}
