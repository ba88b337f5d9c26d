import Failures
import Records

/// What became of one input in the end.
enum InputOutcome: Sendable, Equatable {
    case processed
    /// Skipped, refused or failed, and why.
    case stopped(FailureRecord)

    init(_ error: any Error) { self = .stopped(FailureRecord(error)) }

    var status: Outcome {
        switch self {
        case .processed: .processed
        case .stopped(let failure): Outcome(failure.kind)
        }
    }

    /// Something of it should have given a result and did not.
    var isLoss: Bool { status == .refused || status == .failed }

    /// Of several outcomes of one input the worst holds, of equals the first.
    func worst(_ other: InputOutcome) -> InputOutcome {
        Self.rank(other.status) > Self.rank(status) ? other : self
    }

    static func rank(_ outcome: Outcome) -> Int {
        switch outcome {
        case .skipped: 0
        case .processed: 1
        case .refused: 2
        case .failed: 3
        }
    }
}

extension Outcome {
    /// What becomes of an input that a failure of this kind stops.
    init(_ kind: FailureKind) {
        switch kind {
        case .skipped: self = .skipped
        case .refused: self = .refused
        // A sidecar that is wrong is the input's fault, not the installation's.
        case .configuration, .usage: self = .refused
        case .failed, .internalDefect: self = .failed
        }
    }
}

extension Input {
    /// Its row of `run.json`.
    func record(_ outcome: InputOutcome) -> RunRecord.Input {
        var record = RunRecord.Input(
            path: path, contentSHA256: contentSHA256, status: outcome.status, study: study, series: series)
        if case .stopped(let failure) = outcome {
            record.code = failure.code
            record.reason = failure.message.withoutSubject
            // A sidecar's mistake: the file that was given is another one.
            if failure.kind == .configuration { record.subject = failure.message.subject }
        }
        return record
    }
}
