import DICOM
import DICOMObjects
import Foundation
import Imaging
import Numbers
import Storage
import Tensors

/// The slices of one result as its page shows them.
struct ViewerData {
    /// A window that a person can choose.
    struct Window: Encodable {
        var name: String
        var center: Double
        var width: Double
    }

    /// What the script reads first.
    struct Head: Encodable {
        struct Slice: Encodable {
            /// The number that it is told by, less 1.
            var frame: Int
            var slope: Double
            var intercept: Double
        }
        struct Segment: Encodable {
            var label: String
            var color: [UInt8]
        }

        var rows: Int
        var columns: Int
        /// Height of a pixel over its width.
        var aspect: Double
        var reduction: Int
        /// Of the page's pixels, mm: between rows, between columns.
        var spacing: [Double]?
        var isColor: Bool
        var inverted: Bool
        var unit: String
        /// Low bits that were taken from the values.
        var shift: Int
        var frames: Int
        /// The slice shown first.
        var start: Int
        var slices: [Slice]
        var segments: [Segment]
        var windows: [Window]
        /// Where in the patient left, right, top and bottom of the picture lie.
        var sides: [String]?
    }

    let head: Head
    /// Packed pixels of each slice.
    let pixels: [[UInt8]]
    /// `[slice][segment]`; nil where a segment is empty.
    let masks: [[[UInt8]?]]
    /// `[slice][segment]`: pixels behind which another object begins, to the right and below; nil where no two touch.
    let cuts: [[(right: [UInt8], below: [UInt8])?]]
    /// Every n-th slice is there.
    let stride: Int

    /// - Parameter objects: `[segment][frame]`; nil where nobody tells any apart.
    /// *Throws* `outOfMemory`.
    init(
        _ volume: Volume, _ pipeline: Pipeline, _ slices: PackedSlices, masks: [[Mask]], objects: [[MaskObjects]]?,
        window: DisplayWindow?, isInverted: Bool
    ) throws(StorageFailure) {
        self.masks = try ThreadPool.map(slices.slices.count) { (index) throws(StorageFailure) in
            try masks.map { (segment) throws(StorageFailure) in
                let mask = segment[slices.slices[index].frame]
                return mask.isEmpty ? nil : try slices.pack(mask)
            }
        }
        cuts = try ThreadPool.map(slices.slices.count) { (index) throws(StorageFailure) in
            try masks.indices.map { (segment) throws(StorageFailure) in
                let frame = slices.slices[index].frame
                return try slices.packCuts(masks[segment][frame], objects?[segment][frame])
            }
        }
        pixels = slices.slices.map(\.packed)
        stride = slices.stride
        let sizes = slices.slices.map { slice in masks.reduce(0) { $0 + $1[slice.frame].count } }
        let fullest = sizes.indices.max { sizes[$0] < sizes[$1] } ?? 0
        head = Head(
            rows: slices.rows, columns: slices.columns, aspect: volume.pixelAspect, reduction: slices.reduction,
            spacing: volume.spacing(of: masks.flatMap { $0 }).map {
                [$0.row * Double(slices.reduction), $0.column * Double(slices.reduction)]
            }, isColor: slices.isColor, inverted: isInverted,
            unit: volume.modality == "CT" && volume.hasKnownValues ? "HU" : "", shift: slices.shift,
            frames: volume.numberedPictures,
            start: sizes.contains { $0 > 0 } ? fullest : slices.slices.count / 2,
            slices: slices.slices.map {
                .init(frame: volume.number(ofPicture: $0.frame) - 1, slope: $0.slope, intercept: $0.intercept)
            },
            segments: pipeline.segments.map { .init(label: $0.label, color: $0.color) },
            windows: slices.isColor ? [] : Self.windows(volume, window), sides: volume.sides)
    }

    /// How the network saw it, how the source wants it, and what people use.
    private static func windows(_ volume: Volume, _ window: DisplayWindow?) -> [Window] {
        var windows: [Window] = []
        switch window {
        case .linear(let center, let width), .linearExact(let center, let width), .sigmoid(let center, let width):
            windows.append(Window(name: "As the network saw it", center: center, width: width))
        case .table, nil: break
        }
        for own in volume.frames[0].voi.windows.prefix(4) where own.width > 0 && own.center.isFinite {
            windows.append(
                Window(
                    name: own.explanation.isEmpty ? "Source" : "Source: \(own.explanation)", center: own.center,
                    width: own.width))
        }
        if volume.modality == "CT", volume.hasKnownValues {
            windows += [
                Window(name: "Soft tissue", center: 40, width: 400), Window(name: "Lung", center: -600, width: 1500),
                Window(name: "Bone", center: 400, width: 1800), Window(name: "Brain", center: 40, width: 80),
                Window(name: "Liver", center: 60, width: 160),
            ]
        }
        return windows
    }
}
