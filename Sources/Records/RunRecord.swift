package import Failures

/// `run.json`: what became of every input, and every result. Others script against its keys (`docs/formats.md`).
package struct RunRecord: VersionedRecord {
    package struct Input: Sendable, Equatable, Codable {
        /// As it was given, or found below what was given.
        package var path: String
        /// SHA-256 of what counts: of a DICOM file its data set, of others the whole file; nil when it could not be read.
        @Nullable package var contentSHA256: String?
        package var status: Outcome
        /// Nil when it was processed.
        @Nullable package var code: String?
        /// Explanation and cure; never the path or anything of a patient.
        @Nullable package var reason: String?
        /// What the reason is about where that is not the file itself: the sidecar with line, key and value, as somebody typed them.
        /// For whoever gave the file; nobody passes it on.
        @Nullable package var subject: String?
        /// Names as in the folders: 12 and 8 hexadecimal digits.
        @Nullable package var study: String?
        @Nullable package var series: String?
        /// Of a DICOM image the first 16 hex digits of the SHA-256 of its SOP Instance UID and of what of it can reach a result, with a
        /// blank between; nil of other files, and of records of versions that wrote none.
        @Nullable package var image: String?

        package init(
            path: String, contentSHA256: String? = nil, status: Outcome, code: String? = nil, reason: String? = nil,
            subject: String? = nil, study: String? = nil, series: String? = nil, image: String? = nil
        ) {
            self.path = path
            self.contentSHA256 = contentSHA256
            self.status = status
            self.code = code
            self.reason = reason
            self.subject = subject
            self.study = study
            self.series = series
            self.image = image
        }

        private enum CodingKeys: String, CodingKey {
            case path, status, code, reason, subject, study, series, image
            case contentSHA256 = "content_sha256"
        }
    }

    package struct Study: Sendable, Equatable, Codable {
        /// 12 hexadecimal digits; also the folder's name.
        package var study: String
        /// K of the instances that took part in a result: `report.json` holds the same; nil when none did.
        @Nullable package var key: String?
        /// K of everything that the pipelines select of the study, known before inference; nil when they select nothing.
        @Nullable package var intendedKey: String?
        /// Nothing of the study's selected volumes was refused or failed.
        package var complete: Bool
        /// Relative to the output folder; nil when nothing was written, as for a study whose result is known already.
        @Nullable package var folder: String?
        /// The part of K that is the pipelines and the writer revision.
        package var pipelines: String
        /// How many instances took part in a result.
        package var instances: Int

        package init(
            study: String, key: String?, intendedKey: String?, complete: Bool, folder: String?, pipelines: String,
            instances: Int
        ) {
            self.study = study
            self.key = key
            self.intendedKey = intendedKey
            self.complete = complete
            self.folder = folder
            self.pipelines = pipelines
            self.instances = instances
        }

        private enum CodingKeys: String, CodingKey {
            case study, key, complete, folder, pipelines, instances
            case intendedKey = "intended_key"
        }
    }

    /// One pipeline on one volume.
    package struct Result: Sendable, Equatable, Codable {
        package var study: String
        package var series: String
        package var pipeline: String
        /// Relative to the output folder; nil when nothing was found.
        @Nullable package var file: String?
        /// Every object that was written, `file` among them; nil in records of versions that wrote one.
        @Nullable package var objects: [ObjectRecord]?
        package var seconds: Double
        package var segments: [SegmentRecord]
        package var findings: [FindingRecord]
        package var frames: Int
        package var pipelineVersion: String
        package var pipelineDigest: String
        package var modelDigest: String
        package var secondsByStep: [String: Double]

        /// Rounds seconds to milliseconds.
        package init(
            study: String, series: String, pipeline: String, file: String?, objects: [ObjectRecord] = [],
            segments: [SegmentRecord],
            findings: [FindingRecord], frames: Int, pipelineVersion: String, pipelineDigest: String,
            modelDigest: String, secondsByStep: [String: Double]
        ) {
            self.study = study
            self.series = series
            self.pipeline = pipeline
            self.file = file
            self.objects = objects
            self.segments = segments
            self.findings = findings
            self.frames = frames
            self.pipelineVersion = pipelineVersion
            self.pipelineDigest = pipelineDigest
            self.modelDigest = modelDigest
            self.secondsByStep = secondsByStep.seconds()
            seconds = Double?(secondsByStep.values.reduce(0, +)).finite(decimals: 3) ?? 0
        }

        private enum CodingKeys: String, CodingKey {
            case study, series, pipeline, file, objects, seconds, segments, findings, frames
            case pipelineVersion = "pipeline_version"
            case pipelineDigest = "pipeline_digest"
            case modelDigest = "model_digest"
            case secondsByStep = "seconds_by_step"
        }
    }

    package static let currentVersion = 2
    package static let fileName = "run.json"

    package var version = Self.currentVersion
    package var started: String
    package var finished: String
    package var program: ProgramIdentity
    /// The part of the studies that this run had, `2/8`; nil: all.
    @Nullable package var shard: String?
    package var inputs: [Input]
    package var studies: [Study]
    package var results: [Result]

    package init(
        started: String, finished: String, program: ProgramIdentity, shard: String? = nil, inputs: [Input] = [],
        studies: [Study] = [], results: [Result] = []
    ) {
        self.started = started
        self.finished = finished
        self.program = program
        self.shard = shard
        self.inputs = inputs
        self.studies = studies
        self.results = results
    }

    /// How many inputs ended so.
    package func count(_ status: Outcome) -> Int { inputs.count { $0.status == status } }
}
