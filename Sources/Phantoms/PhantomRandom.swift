/// Pseudo-random numbers with the same sequence on every machine: splitmix64 (Steele, Lea, Flood, OOPSLA 2014).
package struct PhantomRandom: Sendable {
    private var state: UInt64

    package init(seed: UInt64) {
        state = seed
        // Neighbouring seeds shall not begin alike.
        _ = next()
        state ^= seed &* 0xD134_2543_DE82_EF95
    }

    package mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }

    /// In [0, 1).
    package mutating func unit() -> Double { Double(next() >> 11) * 0x1p-53 }

    package mutating func uniform(_ low: Double, _ high: Double) -> Double { low + (high - low) * unit() }

    package mutating func integer(_ range: ClosedRange<Int>) -> Int {
        range.lowerBound + Int(next() % UInt64(range.upperBound - range.lowerBound + 1))
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
