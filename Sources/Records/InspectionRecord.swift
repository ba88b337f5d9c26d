package import Failures

/// What `hspsam inspect --json` prints: what files are, and whether and how they would be processed.
package struct InspectionRecord: VersionedRecord {
    package struct File: Sendable, Equatable, Codable {
        package var path: String
        /// `dicom`, `tiff`, `png`, `jpeg`, or nil for what is none of them.
        @Nullable package var format: String?
        /// SOP class, transfer syntax and photometric interpretation of DICOM; compression and photometric interpretation of the first
        /// page of a TIFF.
        @Nullable package var sopClass: String?
        @Nullable package var transferSyntax: String?
        @Nullable package var photometric: String?
        @Nullable package var rows: Int?
        @Nullable package var columns: Int?
        @Nullable package var samples: Int?
        @Nullable package var bits: Int?
        /// Frames of DICOM, pages of a TIFF.
        @Nullable package var frames: Int?
        /// Further facts in words, each a line.
        package var facts: [String] = []
        /// SHA-256 of the decoded stored values of all frames; nil for what has none, or whose pixels cannot be decoded.
        @Nullable package var pixelSHA256: String?
        package var status: Outcome
        @Nullable package var code: String?
        @Nullable package var reason: String?

        package init(path: String, status: Outcome) {
            self.path = path
            self.status = status
        }

        private enum CodingKeys: String, CodingKey {
            case path, format, photometric, rows, columns, samples, bits, frames, facts, status, code, reason
            case sopClass = "sop_class"
            case transferSyntax = "transfer_syntax"
            case pixelSHA256 = "pixel_sha256"
        }
    }

    /// A volume, and what each pipeline says to it.
    package struct Volume: Sendable, Equatable, Codable {
        package struct Answer: Sendable, Equatable, Codable {
            package var pipeline: String
            /// It takes the volume, and nothing that is known before its pixels are seen keeps its result from being written.
            package var takes: Bool
            /// Of the nearest rule, from 1, what does not hold; or why the result could not be written.
            @Nullable package var rule: Int?
            package var reasons: [String]

            package init(pipeline: String, takes: Bool, rule: Int?, reasons: [String]) {
                self.pipeline = pipeline
                self.takes = takes
                self.rule = rule
                self.reasons = reasons
            }
        }

        package var study: String
        package var source: StudyRecord.Source
        package var findings: [FindingRecord]
        package var pipelines: [Answer]

        package init(study: String, source: StudyRecord.Source, findings: [FindingRecord], pipelines: [Answer]) {
            self.study = study
            self.source = source
            self.findings = findings
            self.pipelines = pipelines
        }
    }

    package static let currentVersion = 1
    package static let fileName = "inspection"

    package var version = Self.currentVersion
    /// Of the one file, where one was given.
    @Nullable package var pixelSHA256: String?
    package var files: [File]
    package var volumes: [Volume]

    package init(files: [File], volumes: [Volume]) {
        pixelSHA256 = files.count == 1 ? files[0].pixelSHA256 : nil
        self.files = files
        self.volumes = volumes
    }

    private enum CodingKeys: String, CodingKey {
        case version, files, volumes
        case pixelSHA256 = "pixel_sha256"
    }
}
