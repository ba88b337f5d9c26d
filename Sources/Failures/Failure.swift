/// What kind of thing went wrong; decides the exit status and who has to act.
package enum FailureKind: String, Sendable, CaseIterable {
    /// The command line is wrong.
    case usage
    /// A file of ours is wrong: an unknown key, a digest that differs, a missing model.
    case configuration
    /// This input can never work.
    case refused
    /// Fine, but nothing is asked of it.
    case skipped
    /// Should work, may later: disk full, out of memory, a killed worker.
    case failed
    /// Our own defect.
    case internalDefect = "internal"
}

/// Something that went wrong, told to a person in one line.
///
/// One enum per area conforms. The text never holds anything of a patient: tags and codes, values only of allowed keywords.
package protocol Failure: Error, Sendable, CustomStringConvertible {
    var kind: FailureKind { get }
    /// Short, stable, upper case: `PIX-TRUNCATED`. Scripts match on it.
    var code: String { get }
    /// What was found, with the value; what that means here; what to do. One line.
    var text: String { get }
}

extension Failure {
    /// `CODE text`, the line a person reads.
    package var description: String { "\(code) \(text)" }
}

/// A failure as a value that can be stored, counted and written to JSON.
package struct FailureRecord: Failure, Equatable {
    package let kind: FailureKind
    package let code: String
    package let text: String

    package init(kind: FailureKind, code: String, text: String) {
        self.kind = kind
        self.code = code
        self.text = text
    }

    /// Any error as a record; one that is not ours becomes `internal`.
    package init(_ error: any Error) {
        if let failure = error as? any Failure {
            self.init(kind: failure.kind, code: failure.code, text: failure.text)
        } else {
            self.init(kind: .internalDefect, code: "INTERNAL", text: "unexpected error: \(error). Please report it.")
        }
    }
}
