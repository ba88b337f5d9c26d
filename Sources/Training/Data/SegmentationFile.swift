import DICOM
import Foundation
import Identification
import Imaging
import Numbers
import Storage

/// What a DICOM segmentation says of one image frame: which of its frames mark it, and as which of the model's segments.
package struct SegmentationTruth: Sendable, Equatable {
    let path: String
    let content: FileDigest
    let rows, columns: Int
    let marks: [Mark]
    /// LABELMAP: the model's segment of each value; empty otherwise.
    let labels: [Int: UInt8]
    /// FRACTIONAL: a pixel is marked from half of this on; 1 for BINARY.
    let full: Int

    struct Mark: Sendable, Equatable {
        /// Of the segmentation, from 1.
        let frame: Int
        /// Segment Number; 0 for a frame of a label map.
        let number: Int
        /// Of the model, from 1; 0 for a frame of a label map.
        let segment: UInt8
    }

    /// Of the object, the frames and what they mean.
    var digest: FileDigest {
        var fields = CanonicalEncoding("hspsam segmentation truth 1")
        fields.add("content", content.hex)
        fields.add("frames", marks.flatMap { [$0.frame, Int($0.segment)] })
        fields.add("labels", labels.keys.sorted().flatMap { [$0, Int(labels[$0] ?? 0)] })
        return fields.digest
    }

    /// The class of each pixel.
    ///
    /// *Throws* `DICOMFailure`; `TrainingFailure.layout` where two segments mark one pixel, or two frames of one segment differ.
    func classes() throws -> [UInt8] {
        let file = try DICOMFile(path: path)
        let reader = try PixelReader(file, try PixelDescription(file.dataSet))
        var classes = [UInt8](repeating: 0, count: rows * columns)
        var frames: [Int: (frame: Int, values: [Int32])] = [:]
        for mark in marks {
            guard case .integers(let values) = try reader.frame(mark.frame).values else { continue }
            if let known = frames.updateValue((mark.frame, values), forKey: mark.number) {
                guard known.values == values else {
                    throw TrainingFailure.layout(
                        path: path,
                        reason:
                            "frames \(known.frame) and \(mark.frame) are of one segment and one image, and mark different pixels: which one holds is unknown"
                    )
                }
                continue
            }
            for pixel in classes.indices {
                let value = Int(UInt32(bitPattern: values[pixel]))
                let found = mark.segment == 0 ? labels[value] ?? 0 : 2 * value >= full && value > 0 ? mark.segment : 0
                guard found > 0 else { continue }
                guard classes[pixel] == 0 || classes[pixel] == found else {
                    throw TrainingFailure.layout(
                        path: path, reason: "two of its segments mark one pixel, and a pixel has one class in training")
                }
                classes[pixel] = found
            }
        }
        return classes
    }
}

/// A DICOM segmentation as it was found in a folder.
struct SegmentationFile {
    /// One frame of it.
    struct Frame {
        /// From 1.
        let number: Int
        /// Segment Number; 0 in a label map.
        let segment: Int
        /// Of the image that it names, and which of its frames; nil: all of them.
        let source: (instance: String, frame: Int?)?
        /// Where it says that it lies.
        let place: FramePlace?
    }

    /// An item of the Segment Sequence.
    struct Segment {
        let label: String
        /// Segmented Property Type: scheme and value.
        let type: String

        init(_ item: DataSet) {
            label = item.text(.segmentLabel) ?? ""
            let code = item.item(.segmentedPropertyTypeCodeSequence)
            type = "\(code?.text(.codingSchemeDesignator) ?? "") \(code?.text(.codeValue) ?? "")"
        }

        func isAlike(_ other: Segment) -> Bool {
            label.lowercased() == other.label.lowercased() && type == other.type
        }
    }

    static let binaryUID = "1.2.840.10008.5.1.4.1.1.66.4"
    static let labelMapUID = "1.2.840.10008.5.1.4.1.1.66.7"

    let path: String
    let content: FileDigest
    let rows, columns: Int
    /// SOP Instance UID.
    let instance: String?
    let frameOfReference: String?
    let patientID: IdentityValue?
    /// SOP Instance UIDs of the series that it is of.
    let references: Set<String>
    let frames: [Frame]
    /// By Segment Number.
    let segments: [Int: Segment]
    let isLabelMap: Bool
    let full: Int

    /// Nil for an object that is no segmentation.
    init?(_ file: DICOMFile) throws {
        let dataSet = file.dataSet
        let uid = dataSet.uid(.sopClassUID) ?? ""
        guard uid == Self.binaryUID || uid == Self.labelMapUID else { return nil }
        let type = dataSet.string(.segmentationType) ?? (uid == Self.labelMapUID ? "LABELMAP" : "")
        guard ["BINARY", "FRACTIONAL", "LABELMAP"].contains(type) else {
            throw TrainingFailure.layout(
                path: file.path, reason: "its Segmentation Type (0062,0001) is none that is known")
        }
        path = file.path
        content = file.digest
        let pixels = try PixelDescription(dataSet)
        (rows, columns) = (pixels.rows, pixels.columns)
        instance = dataSet.uid(.sopInstanceUID)
        frameOfReference = dataSet.uid(.frameOfReferenceUID)
        patientID = IdentityValue(dataSet, .patientID)
        isLabelMap = type == "LABELMAP"
        let maximum = dataSet.int(.maximumFractionalValue)
        guard type != "FRACTIONAL" || maximum.map({ $0 > 0 }) == true else {
            throw TrainingFailure.layout(
                path: file.path,
                reason:
                    "it is FRACTIONAL and has no usable Maximum Fractional Value (0062,000E): which values mark a segment is unknown"
            )
        }
        full = type == "FRACTIONAL" ? maximum ?? 1 : 1
        references = Set(
            dataSet.items(.referencedSeriesSequence).flatMap { $0.items(.referencedInstanceSequence) }.compactMap {
                $0.uid(.referencedSOPInstanceUID)
            })
        segments = Dictionary(
            dataSet.items(.segmentSequence).compactMap { item in
                item.int(.segmentNumber).map { ($0, Segment(item)) }
            }
        ) { first, _ in first }
        let groups = dataSet.items(.perFrameFunctionalGroupsSequence)
        let shared = dataSet.item(.sharedFunctionalGroupsSequence) ?? DataSet()
        guard groups.count == pixels.frames else {
            throw TrainingFailure.layout(
                path: file.path, reason: "it has \(pixels.frames) frames and \(groups.count) descriptions of frames")
        }
        let isLabelMap = isLabelMap
        frames = groups.enumerated().map { index, group in
            let derivation = group.item(.derivationImageSequence) ?? shared.item(.derivationImageSequence)
            let source = derivation?.items(.sourceImageSequence) ?? []
            let identification =
                group.item(.segmentIdentificationSequence) ?? shared.item(.segmentIdentificationSequence)
            // A frame that is made of several images, or of one on another grid, is placed by its geometry.
            let isMoved = source.first?.string(.spatialLocationsPreserved) == "NO"
            let named = source.count == 1 && !isMoved ? source[0] : nil
            return Frame(
                number: index + 1, segment: isLabelMap ? 0 : identification?.int(.referencedSegmentNumber) ?? -1,
                source: named.flatMap { item in
                    item.uid(.referencedSOPInstanceUID).map { ($0, item.int(.referencedFrameNumber)) }
                }, place: FramePlace(of: dataSet, frame: index + 1))
        }
    }

    /// Its only segment; nil of several. The background of a label map is none.
    var onlySegment: (number: Int, segment: Segment)? {
        let own = segments.filter { !(isLabelMap && $0.key == 0) }
        guard let first = own.first, own.count == 1 else { return nil }
        return (first.key, first.value)
    }

    /// The model's segment, from 1, of each Segment Number: by equal labels, whatever their case.
    ///
    /// - Parameters:
    ///   - labels: of the model's segments.
    ///   - names: further Segment Labels of a model's segment.
    /// *Throws* `TrainingFailure.layout` with the labels that were found when none is known.
    func classes(_ labels: [String], names: [String: [String]]) throws(TrainingFailure) -> [Int: UInt8] {
        var classes: [Int: UInt8] = [:]
        let own = segments.filter { !(isLabelMap && $0.key == 0) }
        for (number, segment) in own {
            let at = labels.firstIndex { known in
                ([known] + (names[known] ?? [])).contains { $0.lowercased() == segment.label.lowercased() }
            }
            if let at { classes[number] = UInt8(clamping: at + 1) }
        }
        guard !classes.isEmpty else {
            let (found, first) = (own.values.map(\.label).sorted(), labels.first ?? "")
            throw .layout(
                path: path,
                reason:
                    "its segments are labelled \(found.joined(separator: ", ")), and none is a segment of the model"
                    + " (\(labels.joined(separator: ", "))): where one is meant, write it into the entry of data, as in"
                    + " segment_names: {\(first): [\(found.first ?? "")]}, else take the file out")
        }
        return classes
    }
}
