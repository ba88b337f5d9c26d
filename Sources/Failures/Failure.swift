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

/// What a failure tells a person, in its three parts.
///
/// Only `subject` may hold a path or a name that a person typed. Whoever must not tell those (the service's log, ledger and
/// pages) leaves the subject away; nothing ever searches a text for names to replace.
package struct FailureMessage: Sendable, Equatable {
    /// The file, folder, key or name that it is about, as the person knows it; nil when there is none to name.
    package var subject: String?
    /// What was found, with the value, and what that means here. Never anything of a patient, never a path.
    package var explanation: String
    /// What to do, as a sentence; empty when there is nothing.
    package var cure: String

    package init(_ explanation: String, cure: String, subject: String? = nil) {
        self.subject = subject
        self.explanation = explanation
        self.cure = cure
    }

    /// Explanation and cure in one line: everything that may leave the machine's users.
    package var withoutSubject: String { cure.isEmpty ? explanation : "\(explanation) \(cure)" }

    /// All three in one line.
    package var text: String { subject.map { "\($0): \(withoutSubject)" } ?? withoutSubject }
}

/// Something that went wrong, told to a person in one line.
///
/// One enum per area conforms.
package protocol Failure: Error, Sendable, CustomStringConvertible {
    var kind: FailureKind { get }
    /// Short, stable, upper case: `PIX-TRUNCATED`. Scripts match on it.
    var code: String { get }
    var message: FailureMessage { get }
}

extension Failure {
    /// `CODE subject: explanation cure`, the line a person reads.
    package var description: String { "\(code) \(text)" }
    package var text: String { message.text }
}

/// A failure as a value that can be stored, counted and written to JSON.
package struct FailureRecord: Failure, Equatable {
    package let kind: FailureKind
    package let code: String
    package let message: FailureMessage

    package init(kind: FailureKind, code: String, message: FailureMessage) {
        self.kind = kind
        self.code = code
        self.message = message
    }

    /// The same about this file, folder or name, where none is named yet.
    package func about(_ subject: String) -> FailureRecord {
        guard message.subject == nil else { return self }
        return FailureRecord(
            kind: kind, code: code, message: FailureMessage(message.explanation, cure: message.cure, subject: subject))
    }

    /// Any error as a record; one that is not ours becomes `internal`.
    package init(_ error: any Error) {
        if let failure = error as? any Failure {
            self.init(kind: failure.kind, code: failure.code, message: failure.message)
        } else {
            self.init(
                kind: .internalDefect, code: "INTERNAL",
                message: FailureMessage("unexpected error: \(error).", cure: "Please report it."))
        }
    }
}
