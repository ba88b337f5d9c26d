package import Failures

/// A configuration file says something that we do not do. Always with file and line.
///
/// Keys and values are what a person typed into the file, so they stand in the message's subject and nowhere else.
package enum SettingsFailure: Failure, Equatable {
    /// More than one MiB, or not UTF-8.
    case notReadable(place: Place, reason: String, cure: String)
    /// The YAML itself is wrong, or uses what we do not allow.
    case syntax(place: Place, reason: String, cure: String)
    /// A key stands twice in one section.
    case repeatedKey(place: Place, key: String)
    /// A key that nothing reads, or one that is not available yet.
    case unknownKey(place: Place, key: String, nearest: String?, known: [String])
    case missing(place: Place, key: String)
    /// `found` is the value, `wanted` says what would be right, with an example.
    case wrongType(place: Place, key: String, found: String, wanted: String)
    case outOfRange(place: Place, key: String, found: String, range: String)
    /// A rule of the area that reads the file; `code` is its own.
    case rule(code: String, place: Place, found: String?, problem: String, cure: String)

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
        case .syntax, .repeatedKey: "SET-SYNTAX"
        case .unknownKey: "SET-UNKNOWN"
        case .missing: "SET-MISSING"
        case .wrongType: "SET-TYPE"
        case .outOfRange: "SET-RANGE"
        case .rule(let code, _, _, _, _): code
        }
    }

    package var message: FailureMessage {
        switch self {
        case .notReadable(let place, let reason, let cure), .syntax(let place, let reason, let cure):
            FailureMessage(reason, cure: cure, subject: "\(place)")
        case .repeatedKey(let place, let key):
            FailureMessage(
                "the key stands here a second time.", cure: "Keep one.", subject: "\(place): \(quoted(key))")
        case .unknownKey(let place, let key, let nearest, let known):
            FailureMessage(
                known.isEmpty && nearest == nil ? "unknown key; no keys are expected here." : "unknown key.",
                cure: nearest.map { "Did you mean \(quoted($0))?" }
                    ?? (known.isEmpty ? "Remove it." : "Remove it; known here: \(known.joined(separator: ", "))."),
                subject: "\(place): \(quoted(key))")
        case .missing(let place, let key):
            FailureMessage(
                "the key is missing, and it has no default.", cure: "Add it.", subject: "\(place): \(quoted(key))")
        case .wrongType(let place, let key, let found, let wanted):
            FailureMessage(
                "this is no value for the key.", cure: "Write \(wanted).",
                subject: "\(place): \(quoted(key)) is \(found)")
        case .outOfRange(let place, let key, let found, let range):
            FailureMessage(
                "the value lies outside \(range).", cure: "Write a value inside.",
                subject: "\(place): \(quoted(key)) is \(found)")
        case .rule(_, let place, let found, let problem, let cure):
            FailureMessage(problem, cure: cure, subject: found.map { "\(place): \(quoted($0))" } ?? "\(place)")
        }
    }
}

/// In quotation marks, on one line, and short: what a file holds may be anything.
func quoted(_ text: String) -> String {
    let line = String(String.UnicodeScalarView(text.unicodeScalars.map { $0.value < 32 ? " " : $0 }))
    return "\"\(line.count > 60 ? line.prefix(57) + "..." : line[...])\""
}
