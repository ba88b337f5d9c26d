import DICOM
import DICOMObjects
import Imaging
import SegmentAnything

/// One pipeline on one volume.
struct VolumeTask: Sendable {
    let volume: Volume
    let pipeline: PipelineDirectory

    /// Whether its result can be written, whatever will be found: asked before the first frame is segmented.
    ///
    /// *Throws* `ObjectFailure`; `DICOMFailure` for a fixed window over values of which nobody says what they are.
    func check(version: String) throws {
        if case .fixed = pipeline.pipeline.windowing.mode, !volume.hasKnownValues {
            throw DICOMFailure.values(
                "Rescale Slope or Intercept is missing or empty, and the pipeline reads values through a fixed window: what they are is unknown.",
                cure: "Correct the series at its source, or use a pipeline with another window.")
        }
        // Values that were held in steps too wide for the window would be shown as a few levels.
        if case .fixed(_, let width) = pipeline.pipeline.windowing.mode,
            volume.first.dataSet.uid(.instanceCreatorUID) == InstanceCreator.imports,
            let slope = volume.first.dataSet.double(.rescaleSlope), slope.magnitude > width / 64
        {
            throw DICOMFailure.values(
                "the picture's values span so much more than the pipeline's fixed window that 16 bits hold them in steps too wide for it.",
                cure: "Export it with the values that matter alone, or use a pipeline with another window.")
        }
        try Segmentation.check(
            volume, segments: pipeline.pipeline.segments, producer: pipeline.producer(version: version),
            options: options)
    }

    var options: Segmentation.Options {
        let outputs = pipeline.pipeline.outputs
        var options = Segmentation.Options()
        options.syntheticGeometry = outputs.syntheticGeometry
        options.label = outputs.label
        options.seriesNumber = outputs.seriesNumber
        options.mayOverlap = pipeline.model.configuration.activation == .sigmoid
        options.salt = outputs.uidSalt
        return options
    }
}
