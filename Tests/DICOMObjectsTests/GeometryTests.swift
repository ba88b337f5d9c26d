import DICOM
import DICOMObjects
import Foundation
import Imaging
import Testing

/// A body without symmetry, cut into slices of every geometry, comes back at the places it was cut from.
@Suite("geometry from slices to segmentation")
struct GeometryTests {
    struct Cut: Sendable, CustomTestStringConvertible {
        let name: String
        var row = Vector3(1, 0, 0)
        var column = Vector3(0, 1, 0)
        var spacing = PixelSpacing(row: 1, column: 1)
        /// Of each slice from the middle of the body, along the normal.
        var distances: [Double] = (-14...14).map { (index: Int) -> Double in Double(index) * 2 }
        /// In the plane, for each mm along the normal.
        var shear = 0.0
        /// Files are made and numbered from the last slice to the first.
        var isDescending = false

        var testDescription: String { name }
    }

    static let cuts: [Cut] = [
        Cut(name: "axial"),
        Cut(name: "coronal", column: Vector3(0, 0, -1)),
        Cut(name: "sagittal", row: Vector3(0, 1, 0), column: Vector3(0, 0, -1)),
        Cut(name: "oblique", row: Vector3(0.8, 0.6, 0), column: Vector3(-0.36, 0.48, 0.8)),
        Cut(name: "rows negated", row: Vector3(-1, 0, 0)),
        Cut(name: "columns negated", column: Vector3(0, -1, 0)),
        Cut(name: "both negated", row: Vector3(-1, 0, 0), column: Vector3(0, -1, 0)),
        Cut(name: "tilted", shear: 0.3),
        Cut(name: "anisotropic", spacing: PixelSpacing(row: 0.7, column: 1.3)),
        Cut(name: "single slice", distances: [3]),
        Cut(name: "descending", isDescending: true),
        Cut(name: "uneven", distances: unevenDistances),
    ]

    /// Steps of 1.2 and 2.8 mm by turns.
    private static let unevenDistances: [Double] = (-14...14).map { (index: Int) -> Double in
        let shift: Double = index % 2 == 0 ? 0.4 : -0.4
        return Double(index) * 2 + shift
    }

    /// The middle of the body, mm in the patient.
    private static let middle = Vector3(-31.25, 17.5, -120.75)

    /// An ellipsoid with a ball on one of its corners.
    private static func isInside(_ point: Vector3) -> Bool {
        let p = point - middle
        let (x, y, z) = (p.x / 16, p.y / 11, p.z / 13)
        let ball = p - Vector3(9, 7, 6)
        return x * x + y * y + z * z < 1 || ball.dot(ball) < 64
    }

    /// Counted in cubes of a quarter of a mm.
    private static let volumeMM3: Double = {
        var count = 0
        for z in -80...80 {
            for y in -80...80 {
                for x in -80...80
                where isInside(middle + Vector3(Double(x) * 0.25, Double(y) * 0.25, Double(z) * 0.25)) {
                    count += 1
                }
            }
        }
        return Double(count) / 64
    }()

    private static let (rows, columns) = (61, 52)

    /// The first pixel of a slice: the middle of the picture lies on the body's axis.
    private static func plane(_ cut: Cut, _ distance: Double) -> Plane {
        let normal = cut.row.cross(cut.column)
        let corner =
            cut.row * (-Double(columns / 2) * cut.spacing.column) + cut.column * (-Double(rows / 2) * cut.spacing.row)
        return Plane(
            position: middle + normal * distance + cut.column * (cut.shear * distance) + corner, rowCosine: cut.row,
            columnCosine: cut.column)
    }

    private static func point(
        _ origin: Vector3, _ row: Vector3, _ column: Vector3, _ spacing: PixelSpacing, _ pixel: Int
    )
        -> Vector3
    {
        origin + row * (Double(pixel % columns) * spacing.column) + column * (Double(pixel / columns) * spacing.row)
    }

    private static func volume(_ cut: Cut, in folder: String) throws -> Volume {
        var identity = SampleVolumes.identity
        identity.series.uid = DerivedUID.uid(.phantom, ["geometry", cut.name])
        let distances = cut.isDescending ? cut.distances.reversed() : cut.distances
        let instances = try distances.enumerated().map { index, distance in
            let plane = plane(cut, distance)
            let object = CTImage(
                identity: identity, frameOfReferenceUID: DerivedUID.uid(.phantom, ["for"]),
                sopInstanceUID: DerivedUID.uid(.phantom, [cut.name, String(index)]), instanceNumber: index + 1,
                time: SampleVolumes.time, plane: plane, spacing: cut.spacing, sliceThickness: 2, rows: rows,
                columns: columns,
                values: (0..<rows * columns).map {
                    isInside(point(plane.position, cut.row, cut.column, cut.spacing, $0)) ? 500 : -500
                }
            ).dataSet
            let path = "\(folder)/\(index).dcm"
            try ObjectFile.write(object, to: path)
            return try SourceInstance(DICOMFile(path: path))
        }
        let volumes = VolumeBuilder.volumes(of: instances.reversed()).volumes
        return try #require(volumes.count == 1 ? volumes.first : nil)
    }

    @Test("every voxel lies where the body is, and nowhere else; the volume is right to 1 %", arguments: cuts)
    func voxels(_ cut: Cut) throws {
        let folder = try TemporaryFolder()
        let volume = try Self.volume(cut, in: folder.path)
        #expect(volume.frames.count == cut.distances.count)
        let decoding = FrameDecoding()
        let masks = try volume.frames.map { frame in
            Mask(rows: Self.rows, columns: Self.columns, flags: try decoding.frame(frame).values.map { $0 > 0 })
        }
        let made = try Segmentation(
            volume, masks: [masks], segments: SampleVolumes.segments(1), producer: SampleVolumes.producer,
            options: SampleVolumes.options(.slices))
        try #require(made).write(to: folder.path + "/seg.dcm")

        // By what the file says of its frames' places, not by their order.
        let file = try DICOMFile(path: folder.path + "/seg.dcm")
        let reader = try PixelReader(file, try PixelDescription(file.dataSet))
        let shared = file.dataSet.item(.sharedFunctionalGroupsSequence)
        var found = 0
        for (index, group) in file.dataSet.items(.perFrameFunctionalGroupsSequence).enumerated() {
            let place = try #require(group.item(.planePositionSequence)?.doubles(.imagePositionPatient))
            let cosines = try #require(
                (group.item(.planeOrientationSequence) ?? shared?.item(.planeOrientationSequence))?
                    .doubles(.imageOrientationPatient))
            let spacing = try #require(
                (group.item(.pixelMeasuresSequence) ?? shared?.item(.pixelMeasuresSequence))?.doubles(.pixelSpacing))
            guard case .integers(let values) = try reader.frame(index + 1).values else { continue }
            var wrong = 0
            for pixel in values.indices {
                let point = Self.point(
                    Vector3(place[0], place[1], place[2]), Vector3(cosines[0], cosines[1], cosines[2]),
                    Vector3(cosines[3], cosines[4], cosines[5]), PixelSpacing(row: spacing[0], column: spacing[1]),
                    pixel)
                if (values[pixel] != 0) != Self.isInside(point) { wrong += 1 }
                if values[pixel] != 0 { found += 1 }
            }
            #expect(wrong == 0, "frame \(index + 1)")
        }
        #expect(found == masks.reduce(0) { $0 + $1.count } && found > 0)

        let pixel = cut.spacing.row * cut.spacing.column
        if cut.distances.count > 1 {
            let measured = zip(masks, volume.sliceWeights).reduce(0.0) { $0 + Double($1.0.count) * pixel * $1.1 }
            #expect(abs(measured / Self.volumeMM3 - 1) < 0.01, "\(measured) of \(Self.volumeMM3)")
        } else {
            // Of one slice the area, counted in squares of a tenth of a mm.
            let plane = Self.plane(cut, cut.distances[0])
            var squares = 0
            for y in 0..<Self.rows * 10 {
                for x in 0..<Self.columns * 10
                where Self.isInside(
                    plane.position + cut.row * (Double(x) * 0.1 - 0.45) + cut.column * (Double(y) * 0.1 - 0.45))
                {
                    squares += 1
                }
            }
            #expect(abs(Double(masks[0].count) * pixel / (Double(squares) * 0.01) - 1) < 0.01)
        }
    }
}
