package import Failures
internal import Foundation
internal import Storage

/// What a person asks of the service: a file in `control/new`, renamed into place; the answer is a file of the same name in
/// `control/done`.
package struct ControlRequest: Sendable, Equatable, Codable {
    package enum Command: String, Sendable, Codable, CaseIterable {
        /// Tries a job again at once: one that waits, or one in quarantine.
        case retry
        /// The same for all in quarantine that should have worked.
        case retryAllTransient = "retry-all-transient"
        /// Ends a job that is not finished; its input goes to `kept`.
        case cancel
        /// Gives a quarantined input back to the inbox, as a new drop.
        case release
        /// A quarantined job is dealt with: its input goes to `kept`.
        case drop
        /// What was left undone of a published job is dealt with: nobody is asked for it any more.
        case settle
        /// The same for all of them.
        case settleAll = "settle-all"
        /// A person knows what a destination does with objects, or that a pipeline was taken out for good.
        case settleDestination = "settle-destination"
        case settlePipeline = "settle-pipeline"
        /// Results that an older copy of the outbox lacks are gone for good.
        case settleOutbox = "settle-outbox"
        /// The queue rests until `resume`.
        case pause
        case resume
        /// Writes a copy of the ledger.
        case backup
        /// All deliveries that failed or were refused are tried again.
        case redeliver
    }

    package let command: Command
    /// The job's ULID, where the command is about one; else the name of the destination or pipeline.
    package let job: String?

    package init(_ command: Command, job: String? = nil) {
        self.command = command
        self.job = job
    }

    /// Puts it where the service looks.
    ///
    /// Gives its name. *Throws* `StorageFailure`.
    func write(_ paths: ServicePaths) throws -> String {
        let name = Identifier.make()
        try DurableFile.write(
            Array(JSONEncoder().encode(self)), to: Folder.join(paths.newRequests, name + ".json"), mode: 0o640)
        return name
    }
}

/// What became of a request.
package struct ControlAnswer: Sendable, Equatable, Codable {
    /// Whether it was done.
    package let isDone: Bool
    package let code: String
    /// One line for a person.
    package let text: String
    /// Jobs that it changed.
    package let jobs: [String]

    package init(isDone: Bool, code: String, text: String, jobs: [String] = []) {
        self.isDone = isDone
        self.code = code
        self.text = text
        self.jobs = jobs
    }

    package var status: ExitStatus { isDone ? .done : .refusedOrFailed }

    private enum CodingKeys: String, CodingKey {
        case code, text, jobs
        case isDone = "done"
    }
}
