import Settings
package import Tensors
import Imaging

/// Random changes of an image and its classes alike, all in one resampling: flips, turns, scale, aspect; then exposure,
/// contrast and brightness of the image. What comes from outside the image is its mirror image.
package struct Augmentation: Sendable, Equatable {
    package var flip = true
    /// Largest turn, degrees, to either side.
    package var turn = 180.0
    /// Zoom, drawn evenly on a logarithmic scale.
    package var scale = [0.8, 1.25]
    /// Width over height of the result, relative to the image's own.
    package var aspect = [0.67, 1.5]
    /// Largest change, as a share of 255.
    package var brightness = 0.2
    /// Contrast is multiplied by up to 1 ± this.
    package var contrast = 0.2
    /// Exposure: values are multiplied by a factor drawn evenly on a logarithmic scale.
    package var gain = [1.0, 1.0]

    package init() {}

    init(_ section: Section) throws {
        flip = try section.bool("flip", default: true)
        turn = try section.double("turn", in: 0...180, default: 180)
        scale = try Self.range(section, "scale", [0.8, 1.25])
        aspect = try Self.range(section, "aspect", [0.67, 1.5])
        brightness = try section.double("brightness", in: 0...1, default: 0.2)
        contrast = try section.double("contrast", in: 0...1, default: 0.2)
        gain = try Self.range(section, "gain", [1, 1])
    }

    private static func range(_ section: Section, _ key: String, _ value: [Double]) throws -> [Double] {
        let range = try section.optionalDoubles(key, count: 2...2) ?? value
        guard range[0] >= 0.1, range[0] <= range[1], range[1] <= 10 else {
            throw section.failure(
                "SET-RANGE", at: key, "the range \(range[0]) to \(range[1]) does not lie within 0.1 to 10")
        }
        return range
    }

    /// A changed sample, of another size when the aspect changed.
    package func apply(_ sample: Dataset.Sample, _ random: inout RandomSource) -> Dataset.Sample {
        let mirrorX = flip && random.uniform() < 0.5
        let mirrorY = flip && random.uniform() < 0.5
        let angle = random.uniform(-turn...turn) * .pi / 180
        let zoom = logarithmic(scale, &random)
        let stretch = logarithmic(aspect, &random).squareRoot()
        let shift = Float(random.uniform(-brightness...brightness) * 255)
        let slope = Float(random.uniform(1 - contrast...1 + contrast))
        let exposure = Float(logarithmic(gain, &random))

        let source = sample.image
        let (rows, columns) = (
            max(8, Int(Double(source.rows) / stretch + 0.5)), max(8, Int(Double(source.columns) * stretch + 0.5))
        )
        // Result pixel, taken about the centre and at the source's scale → turned, zoomed, mirrored → source pixel.
        let (stepX, stepY) = (Double(source.columns) / Double(columns), Double(source.rows) / Double(rows))
        let (c, s) = (cosine(angle) / zoom, sine(angle) / zoom)
        let (signX, signY) = (mirrorX ? -1.0 : 1.0, mirrorY ? -1.0 : 1.0)
        var pixels = [UInt8](repeating: 0, count: rows * columns * 3)
        var classes = [UInt8](repeating: 0, count: rows * columns)
        for row in 0..<rows {
            let v = (Double(row) + 0.5) * stepY - Double(source.rows) / 2
            for column in 0..<columns {
                let u = (Double(column) + 0.5) * stepX - Double(source.columns) / 2
                let x = signX * (c * u - s * v) + Double(source.columns) / 2 - 0.5
                let y = signY * (s * u + c * v) + Double(source.rows) / 2 - 0.5
                let (x0, y0) = (x.rounded(.down), y.rounded(.down))
                let (fx, fy) = (Float(x - x0), Float(y - y0))
                let (left, right) = (mirrored(Int(x0), source.columns), mirrored(Int(x0) + 1, source.columns))
                let (above, below) = (mirrored(Int(y0), source.rows), mirrored(Int(y0) + 1, source.rows))
                let index = row * columns + column
                for channel in 0..<3 {
                    let at: (Int, Int) -> Float = { Float(source.pixels[($0 * source.columns + $1) * 3 + channel]) }
                    let top = at(above, left) * (1 - fx) + at(above, right) * fx
                    let bottom = at(below, left) * (1 - fx) + at(below, right) * fx
                    let value = (min(255, (top * (1 - fy) + bottom * fy) * exposure) - 128) * slope + 128 + shift
                    pixels[index * 3 + channel] = UInt8(max(0, min(255, value + 0.5)))
                }
                classes[index] = sample.classes[(fy < 0.5 ? above : below) * source.columns + (fx < 0.5 ? left : right)]
            }
        }
        return Dataset.Sample(image: DisplayImage(rows: rows, columns: columns, pixels: pixels), classes: classes)
    }

    private func logarithmic(_ range: [Double], _ random: inout RandomSource) -> Double {
        range[0] * power(range[1] / range[0], random.uniform())
    }

    /// An index outside 0 ..< count, mirrored at the edges.
    private func mirrored(_ index: Int, _ count: Int) -> Int {
        let period = 2 * count
        let phase = ((index % period) + period) % period
        return phase < count ? phase : period - 1 - phase
    }
}
