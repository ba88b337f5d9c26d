import Imaging
import Numbers

/// A Gaussian blur, by three box filters an axis; what is outside is the edge's value.
///
/// *Source*: Wells, "Efficient synthesis of Gaussian filters by cascaded uniform filters", IEEE PAMI 8 (1986).
enum Blur {
    static func apply(_ image: DisplayImage, deviation: Float) -> DisplayImage {
        // Three boxes of width 2r + 1 have the variance of the Gaussian.
        let width = (4 * deviation * deviation + 1).squareRoot()
        let radius = Int(rounding: (width - 1) / 2, clampedTo: 0...64)
        guard radius > 0 else { return image }
        var values = image.pixels.map { Float($0) }
        for _ in 0..<3 {
            box(&values, radius, lines: image.rows, length: image.columns, line: image.columns * 3, step: 3)
            box(&values, radius, lines: image.columns, length: image.rows, line: 3, step: image.columns * 3)
        }
        return DisplayImage(
            rows: image.rows, columns: image.columns, pixels: values.map { UInt8(grey: $0) })
    }

    private static func box(
        _ values: inout [Float], _ radius: Int, lines: Int, length: Int, line: Int, step: Int
    ) {
        var source = [Float](repeating: 0, count: length)
        let share = 1 / Float(2 * radius + 1)
        for number in 0..<lines {
            for channel in 0..<3 {
                let start = number * line + channel
                for i in 0..<length { source[i] = values[start + i * step] }
                var sum = Float(0)
                for i in -radius...radius { sum += source[min(max(i, 0), length - 1)] }
                for i in 0..<length {
                    values[start + i * step] = sum * share
                    sum += source[min(i + radius + 1, length - 1)] - source[max(i - radius, 0)]
                }
            }
        }
    }
}

/// Noise of a camera.
enum Noise {
    /// Nearly normal: the sum of four even numbers. *Units*: of a deviation, values of 0…255.
    static func add(to image: inout DisplayImage, deviation: Float, _ random: inout SplitMix64) {
        // The sum's variance is 4/12.
        let scale = deviation * Float(3).squareRoot()
        for index in image.pixels.indices {
            let bits = random.next()
            let sum = (0..<4).reduce(Float(0)) { $0 + Float((bits >> (16 * UInt64($1))) & 0xFFFF) / 65536 } - 2
            let value = Float(image.pixels[index]) + scale * sum
            image.pixels[index] = UInt8(grey: value)
        }
    }
}
