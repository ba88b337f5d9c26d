/// A drop's work in the ledger.
package struct Job: Sendable, Equatable {
    /// A job is in exactly one, and every change is one transaction with its event.
    package enum State: String, Sendable, CaseIterable {
        case queued, running, retry, publishing, published, done, quarantined, cancelled
    }

    /// The drop's ULID: one drop, one job, one name.
    package let id: String
    package let state: State
    /// Attempts that counted.
    package let attempts: Int
    /// Attempts in all, those included that were lost or stopped: the number of the last `out.<n>`.
    package let lastAttempt: Int
    /// How often in a row it could not go on for a cause that is not its own.
    package let returns: Int
    /// Services that died in a row while it ran.
    package let lost: Int
    /// Whether its result was held back for late images once.
    package let wasHeld: Bool
    /// Jobs whose inputs are worked on together with its own.
    package let joined: [String]
    /// Milliseconds since 1970.
    package let createdAt: Int64
    package let files: Int
    /// Why it is where it is.
    package let reason: JobReason?
    /// What was known of its drop when it was taken, or found out since, and a person should know with its result.
    package let remark: JobReason?

    /// It was refused as one of whose parts some may be missing.
    var mayLackParts: Bool { reason.map { JobReason.missingParts.contains($0.code) } ?? false }

    /// Together with those of other jobs its images contradict each other, so that it is worked on alone.
    var isSeparate: Bool { remark.map { JobReason.contradictions.contains($0.code) } ?? false }
}

/// Why a job ended as it did, or waits. Nothing in it names a file or a patient: it is made of codes and of our own sentences.
package struct JobReason: Sendable, Equatable {
    package enum Class: String, Sendable {
        /// The input can never work.
        case refused
        /// It should have worked, and did not in any attempt.
        case failed
        /// No pipeline asks for it.
        case unwanted
        /// Some of it was processed or known; a person should see what was not.
        case partial
        /// That of it which was not done a person has dealt with, or it was worked on anew together with more.
        case settled
        /// Its result, or one of more images, stood in the outbox already.
        case duplicate
        /// It waits for something that is not its own: a disk, a model.
        case waiting
        /// A person ended it.
        case cancelled
    }

    /// Codes of images that contradict each other: of one SOP Instance UID, or of one study.
    static let contradictions: Set<String> = ["DUP-CONFLICT", "GRP-IDENTITY"]

    /// Codes of slides whose tiles are not all there, or do not make one picture otherwise, and of other objects that are cut into parts and
    /// lack some: the rest may come late.
    static let missingParts: Set<String> = ["GEO-SLIDE", "VOL-PARTS"]

    package let kind: Class
    package let code: String
    package let text: String

    package init(_ kind: Class, code: String, text: String) {
        self.kind = kind
        self.code = code
        self.text = text
    }
}
