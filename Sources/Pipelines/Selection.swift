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

    /// Why no pipeline wants a volume; attributes that are no patient's values only.
    package static func reason(_ volume: Volume, _ pipelines: [PipelineDirectory]) -> FailureRecord {
        let part =
            volume.first.dataSet.string(.bodyPartExamined).map { ", body part \($0.prefix(16).uppercased())" } ?? ""
        let frames = volume.frames.count == 1 ? "1 frame" : "\(volume.frames.count) frames"
        let names = pipelines.map(\.name).joined(separator: ", ")
        return FailureRecord(
            kind: .skipped, code: "SEL-RULE",
            message: FailureMessage(
                "no pipeline selects it (modality \(volume.modality)\(part), \(frames)): asked were \(names).",
                cure: "Choose one with --pipeline, or change its selection."))
    }
}
