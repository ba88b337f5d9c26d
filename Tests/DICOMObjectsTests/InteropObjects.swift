import DICOM
import DICOMObjects
import Foundation
import Imaging
import Testing

/// Objects for other people's readers: `Tests/Interop` sets HSPSAM_INTEROP_OUT and reads what stands there afterwards.
@Suite("Objects for other readers", .enabled(if: ProcessInfo.processInfo.environment["HSPSAM_INTEROP_OUT"] != nil))
struct InteropObjects {
    struct Case: Encodable {
        let name: String
        let variant: String
        let arrangement: String
        let rows: Int
        let columns: Int
        let frames: Int
        let segments: Int
        /// In the order of the volume.
        let instances: [String]
        let frameNumbers: [Int]
        let positions: [[Double]]
        let orientation: [Double]
        let spacing: [Double]
        /// `[segment]`: volume or area, and mean, as the report holds them; empty without a report.
        let numbers: [[Double]]

        init(
            _ name: String, _ variant: SampleVolumes.Variant, _ arrangement: SampleVolumes.Arrangement,
            _ volume: Volume,
            segments: Int, numbers: [[Double]] = []
        ) {
            self.name = name
            self.variant = variant.rawValue
            self.arrangement = arrangement.rawValue
            rows = volume.rows
            columns = volume.columns
            frames = volume.frames.count
            self.segments = segments
            instances = volume.frames.map(\.instance.sopInstanceUID)
            frameNumbers = volume.frames.map(\.number)
            positions = volume.frames.compactMap { $0.plane.map { [$0.position.x, $0.position.y, $0.position.z] } }
            orientation =
                volume.frames[0].plane.map {
                    [
                        $0.rowCosine.x, $0.rowCosine.y, $0.rowCosine.z, $0.columnCosine.x, $0.columnCosine.y,
                        $0.columnCosine.z,
                    ]
                } ?? []
            spacing = volume.pixelSpacing.map { [$0.row, $0.column] } ?? []
            self.numbers = numbers
        }
    }

    @Test("the matrix of variants, sizes, segments and geometries is written")
    func matrix() throws {
        let out = try #require(ProcessInfo.processInfo.environment["HSPSAM_INTEROP_OUT"])
        var cases: [Case] = []
        for variant in SampleVolumes.Variant.allCases {
            let arrangements = variant.hasPlace ? SampleVolumes.Arrangement.allCases : [.even]
            for arrangement in arrangements {
                for (rows, columns) in [(61, 53), (512, 512)] {
                    for segments in [1, 5] {
                        cases.append(try write(variant, arrangement, rows, columns, segments, out))
                    }
                }
            }
        }
        try JSONEncoder().encode(cases).write(to: URL(fileURLWithPath: out + "/cases.json"))
    }

    @Test(
        "every kind of object is written for each variant: LABELMAP, FRACTIONAL, a report, pictures, contours, annotations"
    )
    func kinds() throws {
        let out = try #require(ProcessInfo.processInfo.environment["HSPSAM_INTEROP_OUT"])
        var cases: [Case] = []
        for variant in SampleVolumes.Variant.allCases {
            let arrangements: [SampleVolumes.Arrangement] =
                variant.hasPlace ? [.even, .sagittal, .tilt, .uneven, .near] : [.even]
            for arrangement in arrangements { cases.append(try write(kindsOf: variant, arrangement, out)) }
        }
        try JSONEncoder().encode(cases).write(to: URL(fileURLWithPath: out + "/kinds.json"))
    }

    private func write(
        kindsOf variant: SampleVolumes.Variant, _ arrangement: SampleVolumes.Arrangement, _ out: String
    ) throws -> Case {
        let name = "kinds-\(variant.rawValue)-\(arrangement.rawValue)"
        let folder = out + "/" + name
        let (rows, columns, segments) = (61, 53, 3)
        let volume = try SampleVolumes.volume(
            variant, arrangement, rows: rows, columns: columns, count: 6, in: folder + "/source")
        var masks = SampleVolumes.masks(volume, segments: segments, seed: 11)
        for frame in volume.frames.indices {
            for segment in 1..<segments {
                for pixel in 0..<rows * columns
                where masks[segment][frame][pixel] && (0..<segment).contains(where: { masks[$0][frame][pixel] }) {
                    masks[segment][frame][pixel] = false
                }
            }
        }
        let probabilities = masks.map { frames in
            frames.map { mask in (0..<rows * columns).map { UInt8(mask[$0] ? 128 + $0 % 128 : $0 % 100) } }
        }
        let descriptions = SampleVolumes.segments(segments)
        var main: Segmentation?
        for type in SegmentationType.allCases {
            var options = SampleVolumes.options(variant)
            options.type = type
            options.mayOverlap = false
            let made = try Segmentation(
                volume, .init(masks: masks, probabilities: probabilities), segments: descriptions,
                producer: SampleVolumes.producer, options: options)
            let object = try #require(made)
            try object.write(to: "\(folder)/\(type.rawValue).dcm")
            if type == .binary { main = object }
        }
        let groups = descriptions.enumerated().map { index, segment in
            MeasurementReport.Group(
                segment,
                [
                    variant.hasPlace
                        ? .init(.volume, 100.5 + Double(index), .cubicMillimetre)
                        : .init(.area, 100.5 + Double(index), .pixels),
                    .init(.attenuation, -3.25 * Double(index), .hounsfield, derivation: .mean),
                ])
        }
        var options = SampleVolumes.options(variant)
        options.mayOverlap = false
        try MeasurementReport(
            volume, groups, of: main, producer: SampleVolumes.producer, options: options, seriesNumber: 9300
        ).write(to: folder + "/sr.dcm")
        let image = DisplayImage(rows: 40, columns: 30, pixels: (0..<3600).map { UInt8($0 % 251) })
        try SecondaryCapture(
            volume, frame: 0, image, spacing: volume.pixelSpacing, segments: descriptions,
            producer: SampleVolumes.producer, options: options, seriesNumber: 9600, number: 1
        ).write(to: folder + "/sc.dcm")
        if try RegularGrid(volume) != nil {
            var regular = SampleVolumes.options(variant)
            regular.isRegular = true
            regular.emptyFrames = .keep
            let object = try Segmentation(
                volume, masks: masks, segments: descriptions, producer: SampleVolumes.producer, options: regular)
            try #require(object).write(to: folder + "/regular.dcm")
        }
        if variant.hasPlace {
            let structures = try StructureSet(
                volume, masks: masks, segments: descriptions, producer: SampleVolumes.producer, options: options,
                seriesNumber: 9400)
            try #require(structures).write(to: folder + "/rtstruct.dcm")
        } else {
            let objects = masks.map { $0.map { MaskObjects(of: $0) } }
            var each = options
            (each.type, each.isOfObjects, each.emptyFrames) = (.labelmap, true, .omit)
            let instances = try InstanceSegmentation(
                volume, objects, segments: descriptions, producer: SampleVolumes.producer, options: each)
            try #require(instances).write(to: folder + "/instances.dcm")
            let labels = try InstanceLabels(volume, objects)
            try Data(
                try volume.frames.indices.flatMap {
                    try labels.frame($0).flatMap { [UInt8($0 & 255), UInt8($0 >> 8)] }
                }
            ).write(to: URL(fileURLWithPath: folder + "/instances.bin"))
            for graphic in BulkAnnotations.Graphic.allCases {
                let annotations = try BulkAnnotations(
                    volume, picture: 0, masks: masks.map { $0[0] }, segments: descriptions, graphic,
                    producer: SampleVolumes.producer, options: options, seriesNumber: 9500, number: 1)
                try #require(annotations).write(to: folder + "/\(graphic.rawValue).ann.dcm")
            }
        }
        try write(masks, in: folder)
        try Data(probabilities.flatMap { $0.flatMap { $0 } })
            .write(to: URL(fileURLWithPath: folder + "/probabilities.bin"))
        return Case(
            name, variant, arrangement, volume, segments: segments,
            numbers: groups.map { $0.measurements.map(\.value) })
    }

    /// `[segment, frame, row, column]`, a byte each.
    private func write(_ masks: [[Mask]], in folder: String) throws {
        try Data(masks.flatMap { $0.flatMap { $0.flags.map { $0 ? UInt8(1) : 0 } } })
            .write(to: URL(fileURLWithPath: folder + "/masks.bin"))
    }

    private func write(
        _ variant: SampleVolumes.Variant, _ arrangement: SampleVolumes.Arrangement, _ rows: Int, _ columns: Int,
        _ segments: Int,
        _ out: String
    ) throws -> Case {
        let name = "\(variant.rawValue)-\(arrangement.rawValue)-\(rows)x\(columns)-\(segments)"
        let folder = out + "/" + name
        let volume = try SampleVolumes.volume(
            variant, arrangement, rows: rows, columns: columns, count: 6, in: folder + "/source")
        let masks = SampleVolumes.masks(volume, segments: segments, seed: UInt64(rows * 31 + segments))
        let options = SampleVolumes.options(variant)
        let descriptions = SampleVolumes.segments(segments)
        let made = try Segmentation(
            volume, masks: masks, segments: descriptions, producer: SampleVolumes.producer, options: options)
        let segmentation = try #require(made)
        try segmentation.write(to: folder + "/seg.dcm")
        try write(masks, in: folder)
        return Case(name, variant, arrangement, volume, segments: segments)
    }
}
