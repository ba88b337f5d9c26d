/// The one way from floating-point numbers to integers: `Int(_: Double)` ends the program on what a file may hold.
///
/// Of `Double` and `Float`, not of any floating-point type: the standard library's generic conversions are too slow for pixels.
extension Int {
    /// Half away from zero; nil for what is not finite or lies outside of `range`.
    @inlinable package init?(rounding value: Double, in range: ClosedRange<Int> = .min ... .max) {
        let rounded = value.rounded()
        // NaN fails both.
        guard rounded >= -0x1p63, rounded < 0x1p63, range.contains(Int(rounded)) else { return nil }
        self = Int(rounded)
    }

    /// As of a `Double`.
    @inlinable package init?(rounding value: Float, in range: ClosedRange<Int> = .min ... .max) {
        self.init(rounding: Double(value), in: range)
    }

    /// Half away from zero, and never outside of `range`; NaN gives its lower bound.
    @inlinable package init(rounding value: Double, clampedTo range: ClosedRange<Int>) {
        let rounded = value.rounded()
        if rounded >= -0x1p63, rounded < 0x1p63 {
            self = Swift.min(Swift.max(Int(rounded), range.lowerBound), range.upperBound)
        } else {
            self = rounded > 0 ? range.upperBound : range.lowerBound
        }
    }

    /// As of a `Double`.
    @inlinable package init(rounding value: Float, clampedTo range: ClosedRange<Int>) {
        self.init(rounding: Double(value), clampedTo: range)
    }
}

extension UInt8 {
    /// A level of a display, 0 to 255: rounded half up, and clamped; NaN gives 0.
    @inlinable package init(grey level: Float) {
        let raised = level + 0.5
        let clamped = raised >= 0 ? (raised <= 255 ? raised : 255) : 0
        // Beside 2²³ the bits of a number end in its whole part, rounded to even: one less where that went up. No branch, no check of a
        // conversion, so that loops take several levels at a time.
        let whole: Float = 8_388_608
        let nearest = clamped + whole
        self = UInt8(truncatingIfNeeded: nearest.bitPattern &- (nearest - whole > clamped ? 1 : 0))
    }
}
