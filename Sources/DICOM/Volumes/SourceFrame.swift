package import Imaging

/// One frame of an instance, with access to its attributes wherever an enhanced object keeps them.
package struct SourceFrame: Sendable {
    package let instance: SourceInstance
    /// From 1; 1 for single-frame instances.
    package let number: Int
    /// Nil when position or orientation is missing or impossible.
    package let plane: Plane?
    /// Nil when no distance in mm is known.
    package let pixelSpacing: PixelSpacing?
    let spacingOrigin: SpacingOrigin
    /// Where `pixelSpacing` holds; empty: everywhere.
    let calibratedRegions: [PixelRectangle]

    /// The attributes of a functional group: the frame's own item, else the shared item, else (objects without groups) the
    /// main data set. Empty when an enhanced object has no such group. What the frame's own item leaves out or empty and the shared
    /// item says holds too; of a classic object the main data set holds, completed by both. `GroupConsistency` has found that they do not
    /// contradict each other.
    package func group(_ macro: Attribute) -> DataSet {
        Self.group(macro, of: instance.dataSet, frame: number, isClassic: instance.isClassic)
    }

    static func group(_ macro: Attribute, of dataSet: DataSet, frame number: Int, isClassic: Bool = false) -> DataSet {
        let perFrame = dataSet.items(.perFrameFunctionalGroupsSequence)
        let shared = dataSet.item(.sharedFunctionalGroupsSequence)
        guard shared != nil || !perFrame.isEmpty else { return dataSet }
        let common = shared?.item(macro)
        let own = number >= 1 && number <= perFrame.count ? perFrame[number - 1].item(macro) : nil
        let stated = own.map { own in common.map(own.completed) ?? own } ?? common
        return isClassic ? stated.map(dataSet.completed) ?? dataSet : stated ?? DataSet()
    }

    /// Image Position (Patient): the strings of the file, three or none.
    package var imagePositionPatient: [String] { group(.planePositionSequence).strings(.imagePositionPatient) }
    /// Image Orientation (Patient): the strings of the file, six or none.
    package var imageOrientationPatient: [String] { group(.planeOrientationSequence).strings(.imageOrientationPatient) }
    /// Pixel Spacing: the strings of the file, row then column.
    package var pixelSpacingStrings: [String] { group(.pixelMeasuresSequence).strings(.pixelSpacing) }

    /// What turns stored values into modality values: the frame's group, or where an enhanced object without it says it for all.
    var valueTransformation: DataSet {
        let own = group(.pixelValueTransformationSequence)
        let isStated = own.has(.rescaleSlope) || own.has(.rescaleIntercept) || own.has(.modalityLUTSequence)
        return isStated ? own : instance.dataSet
    }

    /// The lowest and highest modality value that the samples of a grey picture can hold, where a display without a window would show them
    /// all: of 8 bits, and of pictures that were no DICOM. Nil for others, whose samples seldom use the range that they have.
    package var wholeRange: ClosedRange<Double>? {
        let (dataSet, pixels) = (instance.dataSet, instance.pixels)
        let isImported = dataSet.uid(.instanceCreatorUID) == InstanceCreator.imports
        guard pixels.samples == 1, pixels.bitsStored <= (isImported ? 16 : 8) else { return nil }
        // One bit shows as black and white.
        guard pixels.bitsAllocated > 1 else { return 0...255 }
        let count = Double(1 << pixels.bitsStored)
        let (low, high) = pixels.isSigned ? (-count / 2, count / 2 - 1) : (0, count - 1)
        let transform = ModalityTransform(
            valueTransformation, modality: instance.modality, pixels: pixels,
            relationship: dataSet.string(.pixelIntensityRelationship))
        switch transform.function {
        case .identity: return low...high
        case .rescale(let slope, let intercept) where slope > 0:
            return low * slope + intercept...high * slope + intercept
        case .rescale, .table: return nil
        }
    }

    /// Slice Thickness, mm; nil for what no slice has.
    package var sliceThickness: Double? {
        group(.pixelMeasuresSequence).number(.sliceThickness, in: CheckedNumbers.Range.distance)
    }
}

extension [SourceFrame] {
    /// Distinct instances in the order of their first frame.
    var instances: [SourceInstance] {
        var seen = Set<ObjectIdentifier>()
        return map(\.instance).filter { seen.insert(ObjectIdentifier($0)).inserted }
    }

    /// For a message: `slice 3 of 28 (Instance Number 26)`.
    func name(_ index: Int) -> String { "slice \(index + 1) of \(count) (\(self[index...index].instanceNumbers))" }
}

extension Collection<SourceFrame> {
    /// For a message, by which a person finds the images: `Instance Number 26`, `frames 4, 5`, `Instance Numbers 3, 4, 5, 6 and 2 more`.
    var instanceNumbers: String {
        let instances = Array(self).instances
        guard let first, instances.count == 1, first.instance.pixels.frames > 1 else {
            return instances.instanceNumbers
        }
        let shown = prefix(4).map { String($0.number) }.joined(separator: ", ")
        return "frame\(count > 1 ? "s" : "") \(shown)\(count > 4 ? " and \(count - 4) more" : "")"
    }
}

extension Collection<SourceInstance> {
    /// For a message: `Instance Numbers 3, 4, 5, 6 and 2 more`.
    var instanceNumbers: String {
        let shown = prefix(4).map { $0.dataSet.int(.instanceNumber).map(String.init) ?? "none" }.joined(separator: ", ")
        return "Instance Number\(count > 1 ? "s" : "") \(shown)\(count > 4 ? " and \(count - 4) more" : "")"
    }
}
