internal import Failures
internal import Processes
package import Records

/// What an attempt's end means for its job.
package enum Verdict: Sendable, Equatable {
    /// Results to publish; the reason tells a person what was left out, if anything was.
    case publish(JobReason?)
    /// To publish, but not yet: images are missing that may come late.
    case hold(JobReason?)
    /// Refused, but not yet: parts are missing that may come late. Done anew after a while.
    case wait(JobReason)
    /// Images of its studies came before, in these jobs: done anew, together with theirs.
    case join([String])
    /// Together with those of other jobs its images contradict each other: done anew alone, and a person is told.
    case separate(JobReason)
    /// A person ended it.
    case cancelled
    /// Nothing of it is asked for: the input is kept, nothing is published.
    case unwanted(JobReason)
    /// It can never work.
    case quarantine(JobReason)
    /// It should have worked: tried again, counted.
    case retry(JobReason)
    /// Something that is not the job's own kept it from working: tried again after a while, not counted.
    case requeue(JobReason)
    /// The service stops: goes on with the next start, not counted.
    case stopped

    /// Judges by how the worker ended and by its record; `last` when no attempt is left.
    package init(_ ending: Worker.Ending, _ record: RunRecord?, last: Bool) {
        if ending.stopped, ending.how != .exited(ExitStatus.done.rawValue) {
            self = .stopped
            return
        }
        if ending.timedOut {
            self = .retry(
                JobReason(
                    .failed, code: "WORKER-TIME", text: "the worker took longer than its drop may take and was ended."))
            return
        }
        switch ending.how {
        case .exited(ExitStatus.couldNotStart.rawValue):
            // A model or a pipeline is missing or altered: every job would end like this.
            let code = Self.lastCode(ending.log).map { ", \($0)" } ?? ""
            self = .requeue(
                JobReason(
                    .waiting, code: "WORKER-SETUP",
                    text: "workers cannot start (exit 2\(code)). Run `hspsam run` on any file to see why."))
        case .exited(ExitStatus.done.rawValue), .exited(ExitStatus.refusedOrFailed.rawValue),
            .exited(ExitStatus.nothingProcessed.rawValue):
            guard let record else {
                self = .retry(Self.lacksMemory(ending) ?? Self.lacksRecord)
                return
            }
            self = Self.judge(record, last: last)
            if ending.how == .exited(ExitStatus.refusedOrFailed.rawValue) { isAsking() }
        case .exited(let status): self = Self.crashed("ended with status \(status)")
        case .signalled(9):
            // Not by us: that was judged above.
            self = Self.crashed(
                "was ended by signal 9, as the system does where memory is short (journalctl -k says so, with more memory or fewer worker.threads it passes)"
            )
        case .signalled(let signal): self = Self.crashed("was ended by signal \(signal)")
        case nil: self = Self.crashed("could not be ended")
        }
    }

    /// The code that the last line of a worker's log begins with; the rest may hold a path.
    private static func lastCode(_ log: String) -> Substring? {
        let word = log.split(whereSeparator: \.isNewline).last?.prefix { !$0.isWhitespace }
        guard let word, word.contains("-"), word.allSatisfy({ ("A"..."Z").contains($0) || $0 == "-" || $0.isNumber })
        else { return nil }
        return word
    }

    /// Of work that finds no memory: the code that the program gives it.
    static let memory = "MEMORY"

    private static let lacksRecord = JobReason(
        .failed, code: "RUN-RECORD", text: "the worker ended without a readable run.json.")

    /// That there was no memory for the network: the program then ends at once, and says so last of all.
    private static func lacksMemory(_ ending: Worker.Ending) -> JobReason? {
        guard ending.how == .exited(ExitStatus.refusedOrFailed.rawValue),
            let last = ending.log.split(whereSeparator: \.isNewline).last, last.hasPrefix("\(memory) ")
        else { return nil }
        return JobReason(
            .failed, code: memory,
            text:
                "there was no memory for what the network works on. Allow the worker more (worker.memory, the machine's own), or fewer threads (worker.threads)."
        )
    }

    private static func crashed(_ how: String) -> Verdict {
        .retry(
            JobReason(
                .failed, code: "WORKER-CRASHED",
                text: "the worker \(how), without a result. Its log is beside the input."))
    }

    /// The worker asks for a person, perhaps for a cause that only its own version knows.
    private mutating func isAsking() {
        let text =
            "the worker asks for a person (exit 3) and this version of the service does not know why: look at its report."
        switch self {
        case .publish(nil): self = .publish(JobReason(.partial, code: "RUN-STATUS", text: text))
        case .unwanted: self = .quarantine(JobReason(.refused, code: "RUN-STATUS", text: text))
        default: break
        }
    }

    private static func judge(_ record: RunRecord, last: Bool) -> Verdict {
        let hasResults = !record.settledStudies.isEmpty
        if let failed = record.reason(.failed, .failed) {
            if failed.code == "DISK-FULL" {
                return .requeue(JobReason(.waiting, code: failed.code, text: failed.text))
            }
            if !last || !hasResults { return .retry(failed) }
            return .publish(JobReason(.partial, code: failed.code, text: failed.text))
        }
        let refused = record.reason(.refused, .refused)
        let passed = record.omission.map { JobReason(.partial, code: $0.code, text: $0.text) }
        if hasResults { return .publish(refused.map { JobReason(.partial, code: $0.code, text: $0.text) } ?? passed) }
        if let refused = refused ?? passed {
            return .quarantine(JobReason(.refused, code: refused.code, text: refused.text))
        }
        return .unwanted(
            record.reason(.skipped, .unwanted)
                ?? JobReason(.unwanted, code: "EMPTY", text: "there was no file in it."))
    }
}
