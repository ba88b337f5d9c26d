import DICOM
import Failures
import Foundation
import Records
import SegmentAnything
import Storage

/// What became of one study.
struct StudyResult: Sendable {
    /// One for each of the study's files.
    var outcomes: [InputOutcome]
    /// Of each of the study's files which image it is, as `RunRecord.Input.image` says it; empty where that was not found out.
    var images: [String?] = []
    /// Nil when nothing of it could be asked for.
    var study: RunRecord.Study?
    var results: [RunRecord.Result] = []
    /// For the run's page; nil when nothing was written.
    var card: RunIndexCard?
    /// Rows of the run's tables; nil when nothing was written.
    var tables: MeasurementTables?
}

/// Studies from their files to their folders: the table of `docs/architecture.md`, "The way of a study", as one straight function.
package final class StudyRun {
    struct Settings: Sendable {
        var pipelines: [PipelineDirectory]
        /// The one pipeline was named, so its rules are not asked.
        var isForced: Bool
        /// Keys of studies whose complete result exists.
        var known: Set<String>
        var also: Set<MaskFiles> = []
        var program: ProgramIdentity
        /// The output folder.
        var out: String
    }

    private let settings: Settings
    private let pipelines: String
    private let progress: (Progress) throws -> Void
    /// Loaded when first needed.
    private var predictors: [String: Predictor] = [:]

    /// - Parameter progress: called for each frame; what it throws ends the run.
    init(_ settings: Settings, progress: @escaping (Progress) throws -> Void) {
        self.settings = settings
        self.progress = progress
        pipelines = StudyKey.digest(of: settings.pipelines)
    }

    /// Groups, selects, decodes, segments, judges, composes, verifies and commits one study.
    ///
    /// *Throws* what `progress` throws, and nothing else: what goes wrong in a study is the outcome of its files.
    func run(_ study: StudyInputs) throws -> StudyResult {
        do {
            let folder = try RunFolder(in: settings.out, name: study.name)
            do {
                return try run(study, in: folder)
            } catch {
                folder.discard()
                throw error
            }
        } catch let stop as Stop {
            throw stop.error
        } catch {
            // Nothing of the study became visible, so nothing of it counts as done.
            var outcomes = StudyOutcomes(study)
            outcomes.stop(error, study.members.indices)
            return StudyResult(outcomes: outcomes.settled)
        }
    }

    private func run(_ study: StudyInputs, in folder: RunFolder) throws -> StudyResult {
        var outcomes = StudyOutcomes(study)
        let sources = StudySources(
            study, in: folder, RasterRequest(settings.pipelines), &outcomes)
        let tasks = tasks(sources, &outcomes)
        let intended = StudyKey(tasks, sources, pipelines: pipelines)
        if let intended, settings.known.contains(intended.hex) {
            for task in tasks { outcomes.stop(InputFailure.known, sources.members(of: task.volume)) }
            folder.discard()
            return StudyResult(
                outcomes: outcomes.settled, images: sources.images(study),
                study: row(study, outcomes, intended, intended, folder: nil))
        }
        let possible = tasks.filter { task in
            do {
                try task.check(version: settings.program.version, also: settings.also)
                return true
            } catch {
                outcomes.stop(error, sources.members(of: task.volume))
                return false
            }
        }
        var done: [VolumeTask] = []
        var results: [StudyReport.Result] = []
        for task in possible {
            do {
                results.append(try segment(task, sources, folder, share: possible.count))
                done.append(task)
                outcomes.note(.processed, sources.members(of: task.volume))
            } catch let stop as Stop {
                throw stop
            } catch {
                outcomes.stop(error, sources.members(of: task.volume))
            }
        }
        try study.checkUnchanged()
        let key = StudyKey(done, sources, pipelines: pipelines)
        let row = row(study, outcomes, key, intended, folder: study.name)
        let report = StudyReport(
            study, row, key, outcomes.settled, identity: .init(study, tasks, sources),
            program: settings.program, results: results)
        try removeUnusedImages(results, folder)
        try report.write(to: folder)
        // Also where no network was needed: a run with a damaged model leaves nothing behind.
        try verifyModels()
        try folder.commit()
        return StudyResult(
            outcomes: outcomes.settled, images: sources.images(study), study: row,
            results: results.map { $0.row(study: study.name) },
            card: RunIndexCard(report), tables: report.tables)
    }

    // MARK: Steps

    /// Volumes with the pipelines that want them; of everything else it is noted why nothing is made of it.
    private func tasks(_ sources: StudySources, _ outcomes: inout StudyOutcomes) -> [VolumeTask] {
        let built = VolumeBuilder.volumes(of: sources.instances)
        for left in built.leftOut { outcomes.stop(left.failure, [sources[left.instance].member]) }
        let candidates = built.volumes.flatMap { volume in
            let taking = settings.pipelines.filter { sources.isOf($0.pipeline.tiff, volume) }
            var isRefused = false
            let chosen = Selection.tasks(volume, taking, isForced: settings.isForced) { failure in
                outcomes.stop(failure, sources.members(of: volume))
                isRefused = true
            }
            if chosen.isEmpty, !isRefused {
                outcomes.stop(Selection.failure(volume, settings.pipelines), sources.members(of: volume))
            }
            return chosen
        }
        let suiting = SlideLevels.suiting(candidates) { other in
            outcomes.stop(InputFailure.level, sources.members(of: other.volume))
        }
        let picked = Selection.picked(suiting) { task in
            outcomes.stop(InputFailure.notPicked, sources.members(of: task.volume))
        }
        return tolerating(picked, sources, &outcomes).numbered(among: sources.instances)
    }

    /// Without the frames that cannot be decoded, where a pipeline says so; a file of which nothing is left keeps its reason.
    private func tolerating(
        _ tasks: [VolumeTask], _ sources: StudySources, _ outcomes: inout StudyOutcomes
    ) -> [VolumeTask] {
        tasks.compactMap { task in
            guard task.pipeline.pipeline.tolerates == .frame, task.volume.slide == nil else { return task }
            do {
                let (volume, lost) = try task.volume.decodable()
                let left = Set(sources.members(of: volume))
                for frame in lost {
                    let member = sources[frame.frame.instance].member
                    if !left.contains(member) { outcomes.stop(frame.failure, [member]) }
                }
                return VolumeTask(volume: volume, pipeline: task.pipeline)
            } catch {
                outcomes.stop(error, sources.members(of: task.volume))
                return nil
            }
        }
    }

    private func segment(
        _ task: VolumeTask, _ sources: StudySources, _ folder: RunFolder, share: Int
    ) throws -> StudyReport.Result {
        var clock = StepClock()
        let names = try folder.names()
        do {
            let predictor = try clock.time("load model") { try self.predictor(task.pipeline) }
            let run = VolumeRun(
                task: task, predictor: predictor, sources: sources.of(task.volume), version: settings.program.version,
                folder: folder, pageBudget: PackedSlices.budget / share, also: settings.also)
            return try run.run(clock: &clock) { frame in
                do {
                    try progress(
                        Progress(
                            study: folder.name, series: StudyNames.volume(task.volume), pipeline: task.pipeline.name,
                            frame: frame, frames: task.volume.frames.count))
                } catch {
                    throw Stop(error: error)
                }
            }
        } catch let stop as Stop {
            throw stop
        } catch {
            // A damaged model is what went wrong then, whatever it looked like.
            try verifyModels()
            // So is one that no picture can be segmented with.
            if let failure = error as? ModelFailure, failure.kind == .configuration { throw Stop(error: failure) }
            try folder.remove(allBut: names)
            throw error
        }
    }

    /// *Throws* what ends the run when the weights of any pipeline are not what its model says.
    private func verifyModels() throws(Stop) {
        do {
            for pipeline in settings.pipelines { try pipeline.model.verify() }
        } catch {
            throw Stop(error: error)
        }
    }

    private func predictor(_ directory: PipelineDirectory) throws -> Predictor {
        if let loaded = predictors[directory.name] { return loaded }
        let loaded = try Predictor(directory.model, directory.precision, directory.pipeline.augmentation)
        predictors[directory.name] = loaded
        return loaded
    }

    /// Images of TIFF, PNG and JPEG files stand beside results; without one nobody asked for them.
    private func removeUnusedImages(_ results: [StudyReport.Result], _ folder: RunFolder) throws {
        let used = Set(results.flatMap(\.record.images))
        for entry in try Folder.list(folder.path) where RasterStudy.isImage(entry.name) && !used.contains(entry.name) {
            try Folder.remove(Folder.join(folder.path, entry.name))
        }
    }

    /// The study's row of `run.json`.
    private func row(
        _ study: StudyInputs, _ outcomes: StudyOutcomes, _ key: StudyKey?, _ intended: StudyKey?, folder: String?
    ) -> RunRecord.Study {
        RunRecord.Study(
            study: study.name, key: key?.hex, intendedKey: intended?.hex,
            complete: key != nil && !outcomes.settled.contains(where: \.isLoss), folder: folder, pipelines: pipelines,
            instances: key?.instances.count ?? 0)
    }
}

extension StudyRun {
    /// A frame that is done.
    package struct Progress: Sendable {
        package var study: String
        package var series: String
        package var pipeline: String
        package var frame: Int
        package var frames: Int
    }

    /// Carries what `progress` threw past everything that turns errors into outcomes.
    private struct Stop: Error {
        let error: any Error
    }
}

/// The run was asked to stop: by a signal, or because the service that held it is gone.
package struct Interruption: Error {
    package init() {}
}
