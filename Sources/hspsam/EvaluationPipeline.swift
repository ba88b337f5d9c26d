import Failures
import Imaging
import Pipelines
import SegmentAnything
import Storage
import Training

/// The pipeline of `evaluate --pipeline`: pictures are segmented as its runs do it, and whatever would make the figures those of other masks
/// than a run's is refused.
struct EvaluationPipeline {
    let pipeline: Pipeline
    private let path: String

    /// *Throws* what is wrong with the pipeline; `PIPE-POST`.
    init(_ path: String) throws {
        self.path = path
        pipeline = try beforeTheStart { try PipelineDirectory.settings(path) }
        if pipeline.postprocess.contains(where: \.needsVoxelSize) {
            throw failure(
                "PIPE-POST",
                "its postprocess has min_size_mm3, and the pictures of a data set say no mm: the figures would be those of other masks.",
                cure: "Evaluate without --pipeline, or with min_size_pixels.")
        }
    }

    /// *Throws* `PIPE-TRAINED` for a model that the pipeline is not for, or that learned from pictures as they are, which never went through
    /// the pipeline's window.
    func confirm(_ model: ModelDirectory) throws {
        try pipeline.confirm(model, file: Folder.join(path, PipelineDirectory.settingsName))
        guard (model.description.trainedInput ?? TrainedInput()).windowing == .asIs,
            case .fixed = pipeline.windowing.mode, pipeline.windowing.mode != Imaging.Windowing.whole(0...255)
        else { return }
        throw failure(
            "PIPE-TRAINED",
            "its window would be applied to the values of grey pictures, and these are shown as they are: the figures would be those of other"
                + " pictures than a run's.",
            cure: "Evaluate without --pipeline, or write windowing: {mode: dicom}.")
    }

    /// *Throws* `GEO-SCALE`, `GEO-SHAPE` for data sets with pictures that a run would refuse.
    func confirm(_ sets: [DataCheck.Summary]) throws(FailureRecord) {
        let unscaled = sets.reduce(0) { $0 + $1.unscaled }
        if unscaled > 0, case .tiles(let tiles) = pipeline.scale, case .micrometres = tiles.side {
            throw failure(
                "GEO-SCALE",
                "it cuts tiles in µm, and \(unscaled) images do not say how large their pixels are: a run would refuse them.",
                cure: "Export them with their resolution, or evaluate without --pipeline.")
        }
        let unsuited = sets.reduce(0) { $0 + $1.unsuited }
        if unsuited > 0 {
            throw failure(
                "GEO-SHAPE",
                "\(unsuited) images are smaller than 8 pixels or longer than 32 times their width: a run would refuse them.",
                cure: "Leave them out, or evaluate without --pipeline.")
        }
    }

    /// A picture of a data set, as a run segments it.
    func segment(_ predictor: Predictor, _ sample: LabelledSet.Sample) throws -> Evaluation.Segmented {
        let found = try DataSetPicture(
            sample.image, spacing: sample.spacing, aspect: sample.pixelAspect, pipeline, predictor)
        return Evaluation.Segmented(
            masks: found.masks, probabilities: found.probabilities, interiors: found.interiors)
    }

    private func failure(_ code: String, _ explanation: String, cure: String) -> FailureRecord {
        FailureRecord(
            kind: .usage, code: code,
            message: FailureMessage(explanation, cure: cure, subject: "--pipeline \(path)"))
    }
}
