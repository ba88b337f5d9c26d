import Imaging
import SegmentAnything
import Tensors

/// Samples made ready for one step.
struct Batch {
    /// `[B, S, S, 3]`
    let images: Tensor
    /// The tokens that each picture reaches.
    let pictures: [GridSize]
    let labels: LabelMaps

    /// Prepares each sample as inference does; classes go to the padded square by nearest neighbour.
    init(_ samples: [LabelledSet.Sample], _ configuration: Configuration, ignorePadding: Bool) {
        let side = configuration.inputSize
        let preparation = Preparation(inputSize: side)
        let prepared = ThreadPool.map(samples.count) { index in
            let (input, placement) = preparation.prepare(samples[index].image)
            return (
                input, Self.square(samples[index], placement, ignorePadding: ignorePadding),
                placement.tokens(patch: configuration.patch)
            )
        }
        images = concatenateRows(prepared.map { $0.0.reshaped([side, side * 3]) }, tape: nil).reshaped([
            samples.count, side, side, 3,
        ])
        pictures = prepared.map(\.2)
        labels = LabelMaps(classes: prepared.map(\.1.classes), valid: prepared.map(\.1.valid), configuration)
    }

    private static func square(_ sample: LabelledSet.Sample, _ placement: Placement, ignorePadding: Bool) -> (
        classes: [UInt8], valid: [UInt8]
    ) {
        let side = placement.inputSize
        var classes = [UInt8](repeating: 0, count: side * side)
        var valid = [UInt8](repeating: ignorePadding ? 0 : 1, count: side * side)
        for row in 0..<placement.resizedRows {
            let y = (2 * row + 1) * placement.rows / (2 * placement.resizedRows)
            for column in 0..<placement.resizedColumns {
                let x = (2 * column + 1) * placement.columns / (2 * placement.resizedColumns)
                classes[row * side + column] = sample.classes[y * placement.columns + x]
                valid[row * side + column] = 1
            }
        }
        return (classes, valid)
    }
}
