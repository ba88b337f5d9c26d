package import DICOM
package import Failures
import Imaging
import SegmentAnything

/// Which pipelines a volume goes through.
package enum Selection {
    /// The volume with each pipeline that has a rule which it matches, in the order of their names, some of its frames where the rule
    /// says so; the first matching rule of each wins.
    ///
    /// - Parameter isForced: the user named the pipeline, so it takes the volume whether a rule matches or not; then there is no rule.
    /// - Parameter refused: called for a volume some of whose images a rule takes and some of them not: one image does not decide for all.
    static func tasks(
        _ volume: Volume, _ pipelines: [PipelineDirectory], isForced: Bool, refused: (DICOMFailure) -> Void
    ) -> [(task: VolumeTask, rule: SelectionRule?)] {
        pipelines.compactMap { directory -> (task: VolumeTask, rule: SelectionRule?)? in
            var found: SelectionRule?
            for rule in directory.pipeline.selection where found == nil {
                if unmet(by: volume, rule, of: directory).isEmpty {
                    found = rule
                } else if !isForced, let reason = rule.dividing(volume).first {
                    refused(
                        .identity(
                            "a rule of pipeline \(directory.name) takes some images of the volume and not others (\(reason)): what it shows is uncertain.",
                            cure: "Correct the series at its source, or choose a pipeline with --pipeline."))
                    return nil
                }
            }
            guard found != nil || isForced else { return nil }
            let task = VolumeTask(volume: found?.chosen(of: volume) ?? volume, pipeline: directory)
            return (task: task, rule: found)
        }
    }

    /// Why a rule of a pipeline does not take a volume, in words; empty when it does. Attributes that are no patient's values only.
    ///
    /// A capture, a report of the dose for example, stands beside the images of its study with their Modality. A rule that does not name
    /// its class does not mean it where the pipeline can only mean measured values.
    static func unmet(by volume: Volume, _ rule: SelectionRule, of directory: PipelineDirectory) -> [String] {
        let unmet = rule.unmet(by: volume)
        guard volume.first.isCapture, rule.sopClass.isEmpty else { return unmet }
        let isColor = volume.samples == 3
        var isMeant = true
        if case .fixed = directory.pipeline.windowing.mode { isMeant = !isColor && volume.hasKnownValues }
        if let trained = directory.model.description.trainedInput?.windowing, isColor {
            isMeant = isMeant && trained.allows(color: true)
        }
        guard !isMeant else { return unmet }
        return unmet + [
            "it is a \(isColor ? "capture in colour" : "capture without measured values") (SOP Class), which the pipeline can only mean where the rule names its sop_class"
        ]
    }

    /// Of the volumes of a study that a rule matches those that it picks; `dropped` is called for the others. Volumes of other rules are no
    /// rivals: the portal and the venous phase are one volume each.
    static func picked(
        _ candidates: [(task: VolumeTask, rule: SelectionRule?)], dropped: (VolumeTask) -> Void
    ) -> [VolumeTask] {
        var tasks: [VolumeTask] = []
        for (index, candidate) in candidates.enumerated() {
            let pick = candidate.rule?.pick ?? .all
            guard pick != .all else {
                tasks.append(candidate.task)
                continue
            }
            let rivals = candidates.indices.filter {
                candidates[$0].rule == candidate.rule
                    && candidates[$0].task.pipeline.digest == candidate.task.pipeline.digest
            }
            let best = rivals.min { rank(candidates[$0].task.volume, pick) < rank(candidates[$1].task.volume, pick) }
            if best == index { tasks.append(candidate.task) } else { dropped(candidate.task) }
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
        let dataSet = volume.first.dataSet
        let modality = dataSet.shownModality ?? volume.modality
        let part = dataSet.shownBodyPart.map { ", body part \($0)" } ?? ""
        let frames = volume.frames.count == 1 ? "1 frame" : "\(volume.frames.count) frames"
        let names = pipelines.map(\.name).joined(separator: ", ")
        let nearest = pipelines.flatMap { pipeline in
            pipeline.pipeline.selection.map { (name: pipeline.name, unmet: unmet(by: volume, $0, of: pipeline)) }
        }.min { $0.unmet.count < $1.unmet.count }
        let near = nearest.map { "; nearest is \($0.name): \($0.unmet.joined(separator: "; "))" } ?? ""
        return FailureRecord(
            kind: .skipped, code: "SEL-RULE",
            message: FailureMessage(
                "no pipeline selects it (modality \(modality)\(part), \(frames)): asked were \(names)\(near).",
                cure: "Choose one with --pipeline, or change its selection."))
    }
}
