import Numbers

/// The random numbers of phantoms: `SplitMix64`, begun so that neighbouring seeds do not begin alike.
package struct PhantomRandom: Sendable {
    private var source: SplitMix64

    /// The same seed gives the same numbers.
    package init(seed: UInt64) {
        source = SplitMix64(seed: seed)
        _ = source.next()
        source.state ^= seed &* 0xD134_2543_DE82_EF95
    }

    /// 64 random bits.
    package mutating func next() -> UInt64 { source.next() }

    /// In [0, 1).
    package mutating func unit() -> Double { source.uniform() }

    /// In [low, high).
    package mutating func uniform(_ low: Double, _ high: Double) -> Double { low + (high - low) * unit() }

    /// In the range, its bounds included.
    package mutating func integer(_ range: ClosedRange<Int>) -> Int {
        range.lowerBound + source.index(below: range.upperBound - range.lowerBound + 1)
    }

    /// Mean 0, deviation 1: the sum of four uniform numbers, scaled. No logarithm, so the same bits everywhere.
    package mutating func normal() -> Double {
        let word = next()
        let sum = (word & 0xFFFF) + (word >> 16 & 0xFFFF) + (word >> 32 & 0xFFFF) + (word >> 48)
        return (Double(sum) / 65536 - 2) * 1.7320508075688772
    }

    /// A direction in the plane, by rejection.
    package mutating func direction() -> (x: Double, y: Double) {
        while true {
            let (x, y) = (uniform(-1, 1), uniform(-1, 1))
            let square = x * x + y * y
            if square > 0.01, square <= 1 { return (x / square.squareRoot(), y / square.squareRoot()) }
        }
    }
}
