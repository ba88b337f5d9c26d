/// How often each value occurs in any number of frames, in fixed memory and independent of their order.
///
/// Values are counted by the first 22 bits of their ordered bit pattern: integers up to 16384 exactly, others to 1 part
/// in 8192. Counts exist only for the half octaves that occur. *Cost*: one pass a frame; 16 kB a half octave, 16 MB at most.
package struct ValueHistogram {
    /// Where the counts of each half octave begin; -1 for one that has not occurred.
    private var starts = [Int](repeating: -1, count: 1 << 10)
    private var counts: [UInt32] = []
    private var total = 0
    package private(set) var minimum = 0.0
    package private(set) var maximum = 0.0

    package init() {}

    /// Counts the grey values that are finite and no padding; colour is not counted.
    package mutating func add(_ frame: Frame) {
        guard frame.samples == 1 else { return }
        for index in frame.values.indices where frame.padding.isEmpty || !frame.padding[index] {
            let value = frame.values[index]
            guard value.isFinite else { continue }
            let bits = value.bitPattern
            // Negative numbers count downwards, so their bits are inverted; positive ones lie above them.
            let ordered = bits >> 31 == 1 ? ~bits : bits | 0x8000_0000
            let octave = Int(ordered >> 22)
            if starts[octave] < 0 {
                starts[octave] = counts.count
                counts.append(contentsOf: repeatElement(0, count: 1 << 12))
            }
            let bin = starts[octave] + Int(ordered >> 10 & 0xFFF)
            if counts[bin] < UInt32.max { counts[bin] += 1 }
            minimum = total == 0 ? Double(value) : min(minimum, Double(value))
            maximum = total == 0 ? Double(value) : max(maximum, Double(value))
            total += 1
        }
    }

    /// The smallest value that at least `percent` of all values do not exceed; 0 when nothing was counted.
    package func percentile(_ percent: Double) -> Double {
        guard total > 0 else { return 0 }
        let wanted = max(1, (Double(total) * percent / 100).rounded(.up))
        var seen = 0.0
        for octave in starts.indices where starts[octave] >= 0 {
            for bin in 0..<1 << 12 {
                seen += Double(counts[starts[octave] + bin])
                guard seen >= wanted else { continue }
                let ordered = UInt32(octave << 12 | bin) << 10
                let bits = ordered >> 31 == 1 ? ordered & 0x7FFF_FFFF : ~ordered & ~0x3FF
                return min(max(Double(Float(bitPattern: bits)), minimum), maximum)
            }
        }
        return maximum
    }
}
