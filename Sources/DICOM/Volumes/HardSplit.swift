import Imaging

/// Frames of one series that can never be one volume: another class, size, colour, Frame of Reference, orientation,
/// spacing or kind of image.
///
/// *Source*: the design page on DICOM, section 2.2.
enum HardSplit {
    /// Groups in the order of their first frame. All frames have a plane.
    static func groups(_ frames: [SourceFrame]) -> [[SourceFrame]] {
        struct Key: Hashable {
            var sopClass: String
            var rows: Int
            var columns: Int
            var isGrey: Bool
            var isPalette: Bool
            var frameOfReference: String
            var imageType: [String]
        }
        var buckets: [Key: [Int]] = [:]
        var groups: [[SourceFrame]] = []
        for frame in frames {
            let pixels = frame.instance.pixels
            let type = frame.imageType
            let key = Key(
                sopClass: frame.instance.sopClassUID, rows: pixels.rows, columns: pixels.columns,
                isGrey: pixels.samples == 1,
                isPalette: pixels.photometric == .paletteColor,
                frameOfReference: frame.instance.frameOfReferenceUID ?? "",
                imageType: [type.first ?? "", type.count > 2 ? type[2] : ""])
            if let index = buckets[key]?.first(where: { isAlike(groups[$0][0], frame) }) {
                groups[index].append(frame)
            } else {
                buckets[key, default: []].append(groups.count)
                groups.append([frame])
            }
        }
        return groups
    }

    private static func isAlike(_ a: SourceFrame, _ b: SourceFrame) -> Bool {
        guard let first = a.plane, let second = b.plane else { return false }
        let cosines = zip(
            [first.rowCosine, first.columnCosine], [second.rowCosine, second.columnCosine]
        ).allSatisfy { one, other in
            let difference = one - other
            return max(abs(difference.x), abs(difference.y), abs(difference.z)) <= Tolerance.cosine
        }
        guard cosines else { return false }
        switch (a.pixelSpacing, b.pixelSpacing) {
        case (nil, nil): return true
        case (let one?, let other?): return one.isAlike(other)
        default: return false
        }
    }
}

extension SourceFrame {
    /// Image Type of the instance, or Frame Type where an enhanced object has one; upper case.
    var imageType: [String] {
        guard isEnhanced else { return instance.imageType }
        for macro in [Attribute.mrImageFrameTypeSequence, .ctImageFrameTypeSequence, .petFrameTypeSequence] {
            let type = group(macro).strings(.frameType)
            if !type.isEmpty { return type.map { $0.uppercased() } }
        }
        return instance.imageType
    }
}
