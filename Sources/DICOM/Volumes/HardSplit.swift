import Imaging

/// Frames of one series that can never be one volume: another class, size, colour, Frame of Reference, orientation,
/// spacing or kind of image.
///
/// *Source*: `docs/dicom-support.md`, "Volumes".
enum HardSplit {
    /// What is equal in all frames of a group.
    private struct Key: Hashable {
        let sopClass: String
        let size: [Int]
        let isGrey: Bool
        let isPalette: Bool
        let frameOfReference: String
        let imageType: [String]
        let isProjection: Bool

        init(_ frame: SourceFrame) {
            let pixels = frame.instance.pixels
            let type = frame.imageType
            sopClass = frame.instance.sopClassUID
            size = [pixels.rows, pixels.columns]
            isGrey = pixels.samples == 1
            isPalette = pixels.photometric == .paletteColor
            frameOfReference = frame.instance.frameOfReferenceUID ?? ""
            imageType = [type.first ?? "", type.count > 2 ? type[2] : ""]
            isProjection = frame.isProjection
        }
    }

    /// Groups in the order of their first frame. All frames have a plane.
    static func groups(_ frames: [SourceFrame]) -> [[SourceFrame]] {
        var buckets: [Key: [Int]] = [:]
        var groups: [[SourceFrame]] = []
        for frame in frames {
            let key = Key(frame)
            if let index = buckets[key]?.first(where: { isAlike(groups[$0][0], frame) }) {
                groups[index].append(frame)
            } else {
                buckets[key, default: []].append(groups.count)
                groups.append([frame])
            }
        }
        return groups
    }

    /// In the words of the attributes that set the frames of two groups apart.
    static func differences(_ one: SourceFrame, _ other: SourceFrame) -> [String] {
        let (a, b) = (Key(one), Key(other))
        var names: [String] = []
        if a.sopClass != b.sopClass { names.append("SOP Class") }
        if a.size != b.size { names.append("Rows or Columns") }
        if (a.isGrey, a.isPalette) != (b.isGrey, b.isPalette) { names.append("Photometric Interpretation") }
        if a.frameOfReference != b.frameOfReference { names.append("Frame of Reference UID") }
        if a.imageType != b.imageType || a.isProjection != b.isProjection { names.append("Image Type") }
        if !hasAlikeSpacing(one, other) { names.append("Pixel Spacing") }
        if !hasAlikeDirections(one, other) { names.append("Image Orientation (Patient)") }
        return names
    }

    private static func isAlike(_ a: SourceFrame, _ b: SourceFrame) -> Bool {
        hasAlikeDirections(a, b) && hasAlikeSpacing(a, b)
    }

    private static func hasAlikeDirections(_ a: SourceFrame, _ b: SourceFrame) -> Bool {
        guard let first = a.plane, let second = b.plane else { return false }
        return zip(
            [first.rowCosine, first.columnCosine], [second.rowCosine, second.columnCosine]
        ).allSatisfy { one, other in
            let difference = one - other
            return max(abs(difference.x), abs(difference.y), abs(difference.z)) <= Tolerance.cosine
        }
    }

    /// Whether pixels have one size, or none is known of either.
    static func hasAlikeSpacing(_ a: SourceFrame, _ b: SourceFrame) -> Bool {
        switch (a.pixelSpacing, b.pixelSpacing) {
        case (nil, nil): return true
        case (let one?, let other?): return one.isAlike(other)
        default: return false
        }
    }
}

extension SourceFrame {
    /// When the frame was acquired, as texts: by its own moment, else its object's, else the object's date and time.
    var acquisition: (date: String, time: String) {
        let dataSet = instance.dataSet
        guard
            let whole = group(.frameContentSequence).text(.frameAcquisitionDateTime)
                ?? dataSet.text(.acquisitionDateTime)
        else { return (dataSet.text(.acquisitionDate) ?? "", dataSet.text(.acquisitionTime) ?? "") }
        return (String(whole.prefix(8)), String(whole.dropFirst(8)))
    }

    /// Image Type of the instance, or Frame Type where an enhanced object has one; upper case.
    var imageType: [String] {
        frameTypes.lazy.map { $0.strings(.frameType) }.first { !$0.isEmpty }?.map { $0.uppercased() }
            ?? instance.imageType
    }

    /// What an enhanced object says of the kind of its frames, where it says it of this one; else the object's.
    func frameType(_ attribute: Attribute) -> String? {
        frameTypes.lazy.compactMap { $0.string(attribute) }.first ?? instance.dataSet.string(attribute)
    }

    /// The items that say of what kind a frame of an enhanced object is.
    private var frameTypes: [DataSet] {
        guard instance.hasFunctionalGroups else { return [] }
        return [Attribute.mrImageFrameTypeSequence, .ctImageFrameTypeSequence, .petFrameTypeSequence].map(group)
    }

    /// The brightest or darkest on each ray through a slab, or a view of a body's surface: what lies at several depths is in one picture.
    ///
    /// *Source*: PS3.3 2024e, C.8.16.2.1.3 (Volume Based Calculation Technique), C.8.9.1.1.1 (Series Type), and what vendors write into Image
    /// Type.
    var isProjection: Bool {
        imageType.contains(where: Self.projections.contains)
            || frameType(.volumeBasedCalculationTechnique).map(Self.projections.contains) == true
            || instance.dataSet.strings(.seriesType).contains("REPROJECTION")
    }

    /// Its object calls itself one, whatever is said of the frame.
    var isOfProjections: Bool { instance.imageType.contains(where: Self.projections.contains) }

    private static let projections: Set = [
        "MIP", "MAX_IP", "MAX IP", "MIN_IP", "MIN IP", "MINIP", "MNIP", "VOLUME_RENDER", "SURFACE_RENDER",
    ]
}
