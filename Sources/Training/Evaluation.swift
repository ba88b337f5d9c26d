package import Imaging
package import SegmentAnything

/// How well a model does on images with masks: Dice, IoU, HD and HD95 of each file and their means.
package struct Evaluation: Sendable {
    package struct File: Sendable {
        package let name: String
        package let metrics: Metrics
    }

    package let files: [File]
    /// Over all files, each counting once.
    package let mean: Metrics

    /// Segments every image of `dataset`, shown as in training, and compares on the image's own grid; distances are in pixels. With several segments a
    /// file's figures are their mean.
    ///
    /// - Parameter progress: called after each file with its number from 1.
    /// *Throws* what reading an image throws; `TrainingFailure.noPairs`, `.sizesDiffer`, `.otherWindowing`.
    package static func run(
        _ predictor: Predictor, on dataset: Dataset, progress: (_ done: Int, _ file: File) throws -> Void = { _, _ in }
    ) throws -> Evaluation {
        let segments = predictor.description.configuration.foregroundOutputs
        let input = predictor.description.trainedInput ?? TrainedInput()
        var files: [File] = []
        for pair in dataset.pairs {
            let sample = try dataset.sample(pair, segments: segments, input: input)
            let prediction = predictor.segment(sample.image)
            let figures = prediction.masks.enumerated().map { segment, mask in
                let flags = sample.classes.map { Int($0) == segment + 1 }
                return Metrics(prediction: mask, truth: Mask(rows: mask.rows, columns: mask.columns, flags: flags))
            }
            guard let metrics = Metrics.mean(figures) else {
                preconditionFailure("Evaluation: a model without segments")
            }
            files.append(File(name: pair.name, metrics: metrics))
            try progress(files.count, files[files.count - 1])
        }
        guard let mean = Metrics.mean(files.map(\.metrics)) else {
            throw TrainingFailure.noPairs(path: "the data set", reason: "it is empty")
        }
        return Evaluation(files: files, mean: mean)
    }
}
