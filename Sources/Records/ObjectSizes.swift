import Numbers

/// How large the objects of a segment are, and how many there are in a place.
package struct ObjectSizes: Sendable, Equatable, Codable {
    package enum Unit: String, Sendable, Codable {
        case pixels = "pixels"
        case squareMicrometres = "um2"
        /// Of objects that reach over slices.
        case cubicMillimetres = "mm3"
    }

    package let unit: Unit
    package let mean: Double
    package let median: Double
    /// Of the objects that there are, not of a population that they are drawn from.
    package let standardDeviation: Double
    /// Objects in a mm² of what was looked at; nil without spacing, and in volumes.
    @Nullable package var perMM2: Double?

    /// Nil of no objects.
    package init?(of sizes: [Double], unit: Unit, perMM2: Double?) {
        guard !sizes.isEmpty else { return nil }
        let count = Double(sizes.count)
        let mean = sizes.reduce(0, +) / count
        let sorted = sizes.sorted()
        self.unit = unit
        self.mean = mean.rounded(decimals: 3, orDigits: 6)
        median = ((sorted[(sizes.count - 1) / 2] + sorted[sizes.count / 2]) / 2).rounded(decimals: 3, orDigits: 6)
        let squares = sizes.reduce(0) { $0 + ($1 - mean) * ($1 - mean) }
        standardDeviation = (squares / count).squareRoot().rounded(decimals: 3, orDigits: 6)
        self.perMM2 = perMM2.map { $0.rounded(decimals: 3, orDigits: 6) }
    }

    private enum CodingKeys: String, CodingKey {
        case unit, mean, median
        case standardDeviation = "sd"
        case perMM2 = "per_mm2"
    }
}
