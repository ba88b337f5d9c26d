package import Failures

/// `report.json`: the result of one study.
package struct StudyRecord: VersionedRecord {
    /// The report carries identity: a radiologist must know whose pictures these are.
    package struct Identity: Sendable, Equatable, Codable {
        package var patientName: String
        package var patientID: String
        package var studyDate: String
        package var studyDescription: String
        package var accessionNumber: String
        /// What else tells whose images they are; empty in reports from before it was told.
        package var issuerOfPatientID: String
        package var patientBirthDate: String
        package var patientSex: String
        package var studyID: String

        package init(
            patientName: String, patientID: String, studyDate: String, studyDescription: String,
            accessionNumber: String = "", issuerOfPatientID: String = "", patientBirthDate: String = "",
            patientSex: String = "", studyID: String = ""
        ) {
            self.patientName = patientName
            self.patientID = patientID
            self.studyDate = studyDate
            self.studyDescription = studyDescription
            self.accessionNumber = accessionNumber
            self.issuerOfPatientID = issuerOfPatientID
            self.patientBirthDate = patientBirthDate
            self.patientSex = patientSex
            self.studyID = studyID
        }

        /// `Doe^Jane` as `Doe, Jane`: the first group of components that says anything (PS3.5 6.2.1); nil where none does.
        package var readableName: String? {
            patientName.split(separator: "=").lazy.map { group in
                group.split(separator: "^").filter { !$0.allSatisfy(\.isWhitespace) }.joined(separator: ", ")
            }.first { !$0.isEmpty }
        }

        private enum CodingKeys: String, CodingKey {
            case patientName = "patient_name"
            case patientID = "patient_id"
            case studyDate = "study_date"
            case studyDescription = "study_description"
            case accessionNumber = "accession_number"
            case issuerOfPatientID = "issuer_of_patient_id"
            case patientBirthDate = "patient_birth_date"
            case patientSex = "patient_sex"
            case studyID = "study_id"
        }

        /// A report from before the accession number or what follows it was told has none.
        package init(from decoder: any Decoder) throws {
            let values = try decoder.container(keyedBy: CodingKeys.self)
            func later(_ key: CodingKeys) throws -> String {
                try values.decodeIfPresent(String.self, forKey: key) ?? ""
            }
            self.init(
                patientName: try values.decode(String.self, forKey: .patientName),
                patientID: try values.decode(String.self, forKey: .patientID),
                studyDate: try values.decode(String.self, forKey: .studyDate),
                studyDescription: try values.decode(String.self, forKey: .studyDescription),
                accessionNumber: try later(.accessionNumber), issuerOfPatientID: try later(.issuerOfPatientID),
                patientBirthDate: try later(.patientBirthDate), patientSex: try later(.patientSex),
                studyID: try later(.studyID))
        }
    }

    /// The volume that was segmented.
    package struct Source: Sendable, Equatable, Codable {
        package var series: String
        /// Names of the TIFF, PNG and JPEG files that it was made of; empty for DICOM.
        package var files: [String]
        package var description: String
        package var modality: String
        package var rows: Int
        package var columns: Int
        package var frames: Int
        /// Row, column; nil when unknown.
        @Nullable package var spacingMM: [Double]?
        @Nullable package var sliceMM: Double?

        package init(
            series: String, files: [String] = [], description: String, modality: String, rows: Int, columns: Int,
            frames: Int, spacingMM: [Double]?, sliceMM: Double?
        ) {
            self.series = series
            self.files = files
            self.description = description
            self.modality = modality
            self.rows = rows
            self.columns = columns
            self.frames = frames
            self.spacingMM = spacingMM.flatMap { $0.allSatisfy(\.isFinite) ? $0 : nil }
            self.sliceMM = sliceMM.flatMap { $0.isFinite ? $0 : nil }
        }

        private enum CodingKeys: String, CodingKey {
            case series, files, description, modality, rows, columns, frames
            case spacingMM = "spacing_mm"
            case sliceMM = "slice_mm"
        }
    }

    /// One pipeline on one volume.
    package struct Result: Sendable, Equatable, Codable {
        package var source: Source
        package var pipeline: String
        package var pipelineVersion: String
        package var pipelineDigest: String
        package var modelDigest: String
        package var weightsDigest: String
        /// A name in the study's folder; nil when nothing was found.
        @Nullable package var file: String?
        /// Every object that was written, `file` among them; nil in records of versions that wrote one.
        @Nullable package var objects: [ObjectRecord]?
        /// DICOM images that were made of the volume's TIFF files; names in the study's folder.
        package var images: [String]
        package var segments: [SegmentRecord]
        package var findings: [FindingRecord]
        package var window: String
        /// What pictures were segmented as besides as they are; absent: nothing.
        package var tta: String?
        package var secondsByStep: [String: Double]

        /// Rounds seconds to milliseconds.
        package init(
            source: Source, pipeline: String, pipelineVersion: String, pipelineDigest: String, modelDigest: String,
            weightsDigest: String, file: String?, objects: [ObjectRecord] = [], images: [String],
            segments: [SegmentRecord],
            findings: [FindingRecord], window: String, tta: String? = nil, secondsByStep: [String: Double]
        ) {
            self.source = source
            self.pipeline = pipeline
            self.pipelineVersion = pipelineVersion
            self.pipelineDigest = pipelineDigest
            self.modelDigest = modelDigest
            self.weightsDigest = weightsDigest
            self.file = file
            self.objects = objects
            self.images = images
            self.segments = segments
            self.findings = findings
            self.window = window
            self.tta = tta
            self.secondsByStep = secondsByStep.seconds()
        }

        private enum CodingKeys: String, CodingKey {
            case source, pipeline, file, objects, images, segments, findings, window, tta
            case pipelineVersion = "pipeline_version"
            case pipelineDigest = "pipeline_digest"
            case modelDigest = "model_digest"
            case weightsDigest = "weights_digest"
            case secondsByStep = "seconds_by_step"
        }
    }

    /// Files of the study that gave no result, by their reason.
    package struct Unused: Sendable, Equatable, Codable {
        /// Names of their series.
        package var series: [String]
        package var status: Outcome
        package var code: String
        package var reason: String
        package var files: Int

        package init(series: [String], status: Outcome, code: String, reason: String, files: Int) {
            self.series = series
            self.status = status
            self.code = code
            self.reason = reason
            self.files = files
        }
    }

    package static let currentVersion = 2
    package static let fileName = "report.json"

    package var version = Self.currentVersion
    package var study: String
    /// K of the instances that took part; nil when none did.
    @Nullable package var key: String?
    /// Nothing of the study's selected volumes was refused or failed.
    package var complete: Bool
    /// K of the complete result that took this one's place.
    @Nullable package var supersededBy: String?
    /// The code of what the service asks a person for, of this result or of what came with it; absent: nothing, or nobody has looked.
    package var needsPerson: String?
    /// The part of K that is the pipelines and the writer revision.
    package var pipelines: String
    /// Digests of the instances that took part, sorted.
    package var instances: [String]
    /// Which SOP Instance UID has which content: a `Content` of each of them, sorted; nil in records of versions that wrote none.
    @Nullable package var contents: [String]?
    package var identity: Identity
    package var program: ProgramIdentity
    package var created: String
    package var results: [Result]
    package var unused: [Unused]

    package init(
        study: String, key: String?, complete: Bool, pipelines: String, instances: [String], identity: Identity,
        program: ProgramIdentity, created: String, results: [Result], unused: [Unused], contents: [String]? = nil
    ) {
        self.study = study
        self.key = key
        self.complete = complete
        self.pipelines = pipelines
        self.instances = instances
        self.contents = contents
        self.identity = identity
        self.program = program
        self.created = created
        self.results = results
        self.unused = unused
        supersededBy = nil
    }

    private enum CodingKeys: String, CodingKey {
        case version, study, key, complete, pipelines, instances, contents, identity, program, created, results, unused
        case supersededBy = "superseded_by"
        case needsPerson = "needs_person"
    }
}
