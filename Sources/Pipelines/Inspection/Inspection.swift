import DICOM
import Failures
import Foundation
import ImageFiles
package import Records
import Storage

/// What files are, and whether and how a run would process them: nothing is written, nothing is inferred.
package enum Inspection {
    /// - Parameters:
    ///   - pipelines: those that are asked.
    ///   - hashesPixels: decodes every frame of every image for its digest.
    /// *Throws* `InputFailure.missing`; what is wrong with a file is its outcome.
    package static func inspect(
        _ inputs: [String], pipelines: [PipelineDirectory], version: String, hashesPixels: Bool
    ) throws -> InspectionRecord {
        let index = try InputReader.read(inputs, limits: ReadingLimits(of: pipelines))
        // Pictures become DICOM on the way, in a folder that nobody sees.
        let scratch = try ScratchFolder()
        var volumes: [InspectionRecord.Volume] = []
        var results: [StudyResult] = []
        var taken: [Taken] = []
        for study in index.studies {
            var outcomes = StudyOutcomes(study)
            let folder = try RunFolder(in: scratch.path, name: study.name)
            let sources = StudySources(
                study, in: folder, RasterRequest(pipelines, more: [.init()]), &outcomes)
            let built = VolumeBuilder.volumes(of: sources.instances)
            for left in built.leftOut { outcomes.stop(left.failure, [sources[left.instance].member]) }
            var answered = built.volumes.map { volume in
                (
                    volume: volume,
                    answers: pipelines.filter { sources.isOf($0.pipeline.tiff, volume) }.map {
                        answer($0, volume, version)
                    }
                )
            }
            drop(&answered)
            for (volume, answers) in answered {
                let takers = zip(answers, pipelines.filter { sources.isOf($0.pipeline.tiff, volume) })
                    .filter { $0.0.record.takes }.map(\.1)
                if !takers.isEmpty {
                    outcomes.note(.processed, sources.members(of: volume))
                    taken.append(
                        Taken(
                            paths: Set(sources.members(of: volume).map { study.members[$0].input.path }),
                            tolerates: volume.slide == nil && takers.allSatisfy { $0.pipeline.tolerates == .frame }))
                } else {
                    let failure = answers.compactMap { $0.failure }.first
                    outcomes.stop(failure ?? Selection.failure(volume, pipelines), sources.members(of: volume))
                }
                let of = sources.of(volume)
                volumes.append(
                    InspectionRecord.Volume(
                        study: study.name, source: .init(volume, files: of.compactMap(\.name)),
                        findings: (of.findings + volume.findings).map(FindingRecord.init),
                        pipelines: answers.map(\.record)))
            }
            folder.discard()
            results.append(StudyResult(outcomes: outcomes.settled))
        }
        var files = index.records(results).map { input in
            var file = InspectionRecord.File(path: input.path, status: input.status)
            (file.code, file.reason) = (input.code, input.reason)
            return file
        }
        var failures: [String: FileFacts.PixelFailure] = [:]
        for number in files.indices {
            let path = files[number].path
            failures[path] = FileFacts.add(
                to: &files[number], at: index.location(of: path), hashesPixels: hashesPixels)
        }
        for volume in taken { stop(volume, failures, &files) }
        return InspectionRecord(files: files, volumes: volumes)
    }

    /// A volume that a pipeline takes.
    private struct Taken {
        /// Of its files.
        let paths: Set<String>
        /// Frames that cannot be decoded are left out of it.
        let tolerates: Bool
    }

    /// A file that cannot be decoded is of no use, and without it neither is its volume, unless its pipelines say otherwise.
    private static func stop(
        _ volume: Taken, _ failures: [String: FileFacts.PixelFailure], _ files: inout [InspectionRecord.File]
    ) {
        guard let first = volume.paths.sorted().lazy.compactMap({ failures[$0] }).first else { return }
        for number in files.indices
        where volume.paths.contains(files[number].path) && files[number].status == .processed {
            let own = failures[files[number].path]
            if volume.tolerates, own?.isWhole != true { continue }
            let failure = (own ?? first).record
            files[number].status = Outcome(failure.kind)
            (files[number].code, files[number].reason) = (failure.code, failure.message.withoutSubject)
        }
    }

    /// What a pipeline says to a volume.
    private struct Answer {
        var record: InspectionRecord.Volume.Answer
        /// What keeps the result of a pipeline that selects the volume from being written.
        var failure: (any Error)?
        /// Where the pipeline selects it.
        var candidate: (task: VolumeTask, rule: SelectionRule?)?
    }

    private static func answer(_ directory: PipelineDirectory, _ volume: Volume, _ version: String) -> Answer {
        func reply(takes: Bool, rule: Int? = nil, _ reasons: [String]) -> InspectionRecord.Volume.Answer {
            .init(pipeline: directory.name, takes: takes, rule: rule, reasons: reasons)
        }
        var refusal: DICOMFailure?
        let candidates = Selection.tasks(volume, [directory], isForced: false) { refusal = $0 }
        if let refusal {
            return Answer(record: reply(takes: false, [refusal.message.explanation]), failure: refusal)
        }
        guard let candidate = candidates.first else {
            let rules = directory.pipeline.selection.map { Selection.unmet(by: volume, $0, of: directory) }
            guard let nearest = rules.indices.min(by: { rules[$0].count < rules[$1].count }) else {
                return Answer(record: reply(takes: false, ["it has no rule: it runs when it is named"]))
            }
            return Answer(record: reply(takes: false, rule: nearest + 1, rules[nearest]))
        }
        do {
            try candidate.task.check(version: version, also: [])
            return Answer(record: reply(takes: true, []), candidate: candidate)
        } catch {
            return Answer(record: reply(takes: false, ["\(error)"]), failure: error, candidate: candidate)
        }
    }

    /// Of the levels of a slide and of the volumes of a study those that a run would leave for another one are not taken.
    private static func drop(_ answered: inout [(volume: Volume, answers: [Answer])]) {
        func key(_ task: VolumeTask) -> String { "\(task.pipeline.name) \(task.volume.part) \(task.volume.digest)" }
        var dropped: [String: InputFailure] = [:]
        let candidates = answered.flatMap { $0.answers.compactMap(\.candidate) }
        let suiting = SlideLevels.suiting(candidates) { dropped[key($0)] = .level }
        _ = Selection.picked(suiting) { dropped[key($0)] = .notPicked }
        for volume in answered.indices {
            for index in answered[volume].answers.indices {
                guard let task = answered[volume].answers[index].candidate?.task, let failure = dropped[key(task)]
                else { continue }
                answered[volume].answers[index].record.takes = false
                answered[volume].answers[index].record.reasons = [failure.message.explanation]
                answered[volume].answers[index].failure = failure
            }
        }
    }
}

/// A folder that is gone with its owner.
private struct ScratchFolder: ~Copyable {
    let path: String

    init() throws {
        path = Folder.join(FileManager.default.temporaryDirectory.path, "hspsam-inspect-\(UUID().uuidString)")
        try Folder.make(path)
    }

    deinit { try? Folder.remove(path) }
}
