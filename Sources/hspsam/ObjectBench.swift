import DICOM
import DICOMObjects
import Foundation
import Imaging
import Numbers
import Storage

/// Times how segmentations are composed, written and verified: 300 CT slices of 512 × 512 with four segments.
///
/// Everything stays in a folder, so that other programs can be timed on the same slices and masks: `source/`, `masks.bin` (a bit a pixel as in
/// `Mask`, segment by segment, slice by slice) and what was written.
struct ObjectBench {
    struct Row {
        let name: String
        /// Of all runs, ascending.
        let seconds: [Double]
        let bytes: Int
    }

    static let slices = 300
    static let side = 512
    let folder: String
    let runs: Int

    func rows() throws -> [Row] {
        let source = Folder.join(folder, "source")
        try Folder.make(source)
        let volume = try volume(in: source)
        let masks = (0..<4).map { segment in (0..<Self.slices).map { Self.mask(segment, $0) } }
        try DurableFile.write(masks.flatMap { $0.flatMap(\.bits) }, to: Folder.join(folder, "masks.bin"))
        return try [SegmentationType.binary, .labelmap].map { type in
            var options = Segmentation.Options()
            options.type = type
            let path = Folder.join(folder, "\(type.rawValue).dcm")
            var seconds: [Double] = []
            for _ in 0..<runs {
                let start = ContinuousClock.now
                let object = try Segmentation(
                    volume, masks: masks, segments: Self.segments, producer: Self.producer, options: options)
                try object?.write(to: path)
                seconds.append(start.duration(to: .now) / .seconds(1))
            }
            return Row(name: type.rawValue, seconds: seconds.sorted(), bytes: try FileStatus(of: path).size)
        }
    }

    // MARK: What is written of

    private func volume(in source: String) throws -> Volume {
        var identity = StudyIdentity(anonymous: "bench")
        identity.study.uid = DerivedUID.uid(.phantom, ["bench study"])
        identity.series.uid = DerivedUID.uid(.phantom, ["bench series"])
        identity.series.bodyPart = "ABDOMEN"
        var instances: [SourceInstance] = []
        var random = SplitMix64(seed: 1)
        for slice in 0..<Self.slices {
            let image = CTImage(
                identity: identity, frameOfReferenceUID: DerivedUID.uid(.phantom, ["bench frame"]),
                sopInstanceUID: DerivedUID.uid(.phantom, ["bench", "\(slice)"]), instanceNumber: slice + 1,
                time: .phantom,
                plane: Plane(
                    position: Vector3(-180, -180, Double(slice) - 150), rowCosine: Vector3(1, 0, 0),
                    columnCosine: Vector3(0, 1, 0)),
                spacing: PixelSpacing(row: 0.7, column: 0.7), sliceThickness: 1, rows: Self.side, columns: Self.side,
                values: Self.values(slice, &random))
            let path = Folder.join(source, "\(slice + 1000).dcm")
            try ObjectFile.write(image.dataSet, to: path)
            instances.append(try SourceInstance(DICOMFile(path: path)))
        }
        let volumes = VolumeBuilder.volumes(of: instances).volumes
        guard volumes.count == 1, let volume = volumes.first else {
            preconditionFailure("ObjectBench: the slices are no volume")
        }
        return volume
    }

    /// Air, a body with the noise of a scanner, and the segments a little brighter.
    private static func values(_ slice: Int, _ random: inout SplitMix64) -> [Int16] {
        var values = [Int16](repeating: -1000, count: side * side)
        for row in 0..<side {
            for column in 0..<side {
                let (y, x) = (Double(row - side / 2) / 190, Double(column - side / 2) / 235)
                guard x * x + y * y < 1 else { continue }
                let noise = (random.uniform() + random.uniform() + random.uniform() - 1.5) * 40
                let inside = (0..<4).first { isInside($0, slice, row, column) }
                let value = Int(rounding: noise + 40 + Double((inside ?? -1) + 1) * 30, clampedTo: -1024...3071)
                values[row * side + column] = Int16(value)
            }
        }
        return values
    }

    private static func mask(_ segment: Int, _ slice: Int) -> Mask {
        var mask = Mask(rows: side, columns: side)
        for row in 0..<side {
            for column in 0..<side where isInside(segment, slice, row, column) { mask[row, column] = true }
        }
        return mask
    }

    /// Four bodies with waves on their surface that reach over most slices and do not touch.
    private static func isInside(_ segment: Int, _ slice: Int, _ row: Int, _ column: Int) -> Bool {
        let (y, x, z) = (
            Double(row) - (segment < 2 ? 190 : 322), Double(column) - (segment % 2 == 0 ? 170 : 342),
            Double(slice) - 150
        )
        let wave = 1 + 0.08 * sin(y / 6 + z / 9) * cos(x / 7)
        return (x * x / 5800 + y * y / 2900) * wave + z * z / 19_600 < 1
    }

    private static let segments = zip(
        [SegmentPreset.liver, .spleen, .kidney, .pancreas], ["liver", "spleen", "kidney", "pancreas"]
    ).map { preset, name in
        SegmentDescription(key: name, label: name, category: preset.category, type: preset.type, color: preset.color)
    }

    private static let producer = Producer(
        manufacturer: "hspsam", version: "bench", modelName: "none", modelVersion: "1",
        modelDigest: String(repeating: "0", count: 64), pipelineName: "bench", pipelineVersion: "1",
        pipelineDigest: String(repeating: "0", count: 64))
}
