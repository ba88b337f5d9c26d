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
        let index = try InputReader.read(inputs)
        // Pictures become DICOM on the way, in a folder that nobody sees.
        let scratch = try ScratchFolder()
        var volumes: [InspectionRecord.Volume] = []
        var results: [StudyResult] = []
        for study in index.studies {
            var outcomes = StudyOutcomes(study)
            let folder = try RunFolder(in: scratch.path, name: study.name)
            let sources = StudySources(
                study, in: folder, selections: Set(pipelines.map(\.pipeline.tiff)).union([.init()]), &outcomes)
            let built = VolumeBuilder.volumes(of: sources.instances)
            for left in built.leftOut { outcomes.stop(left.failure, [sources[left.instance].member]) }
            for volume in built.volumes {
                let answers = pipelines.filter { sources.isOf($0.pipeline.tiff, volume) }.map {
                    answer($0, volume, version)
                }
                if answers.contains(where: \.takes) {
                    outcomes.note(.processed, sources.members(of: volume))
                } else {
                    outcomes.stop(reason(answers, volume, pipelines), sources.members(of: volume))
                }
                let of = sources.of(volume)
                volumes.append(
                    InspectionRecord.Volume(
                        study: study.name, source: .init(volume, files: of.compactMap(\.name)),
                        findings: (of.flatMap(\.findings) + volume.findings).map(FindingRecord.init), pipelines: answers
                    ))
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
    private static func answer(
        _ directory: PipelineDirectory, _ volume: Volume, _ version: String
    ) -> InspectionRecord.Volume.Answer {
        let rules = directory.pipeline.selection.map { $0.unmet(by: volume) }
        if let nearest = rules.indices.min(by: { rules[$0].count < rules[$1].count }), !rules[nearest].isEmpty {
            return .init(pipeline: directory.name, takes: false, rule: nearest + 1, reasons: rules[nearest])
        }
        guard !rules.isEmpty else {
            return .init(
                pipeline: directory.name, takes: false, rule: nil, reasons: ["it has no rule: it runs when it is named"]
            )
        }
        do {
            try VolumeTask(volume: volume, pipeline: directory).check(version: version)
            return .init(pipeline: directory.name, takes: true, rule: nil, reasons: [])
        } catch {
            return .init(pipeline: directory.name, takes: false, rule: nil, reasons: ["\(error)"])
        }
    }

    private static func reason(
        _ answers: [InspectionRecord.Volume.Answer], _ volume: Volume, _ pipelines: [PipelineDirectory]
    ) -> any Error {
        for directory in pipelines
        where answers.contains(where: { $0.pipeline == directory.name && $0.rule == nil && !$0.takes }) {
            do { try VolumeTask(volume: volume, pipeline: directory).check(version: "") } catch { return error }
        }
        return Selection.failure(volume, pipelines)
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
