/// What a person should know of a result, in `run.json` and `report.json`; nothing of a patient.
package struct FindingRecord: Sendable, Equatable, Codable {
    package enum Severity: String, Sendable, CaseIterable, Codable { case note, warning }

    /// Short, stable, upper case: `VOL-GAP`.
    package var code: String
    package var severity: Severity
    /// One line.
    package var text: String

    package init(code: String, severity: Severity, text: String) {
        self.code = code
        self.severity = severity
        self.text = text
    }
}
