package import Imaging
import Numbers

/// A dermoscopy photograph: skin with its texture, a pigmented lesion with uneven border and colour, hairs, a vignette.
package struct DermoscopyPhantom: Sendable {
    /// Red, green, blue.
    package let picture: DisplayImage
    /// The lesion, also where a hair crosses it.
    package let truth: Mask
    /// Size of the picture.
    package static let (rows, columns) = (450, 600)

    /// The same seed gives the same picture.
    package init(seed: UInt64) {
        let (rows, columns) = (Self.rows, Self.columns)
        var random = PhantomRandom(seed: seed &+ 0xDE40)
        let skin = Skin(&random)
        let lesion = Lesion(&random, rows: rows, columns: columns)
        var truth = Mask(rows: rows, columns: columns)
        var values = [Double](repeating: 0, count: rows * columns * 3)
        for row in 0..<rows {
            for column in 0..<columns {
                let (y, x) = (Double(row), Double(column))
                var colour = skin.colour(y, x)
                let ratio = lesion.outline.ratio(row: y, column: x)
                if ratio < 1 { truth[row, column] = true }
                let cover = lesion.cover(ratio)
                if cover > 0 {
                    let pigment = lesion.colour(y, x, ratio)
                    for channel in 0..<3 { colour[channel] = mix(colour[channel], pigment[channel], cover) }
                }
                for channel in 0..<3 { values[(row * columns + column) * 3 + channel] = colour[channel] }
            }
        }
        for _ in 0..<random.integer(0...9) {
            Hair(&random, rows: rows, columns: columns).draw(into: &values, rows: rows, columns: columns)
        }
        let depth = random.uniform(0.1, 0.5)
        let grain = random.uniform(1.5, 4)
        let pixels = (0..<rows * columns).flatMap { index -> [UInt8] in
            let y = (Double(index / columns) + 0.5) / Double(rows) * 2 - 1
            let x = (Double(index % columns) + 0.5) / Double(columns) * 2 - 1
            let light = 1 - depth * smoothStep((x * x + y * y - 0.4) / 1.6)
            let noise = random.normal() * grain
            return (0..<3).map {
                UInt8(exactly: min(max(values[index * 3 + $0] * light + noise, 0), 255).rounded(.towardZero)) ?? 0
            }
        }
        picture = DisplayImage(rows: rows, columns: columns, pixels: pixels)
        self.truth = truth
    }
}

/// Skin between pale pink and tan, uneven in tone, with fine furrows.
private struct Skin {
    private let base: [Double]
    private let tone: SmoothNoise
    private let furrows: SmoothNoise
    private let unevenness: Double

    init(_ random: inout PhantomRandom) {
        let tan = random.unit()
        base = [mix(232, 188, tan), mix(186, 138, tan), mix(168, 108, tan)].map { $0 + random.uniform(-8, 8) }
        tone = SmoothNoise(&random, octaves: 3)
        furrows = SmoothNoise(&random, octaves: 2)
        unevenness = random.uniform(6, 14)
    }

    func colour(_ y: Double, _ x: Double) -> [Double] {
        let shade = tone(x / 130, y / 130) * unevenness + furrows(x / 7, y / 7) * 5
        return [base[0] + shade, base[1] + shade * 1.1, base[2] + shade * 1.2]
    }
}

/// A pigmented patch: two browns in islands, darker globules, a border that is soft here and sharp there.
private struct Lesion {
    let outline: Outline
    private let colours: (light: [Double], dark: [Double])
    private let islands: SmoothNoise
    private let network: SmoothNoise
    private let softness: Double
    private let strength: Double

    init(_ random: inout PhantomRandom, rows: Int, columns: Int) {
        let radius = random.uniform(0.16, 0.34) * Double(rows)
        outline = Outline(
            &random, row: Double(rows) * random.uniform(0.4, 0.6), column: Double(columns) * random.uniform(0.38, 0.62),
            radius: radius, elongation: random.uniform(1, 1.7), irregularity: random.uniform(0.15, 0.5))
        let light = [random.uniform(140, 176), random.uniform(88, 116), random.uniform(62, 88)]
        let darker = random.uniform(0.35, 0.65)
        colours = (light, light.map { $0 * darker })
        islands = SmoothNoise(&random, octaves: 3)
        network = SmoothNoise(&random, octaves: 1)
        softness = random.uniform(0.03, 0.14)
        strength = random.uniform(0.75, 1)
    }

    func cover(_ ratio: Double) -> Double { strength * smoothStep((1 + softness - ratio) / (2 * softness)) }

    func colour(_ y: Double, _ x: Double, _ ratio: Double) -> [Double] {
        let island = smoothStep(0.5 + islands(x / 45, y / 45) * 1.4 - ratio * 0.25)
        let globule = smoothStep((network(x / 9, y / 9) - 0.35) * 3) * 0.5
        return (0..<3).map { mix(colours.light[$0], colours.dark[$0], min(1, island * 0.8 + globule)) }
    }
}

/// A dark bent line of one to two pixels.
private struct Hair {
    private let points: [(y: Double, x: Double)]
    private let width: Double
    private let shade: Double

    init(_ random: inout PhantomRandom, rows: Int, columns: Int) {
        points = (0..<3).map { _ in
            (random.uniform(-0.1, 1.1) * Double(rows), random.uniform(-0.1, 1.1) * Double(columns))
        }
        width = random.uniform(0.8, 1.7)
        shade = random.uniform(0.25, 0.5)
    }

    func draw(into values: inout [Double], rows: Int, columns: Int) {
        var cover = [Int: Double]()
        let steps = 3 * (rows + columns)
        for step in 0...steps {
            let t = Double(step) / Double(steps)
            let (a, b, c) = ((1 - t) * (1 - t), 2 * t * (1 - t), t * t)
            let y = a * points[0].y + b * points[1].y + c * points[2].y
            let x = a * points[0].x + b * points[1].x + c * points[2].x
            let top = Int(rounding: y.rounded(.down), clampedTo: -8...rows + 8)
            let left = Int(rounding: x.rounded(.down), clampedTo: -8...columns + 8)
            for row in top - 2...top + 3 where row >= 0 && row < rows {
                for column in left - 2...left + 3 where column >= 0 && column < columns {
                    let (dy, dx) = (Double(row) - y, Double(column) - x)
                    let dark = 1 - smoothStep((dy * dy + dx * dx).squareRoot() - width + 0.5)
                    let index = row * columns + column
                    if dark > cover[index, default: 0] { cover[index] = dark }
                }
            }
        }
        for (index, dark) in cover {
            for channel in 0..<3 { values[index * 3 + channel] *= 1 - dark * (1 - shade) }
        }
    }
}
