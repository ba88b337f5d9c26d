import Numbers

/// How sure a mean over images is, and whether two models differ: by drawing again from the images, seeded, so that figures repeat.
package enum Bootstrap {
    package static let draws = 2000

    /// The 95 % interval of a statistic of files, from the percentiles of its values on `draws` samples with replacement; nil for fewer
    /// than two files.
    package static func interval(_ count: Int, _ statistic: ([Int]) -> Double) -> ClosedRange<Double>? {
        guard count > 1 else { return nil }
        var random = SplitMix64(seed: 1)
        return middle { statistic((0..<count).map { _ in random.index(below: count) }) }
    }

    /// Where 95 % of the values of `draws` samples lie.
    private static func middle(_ sample: () -> Double) -> ClosedRange<Double> {
        let values = (0..<draws).map { _ in sample() }.sorted()
        return values[draws / 40]...values[draws - 1 - draws / 40]
    }

    /// The 95 % interval of the mean of `values`.
    package static func interval(ofMean values: [Double]) -> ClosedRange<Double>? {
        interval(values.count) { chosen in chosen.reduce(0) { $0 + values[$1] } / Double(chosen.count) }
    }

    /// The 95 % interval of the difference of two means over unlike images: of each side its own are drawn. Nil where one has fewer than two.
    package static func interval(ofDifference one: [Double], _ other: [Double]) -> ClosedRange<Double>? {
        guard one.count > 1, other.count > 1 else { return nil }
        var random = SplitMix64(seed: 3)
        func mean(_ values: [Double]) -> Double {
            var sum = 0.0
            for _ in values { sum += values[random.index(below: values.count)] }
            return sum / Double(values.count)
        }
        return middle { mean(one) - mean(other) }
    }

    /// The probability of a mean difference at least as large as that of `differences` if the two sides were alike: a paired permutation
    /// test that turns the sign of each file's difference at random, two-sided.
    ///
    /// *Source*: Fisher's randomisation test; (b + 1) / (n + 1) of Phipson and Smyth, 2010.
    package static func permutation(_ differences: [Double], rounds: Int = 10_000) -> Double {
        let observed = differences.reduce(0, +).magnitude
        var random = SplitMix64(seed: 2)
        var atLeast = 0
        for _ in 0..<rounds {
            var sum = 0.0
            for difference in differences { sum += random.next() >> 63 == 0 ? difference : -difference }
            if sum.magnitude >= observed * (1 - 1e-12) { atLeast += 1 }
        }
        return Double(atLeast + 1) / Double(rounds + 1)
    }
}
