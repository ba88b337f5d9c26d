import Imaging

/// Whether slices of a CT with different rescales are what their rescales say.
///
/// Neighbouring slices resemble each other in Hounsfield units. A slice that resembles its neighbour only when it is read with the
/// neighbour's rescale states a wrong one, and nobody knows which of the two that is.
enum RescaleContinuity {
    /// Frames in the volume's order.
    ///
    /// *Throws* `values` naming slices and attribute. *Cost*: a decode for each slice beside which the rescale changes, none otherwise.
    static func check(_ frames: [SourceFrame]) throws(DICOMFailure) {
        guard let first = frames.first, first.instance.modality == "CT", first.instance.pixels.samples == 1 else {
            return
        }
        let scales = frames.map(Scale.init)
        let changes = frames.indices.dropLast().filter { scales[$0] != scales[$0 + 1] }
        let decoding = FrameDecoding()
        var last: (index: Int, frame: Frame)?
        for index in changes {
            guard let one = scales[index], let other = scales[index + 1],
                // What cannot be decoded is refused where it is segmented.
                let a = last?.index == index ? last?.frame : try? decoding.frame(frames[index]),
                let b = try? decoding.frame(frames[index + 1])
            else { continue }
            last = (index + 1, b)
            guard a.values.count == b.values.count else { continue }
            let stated = difference(a, b) { $0 }
            let alike = difference(a, b) {
                Float((Double($0) - other.intercept) / other.slope * one.slope + one.intercept)
            }
            guard alike * 2 < stated else { continue }
            throw .values(
                "\(Attribute.rescaleSlope.keyword) or \(Attribute.rescaleIntercept.keyword) \(Attribute.rescaleIntercept.tag) changes between \(frames.name(index)) and \(frames.name(index + 1)), and their stored values do not: which of them is right is unknown.",
                cure: "Correct the series at its source.")
        }
    }

    /// Mean over the pixels that are padding in neither.
    private static func difference(_ a: Frame, _ b: Frame, _ change: (Float) -> Float) -> Double {
        var sum = 0.0
        var count = 0
        for pixel in a.values.indices {
            if !a.padding.isEmpty, a.padding[pixel] { continue }
            if !b.padding.isEmpty, b.padding[pixel] { continue }
            sum += Double(a.values[pixel] - change(b.values[pixel])).magnitude
            count += 1
        }
        return count == 0 ? 0 : sum / Double(count)
    }

    private struct Scale: Equatable {
        let slope: Double
        let intercept: Double

        /// Nil where values have no rescale, or one that is read as another.
        init?(_ frame: SourceFrame) {
            let group = frame.valueTransformation
            guard let slope = group.number(.rescaleSlope, in: CheckedNumbers.Range.value), slope != 0,
                let intercept = group.number(.rescaleIntercept, in: CheckedNumbers.Range.value)
            else { return nil }
            self.slope = slope
            self.intercept = intercept
        }
    }
}
