import DICOM
import DICOMObjects
import Imaging
import Records
import SegmentAnything
import Storage

/// One pipeline on one volume: masks made and measured, the object written and verified, the pictures made.
struct VolumeRun {
    let task: VolumeTask
    let predictor: Predictor
    /// Where each of the volume's instances comes from.
    let sources: [StudySources.Source]
    /// The program's version, for the object.
    let version: String
    let folder: RunFolder

    private var volume: Volume { task.volume }
    private var pipeline: Pipeline { task.pipeline.pipeline }

    /// *Throws* what keeps this volume from having its result, and what `progress` throws.
    func run(clock: inout StepClock, progress: (_ frame: Int) throws -> Void) throws -> StudyReport.Result {
        let segmentation = try VolumeSegmentation(volume, pipeline, predictor, clock: &clock, progress: progress)
        let measurements = QualityChecks.measure(
            volume, pipeline, masks: segmentation.masks, confidence: segmentation.confidence)
        var findings = made
        findings += QualityChecks.check(volume, pipeline, masks: segmentation.masks, measurements: measurements)
        findings += segmentation.notes.map { Finding("PIX-NOTE", .note, $0) }
        let object = try write(segmentation, clock: &clock)
        findings += object.notes.map { Finding("OUT-NOTE", .note, $0) }
        let pictures = try clock.time("pictures") {
            try ResultPictures(volume, pipeline, segmentation, inputSize: predictor.description.configuration.inputSize)
        }
        let directory = task.pipeline
        let record = StudyRecord.Result(
            source: .init(volume, files: sources.compactMap(\.name)), pipeline: pipeline.name,
            pipelineVersion: pipeline.version,
            pipelineDigest: directory.digest, modelDigest: directory.model.digest.hex,
            weightsDigest: directory.model.weightsDigest.hex, file: object.file,
            images: sources.compactMap(\.image), segments: measurements.map(\.record),
            findings: findings.map(FindingRecord.init), window: segmentation.window,
            secondsByStep: clock.secondsByStep)
        return StudyReport.Result(record: record, measurements: measurements, pictures: pictures, steps: clock.steps)
    }

    /// What was decided when the volume's images were made, each once.
    private var made: [Finding] {
        sources.flatMap(\.findings).reduce(into: []) { if !$0.contains($1) { $0.append($1) } }
    }

    /// The segmentation object; no file when nothing was found.
    private func write(
        _ segmentation: VolumeSegmentation, clock: inout StepClock
    ) throws -> (file: String?, notes: [String]) {
        let object = try clock.time("compose") {
            try Segmentation(
                volume, masks: segmentation.masks, segments: pipeline.segments,
                producer: task.pipeline.producer(version: version), options: task.options)
        }
        guard let object else { return (nil, []) }
        let file = "\(StudyNames.volume(volume))-\(pipeline.name).seg.dcm"
        try clock.time("write and verify") { try object.write(to: Folder.join(folder.path, file)) }
        return (file, object.notes)
    }
}

extension StudyRecord.Source {
    init(_ volume: Volume, files: [String]) {
        self.init(
            series: StudyNames.volume(volume), files: files,
            description: volume.first.dataSet.text(.seriesDescription) ?? "",
            modality: volume.modality, rows: volume.rows, columns: volume.columns, frames: volume.frames.count,
            spacingMM: volume.pixelSpacing.map { [$0.row, $0.column] }, sliceMM: volume.sliceSpacing)
    }
}

extension FindingRecord {
    init(_ finding: Finding) {
        let severity: Severity =
            switch finding.severity {
            case .note: .note
            case .warning: .warning
            }
        self.init(code: finding.code, severity: severity, text: finding.text)
    }
}
