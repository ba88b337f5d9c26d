import Imaging

/// The Pixel Data of a segmentation.
enum SegmentationPixels {
    /// *Shape*: `masks[segment][frame]`, `probabilities[segment][frame][pixel]`, as the selection counts them.
    /// *Throws* `overlap` where a LABELMAP would have to hold two segments in one pixel.
    static func bytes(
        _ type: SegmentationType, _ selection: FrameSelection, masks: [[Mask]], probabilities: [[[UInt8]]]
    ) throws(ObjectFailure) -> [UInt8] {
        var bytes: [UInt8] = []
        switch type {
        case .binary:
            return BitPacking.pack(selection.frames.map { masks[selection.segments[$0.segment - 1]][$0.source] })
        case .fractional:
            for frame in selection.frames {
                bytes += probabilities[selection.segments[frame.segment - 1]][frame.source]
            }
        case .labelmap: bytes = try labels(selection, masks)
        }
        if bytes.count % 2 == 1 { bytes.append(0) }
        return bytes
    }

    /// Of one pixel.
    static func bits(_ type: SegmentationType, segments: Int) -> Int {
        switch type {
        case .binary: 1
        case .fractional: 8
        case .labelmap: 8 * labelWidth(segments)
        }
    }

    /// Bytes of one number in a LABELMAP.
    private static func labelWidth(_ segments: Int) -> Int { segments > 255 ? 2 : 1 }

    private static func labels(_ selection: FrameSelection, _ masks: [[Mask]]) throws(ObjectFailure) -> [UInt8] {
        let width = labelWidth(selection.segments.count)
        guard let first = masks.first?.first else { return [] }
        let pixels = first.rows * first.columns
        var bytes = [UInt8](repeating: 0, count: selection.frames.count * pixels * width)
        for (index, frame) in selection.frames.enumerated() {
            let start = index * pixels
            for (number, segment) in selection.segments.enumerated() {
                let label = UInt16(truncatingIfNeeded: number + 1)
                for (at, byte) in masks[segment][frame.source].bits.enumerated() where byte != 0 {
                    for bit in 0..<8 where byte >> UInt8(bit) & 1 == 1 {
                        let pixel = (start + at * 8 + bit) * width
                        guard bytes[pixel] == 0, width == 1 || bytes[pixel + 1] == 0 else { throw .overlap }
                        bytes[pixel] = UInt8(truncatingIfNeeded: label)
                        if width == 2 { bytes[pixel + 1] = UInt8(label >> 8) }
                    }
                }
            }
        }
        return bytes
    }

    /// Any pixel of any frame in two segments.
    static func overlap(_ masks: [[Mask]]) -> Bool {
        guard let frames = masks.first?.indices else { return false }
        return frames.contains { frame in
            var seen = [UInt8](repeating: 0, count: masks[0][frame].bits.count)
            for segment in masks {
                for (index, byte) in segment[frame].bits.enumerated() {
                    if seen[index] & byte != 0 { return true }
                    seen[index] |= byte
                }
            }
            return false
        }
    }
}
