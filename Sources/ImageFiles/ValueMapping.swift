import Numbers

/// What held numbers mean: `value = held · slope + intercept`.
package struct ValueMapping: Sendable, Equatable {
    package let slope: Double
    package let intercept: Double
    /// A held 0 stands for no value: NaN, infinities, and numbers that no measurement has.
    package var hasPadding = false

    package init(slope: Double, intercept: Double, hasPadding: Bool = false) {
        self.slope = slope
        self.intercept = intercept
        self.hasPadding = hasPadding
    }

    /// The number, 0 to 65535, that is held for a value.
    func held(_ value: Double) -> UInt16 {
        let lowest: Double = hasPadding ? 1 : 0
        guard SampleSurvey.isValue(value) else { return 0 }
        return UInt16(
            Int(rounding: (value - intercept) / slope, clampedTo: Int(rounding: lowest, clampedTo: 0...1)...65535))
    }

    /// The meaning of another line that takes this one's values.
    func followed(by line: ValueMapping) -> ValueMapping {
        ValueMapping(
            slope: slope * line.slope, intercept: intercept * line.slope + line.intercept, hasPadding: hasPadding)
    }
}

/// What the samples of a picture, of all pages of a file or of all files of a series are: how they are held in 16 bits so that one
/// number means the same in all of them.
package struct SampleSurvey: Sendable, Equatable {
    private var low = Double.infinity
    private var high = -Double.infinity
    private var isWhole = true
    /// Some were NaN, infinite or such as no measurement has.
    private(set) var lacksValues = false
    /// The largest sample of colours of more than 8 bits.
    private var top: UInt32 = 0

    /// Nothing was looked at: colours keep all of their bits.
    package init() {}

    /// Numbers beyond are what programs write for "nothing here".
    static func isValue(_ value: Double) -> Bool { value.isFinite && value.magnitude <= 1e12 }

    mutating func add(_ value: Double) {
        guard Self.isValue(value) else {
            lacksValues = true
            return
        }
        low = min(low, value)
        high = max(high, value)
        if isWhole, value != value.rounded() { isWhole = false }
    }

    mutating func add(colour: UInt32) { top = max(top, colour) }

    package mutating func add(_ other: SampleSurvey) {
        low = min(low, other.low)
        high = max(high, other.high)
        isWhole = isWhole && other.isWhole
        lacksValues = lacksValues || other.lacksValues
        top = max(top, other.top)
    }

    var range: ClosedRange<Double>? { low <= high ? low...high : nil }

    /// Whole numbers within 16 bits are held as they are but for a shift; everything else in even steps, whose size has few digits so
    /// that a DICOM number holds it exactly.
    var mapping: ValueMapping {
        guard let range else { return ValueMapping(slope: 1, intercept: 0, hasPadding: lacksValues) }
        let steps = lacksValues ? 65534.0 : 65535.0
        let width = range.upperBound - range.lowerBound
        if isWhole, width <= steps {
            return ValueMapping(slope: 1, intercept: range.lowerBound - (lacksValues ? 1 : 0), hasPadding: lacksValues)
        }
        guard width > 1e-30 else {
            return ValueMapping(slope: 1, intercept: range.lowerBound - (lacksValues ? 1 : 0), hasPadding: lacksValues)
        }
        // Two steps of room: the start is rounded to a step as well.
        let slope = Self.roundedUp(width / (steps - 2))
        let intercept = (range.lowerBound / slope).rounded(.down) * slope - (lacksValues ? slope : 0)
        return ValueMapping(slope: slope, intercept: intercept, hasPadding: lacksValues)
    }

    /// To four digits.
    private static func roundedUp(_ value: Double) -> Double {
        var unit = 1.0, scaled = value
        while scaled >= 10_000 { (scaled, unit) = (scaled / 10, unit * 10) }
        while scaled < 1000 { (scaled, unit) = (scaled * 10, unit / 10) }
        return scaled.rounded(.up) * unit
    }

    /// Bits that the colours use, as cameras and scanners have them: 8, 10, 12, 14, 16 or more; `limit` when nothing was looked at.
    func significantBits(limit: Int) -> Int {
        guard top > 0 else { return limit }
        let used = UInt32.bitWidth - top.leadingZeroBitCount
        return [8, 10, 12, 14, 16, 24, 32].first { $0 >= used }.map { min($0, limit) } ?? limit
    }
}
