import DICOM
import DICOMObjects
import Failures
import Pages
import Records
import Storage

/// What a study's report tells: `report.json` is its record, `report.html` shows pictures as well.
struct StudyReport {
    /// One pipeline on one volume.
    struct Result {
        var record: StudyRecord.Result
        var measurements: [SegmentMeasurement]
        var pictures: ResultPictures
        /// The slices, for the page; nil of a picture that is too large for one.
        var viewer: ViewerData?
        /// Rows of the study's tables.
        var tables: MeasurementTables
        /// In the order in which they were taken.
        var steps: [(name: String, seconds: Double)]

        /// The row of `run.json`.
        func row(study: String) -> RunRecord.Result {
            RunRecord.Result(
                study: study, series: record.source.series, pipeline: record.pipeline,
                file: record.file.map { "\(study)/\($0)" },
                objects: (record.objects ?? []).map { .init(kind: $0.kind, file: "\(study)/\($0.file)") },
                segments: record.segments, findings: record.findings,
                frames: record.source.frames, pipelineVersion: record.pipelineVersion,
                pipelineDigest: record.pipelineDigest, modelDigest: record.modelDigest,
                secondsByStep: record.secondsByStep)
        }
    }

    var record: StudyRecord
    var results: [Result]

    /// Those of all results.
    var tables: MeasurementTables { MeasurementTables(results.map(\.tables)) }

    /// - Parameter outcomes: of the study's files.
    init(
        _ study: StudyInputs, _ row: RunRecord.Study, _ key: StudyKey?, _ outcomes: [InputOutcome],
        identity: StudyRecord.Identity, program: ProgramIdentity, results: [Result]
    ) {
        self.results = results
        record = StudyRecord(
            study: row.study, key: row.key, complete: row.complete, pipelines: row.pipelines,
            instances: key?.instances ?? [],
            identity: identity, program: program, created: RecordTime.now(), results: results.map(\.record),
            unused: Self.unused(study, outcomes), contents: key?.contents)
    }

    /// Both files of the report, and the tables where there is a result.
    func write(to folder: RunFolder) throws {
        try DurableFile.write(
            record.json(), to: Folder.join(folder.path, StudyRecord.fileName), mode: 0o640)
        if !results.isEmpty { try tables.write(to: folder.path) }
        var page = try DurableFile(Folder.join(folder.path, "report.html"), mode: 0o640)
        try ReportPage.html(self).write { (bytes) throws(StorageFailure) in try page.append(bytes) }
        try page.commit()
    }

    /// The study's files that gave no result, by their reason, worst first.
    private static func unused(_ study: StudyInputs, _ outcomes: [InputOutcome]) -> [StudyRecord.Unused] {
        var order: [String] = []
        var groups: [String: StudyRecord.Unused] = [:]
        for (member, outcome) in zip(study.members, outcomes) where outcome != .processed {
            let row = member.input.record(outcome)
            let key = "\(row.status.rawValue) \(row.code ?? "") \(row.reason ?? "")"
            var group =
                groups[key]
                ?? StudyRecord.Unused(
                    series: [], status: row.status, code: row.code ?? "", reason: row.reason ?? "", files: 0)
            if groups[key] == nil { order.append(key) }
            group.files += 1
            if let series = row.series, !group.series.contains(series) { group.series.append(series) }
            groups[key] = group
        }
        return order.compactMap { groups[$0] }.sorted {
            InputOutcome.rank($0.status) > InputOutcome.rank($1.status)
        }
    }
}

extension StudyRecord.Identity {
    /// What all images of the study say together, or what the sidecar says of pictures that never became DICOM.
    init(_ study: StudyInputs, _ tasks: [VolumeTask], _ sources: StudySources) {
        // Without a volume any image speaks, always the same one.
        let images = sources.instances.sorted { $0.sopInstanceUID < $1.sopInstanceUID }
        if let dataSet = tasks.first?.volume.patientAndStudy ?? images.first?.dataSet {
            self.init(
                patientName: dataSet.text(.patientName) ?? "", patientID: dataSet.text(.patientID) ?? "",
                studyDate: dataSet.string(.studyDate) ?? "", studyDescription: dataSet.text(.studyDescription) ?? "",
                accessionNumber: dataSet.text(.accessionNumber) ?? "",
                issuerOfPatientID: dataSet.text(.issuerOfPatientID) ?? "",
                patientBirthDate: dataSet.string(.patientBirthDate) ?? "",
                patientSex: dataSet.string(.patientSex) ?? "", studyID: dataSet.text(.studyID) ?? "")
            return
        }
        let identity =
            study.members.lazy.compactMap { member in
                if case .raster(let source) = member.content { source.identity } else { nil }
            }.first ?? StudyIdentity()
        self.init(
            patientName: identity.patient.name, patientID: identity.patient.id, studyDate: identity.study.date,
            studyDescription: identity.study.description, accessionNumber: identity.study.accession,
            issuerOfPatientID: identity.patient.issuer, patientBirthDate: identity.patient.birthDate,
            patientSex: identity.patient.sex, studyID: identity.study.id)
    }
}
