package import Failures

/// A configuration file says something that we do not do. Always with file and line.
package enum SettingsFailure: Failure, Equatable {
    /// More than one MiB, nested too deep, or not UTF-8.
    case notReadable(place: Place, reason: String)
    /// The YAML itself is wrong, or uses what we do not allow.
    case syntax(place: Place, reason: String)
    /// A key that nothing reads, or one that is not available yet.
    case unknownKey(place: Place, key: String, nearest: String?, known: [String])
    case missing(place: Place, key: String)
    /// `found` is the value, `wanted` says what would be right, with an example.
    case wrongType(place: Place, key: String, found: String, wanted: String)
    case outOfRange(place: Place, key: String, found: String, range: String)
    /// A rule of the area that reads the file; `code` is its own.
    case rule(code: String, place: Place, problem: String)

    /// Where in which file.
    package struct Place: Sendable, Equatable, CustomStringConvertible {
        package let file: String
        /// Counted from 1.
        package let line: Int

        package init(file: String, line: Int) {
            self.file = file
            self.line = line
        }

        package var description: String { "\(file):\(line)" }
    }

    package var kind: FailureKind { .configuration }

    package var code: String {
        switch self {
        case .notReadable: "SET-FILE"
        case .syntax: "SET-SYNTAX"
        case .unknownKey: "SET-UNKNOWN"
        case .missing: "SET-MISSING"
        case .wrongType: "SET-TYPE"
        case .outOfRange: "SET-RANGE"
        case .rule(let code, _, _): code
        }
    }

    package var text: String {
        switch self {
        case .notReadable(let place, let reason): "\(place): \(reason)"
        case .syntax(let place, let reason): "\(place): \(reason)"
        case .unknownKey(let place, let key, let nearest, let known):
            if let nearest {
                "\(place): unknown key \(quoted(key)). Did you mean \(quoted(nearest))?"
            } else if known.isEmpty {
                "\(place): unknown key \(quoted(key)); no keys are expected here. Remove it."
            } else {
                "\(place): unknown key \(quoted(key)). Remove it; known here: \(known.joined(separator: ", "))."
            }
        case .missing(let place, let key): "\(place): the key \(quoted(key)) is missing: it has no default. Add it."
        case .wrongType(let place, let key, let found, let wanted):
            "\(place): \(quoted(key)) is \(found). Write \(wanted)."
        case .outOfRange(let place, let key, let found, let range):
            "\(place): \(quoted(key)) is \(found), outside \(range). Write a value inside."
        case .rule(_, let place, let problem): "\(place): \(problem)"
        }
    }
}

/// In quotation marks, on one line, and short: what a file holds may be anything.
func quoted(_ text: String) -> String {
    let line = String(String.UnicodeScalarView(text.unicodeScalars.map { $0.value < 32 ? " " : $0 }))
    return "\"\(line.count > 60 ? line.prefix(57) + "..." : line[...])\""
}
