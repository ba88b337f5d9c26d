import DICOM
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
        for study in index.studies {
            var outcomes = StudyOutcomes(study)
            let folder = try RunFolder(in: scratch.path, name: study.name)
            let sources = StudySources(
                study, in: folder, RasterRequest(pipelines, more: [.init()]), &outcomes)
            let built = VolumeBuilder.volumes(of: sources.instances)
            for left in built.leftOut { outcomes.stop(left.failure, [sources[left.instance].member]) }
            for volume in built.volumes {
                let answers = pipelines.filter { sources.isOf($0.pipeline.tiff, volume) }.map {
                    answer($0, volume, version)
                }
                if answers.contains(where: { $0.answer.takes }) {
                    outcomes.note(.processed, sources.members(of: volume))
                } else {
                    let failure = answers.compactMap { $0.failure }.first
                    outcomes.stop(failure ?? Selection.failure(volume, pipelines), sources.members(of: volume))
                }
                let of = sources.of(volume)
                volumes.append(
                    InspectionRecord.Volume(
                        study: study.name, source: .init(volume, files: of.compactMap(\.name)),
                        findings: (of.findings + volume.findings).map(FindingRecord.init),
                        pipelines: answers.map { $0.answer }))
            }
            folder.discard()
            results.append(StudyResult(outcomes: outcomes.settled))
        }
        var files = index.records(results).map { input in
            var file = InspectionRecord.File(path: input.path, status: input.status)
            (file.code, file.reason) = (input.code, input.reason)
            return file
        }
        for number in files.indices { FileFacts.add(to: &files[number], hashesPixels: hashesPixels) }
        return InspectionRecord(files: files, volumes: volumes)
    }

    /// What a pipeline says to a volume.
    ///
    /// *Returns* with it what would keep the result of a pipeline that takes the volume from being written.
    private static func answer(
        _ directory: PipelineDirectory, _ volume: Volume, _ version: String
    ) -> (answer: InspectionRecord.Volume.Answer, failure: (any Error)?) {
        func reply(takes: Bool, rule: Int? = nil, _ reasons: [String]) -> InspectionRecord.Volume.Answer {
            .init(pipeline: directory.name, takes: takes, rule: rule, reasons: reasons)
        }
        guard let task = Selection.tasks(volume, [directory], isForced: false).first?.task else {
            let rules = directory.pipeline.selection.map { $0.unmet(by: volume) }
            guard let nearest = rules.indices.min(by: { rules[$0].count < rules[$1].count }) else {
                return (reply(takes: false, ["it has no rule: it runs when it is named"]), nil)
            }
            return (reply(takes: false, rule: nearest + 1, rules[nearest]), nil)
        }
        do {
            try task.check(version: version, also: [])
            return (reply(takes: true, []), nil)
        } catch {
            return (reply(takes: false, ["\(error)"]), error)
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
