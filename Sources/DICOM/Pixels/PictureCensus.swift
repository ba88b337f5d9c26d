package import Imaging

/// What the decoded frames of a volume say together that none says by itself: one picture at two places, and a CT in which nothing is less
/// dense than water.
///
/// *Cost*: a pass over each frame.
package struct PictureCensus {
    /// Smaller pictures are no acquisition.
    private static let smallest = 64 * 64
    private let frames: [SourceFrame]
    /// The slices by what they show.
    private var known: [UInt64: Int] = [:]
    private var copies: [(copy: Int, of: Int)] = []
    private var least = Float.infinity
    private let isUnshifted: Bool
    /// Slices that were computed between others may repeat their neighbours.
    private let isOriginal: Bool

    package init(_ volume: Volume) {
        let isLarge = volume.samples == 1 && volume.rows * volume.columns >= Self.smallest
        frames = volume.kind == .spatial && isLarge ? volume.frames : []
        isOriginal = frames.allSatisfy { $0.imageType.first == "ORIGINAL" }
        isUnshifted =
            isOriginal && volume.modality == "CT"
            && frames.allSatisfy { frame in
                let transform = frame.valueTransformation
                let slope = transform.number(.rescaleSlope, in: CheckedNumbers.Range.scale) ?? 0
                return slope > 0
                    && transform.number(.rescaleIntercept, in: 0...CheckedNumbers.Range.value.upperBound) != nil
            }
    }

    /// - Parameter index: of the frame in the volume.
    package mutating func add(_ index: Int, _ frame: Frame) {
        guard frames.indices.contains(index), let first = frame.values.first else { return }
        if isUnshifted, least >= 0 {
            for (pixel, value) in frame.values.enumerated() where value < least {
                if frame.padding.isEmpty || !frame.padding[pixel] { least = value }
            }
        }
        var (digest, last, changes) = (UInt64(0xCBF2_9CE4_8422_2325), first, 0)
        for value in frame.values {
            digest = (digest ^ UInt64(value.bitPattern)) &* 0x9E37_79B9_7F4A_7C15
            digest ^= digest >> 29
            if value != last { changes += 1 }
            last = value
        }
        guard Self.isAcquired(changes, of: frame) else { return }
        guard let one = known[digest] else {
            known[digest] = index
            return
        }
        if isOriginal || index - one > 1 { copies.append((index, one)) }
        if !isOriginal { known[digest] = index }
    }

    /// Whether a frame shows something that was acquired.
    static func isAcquired(_ frame: Frame) -> Bool {
        frame.values.count >= smallest * frame.samples
            && isAcquired(zip(frame.values, frame.values.dropFirst(frame.samples)).count { $0 != $1 }, of: frame)
    }

    /// Where most neighbours are equal nothing was: slices beside the patient, masks, drawings.
    private static func isAcquired(_ changes: Int, of frame: Frame) -> Bool { changes * 4 > frame.values.count }

    /// Behind the last frame.
    package var findings: [Finding] {
        var findings: [Finding] = []
        if let first = copies.first {
            let more = copies.count > 1 ? ", and so do \(copies.count - 1) more" : ""
            findings.append(
                Finding(
                    "VOL-PLACE", .warning,
                    "\(frames.name(first.copy)) shows the very picture of slice \(first.of + 1), value for value\(more): what lies at one of their places is not in these images."
                ))
        }
        if isUnshifted, !frames.isEmpty, least >= 0, least < .infinity {
            findings.append(
                Finding(
                    "PIX-NOTE", .warning,
                    "no value of the CT lies below 0 Hounsfield units, neither air nor fat nor noise around water: Rescale Intercept may lack what was to be subtracted."
                ))
        }
        return findings
    }
}
