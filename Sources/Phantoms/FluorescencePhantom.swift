package import Imaging

/// A fluorescence picture: bright nuclei of uneven brightness on a dark, slightly uneven ground, with camera noise.
package struct FluorescencePhantom: Sendable {
    /// *Shape*: `[rows, columns]`; 0 … 2^bits − 1.
    package let values: [UInt16]
    /// 8 or 16
    package let bits: Int
    /// All nuclei.
    package let truth: Mask
    /// How many.
    package let nuclei: Int
    /// Size of the picture.
    package static let (rows, columns) = (384, 512)

    /// The same seed and depth give the same picture.
    package init(seed: UInt64, bits: Int) {
        let (rows, columns) = (Self.rows, Self.columns)
        var random = PhantomRandom(seed: seed &+ 0xF100 &+ UInt64(bits) << 32)
        var light = [Double](repeating: 0, count: rows * columns)
        var truth = Mask(rows: rows, columns: columns)
        var placed: [(row: Double, column: Double, radius: Double)] = []
        let size = random.uniform(9, 17)
        for _ in 0..<random.integer(24...70) {
            let radius = size * random.uniform(0.75, 1.3)
            let (row, column) = (random.uniform(0, Double(rows)), random.uniform(0, Double(columns)))
            // Nuclei touch now and then, but do not lie on each other.
            let isFree = placed.allSatisfy {
                let (dy, dx) = ($0.row - row, $0.column - column)
                let distance = ($0.radius + radius) * 1.05
                return dy * dy + dx * dx > distance * distance
            }
            guard isFree else { continue }
            placed.append((row, column, radius))
            let outline = Outline(
                &random, row: row, column: column, radius: radius, elongation: random.uniform(1, 1.6),
                irregularity: random.uniform(0, 0.15))
            let texture = SmoothNoise(&random, octaves: 2)
            let brightness = random.uniform(0.35, 1)
            let bounds = outline.bounds(rows: rows, columns: columns)
            for r in bounds.rows {
                for c in bounds.columns {
                    let ratio = outline.ratio(row: Double(r), column: Double(c))
                    if ratio < 1 { truth[r, c] = true }
                    // The lens blurs the border over about two pixels.
                    let cover = smoothStep((1 - ratio) * radius / 3 + 0.5)
                    let glow = 0.06 * max(0, 1 - ratio / 2)
                    light[r * columns + c] +=
                        brightness * (cover * (0.85 + 0.25 * texture(Double(c) / 6, Double(r) / 6)) + glow)
                }
            }
        }
        let ground = SmoothNoise(&random, octaves: 2)
        let level = random.uniform(0.02, 0.1)
        let noise = random.uniform(0.008, 0.025)
        let gain = random.uniform(0.55, 0.8)
        let top = Double((1 << bits) - 1)
        values = (0..<rows * columns).map { index in
            let (y, x) = (Double(index / columns), Double(index % columns))
            let signal = light[index] + level * (1 + 0.5 * ground(x / 150, y / 150))
            let value = gain * (signal + random.normal() * noise * (0.4 + signal).squareRoot())
            return UInt16(exactly: (min(max(value, 0), 1) * top).rounded(.towardZero)) ?? 0
        }
        self.bits = bits
        self.truth = truth
        nuclei = placed.count
    }
}
