import DICOM
import DICOMObjects
import Failures
import Foundation
import ImageFiles
import Imaging
import SegmentAnything
import Storage

/// One study from its files to its folder: the way of architecture.md section 3, steps 5 to 12, as one straight function.
package final class StudyRun {
    package struct Progress: Sendable {
        package var study: String
        package var series: String
        package var pipeline: String
        package var frame: Int
        package var frames: Int
    }

    private let pipelines: [PipelineDirectory]
    private let isForced: Bool
    private let program: ProgramIdentity
    private let out: String
    private let progress: (Progress) throws -> Void
    /// Loaded when first needed.
    private var predictors: [String: Predictor] = [:]

    /// - Parameter isForced: the one pipeline was named, so its rules are not asked.
    /// - Parameter progress: called for each frame; what it throws ends the run.
    package init(
        pipelines: [PipelineDirectory], isForced: Bool, program: ProgramIdentity, out: String,
        progress: @escaping (Progress) throws -> Void = { _ in }
    ) {
        self.pipelines = pipelines
        self.isForced = isForced
        self.program = program
        self.out = out
        self.progress = progress
    }

    /// Groups, selects, decodes, segments, judges, composes, verifies and commits one study.
    ///
    /// Outcomes go to the records of its files; its results and its row of studies to `record`. *Throws* `Interruption` only:
    /// what goes wrong in a study is the outcome of its files.
    package func run(_ study: ReadStudy, places: [String: Int], record: inout RunRecord) throws -> RunIndexCard? {
        var outcomes = FileOutcomes(places)
        do {
            let folder = try RunFolder(in: out, name: study.name)
            do {
                let card = try run(study, folder, &outcomes, &record)
                outcomes.write(into: &record)
                return card
            } catch {
                folder.discard()
                throw error
            }
        } catch let interruption as Interruption {
            throw interruption
        } catch {
            // Nothing of the study became visible, so nothing of it counts as done.
            record.results.removeAll { $0.study == study.name }
            record.studies.removeAll { $0.study == study.name }
            for path in study.instances.map(\.path) + study.rasters.map(\.path) { outcomes.note(error, path) }
            outcomes.write(into: &record)
            return nil
        }
    }

    private func run(
        _ study: ReadStudy, _ folder: RunFolder, _ outcomes: inout FileOutcomes, _ record: inout RunRecord
    ) throws -> RunIndexCard {
        let (instances, keys) = imported(study, folder, &outcomes)
        let built = VolumeBuilder.volumes(of: instances)
        for left in built.leftOut { outcomes.note(left.failure, left.instance.path) }

        let key = StudyKey.key(study: StudyKey.digest(instances, replaced: keys), pipelines: pipelines)
        var report = StudyReport(
            study: study.name, key: key, identity: Self.identity(study), program: program,
            created: JSONText.time(Date()))
        for volume in built.volumes {
            let chosen = Selection.match(volume, pipelines, isForced: isForced)
            if chosen.isEmpty { outcomes.note(Selection.reason(volume, pipelines), volume) }
            for directory in chosen {
                do {
                    let images = volume.instances.map(\.path).filter { $0.hasPrefix(folder.path) }.map {
                        Folder.split($0).name
                    }
                    let result = try segment(volume, directory, folder, images: images)
                    report.results.append(result)
                    outcomes.processed(volume)
                } catch let interruption as Interruption {
                    throw interruption
                } catch {
                    outcomes.note(error, volume)
                }
            }
        }
        for instance in instances { outcomes.copy(instance.path) }
        // Images of TIFF files stand beside results; without one nobody asked for them.
        let kept = Set(report.results.flatMap(\.images))
        for image in instances.map(\.path)
        where image.hasPrefix(folder.path) && !kept.contains(Folder.split(image).name) {
            try Folder.remove(image)
        }

        report.unused = outcomes.unused(of: study.name, record)
        try DurableFile.write(try JSONText.encode(report), to: Folder.join(folder.path, "report.json"), mode: 0o640)
        try DurableFile.write(ReportPage.html(report), to: Folder.join(folder.path, "report.html"), mode: 0o640)
        try folder.commit()
        record.studies.append(.init(study: study.name, key: key, folder: study.name))
        record.results += report.results.map { Self.row($0, study: study.name) }
        return RunIndexCard(report)
    }

    // MARK: Steps

    /// The study's DICOM instances, with those that its TIFF files become; digests of the latter by instance.
    private func imported(
        _ study: ReadStudy, _ folder: RunFolder, _ outcomes: inout FileOutcomes
    ) -> (instances: [SourceInstance], keys: [String: String]) {
        var instances = study.instances
        var keys: [String: String] = [:]
        var numbers: [String: Int] = [:]
        for source in study.rasters {
            do {
                let images = try RasterStudy.images(
                    of: source, in: folder.path, number: &numbers[source.seriesInstanceUID, default: 1])
                for image in images {
                    outcomes.isMade(image.path, from: source.path)
                    keys[image.sopInstanceUID] = source.digest
                }
                instances += images
            } catch {
                outcomes.note(error, source.path)
            }
        }
        return (instances, keys)
    }

    /// One pipeline on one volume: the masks measured, the object written and verified, the pictures made.
    private func segment(
        _ volume: Volume, _ directory: PipelineDirectory, _ folder: RunFolder, images: [String]
    ) throws -> StudyReport.Result {
        let pipeline = directory.pipeline
        var clock = StepClock()
        let name = StudyNames.volume(volume)
        let producer = directory.producer(version: program.version)
        var options = Segmentation.Options()
        options.syntheticGeometry = pipeline.outputs.syntheticGeometry
        options.label = pipeline.outputs.label
        options.seriesNumber = pipeline.outputs.seriesNumber
        options.mayOverlap = directory.model.configuration.activation == .sigmoid
        options.salt = pipeline.outputs.uidSalt
        try Segmentation.check(volume, segments: pipeline.segments, producer: producer, options: options)
        let predictor = try clock.time("load model") { try self.predictor(directory) }
        let advance = Progress(
            study: folder.name, series: name, pipeline: pipeline.name, frame: 0, frames: volume.frames.count)
        let segmentation = try VolumeSegmentation(volume, pipeline, predictor, clock: &clock) { frame, _ in
            var step = advance
            step.frame = frame
            try progress(step)
        }
        let measurements = QualityChecks.measure(
            volume, pipeline, masks: segmentation.masks, confidence: segmentation.confidence)
        var findings = QualityChecks.check(volume, pipeline, masks: segmentation.masks, measurements: measurements)
        findings += segmentation.notes.map { Finding("PIX-NOTE", .note, $0) }

        var file: String?
        let object = try clock.time("compose") {
            try Segmentation(
                volume, masks: segmentation.masks, segments: pipeline.segments,
                producer: producer, options: options)
        }
        if let object {
            let target = "\(name)-\(pipeline.name).seg.dcm"
            try clock.time("write and verify") { try object.write(to: Folder.join(folder.path, target)) }
            findings += object.notes.map { Finding("OUT-NOTE", .note, $0) }
            file = target
        }

        let (shown, fullest) = ResultPictures.frames(segmentation.masks)
        let pictures = try clock.time("pictures") {
            (
                pairs: try ResultPictures.pairs(shown, volume, pipeline, segmentation),
                thumbnail: try ResultPictures.thumbnail(fullest, volume, pipeline, segmentation)
            )
        }
        let maps = try clock.time("heat maps") {
            try heatMaps(volume, pipeline, predictor, segmentation, frame: fullest)
        }
        return StudyReport.Result(
            source: .init(volume), pipeline: pipeline.name, pipelineVersion: pipeline.version,
            pipelineDigest: directory.digest,
            modelDigest: directory.model.digest.hex, weightsDigest: directory.model.weightsDigest.hex, file: file,
            images: images,
            segments: measurements, findings: findings, window: segmentation.window, pictures: pictures.pairs,
            thumbnail: pictures.thumbnail, heatMaps: maps, heatMapFrame: fullest + 1,
            steps: clock.steps)
    }

    /// Of a volume of many frames the maps are made for the one that shows most, which is segmented once more for them.
    private func heatMaps(
        _ volume: Volume, _ pipeline: Pipeline, _ predictor: Predictor, _ segmentation: VolumeSegmentation, frame: Int
    ) throws -> [StudyReport.HeatPicture] {
        let spacing = VolumeSegmentation.spacing(volume, pipeline)
        var maps = segmentation.heatMaps
        if volume.frames.count > 1 {
            maps = predictor.segment(try segmentation.display.image(frame), spacing: spacing, heatMaps: true).heatMaps
        }
        return try ResultPictures.maps(
            maps, volume, aspect: spacing.map { $0.row / $0.column } ?? 1,
            inputSize: predictor.description.configuration.inputSize)
    }

    private func predictor(_ directory: PipelineDirectory) throws -> Predictor {
        if let loaded = predictors[directory.name] { return loaded }
        let loaded = try Predictor(directory.model)
        predictors[directory.name] = loaded
        return loaded
    }

    // MARK: Rows

    private static func identity(_ study: ReadStudy) -> StudyReport.Identity {
        if let first = study.instances.first { return StudyReport.Identity(first.dataSet) }
        return StudyReport.Identity(study.rasters.first?.identity ?? StudyIdentity())
    }

    private static func row(_ result: StudyReport.Result, study: String) -> RunRecord.Result {
        RunRecord.Result(
            study: study, series: result.source.series, pipeline: result.pipeline,
            file: result.file.map { "\(study)/\($0)" },
            seconds: result.steps.reduce(0) { $0 + $1.seconds }, segments: result.segments.map(\.row),
            frames: result.source.frames,
            pipelineVersion: result.pipelineVersion, pipelineDigest: result.pipelineDigest,
            modelDigest: result.modelDigest,
            secondsByStep: Dictionary(result.steps.map { ($0.name, $0.seconds) }) { $0 + $1 })
    }
}

/// The run was asked to stop: by a signal, or because the service that held it is gone.
package struct Interruption: Error {
    package init() {}
}
