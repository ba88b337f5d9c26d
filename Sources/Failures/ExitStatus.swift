/// What became of one input or one output.
package enum Outcome: String, Sendable, CaseIterable, Codable {
    case processed, skipped, refused, failed
}

/// The exit status of every command; decided here alone.
package enum ExitStatus: Int32, Sendable {
    case done = 0
    case internalDefect = 1
    case couldNotStart = 2
    case refusedOrFailed = 3
    case nothingProcessed = 4
    case interrupted = 130

    /// Of several outcomes: 3 if anything was refused or failed, 4 if nothing was processed, otherwise 0.
    package static func of(_ outcomes: some Sequence<Outcome>) -> ExitStatus {
        var processed = false
        for outcome in outcomes {
            switch outcome {
            case .refused, .failed: return .refusedOrFailed
            case .processed: processed = true
            case .skipped: break
            }
        }
        return processed ? .done : .nothingProcessed
    }

    /// The status with which a command that threw `kind` before it did anything ends.
    package static func of(_ kind: FailureKind) -> ExitStatus {
        switch kind {
        case .usage, .configuration: .couldNotStart
        case .refused, .failed: .refusedOrFailed
        case .skipped: .nothingProcessed
        case .internalDefect: .internalDefect
        }
    }
}
