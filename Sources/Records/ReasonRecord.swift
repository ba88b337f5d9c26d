/// `reason.json`: why a drop lies in quarantine; never a path, a name or a value of the study.
package struct ReasonRecord: VersionedRecord {
    package static let currentVersion = 2
    package static let fileName = "reason.json"

    package var version = Self.currentVersion
    package var job: String
    /// What kind of reason it is: `refused`, `failed` and so on.
    package var kind: String
    /// Short, stable, upper case: `PIX-TRUNCATED`.
    package var code: String
    /// Explanation and cure.
    package var text: String
    package var attempts: Int
    package var quarantined: String
    /// The program's version.
    package var programVersion: String

    package init(
        job: String, kind: String, code: String, text: String, attempts: Int, quarantined: String,
        programVersion: String
    ) {
        self.job = job
        self.kind = kind
        self.code = code
        self.text = text
        self.attempts = attempts
        self.quarantined = quarantined
        self.programVersion = programVersion
    }

    private enum CodingKeys: String, CodingKey {
        case version, job, code, text, attempts, quarantined
        case kind = "class"
        case programVersion = "program_version"
    }
}
