/// Sizes of masks in the patient's units.
package enum Measurement {
    /// *Units*: mm².
    package static func areaMM2(_ mask: Mask, spacing: PixelSpacing) -> Double {
        Double(mask.count) * spacing.row * spacing.column
    }

    /// The sum over slices of area times the slice's weight.
    ///
    /// *Units*: ml; `weightsMM` in mm, one a mask.
    package static func volumeML(_ masks: [Mask], spacing: PixelSpacing, weightsMM: [Double]) -> Double {
        precondition(
            masks.count == weightsMM.count, "Measurement: \(weightsMM.count) weights for \(masks.count) slices")
        return zip(masks, weightsMM).reduce(0) { $0 + areaMM2($1.0, spacing: spacing) * $1.1 } / 1000
    }
}
