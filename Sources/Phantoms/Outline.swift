import Numbers

/// A closed outline around a centre: an ellipse whose radius goes in and out, smooth and without symmetry.
struct Outline {
    let row: Double
    let column: Double
    private let axes: (long: Double, short: Double)
    private let direction: (x: Double, y: Double)
    /// Amplitude and phase of the harmonics 2, 3, 4, 5.
    private let harmonics: [(cosine: Double, sine: Double)]

    init(
        _ random: inout PhantomRandom, row: Double, column: Double, radius: Double, elongation: Double,
        irregularity: Double
    ) {
        self.row = row
        self.column = column
        let stretch = elongation.squareRoot()
        axes = (radius * stretch, radius / stretch)
        direction = random.direction()
        harmonics = (2...5).map { order in
            let phase = random.direction()
            let amplitude = irregularity * random.uniform(0.3, 1) / Double(order)
            return (amplitude * phase.x, amplitude * phase.y)
        }
    }

    /// Distance from the centre over the outline's distance in that direction: below 1 inside.
    func ratio(row: Double, column: Double) -> Double {
        let (dx, dy) = (column - self.column, row - self.row)
        let x = (dx * direction.x + dy * direction.y) / axes.long
        let y = (dy * direction.x - dx * direction.y) / axes.short
        let length = (x * x + y * y).squareRoot()
        guard length > 1e-9 else { return 0 }
        // cos and sin of multiples of the angle, by the addition theorems.
        let (c, s) = (x / length, y / length)
        var (cn, sn) = (c, s)
        var radius = 1.0
        for harmonic in harmonics {
            (cn, sn) = (cn * c - sn * s, sn * c + cn * s)
            radius += harmonic.cosine * cn + harmonic.sine * sn
        }
        return length / max(radius, 0.2)
    }

    /// Rows and columns that the outline may touch.
    func bounds(rows: Int, columns: Int) -> (rows: Range<Int>, columns: Range<Int>) {
        let reach = axes.long * 2.2 + 4
        func range(_ centre: Double, _ count: Int) -> Range<Int> {
            let low = Int(rounding: (centre - reach).rounded(.towardZero), clampedTo: 0...count)
            let high = Int(rounding: (centre + reach).rounded(.towardZero), clampedTo: 0...count)
            return low..<min(max(high + 1, low), count)
        }
        return (range(row, rows), range(column, columns))
    }
}
