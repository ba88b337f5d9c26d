import Imaging
import Numbers

/// Hairs and ruler lines over a picture of skin: they are no part of what is beneath them, so classes stay.
enum Strokes {
    static func draw(_ count: Int, on image: inout DisplayImage, _ random: inout SplitMix64) {
        for _ in 0..<count {
            let (height, width) = (Double(image.rows), Double(image.columns))
            func point(_ random: inout SplitMix64) -> (x: Double, y: Double) {
                (random.uniform(-0.2...1.2) * width, random.uniform(-0.2...1.2) * height)
            }
            let (start, end) = (point(&random), point(&random))
            let isRuler = random.uniform() < 0.15
            let middle = ((start.x + end.x) / 2, (start.y + end.y) / 2)
            let bend = isRuler ? 0 : 0.25
            let control = (
                middle.0 + random.uniform(-bend...bend) * width, middle.1 + random.uniform(-bend...bend) * height
            )
            let radius = max(width, height) * random.uniform(0.001...0.004)
            let tone = Float(random.uniform() < 0.8 ? random.uniform(10...70) : random.uniform(150...235))
            let steps = Int(rounding: 2 * (width + height), clampedTo: 8...20_000)
            for step in 0...steps {
                let t = Double(step) / Double(steps)
                let x = (1 - t) * (1 - t) * start.x + 2 * t * (1 - t) * control.0 + t * t * end.x
                let y = (1 - t) * (1 - t) * start.y + 2 * t * (1 - t) * control.1 + t * t * end.y
                dot(x, y, radius, tone, &image)
            }
        }
    }

    private static func dot(_ x: Double, _ y: Double, _ radius: Double, _ tone: Float, _ image: inout DisplayImage) {
        let reach = Int(rounding: radius.rounded(.up), clampedTo: 1...64)
        let (column, row) = (
            Int(rounding: x, clampedTo: -1000...1_000_000), Int(rounding: y, clampedTo: -1000...1_000_000)
        )
        for r in max(0, row - reach)..<max(0, min(image.rows, row + reach + 1), max(0, row - reach)) {
            for c in max(0, column - reach)..<max(0, min(image.columns, column + reach + 1), max(0, column - reach)) {
                let (dx, dy) = (Double(c) - x, Double(r) - y)
                guard dx * dx + dy * dy <= max(0.5, radius * radius) else { continue }
                for channel in 0..<3 {
                    let at = (r * image.columns + c) * 3 + channel
                    let old = Float(image.pixels[at])
                    let value = old + 0.8 * (tone - old)
                    image.pixels[at] = UInt8(grey: value)
                }
            }
        }
    }
}
