import DICOM
import DICOMObjects
import Failures
import Foundation
import Imaging

/// What a study's report tells: `report.json` in whole, `report.html` with pictures.
struct StudyReport {
    /// The QC report carries identity: a radiologist must know whose pictures these are.
    struct Identity: Encodable {
        var patientName: String
        var patientID: String
        var studyDate: String
        var studyDescription: String

        init(_ dataSet: DataSet) {
            patientName = dataSet.text(.patientName) ?? ""
            patientID = dataSet.text(.patientID) ?? ""
            studyDate = dataSet.string(.studyDate) ?? ""
            studyDescription = dataSet.text(.studyDescription) ?? ""
        }

        /// Of pictures that never became DICOM.
        init(_ identity: StudyIdentity) {
            patientName = identity.patient.name
            patientID = identity.patient.id
            studyDate = identity.study.date
            studyDescription = identity.study.description
        }

        private enum CodingKeys: String, CodingKey {
            case patientName = "patient_name"
            case patientID = "patient_id"
            case studyDate = "study_date"
            case studyDescription = "study_description"
        }
    }

    struct Source: Encodable {
        var series: String
        var description: String
        var modality: String
        var rows: Int
        var columns: Int
        var frames: Int
        /// Row, column; nil when unknown.
        var spacingMM: [Double]?
        var sliceMM: Double?

        init(_ volume: Volume) {
            series = StudyNames.volume(volume)
            description = volume.first.dataSet.text(.seriesDescription) ?? ""
            modality = volume.modality
            rows = volume.rows
            columns = volume.columns
            frames = volume.frames.count
            spacingMM = volume.pixelSpacing.map { [$0.row, $0.column] }
            sliceMM = volume.sliceSpacing
        }

        private enum CodingKeys: String, CodingKey {
            case series, description, modality, rows, columns, frames
            case spacingMM = "spacing_mm"
            case sliceMM = "slice_mm"
        }
    }

    /// A frame beside itself with the segments drawn on.
    struct PicturePair {
        var caption: String
        /// Data URIs.
        var source: String
        /// Nil when no segment lies in the frame.
        var overlay: String?
    }

    struct HeatPicture {
        var title: String
        var uri: String
    }

    /// One pipeline on one volume.
    struct Result {
        var source: Source
        var pipeline: String
        var pipelineVersion: String
        var pipelineDigest: String
        var modelDigest: String
        var weightsDigest: String
        /// File names in the study's folder; nil when nothing was found.
        var file: String?
        var images: [String]
        var segments: [SegmentMeasurement]
        var findings: [Finding]
        var window: String
        var pictures: [PicturePair]
        /// Data URI, small, for the run's page.
        var thumbnail: String
        var heatMaps: [HeatPicture]
        /// The frame that they are of, from 1.
        var heatMapFrame: Int
        /// In order.
        var steps: [(name: String, seconds: Double)]
    }

    /// Files of the study that gave no result, by their reason.
    struct Unused: Encodable {
        /// Names of their series.
        var series: [String]
        var status: Outcome
        var code: String
        var reason: String
        var files: Int
    }

    var study: String
    var key: String
    var identity: Identity
    var program: ProgramIdentity
    var created: String
    var results: [Result] = []
    var unused: [Unused] = []
}

extension Finding {
    /// As a row of JSON.
    fileprivate var json: [String: String] { ["code": code, "severity": severity.rawValue, "text": text] }
}

extension StudyReport: Encodable {
    private enum CodingKeys: String, CodingKey { case version, study, key, identity, program, created, results, unused }

    func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(1, forKey: .version)
        try container.encode(study, forKey: .study)
        try container.encode(key, forKey: .key)
        try container.encode(identity, forKey: .identity)
        try container.encode(program, forKey: .program)
        try container.encode(created, forKey: .created)
        try container.encode(results, forKey: .results)
        try container.encode(unused, forKey: .unused)
    }
}

extension StudyReport.Result: Encodable {
    private enum CodingKeys: String, CodingKey {
        case source, pipeline, file, images, segments, findings, window
        case pipelineVersion = "pipeline_version"
        case pipelineDigest = "pipeline_digest"
        case modelDigest = "model_digest"
        case weightsDigest = "weights_digest"
        case secondsByStep = "seconds_by_step"
    }

    func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(source, forKey: .source)
        try container.encode(pipeline, forKey: .pipeline)
        try container.encode(pipelineVersion, forKey: .pipelineVersion)
        try container.encode(pipelineDigest, forKey: .pipelineDigest)
        try container.encode(modelDigest, forKey: .modelDigest)
        try container.encode(weightsDigest, forKey: .weightsDigest)
        try container.encode(file, forKey: .file)
        try container.encode(images, forKey: .images)
        try container.encode(segments.map(\.row), forKey: .segments)
        try container.encode(findings.map(\.json), forKey: .findings)
        try container.encode(window, forKey: .window)
        try container.encode(
            Dictionary(steps.map { ($0.name, rounded($0.seconds, 3)) }) { $0 + $1 }, forKey: .secondsByStep)
    }
}
