import DICOM
import DICOMObjects
import Foundation
import Imaging

/// Volumes of every variant and geometry, written as files and read back as a run would read them.
enum SampleVolumes {
    enum Variant: String, CaseIterable {
        /// Single-frame slices with geometry, an enhanced object, one picture, a stack of pictures; the latter two also with
        /// synthetic geometry.
        case slices, enhanced, picture, stack, pictureSynthetic, stackSynthetic

        var isSynthetic: Bool { self == .pictureSynthetic || self == .stackSynthetic }
        var hasPlace: Bool { self == .slices || self == .enhanced }
    }

    enum Arrangement: String, CaseIterable {
        case even, gap, uneven, near, tilt, sagittal, reversed, oblique
    }

    static let time: JobTime = {
        guard let time = JobTime(date: "20240102", time: "030405") else { preconditionFailure("a legal date") }
        return time
    }()

    static let producer = Producer(
        manufacturer: "Example Ltd", version: "0.1.0", modelName: "test model", modelVersion: "1",
        modelDigest: String(repeating: "a1", count: 32), pipelineName: "test", pipelineVersion: "2",
        pipelineDigest: String(repeating: "b2", count: 32))

    static func segments(_ count: Int) -> [SegmentDescription] {
        (0..<count).map { (index: Int) -> SegmentDescription in
            let shade = UInt8(index % 12)
            return SegmentDescription(
                key: "s\(index)", label: "Part \(index + 1)",
                category: Code("49755003", "SCT", "Morphologically Abnormal Structure"),
                type: Code("52988006", "SCT", "Lesion"),
                region: Code("39937001", "SCT", "Skin structure"), color: [40 + 17 * shade, 200, 255 - 20 * shade])
        }
    }

    static var identity: StudyIdentity {
        var identity = StudyIdentity()
        identity.patient.id = "T-1"
        identity.patient.name = "Müller^Jörg"
        identity.patient.sex = "O"
        identity.study.uid = DerivedUID.uid(.phantom, ["test study"])
        identity.study.date = "20240102"
        identity.study.time = "030405"
        identity.series.description = "test series"
        return identity
    }

    /// Direction of rows, of columns, and position of each slice.
    static func planes(_ arrangement: Arrangement, count: Int) -> [Plane] {
        var row = Vector3(1, 0, 0)
        var column = Vector3(0, 1, 0)
        switch arrangement {
        case .sagittal: (row, column) = (Vector3(0, 1, 0), Vector3(0, 0, -1))
        case .oblique:
            row = Vector3(0.8, 0.6, 0)
            column = Vector3(-0.36, 0.48, 0.8)
        default: break
        }
        let normal = row.cross(column)
        return (0..<count).map { index in
            var along = Double(index) * 2.5
            var drift = 0.0
            switch arrangement {
            case .gap where index >= 3: along += 5
            case .uneven: along += Double(index * index) * 0.2
            case .near where index >= 2: along -= 2.1
            case .tilt: drift = Double(index) * 0.4
            case .reversed: along = -along
            default: break
            }
            let origin = Vector3(-31.25, 17.5, -120.75)
            return Plane(position: origin + normal * along + column * drift, rowCosine: row, columnCosine: column)
        }
    }

    /// The volume's files in `folder`, read again. *Shape*: `count` frames of rows × columns.
    static func volume(
        _ variant: Variant, _ arrangement: Arrangement, rows: Int, columns: Int, count: Int, in folder: String,
        changing change: (inout DataSet) -> Void = { _ in }
    ) throws -> Volume {
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        let objects = try dataSets(variant, arrangement, rows: rows, columns: columns, count: count)
        var instances: [SourceInstance] = []
        for (index, object) in objects.enumerated() {
            var object = object
            change(&object)
            let path = "\(folder)/\(index).dcm"
            try ObjectFile.write(object, to: path)
            instances.append(try SourceInstance(DICOMFile(path: path)))
        }
        let volumes = VolumeBuilder.volumes(of: instances).volumes
        guard volumes.count == 1, let volume = volumes.first else { throw Unexpected(text: "\(volumes.count) volumes") }
        return volume
    }

    struct Unexpected: Error { let text: String }

    static func dataSets(
        _ variant: Variant, _ arrangement: Arrangement, rows: Int, columns: Int, count: Int
    ) throws -> [DataSet] {
        var identity = identity
        identity.series.uid = DerivedUID.uid(
            .phantom, [variant.rawValue, arrangement.rawValue, "\(rows)x\(columns)x\(count)"])
        switch variant {
        case .slices, .enhanced:
            let planes = planes(arrangement, count: count)
            let slices = planes.indices.map { index in
                CTImage(
                    identity: identity, frameOfReferenceUID: DerivedUID.uid(.phantom, ["for"]),
                    sopInstanceUID: DerivedUID.uid(.phantom, [identity.series.uid ?? "", String(index)]),
                    instanceNumber: index + 1,
                    time: time, plane: planes[index], spacing: PixelSpacing(row: 0.7, column: 0.9), sliceThickness: 2.5,
                    rows: rows,
                    columns: columns, values: [Int16](repeating: 0, count: rows * columns)
                ).dataSet
            }
            return variant == .slices ? slices : [enhanced(slices, planes)]
        case .picture, .pictureSynthetic, .stack, .stackSynthetic:
            let isStack = variant == .stack || variant == .stackSynthetic
            identity.series.modality = isStack ? "" : "XC"
            let page = RasterPixels(
                rows: rows, columns: columns, samples: isStack ? 1 : 3, bits: 8,
                values: [UInt16](repeating: 9, count: rows * columns * (isStack ? 1 : 3)))
            return try RasterObject.objects(
                [RasterPixels](repeating: page, count: isStack ? count : 1), identity: identity,
                keys: .init(study: "k", series: "k")
            ).map(\.dataSet)
        }
    }

    /// The slices as one object with functional groups.
    private static func enhanced(_ slices: [DataSet], _ planes: [Plane]) -> DataSet {
        var object = slices[0]
        let moved: [Attribute] = [.imagePositionPatient, .imageOrientationPatient, .pixelSpacing, .sliceThickness]
        for attribute in moved { object[attribute] = nil }
        object.put(.sopClassUID, "1.2.840.10008.5.1.4.1.1.2.1")
        object.put(.imageType, ["ORIGINAL", "PRIMARY", "VOLUME", "NONE"])
        object.put(.numberOfFrames, slices.count)
        object.put(
            .sharedFunctionalGroupsSequence,
            item: DataSet(composing: { shared in
                shared.put(
                    .planeOrientationSequence,
                    item: DataSet(composing: {
                        $0[.imageOrientationPatient] = slices[0][.imageOrientationPatient]
                    }))
                shared.put(
                    .pixelMeasuresSequence,
                    item: DataSet(composing: {
                        $0[.pixelSpacing] = slices[0][.pixelSpacing]
                        $0[.sliceThickness] = slices[0][.sliceThickness]
                    }))
            }))
        object.put(
            .perFrameFunctionalGroupsSequence,
            items: slices.map { slice in
                DataSet(composing: {
                    $0.put(
                        .planePositionSequence,
                        item: DataSet(composing: {
                            $0[.imagePositionPatient] = slice[.imagePositionPatient]
                        }))
                })
            })
        let pixels = slices.flatMap { $0.bytes(.pixelData) ?? [] }
        object[.pixelData] = Element(Attribute.pixelData.tag, .OW, .bytes(pixels))
        return object
    }

    /// Random blobs: *shape* `[segment][frame]`. Segment 0 leaves a hole in the middle of the stack, odd segments are sparse.
    static func masks(_ volume: Volume, segments: Int, seed: UInt64) -> [[Mask]] {
        var random = Lines(state: seed)
        return (0..<segments).map { segment in
            volume.frames.indices.map { frame in
                var mask = Mask(rows: volume.rows, columns: volume.columns)
                if (frame == volume.frames.count / 2 && volume.frames.count > 2)
                    || (segment % 2 == 1 && frame == 0 && volume.frames.count > 1)
                {
                    return mask
                }
                for _ in 0..<6 {
                    let (row, column) = (
                        Int.random(in: 0..<volume.rows, using: &random),
                        Int.random(in: 0..<volume.columns, using: &random)
                    )
                    let (height, width) = (Int.random(in: 1...9, using: &random), Int.random(in: 1...9, using: &random))
                    for r in row..<min(row + height, volume.rows) {
                        for c in column..<min(column + width, volume.columns) { mask[r, c] = true }
                    }
                }
                return mask
            }
        }
    }

    static func options(_ variant: Variant) -> Segmentation.Options {
        var options = Segmentation.Options()
        options.syntheticGeometry = variant.isSynthetic
        options.mayOverlap = true
        return options
    }
}

/// A folder that goes away with the test.
final class TemporaryFolder {
    let path = NSTemporaryDirectory() + "hspsam-objects-" + UUID().uuidString

    init() throws { try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true) }
    deinit { try? FileManager.default.removeItem(atPath: path) }
}
