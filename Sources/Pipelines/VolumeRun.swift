import DICOM
import DICOMObjects
import Imaging
import Numbers
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
    /// Bytes of packed slices that the page may hold of this volume.
    let pageBudget: Int
    /// Written beside the DICOM objects.
    let also: Set<MaskFiles>

    private var volume: Volume { task.volume }
    private var pipeline: Pipeline { task.pipeline.pipeline }

    /// *Throws* what keeps this volume from having its result, and what `progress` throws.
    func run(clock: inout StepClock, progress: (_ frame: Int) throws -> Void) throws -> StudyReport.Result {
        let segmentation = try VolumeSegmentation(
            volume, pipeline, predictor, task.pipeline.separation, clock: &clock, progress: progress)
        let results = ResultObjects(task: task, version: version, folder: folder)
        let captured = results.captured(segmentation)
        var captures: [ObjectRecord] = []
        let look = try clock.time("measure") {
            try SecondLook(volume, segmentation, pipeline.outputs, budget: pageBudget) { index, frame in
                guard let place = captured.firstIndex(of: index) else { return }
                captures.append(try results.capture(frame, at: index, place: place + 1, segmentation))
            }
        }
        if let picture = try clock.time("pictures", { try results.captureOfSlide(segmentation) }) {
            captures.append(picture)
        }
        let measurements = QualityChecks.measure(
            volume, pipeline, masks: segmentation.masks, confidence: segmentation.confidence, objects: look.objects,
            seen: segmentation.seen)
        let records = measurements.map(\.record)
        var findings = sources.findings
        findings += QualityChecks.check(volume, pipeline, masks: segmentation.masks, measurements: measurements)
        findings += segmentation.findings
        var written = try results.write(segmentation, records, clock: &clock)
        written.objects += captures
        for kind in MaskFiles.allCases where also.contains(kind) {
            findings += try clock.time("write and verify") {
                try kind.write(
                    volume, masks: segmentation.masks, keys: pipeline.segments.map(\.key), folder: folder.path,
                    stem: task.stem)
            }
        }
        findings += written.findings
        findings += written.notes.map { Finding("OUT-NOTE", .note, $0) }
        let pictures = try clock.time("pictures") {
            try ResultPictures(volume, pipeline, segmentation, inputSize: predictor.description.configuration.inputSize)
        }
        let viewer = try clock.time("pictures") {
            try look.slices.map { slices in
                try ViewerData(
                    volume, pipeline, slices, masks: segmentation.masks, objects: segmentation.objects,
                    window: segmentation.displayWindow,
                    isInverted: look.isInverted)
            }
        }
        let file = written.objects.first { Outputs.Kind(rawValue: $0.kind)?.segmentationType != nil }?.file
        let directory = task.pipeline
        let record = StudyRecord.Result(
            source: .init(volume, files: sources.compactMap(\.name)), pipeline: pipeline.name,
            pipelineVersion: pipeline.version,
            pipelineDigest: directory.digest, modelDigest: directory.model.digest.hex,
            weightsDigest: directory.model.weightsDigest.hex, file: file, objects: written.objects,
            images: sources.compactMap(\.image), segments: records, findings: findings.map(FindingRecord.init),
            window: segmentation.window, tta: pipeline.tta, secondsByStep: clock.secondsByStep)
        let tables = MeasurementTables(
            volume, pipeline, study: folder.name, file: file, records, measurements, look.objects,
            hasInstances: written.objects.contains { $0.kind == Outputs.Kind.instances.rawValue })
        return StudyReport.Result(
            record: record, measurements: measurements, pictures: pictures, viewer: viewer, tables: tables,
            steps: clock.steps)
    }
}

extension StudyRecord.Source {
    init(_ volume: Volume, files: [String]) {
        self.init(
            series: StudyNames.volume(volume), files: files,
            description: volume.first.dataSet.text(.seriesDescription) ?? "",
            modality: volume.modality, rows: volume.pictures.rows, columns: volume.pictures.columns,
            frames: volume.pictures.count,
            spacingMM: volume.pixelSpacing.map { [$0.row, $0.column] }, sliceMM: volume.sliceSpacing?.withoutNoise)
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
