/// A DICOM object of a result, in `run.json` and `report.json`.
package struct ObjectRecord: Sendable, Equatable, Codable {
    /// `binary`, `labelmap`, `fractional`, `report`, `captures`, `structures`, `annotations`, `regular`.
    package var kind: String
    /// Relative to the record's folder.
    package var file: String

    package init(kind: String, file: String) {
        self.kind = kind
        self.file = file
    }
}
