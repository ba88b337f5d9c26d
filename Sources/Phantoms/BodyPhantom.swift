package import Imaging

/// A CT-like volume with one asymmetric body: a large ellipsoid with a bump, a notch and a bent handle, so that no flip, turn
/// or transposition looks like the original.
///
/// Around it: a torso in air, a brighter rod (bone), a gas bubble and a duller neighbour organ. The planes lie oblique in the
/// patient, pixels are not square, and slices are thicker than either.
package struct BodyPhantom: Sendable {
    /// How finely a body is sampled; what it shows, and its size in mm, stay the same.
    package struct Matrix: Sendable, Equatable {
        package var rows: Int
        package var columns: Int
        /// Nil: as the seed says.
        package var slices: Int?

        package init(rows: Int = 128, columns: Int = 160, slices: Int? = nil) {
            (self.rows, self.columns, self.slices) = (rows, columns, slices)
        }
    }

    package let matrix: Matrix
    /// Between rows, between columns, between slices; mm.
    package let spacing: PixelSpacing
    /// *Units*: mm.
    package let sliceSpacing: Double
    /// Ascending along the normal.
    package let planes: [Plane]
    /// Hounsfield units of each slice, `[rows, columns]`.
    package let slices: [[Int16]]
    /// The body in each slice.
    package let truth: [Mask]

    /// The same seed gives the same body.
    package init(seed: UInt64, matrix: Matrix = Matrix()) {
        self.matrix = matrix
        let (rows, columns) = (matrix.rows, matrix.columns)
        var random = PhantomRandom(seed: seed &+ 0xB0D7)
        let usual = (matrix: Matrix(), slices: random.integer(26...40))
        let pixel = (row: hundredths(random.uniform(0.8, 1.0)), column: hundredths(random.uniform(0.7, 0.88)))
        spacing = PixelSpacing(
            row: pixel.row * (Double(usual.matrix.rows) / Double(rows)),
            column: pixel.column * (Double(usual.matrix.columns) / Double(columns)))
        let count = matrix.slices ?? usual.slices
        sliceSpacing = hundredths(random.uniform(2.4, 3.2)) * (Double(usual.slices) / Double(count))
        planes = Self.planes(&random, matrix, count: count, spacing, sliceSpacing)
        let scene = Scene(&random, depth: Double(count) * sliceSpacing)
        let noise = random.uniform(8, 18)
        var slices: [[Int16]] = []
        var truth: [Mask] = []
        for slice in 0..<count {
            let w = (Double(slice) - Double(count - 1) / 2) * sliceSpacing
            var values: [Int16] = []
            values.reserveCapacity(rows * columns)
            var mask = Mask(rows: rows, columns: columns)
            for row in 0..<rows {
                let v = (Double(row) - Double(rows - 1) / 2) * spacing.row
                for column in 0..<columns {
                    let u = (Double(column) - Double(columns - 1) / 2) * spacing.column
                    let point = Vector3(u, v, w)
                    let depth = scene.body.depth(point)
                    if depth >= 0 { mask[row, column] = true }
                    let value = scene.value(point, bodyDepth: depth) + random.normal() * noise
                    values.append(Int16(exactly: min(max(value, -1024), 3000).rounded(.towardZero)) ?? 0)
                }
            }
            slices.append(values)
            truth.append(mask)
        }
        self.slices = slices
        self.truth = truth
    }

    /// Of the truth masks, ml.
    package var volumeML: Double {
        Double(truth.reduce(0) { $0 + $1.count }) * spacing.row * spacing.column * sliceSpacing / 1000
    }

    /// A slice as a display shows it with the window from −200 to 400 HU (centre 100, width 600), grey.
    package func display(_ slice: Int) -> [UInt8] {
        slices[slice].map { value in
            let y = ((Double(value) - (100 - 0.5)) / (600 - 1) + 0.5) * 255
            return UInt8(exactly: (min(max(y, 0), 255) + 0.5).rounded(.down)) ?? 255
        }
    }

    /// Planes of a tilted and turned stack whose centre lies near the origin.
    private static func planes(
        _ random: inout PhantomRandom, _ matrix: Matrix, count: Int, _ spacing: PixelSpacing, _ sliceSpacing: Double
    ) -> [Plane] {
        // A unit quaternion near the identity: oblique, but still head first.
        let (a, b, c) = (random.uniform(0.08, 0.25), random.uniform(-0.25, -0.08), random.uniform(-0.3, 0.3))
        let n = 1 + a * a + b * b + c * c
        let row = Vector3((1 + a * a - b * b - c * c) / n, 2 * (a * b + c) / n, 2 * (a * c - b) / n)
        let column = Vector3(2 * (a * b - c) / n, (1 - a * a + b * b - c * c) / n, 2 * (b * c + a) / n)
        let normal = row.cross(column)
        let centre = Vector3(
            hundredths(random.uniform(-30, 30)), hundredths(random.uniform(-30, 30)),
            hundredths(random.uniform(-300, 300)))
        let corner =
            centre - row * (spacing.column * Double(matrix.columns - 1) / 2)
            - column * (spacing.row * Double(matrix.rows - 1) / 2)
        return (0..<count).map { index in
            Plane(
                position: corner + normal * ((Double(index) - Double(count - 1) / 2) * sliceSpacing), rowCosine: row,
                columnCosine: column)
        }
    }
}

private func hundredths(_ value: Double) -> Double { (value * 100).rounded() / 100 }

private struct Ellipsoid {
    let centre: Vector3
    let axes: Vector3

    /// Roughly the depth below the surface, mm; negative outside.
    func depth(_ point: Vector3) -> Double {
        let (x, y, z) = ((point.x - centre.x) / axes.x, (point.y - centre.y) / axes.y, (point.z - centre.z) / axes.z)
        return (1 - (x * x + y * y + z * z).squareRoot()) * min(axes.x, axes.y, axes.z)
    }
}

private struct AsymmetricBody {
    private let parts: [Ellipsoid]
    private let notch: Ellipsoid

    init(_ random: inout PhantomRandom, depth: Double) {
        let centre = Vector3(random.uniform(-10, 6), random.uniform(-8, 6), random.uniform(-0.06, 0.06) * depth)
        let size = random.uniform(0.85, 1.15)
        // As long as the stack allows, so that most slices show it.
        let stretch = depth / 76
        func around(_ x: Double, _ y: Double, _ z: Double) -> Vector3 {
            let place = Vector3(
                x * size + random.uniform(-2, 2), y * size + random.uniform(-2, 2), z * size + random.uniform(-2, 2))
            return centre + Vector3(place.x, place.y, place.z * stretch)
        }
        func axes(_ x: Double, _ y: Double, _ z: Double) -> Vector3 {
            Vector3(x, y, z * stretch) * (size * random.uniform(0.92, 1.08))
        }
        parts = [
            Ellipsoid(centre: centre, axes: axes(25, 17, 22)),
            // A bump to the right, below, towards the last slices.
            Ellipsoid(centre: around(17, 12, 9), axes: axes(11, 10, 11)),
            // The handle: two links, up and to the left, towards the first slices.
            Ellipsoid(centre: around(-21, -13, -12), axes: axes(7, 9, 7)),
            Ellipsoid(centre: around(-25, -23, -15), axes: axes(11, 5.5, 6)),
        ]
        notch = Ellipsoid(centre: around(6, -16, 6), axes: axes(8, 8, 10))
    }

    /// Positive inside, mm; 0 belongs to the body.
    func depth(_ point: Vector3) -> Double {
        let inside = parts.reduce(-Double.infinity) { max($0, $1.depth(point)) }
        return min(inside, -notch.depth(point))
    }
}

private struct Scene {
    let body: AsymmetricBody
    private let torso: Ellipsoid
    private let neighbour: Ellipsoid
    private let gas: Ellipsoid
    private let rod: (u: Double, v: Double, radius: Double)
    private let contrast: Double
    private let tissue: SmoothNoise
    private let grain: SmoothNoise

    init(_ random: inout PhantomRandom, depth: Double) {
        body = AsymmetricBody(&random, depth: depth)
        torso = Ellipsoid(centre: Vector3(random.uniform(-3, 3), random.uniform(-3, 3), 0), axes: Vector3(58, 54, 400))
        neighbour = Ellipsoid(
            centre: Vector3(random.uniform(24, 34), random.uniform(-30, -20), random.uniform(-15, 15)),
            axes: Vector3(13, 12, random.uniform(14, 24)))
        gas = Ellipsoid(
            centre: Vector3(random.uniform(-38, -28), random.uniform(14, 26), random.uniform(-20, 20)),
            axes: Vector3(9, 7, random.uniform(8, 16)))
        rod = (random.uniform(-6, 8), random.uniform(36, 42), random.uniform(6, 8))
        contrast = random.uniform(95, 150)
        tissue = SmoothNoise(&random, octaves: 3)
        grain = SmoothNoise(&random, octaves: 2)
    }

    /// HU without noise. Borders are about a millimetre wide, as a scanner blurs them.
    func value(_ p: Vector3, bodyDepth: Double) -> Double {
        var value = mix(-1000, 25 + 18 * tissue(p.x / 22, p.y / 22, p.z / 22), smoothStep(torso.depth(p) + 0.5))
        let bone = rod.radius - ((p.x - rod.u) * (p.x - rod.u) + (p.y - rod.v) * (p.y - rod.v)).squareRoot()
        value = mix(value, 420, smoothStep(bone + 0.5))
        value = mix(value, 62, smoothStep(neighbour.depth(p) + 0.5))
        value = mix(value, -700, smoothStep(gas.depth(p) + 0.5))
        return mix(value, contrast + 10 * grain(p.x / 8, p.y / 8, p.z / 8), smoothStep(bodyDepth + 0.5))
    }
}
