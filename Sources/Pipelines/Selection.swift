package import DICOM
package import Failures

/// Which pipelines a volume goes through.
package enum Selection {
    /// Those with a rule that the volume matches, in the order of their names; the first matching rule of each wins.
    ///
    /// - Parameter isForced: the user named the pipeline, so its rules are not asked.
    package static func match(_ volume: Volume, _ pipelines: [PipelineDirectory], isForced: Bool) -> [PipelineDirectory]
    {
        isForced ? pipelines : pipelines.filter { $0.pipeline.selection.contains { $0.matches(volume) } }
    }

    /// A volume with a pipeline that takes it, some of its frames where the rule says so.
    ///
    /// - Parameter rule: nil where the pipeline was named and none of its rules matches.
    static func task(_ volume: Volume, _ directory: PipelineDirectory) -> (task: VolumeTask, rule: SelectionRule?) {
        let rule = directory.pipeline.selection.first { $0.matches(volume) }
        return (VolumeTask(volume: rule?.chosen(of: volume) ?? volume, pipeline: directory), rule)
    }

    /// Of the volumes of a study that a rule matches those that it picks; `dropped` is called for the others.
    static func picked(
        _ candidates: [(task: VolumeTask, rule: SelectionRule?)], dropped: (VolumeTask) -> Void
    ) -> [VolumeTask] {
        var tasks: [VolumeTask] = []
        for (index, candidate) in candidates.enumerated() {
            let pick = candidate.rule?.pick ?? .all
            let rivals = candidates.indices.filter {
                candidates[$0].rule?.pick == pick
                    && candidates[$0].task.pipeline.digest == candidate.task.pipeline.digest
            }
            let best = rivals.min { rank(candidates[$0].task.volume, pick) < rank(candidates[$1].task.volume, pick) }
            if pick == .all || best == index { tasks.append(candidate.task) } else { dropped(candidate.task) }
        }
        return tasks
    }

    /// The lower, the sooner picked.
    private static func rank(_ volume: Volume, _ pick: SelectionRule.Pick) -> Double {
        switch pick {
        case .all: 0
        case .thinnest: volume.sliceSpacing ?? volume.frames[0].sliceThickness ?? .infinity
        case .largest: -Double(volume.rows * volume.columns) * Double(volume.frames.count)
        }
    }

    /// Why no pipeline wants a volume: of the rule that comes nearest what does not hold. Attributes that are no patient's values only.
    package static func failure(_ volume: Volume, _ pipelines: [PipelineDirectory]) -> FailureRecord {
        let part =
            volume.first.dataSet.string(.bodyPartExamined).map { ", body part \($0.prefix(16).uppercased())" } ?? ""
        let frames = volume.frames.count == 1 ? "1 frame" : "\(volume.frames.count) frames"
        let names = pipelines.map(\.name).joined(separator: ", ")
        let nearest = pipelines.flatMap { pipeline in
            pipeline.pipeline.selection.map { (name: pipeline.name, unmet: $0.unmet(by: volume)) }
        }.min { $0.unmet.count < $1.unmet.count }
        let near = nearest.map { "; nearest is \($0.name): \($0.unmet.joined(separator: "; "))" } ?? ""
        return FailureRecord(
            kind: .skipped, code: "SEL-RULE",
            message: FailureMessage(
                "no pipeline selects it (modality \(volume.modality)\(part), \(frames)): asked were \(names)\(near).",
                cure: "Choose one with --pipeline, or change its selection."))
    }
}
