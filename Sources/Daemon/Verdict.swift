internal import Failures

/// What an attempt's end means for its job.
package enum Verdict: Sendable, Equatable {
    /// Results to publish; the reason tells a person what was left out, if anything was.
    case publish(Reason?)
    /// Nothing of it is asked for: the input is kept, nothing is published.
    case unwanted(Reason)
    /// It can never work.
    case quarantine(Reason)
    /// It should have worked: tried again, counted.
    case retry(Reason)
    /// Not the job's fault: queued again, not counted; with a text the whole queue rests.
    case again(pause: String?)

    /// Judges by exit status, signal and `run.json`; `last` when no attempt is left.
    package init(_ ending: Worker.Ending, _ summary: RunSummary?, last: Bool) {
        if ending.stopped, ending.exit != 0 {
            self = .again(pause: nil)
            return
        }
        if ending.timedOut {
            self = .retry(
                Reason(
                    .failed, code: "WORKER-TIME", text: "the worker took longer than its drop may take and was ended."))
            return
        }
        switch ending.exit {
        case ExitStatus.couldNotStart.rawValue:
            // A model or a pipeline is missing or altered: every job would end like this.
            self = .again(pause: "workers cannot start (exit 2): run `hspsam run` on any file to see why")
        case ExitStatus.done.rawValue, ExitStatus.refusedOrFailed.rawValue, ExitStatus.nothingProcessed.rawValue:
            guard let summary else {
                self = .retry(
                    Reason(.failed, code: "RUN-RECORD", text: "the worker ended without a readable run.json."))
                return
            }
            self = Self.judge(summary, last: last)
        default:
            let how = ending.signal.map { "was ended by signal \($0)" } ?? "ended with status \(ending.exit ?? -1)"
            self = .retry(
                Reason(
                    .failed, code: "WORKER-CRASHED",
                    text: "the worker \(how), without a result. Its log is beside the input."))
        }
    }

    private static func judge(_ summary: RunSummary, last: Bool) -> Verdict {
        if let failed = summary.reason(.failed, .failed) {
            if failed.code == "DISK-FULL" { return .again(pause: "the disk is full") }
            if !last { return .retry(failed) }
            if summary.publishable.isEmpty { return .retry(failed) }
            return .publish(Reason(.partial, code: failed.code, text: failed.text))
        }
        let refused = summary.reason(.refused, .refused)
        if !summary.publishable.isEmpty {
            return .publish(refused.map { Reason(.partial, code: $0.code, text: $0.text) })
        }
        if let refused { return .quarantine(refused) }
        return .unwanted(
            summary.reason(.skipped, .unwanted) ?? Reason(.unwanted, code: "EMPTY", text: "there was no file in it."))
    }
}
