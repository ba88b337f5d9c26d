package import Imaging
package import Processes
package import SegmentAnything

/// How well a model does on images with masks: of each file, of each segment, of all files in the mean and pooled over their pixels.
package struct Evaluation: Sendable {
    /// One segment of one file.
    package struct SegmentFigures: Sendable, Codable {
        package let metrics: Metrics
        /// Nil where the image does not say how large its pixels are.
        package let millimetres: Distances?
        package let counts: PixelCounts
        /// The mean Dice over thresholds of the probability from 0 to 1, as the polyp benchmarks print it.
        package let thresholdDice: Double
        /// Nil unless asked for.
        package let instances: InstanceFigures?
    }

    /// Hausdorff distance and its 95th percentile, mm.
    package struct Distances: Sendable, Equatable, Codable {
        package let hd, hd95: Double

        /// - Parameter metrics: of the same masks, in pixels.
        init(_ metrics: Metrics, _ prediction: Mask, _ truth: Mask, _ spacing: PixelSpacing) {
            if spacing.row == spacing.column {
                (hd, hd95) = (metrics.hd * spacing.row, metrics.hd95 * spacing.row)
            } else {
                let own = Metrics(prediction: prediction, truth: truth, spacing: spacing)
                (hd, hd95) = (own.hd, own.hd95)
            }
        }

        private init(hd: Double, hd95: Double) { (self.hd, self.hd95) = (hd, hd95) }

        /// Nil of none.
        static func mean(_ all: [Distances]) -> Distances? {
            guard !all.isEmpty else { return nil }
            let count = Double(all.count)
            return Distances(
                hd: all.map(\.hd).reduce(0, +) / count, hd95: all.map(\.hd95).reduce(0, +) / count)
        }
    }

    package struct File: Sendable, Codable {
        package internal(set) var name: String
        /// The mean over segments.
        package let metrics: Metrics
        /// One a segment.
        package let segments: [SegmentFigures]
        /// Nil unless the same network in float32 was asked beside it.
        package let agreement: Agreement.File?
    }

    /// One segment over all files.
    package struct Segment: Sendable {
        package let label: String
        package let mean: Metrics
        /// The mean of the images that say how large their pixels are, and how many these are.
        package let millimetres: (mean: Distances, images: Int)?
        package let pooled: PixelCounts
        package let thresholdDice: Double
        /// Means over files of AP at 0.5, AP over 0.5 to 0.95, AJI; nil unless asked for.
        package let instances: (precision50: Double, precision: Double, aggregatedJaccard: Double)?
    }

    /// What a file's figures are of, for pages.
    package struct Shown {
        package let image: DisplayImage
        package let truth: [Mask]
        package let prediction: [Mask]
        /// Of the same network in float32, where it was asked.
        package let reference: [Mask]?
    }

    package struct Options: Sendable {
        /// Also counts objects.
        package var instances = false
        /// How they are told apart; nil: as the model can.
        package var separation: ObjectSeparation?
        /// Pixels that an object has at least, as a pipeline says it.
        package var least = 0.0
        /// How a pipeline segments a picture; nil: whole.
        package var segment: (@Sendable (Predictor, LabelledSet.Sample) throws -> Segmented)?
        /// What a pipeline does to masks; nil: nothing.
        package var postprocess: (@Sendable ([Mask]) -> [Mask])?

        package init() {}
    }

    /// What is found in one picture.
    package struct Segmented: Sendable {
        /// One a segment.
        package var masks: [Mask]
        /// One a segment and pixel.
        package var probabilities: [[Float]]
        /// One a segment, as `Prediction.interiors`.
        package var interiors: [Mask]

        package init(masks: [Mask], probabilities: [[Float]], interiors: [Mask]) {
            (self.masks, self.probabilities, self.interiors) = (masks, probabilities, interiors)
        }
    }

    package let files: [File]
    /// Over all files, each counting once.
    package let mean: Metrics
    package let segments: [Segment]

    /// Segments every image, shown as in training, and compares on the image's own grid; distances are in pixels, and in mm where an image says how large they are.
    ///
    /// - Parameters:
    ///   - reference: the same network in float32, for how far their masks agree.
    ///   - ranks: the processes that share the files; each gets the figures of all.
    ///   - progress: called after each file with its number from 1; in each process for its own.
    /// *Throws* what reading an image throws; `TrainingFailure.noPairs`, `.sizesDiffer`, `.otherWindowing`.
    package static func run(
        _ predictor: Predictor, beside reference: Predictor? = nil, on sets: [LabelledSet],
        options: Options = Options(), ranks: Ranks? = nil,
        progress: (_ done: Int, _ file: File, _ shown: Shown) throws -> Void = { _, _, _ in }
    ) throws -> Evaluation {
        let description = predictor.description
        let count = description.configuration.foregroundOutputs
        let input = description.trainedInput ?? TrainedInput()
        var files: [File] = []
        var index = 0
        let own = ranks?.share(of: sets.reduce(0) { $0 + $1.pairs.count })
        for set in sets {
            for pair in set.pairs {
                defer { index += 1 }
                guard own?.contains(index) ?? true else { continue }
                let sample = try set.sample(pair, segments: count, input: input)
                let found = try segment(sample, predictor, options)
                let masks = found.masks
                let separation = options.separation ?? description.configuration.separation
                let truth = (0..<count).map { segment in
                    Mask(
                        rows: sample.image.rows, columns: sample.image.columns,
                        flags: sample.classes.map { Int($0) == segment + 1 })
                }
                let objects =
                    options.instances
                    ? try set.objects(set.truth(pair, segments: count), segments: count) : nil
                let segments = (0..<count).map { segment in
                    let metrics = Metrics(prediction: masks[segment], truth: truth[segment])
                    return SegmentFigures(
                        metrics: metrics,
                        millimetres: sample.spacing.map { Distances(metrics, masks[segment], truth[segment], $0) },
                        counts: PixelCounts(prediction: masks[segment], truth: truth[segment]),
                        thresholdDice: ThresholdDice.mean(found.probabilities[segment], truth[segment]),
                        instances: objects.map {
                            let objects = MaskObjects(
                                of: masks[segment], separation,
                                interior: found.interiors.isEmpty ? nil : found.interiors[segment],
                                least: options.least)
                            return InstanceFigures(prediction: objects.labels, truth: $0[segment])
                        })
                }
                guard let metrics = Metrics.mean(segments.map(\.metrics)) else {
                    preconditionFailure("Evaluation: a model without segments")
                }
                let exact = try reference.map { try segment(sample, $0, options).masks }
                let file = File(
                    name: pair.name, metrics: metrics, segments: segments,
                    agreement: exact.map { Agreement.File(masks, beside: $0, truth: truth) })
                files.append(file)
                try progress(
                    files.count, file, Shown(image: sample.image, truth: truth, prediction: masks, reference: exact))
            }
        }
        if let ranks { files = try ranks.joined(files) }
        guard let result = Evaluation(files, labels: description.segmentLabels) else {
            throw TrainingFailure.noPairs(path: "the data set", reason: "it is empty")
        }
        return result
    }

    /// Nil of no files.
    init?(_ files: [File], labels: [String]) {
        guard let mean = Metrics.mean(files.map(\.metrics)) else { return nil }
        self.files = files
        self.mean = mean
        segments = labels.enumerated().compactMap { index, label in
            let all = files.map { $0.segments[index] }
            guard let mean = Metrics.mean(all.map(\.metrics)) else { return nil }
            var pooled = PixelCounts()
            for one in all { pooled += one.counts }
            let objects = all.compactMap(\.instances)
            func average(_ figure: (InstanceFigures) -> Double) -> Double {
                objects.map(figure).reduce(0, +) / Double(max(1, objects.count))
            }
            let scaled = all.compactMap(\.millimetres)
            return Segment(
                label: label, mean: mean, millimetres: Distances.mean(scaled).map { ($0, scaled.count) },
                pooled: pooled,
                thresholdDice: all.map(\.thresholdDice).reduce(0, +) / Double(all.count),
                instances: objects.isEmpty
                    ? nil : (average { $0.precision[0] }, average(\.meanPrecision), average(\.aggregatedJaccard)))
        }
    }

    private static func segment(
        _ sample: LabelledSet.Sample, _ predictor: Predictor, _ options: Options
    ) throws -> Segmented {
        var found: Segmented
        if let segment = options.segment {
            found = try segment(predictor, sample)
        } else {
            let whole = try predictor.segment(sample.image)
            found = Segmented(masks: whole.masks, probabilities: whole.probabilities, interiors: whole.interiors)
        }
        if let postprocess = options.postprocess { found.masks = postprocess(found.masks) }
        return found
    }
}
