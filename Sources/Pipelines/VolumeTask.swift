import DICOM
import DICOMObjects
import SegmentAnything

/// One pipeline on one volume.
struct VolumeTask: Sendable {
    let volume: Volume
    let pipeline: PipelineDirectory

    /// Whether its result can be written, whatever will be found: asked before the first frame is segmented.
    ///
    /// *Throws* `ObjectFailure`.
    func check(version: String) throws(ObjectFailure) {
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
