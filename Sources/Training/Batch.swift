package import Imaging
package import Numbers
package import SegmentAnything
package import Tensors

/// Images made ready for one step, with what is to be found in them.
package struct Batch: Sendable {
    package enum Truth: Sendable {
        case labels(LabelMaps)
        case hidden(HiddenPatches)
    }

    /// `[B, S, S, 3]`, normalised; 0 where something is hidden.
    package let images: Tensor
    /// The tokens that each picture reaches.
    package let pictures: [GridSize]
    package let truth: Truth

    private init(_ images: [Tensor], pictures: [GridSize], _ truth: Truth, side: Int) {
        self.images = concatenateRows(images.map { $0.reshaped([side, side * 3]) }, tape: nil).reshaped([
            images.count, side, side, 3,
        ])
        (self.pictures, self.truth) = (pictures, truth)
    }

    /// Prepares each sample as inference does; classes go to the padded square by nearest neighbour, and there, where the model learns them,
    /// the edges of objects become classes of their own.
    init(_ samples: [LabelledSet.Sample], _ configuration: Configuration, ignorePadding: Bool) {
        let side = configuration.inputSize
        let preparation = Preparation(inputSize: side)
        let prepared = ThreadPool.map(samples.count) { index in
            let (input, placement) = preparation.prepare(samples[index].image)
            let labels = Self.square(samples[index], placement, configuration, ignorePadding: ignorePadding)
            return (input, labels, placement.tokens(patch: configuration.patch))
        }
        let labels = LabelMaps(classes: prepared.map(\.1.classes), valid: prepared.map(\.1.valid), configuration)
        self.init(prepared.map(\.0), pictures: prepared.map(\.2), .labels(labels), side: side)
    }

    /// Prepares each image as inference does and hides a part of it.
    ///
    /// - Parameter pictures: each with the random numbers by which it is drawn what is hidden.
    package init(
        hiding pictures: [(image: DisplayImage, random: SplitMix64)], _ masking: Masking, _ configuration: Configuration
    ) {
        let (side, patch) = (configuration.inputSize, configuration.patch)
        let preparation = Preparation(inputSize: side)
        let prepared = ThreadPool.map(pictures.count) { index in
            var random = pictures[index].random
            let (input, placement) = preparation.prepare(pictures[index].image)
            let hidden = masking.hidden(placement, token: patch, &random)
            let picture = MaskedPicture(input, placement, hidden: hidden, patch: patch)
            return (hidden, picture, placement.tokens(patch: patch))
        }
        self.init(prepared, configuration)
    }

    private init(
        _ pictures: [(hidden: [Bool], picture: MaskedPicture, reached: GridSize)], _ configuration: Configuration
    ) {
        let (side, patch) = (configuration.inputSize, configuration.patch)
        let tokens = pictures.flatMap(\.hidden)
        let hidden = HiddenPatches(
            tokens: tokens, counted: pictures.flatMap(\.picture.counted),
            pixels: Tensor([tokens.count, patch * patch * 3], pictures.flatMap(\.picture.pixels)))
        self.init(
            pictures.map { Tensor([side, side, 3], $0.picture.visible) }, pictures: pictures.map(\.reached),
            .hidden(hidden),
            side: side)
    }

    /// Noise, for measuring time and memory.
    package static func noise(_ task: TrainingTask, _ configuration: Configuration, images: Int) -> Batch {
        var random = SplitMix64(seed: 2)
        let side = configuration.inputSize
        let noise = (0..<images).map { _ in Tensor.uniform([side, side, 3], bound: 1.7, &random) }
        let placement = Placement(rows: side, columns: side, inputSize: side)
        let reached = placement.tokens(patch: configuration.patch)
        switch task {
        case .segmentation:
            let classes = [UInt8]((0..<side * side).map { $0 / side > side / 2 ? 1 : 0 })
            let valid = [UInt8](repeating: 1, count: side * side)
            let labels = LabelMaps(
                classes: Array(repeating: classes, count: images), valid: Array(repeating: valid, count: images),
                configuration)
            return Batch(
                noise, pictures: Array(repeating: reached, count: images), .labels(labels), side: side)
        case .maskedAutoencoding(let masking):
            let pictures = noise.map { input in
                let hidden = masking.hidden(placement, token: configuration.patch, &random)
                return (
                    hidden, MaskedPicture(input, placement, hidden: hidden, patch: configuration.patch), reached
                )
            }
            return Batch(pictures, configuration)
        }
    }

    static func square(
        _ sample: LabelledSet.Sample, _ placement: Placement, _ configuration: Configuration, ignorePadding: Bool
    ) -> (classes: [UInt8], valid: [UInt8]) {
        let side = placement.inputSize
        var classes = [UInt8](repeating: 0, count: side * side)
        var valid = [UInt8](repeating: ignorePadding ? 0 : 1, count: side * side)
        let hasBoundaries = configuration.instances == .boundary
        precondition(!hasBoundaries || !sample.objects.isEmpty, "Batch: a sample without its objects")
        var objects = [Int32](repeating: 0, count: hasBoundaries ? side * side : 0)
        for row in 0..<placement.resizedRows {
            let y = (2 * row + 1) * placement.rows / (2 * placement.resizedRows)
            for column in 0..<placement.resizedColumns {
                let x = (2 * column + 1) * placement.columns / (2 * placement.resizedColumns)
                classes[row * side + column] = sample.classes[y * placement.columns + x]
                valid[row * side + column] = 1
                if hasBoundaries { objects[row * side + column] = sample.objects[y * placement.columns + x] }
            }
        }
        if hasBoundaries {
            ObjectBoundary.mark(
                &classes, objects: objects, side: side, rows: placement.resizedRows, columns: placement.resizedColumns,
                segments: configuration.segments)
        }
        return (classes, valid)
    }
}
