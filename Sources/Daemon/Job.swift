/// A drop's work in the ledger.
package struct Job: Sendable, Equatable {
    /// The states of `service.md`; a job is in exactly one, and every change is one transaction with its event.
    package enum State: String, Sendable, CaseIterable {
        case queued, running, retry, publishing, published, done, quarantined

        /// Nothing more will happen by itself.
        package var isFinal: Bool { self == .done || self == .quarantined }
    }

    /// The drop's ULID: one drop, one job, one name.
    package let id: String
    package let state: State
    /// Attempts that counted.
    package let attempts: Int
    /// Attempts in all, those included that were lost or stopped: the number of the last `out.<n>`.
    package let lastAttempt: Int
    /// Milliseconds since 1970.
    package let createdAt: Int64
    package let files: Int
}

/// Why a job ended as it did.
package struct Reason: Sendable, Equatable {
    package enum Class: String, Sendable {
        /// The input can never work.
        case refused
        /// It should have worked, and did not in any attempt.
        case failed
        /// No pipeline asks for it.
        case unwanted
        /// Some of it was processed; a person should see what was not.
        case partial
        /// Its result stood in the outbox already.
        case duplicate
    }

    package let kind: Class
    package let code: String
    package let text: String

    package init(_ kind: Class, code: String, text: String) {
        self.kind = kind
        self.code = code
        self.text = text
    }
}
