import Imaging
import Numbers
import Tensors

/// Where each pixel of a changed sample comes from.
struct Geometry {
    private let mirrorX, mirrorY: Bool
    private let angle: Double
    let zoom: Double
    private let stretch: Double

    init(_ augmentation: Augmentation, _ random: inout SplitMix64) {
        mirrorX = augmentation.flip && random.uniform() < 0.5
        mirrorY = augmentation.flip && random.uniform() < 0.5
        angle = random.uniform(-augmentation.turn...augmentation.turn) * .pi / 180
        zoom = Augmentation.logarithmic(augmentation.scale, &random)
        stretch = Augmentation.logarithmic(augmentation.aspect, &random).squareRoot()
    }

    /// One resampling for everything: bilinear for the image, nearest for its classes.
    func apply(_ sample: LabelledSet.Sample, _ light: Light, _ field: ElasticField?) -> LabelledSet.Sample {
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
        var objects = [Int32](repeating: 0, count: sample.objects.isEmpty ? 0 : rows * columns)
        for row in 0..<rows {
            let v = (Double(row) + 0.5) * stepY - Double(source.rows) / 2
            for column in 0..<columns {
                let u = (Double(column) + 0.5) * stepX - Double(source.columns) / 2
                var x = signX * (c * u - s * v) + Double(source.columns) * light.centerX - 0.5
                var y = signY * (s * u + c * v) + Double(source.rows) * light.centerY - 0.5
                if let field {
                    let bend = field.shift(
                        across: (Double(column) + 0.5) / Double(columns), down: (Double(row) + 0.5) / Double(rows))
                    x += bend.x * Double(source.columns) / zoom
                    y += bend.y * Double(source.rows) / zoom
                }
                let point = BilinearPoint(x: x, y: y, rows: source.rows, columns: source.columns)
                let (fx, fy) = (point.across, point.down)
                let index = row * columns + column
                for channel in 0..<3 {
                    let at: (Int, Int) -> Float = { Float(source.pixels[($0 * source.columns + $1) * 3 + channel]) }
                    let top = at(point.above, point.left) * (1 - fx) + at(point.above, point.right) * fx
                    let bottom = at(point.below, point.left) * (1 - fx) + at(point.below, point.right) * fx
                    let value = light.apply(top * (1 - fy) + bottom * fy)
                    pixels[index * 3 + channel] = UInt8(grey: value)
                }
                let nearest = (row: fy < 0.5 ? point.above : point.below, column: fx < 0.5 ? point.left : point.right)
                let origin = nearest.row * source.columns + nearest.column
                classes[index] = sample.classes[origin]
                if !objects.isEmpty { objects[index] = sample.objects[origin] }
            }
        }
        return LabelledSet.Sample(
            image: DisplayImage(rows: rows, columns: columns, pixels: pixels), classes: classes,
            objects: objects)
    }
}

/// A smooth field of shifts: random ones at the corners of a grid, blended between them without kinks.
struct ElasticField {
    private static let cells = 4
    /// As shares of the sides, at each corner; those at the border are 0, so that the image's edges stay.
    private let shifts: [(x: Double, y: Double)]

    init(_ largest: Double, _ random: inout SplitMix64) {
        let side = Self.cells + 1
        shifts = (0..<side * side).map { corner in
            let (x, y) = (random.uniform(-largest...largest), random.uniform(-largest...largest))
            let isBorder = [0, Self.cells].contains(corner / side) || [0, Self.cells].contains(corner % side)
            return isBorder ? (0, 0) : (x, y)
        }
    }

    /// - Parameters across, down: from 0 to 1.
    func shift(across: Double, down: Double) -> (x: Double, y: Double) {
        let (column, fx) = Self.cell(across)
        let (row, fy) = Self.cell(down)
        let side = Self.cells + 1
        func corner(_ dy: Int, _ dx: Int) -> (x: Double, y: Double) { shifts[(row + dy) * side + column + dx] }
        func blend(_ value: ((x: Double, y: Double)) -> Double) -> Double {
            let top = value(corner(0, 0)) * (1 - fx) + value(corner(0, 1)) * fx
            let bottom = value(corner(1, 0)) * (1 - fx) + value(corner(1, 1)) * fx
            return top * (1 - fy) + bottom * fy
        }
        return (blend(\.x), blend(\.y))
    }

    /// The cell of a coordinate, and how far into it, smoothed so that slopes are 0 at the corners.
    private static func cell(_ at: Double) -> (Int, Double) {
        let scaled = at * Double(cells)
        let cell = Int(rounding: scaled.rounded(.down), clampedTo: 0...cells - 1)
        let f = min(1, max(0, scaled - Double(cell)))
        return (cell, f * f * (3 - 2 * f))
    }
}
