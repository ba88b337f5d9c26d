package import Imaging
package import SegmentAnything

/// A picture that is no part of a study, one of a data set for example, as a run of the pipeline segments it: whole or in tiles.
package struct DataSetPicture {
    /// One a segment, before they are cleaned (`Pipeline.cleaned`).
    package let masks: [Mask]
    /// One a segment and pixel; of pictures of several tiles in steps of 1/255.
    package let probabilities: [[Float]]
    /// One a segment, as `Prediction.interiors`.
    package let interiors: [Mask]

    /// - Parameters:
    ///   - spacing: of its pixels; nil where its file does not say.
    ///   - aspect: height of a pixel over its width.
    /// *Throws* `InputFailure.scale` for a picture that the pipeline's scale does not allow; as `Predictor.segment`.
    package init(
        _ image: DisplayImage, spacing: PixelSpacing?, aspect: Double, _ pipeline: Pipeline, _ predictor: Predictor
    ) throws {
        let scale = try PictureScale(
            rows: image.rows, columns: image.columns, spacing: spacing, pipeline,
            trained: predictor.description.trainedInput?.scale)
        var picture = PictureSegmentation(
            rows: image.rows, columns: image.columns, scale.tile, predictor, spacing: pipeline.spacing(aspect: aspect),
            keepsProbabilities: true, isEmpty: { _ in false })
        try picture.add(image)
        masks = picture.masks
        probabilities = picture.masks.indices.map { picture.exactProbabilities($0) }
        interiors = picture.interiors
    }
}

extension Pipeline {
    /// The masks of a picture by itself, one a segment, after post-processing.
    package func cleaned(_ masks: [Mask]) -> [Mask] {
        var frames = masks.map { [$0] }
        postprocess.apply(&frames, isSpatial: false, .unknown)
        return frames.map { $0[0] }
    }

    /// What the predictor knows of pixels that are not square.
    func spacing(aspect pixel: Double) -> PixelSpacing? {
        aspect == .grid ? nil : PixelSpacing(row: pixel, column: 1)
    }
}
