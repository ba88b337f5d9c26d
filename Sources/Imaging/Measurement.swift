/// Sizes of masks in the patient's units.
package enum Measurement {
    /// *Units*: mm².
    package static func areaMM2(_ mask: Mask, spacing: PixelSpacing) -> Double {
        Double(mask.count) * spacing.row * spacing.column
    }

    /// The sum over slices of area times the slice's weight.
    ///
    /// *Units*: ml; `weightsMM` in mm, one a mask (`sliceWeights`).
    package static func volumeML(_ masks: [Mask], spacing: PixelSpacing, weightsMM: [Double]) -> Double {
        precondition(
            masks.count == weightsMM.count, "Measurement: \(weightsMM.count) weights for \(masks.count) slices")
        return zip(masks, weightsMM).reduce(0) { $0 + areaMM2($1.0, spacing: spacing) * $1.1 } / 1000
    }

    /// How much of the axis each slice stands for: half of both gaps to its neighbours, at an end the whole of its one gap. A gap
    /// where slices are missing (at least twice the median, a multiple of it within 5 %) counts as the median.
    ///
    /// - Parameter positions: along the normal, mm, ascending.
    /// - Parameter single: what a slice without neighbours stands for, its thickness.
    ///
    /// *Source*: dicom.md 2.2.
    package static func sliceWeightsMM(positions: [Double], single: Double) -> [Double] {
        guard positions.count > 1 else { return positions.map { _ in single } }
        let gaps = zip(positions.dropFirst(), positions).map { $0 - $1 }
        let sorted = gaps.sorted()
        let median = (sorted[(sorted.count - 1) / 2] + sorted[sorted.count / 2]) / 2
        let counted = gaps.map { gap in
            guard median > 0 else { return gap }
            let multiple = (gap / median).rounded()
            return multiple >= 2 && abs(gap / median - multiple) <= 0.05 * multiple ? median : gap
        }
        return positions.indices.map { i in
            let before = i > 0 ? counted[i - 1] : counted[0]
            let after = i < counted.count ? counted[i] : counted[counted.count - 1]
            return (before + after) / 2
        }
    }
}
