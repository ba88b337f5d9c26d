import Imaging
import SegmentAnything
import Tensors

/// Samples made ready for one step.
struct Batch {
    /// `[B, S, S, 3]`
    let images: Tensor
    let labels: LabelMaps

    /// Prepares each sample as inference does; classes go to the padded square by nearest neighbour, and there, where the model learns them,
    /// the edges of objects become classes of their own.
    init(_ samples: [LabelledSet.Sample], _ configuration: Configuration, ignorePadding: Bool) {
        let side = configuration.inputSize
        let preparation = Preparation(inputSize: side)
        let prepared = ThreadPool.map(samples.count) { index in
            let (input, placement) = preparation.prepare(samples[index].image)
            return (input, Self.square(samples[index], placement, configuration, ignorePadding: ignorePadding))
        }
        images = concatenateRows(prepared.map { $0.0.reshaped([side, side * 3]) }, tape: nil).reshaped([
            samples.count, side, side, 3,
        ])
        labels = LabelMaps(classes: prepared.map(\.1.classes), valid: prepared.map(\.1.valid), configuration)
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
