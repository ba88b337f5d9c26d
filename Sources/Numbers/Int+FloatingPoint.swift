/// The one way from floating-point numbers to integers: `Int(_: Double)` ends the program on what a file may hold.
///
/// Inlinable, because generic code that other modules cannot specialise is too slow for pixels.
extension Int {
    /// Half away from zero; nil for what is not finite or lies outside of `range`.
    @inlinable package init?(rounding value: some BinaryFloatingPoint, in range: ClosedRange<Int> = .min ... .max) {
        guard value.isFinite, let whole = Int(exactly: value.rounded()), range.contains(whole) else { return nil }
        self = whole
    }

    /// Half away from zero, and never outside of `range`; NaN gives its lower bound.
    @inlinable package init(rounding value: some BinaryFloatingPoint, clampedTo range: ClosedRange<Int>) {
        if value.isNaN {
            self = range.lowerBound
        } else if let whole = Int(exactly: value.rounded()) {
            self = Swift.min(Swift.max(whole, range.lowerBound), range.upperBound)
        } else {
            self = value < 0 ? range.lowerBound : range.upperBound
        }
    }
}

extension UInt8 {
    /// A level of a display, 0 to 255: rounded half up, and clamped; NaN gives 0.
    @inlinable package init(grey level: Float) {
        let raised = level + 0.5
        self = raised >= 255 ? 255 : raised >= 1 ? UInt8(raised) : 0
    }
}
