import Imaging
package import Numbers
import Settings
import Tensors

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
                "SET-RANGE", at: key, found: "\(range[0]) to \(range[1])", "the range does not lie within 0.1 to 10.",
                cure: "Write [low, high] inside.")
        }
        return range
    }

    /// A changed sample, of another size when the aspect changed.
    package func apply(_ sample: Dataset.Sample, _ random: inout SplitMix64) -> Dataset.Sample {
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
            Int(rounding: Double(source.rows) / stretch, clampedTo: 8...Int(Int32.max)),
            Int(rounding: Double(source.columns) * stretch, clampedTo: 8...Int(Int32.max))
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
                let point = BilinearPoint(x: x, y: y, rows: source.rows, columns: source.columns)
                let (fx, fy) = (point.across, point.down)
                let index = row * columns + column
                for channel in 0..<3 {
                    let at: (Int, Int) -> Float = { Float(source.pixels[($0 * source.columns + $1) * 3 + channel]) }
                    let top = at(point.above, point.left) * (1 - fx) + at(point.above, point.right) * fx
                    let bottom = at(point.below, point.left) * (1 - fx) + at(point.below, point.right) * fx
                    let value = (min(255, (top * (1 - fy) + bottom * fy) * exposure) - 128) * slope + 128 + shift
                    pixels[index * 3 + channel] = UInt8(grey: value)
                }
                let nearest = (row: fy < 0.5 ? point.above : point.below, column: fx < 0.5 ? point.left : point.right)
                classes[index] = sample.classes[nearest.row * source.columns + nearest.column]
            }
        }
        return Dataset.Sample(image: DisplayImage(rows: rows, columns: columns, pixels: pixels), classes: classes)
    }

    private func logarithmic(_ range: [Double], _ random: inout SplitMix64) -> Double {
        range[0] * power(range[1] / range[0], random.uniform())
    }
}
