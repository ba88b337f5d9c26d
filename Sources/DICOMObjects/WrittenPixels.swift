import DICOM
import Imaging

/// The pixels of a segmentation as they were read back; nothing of the encoder is used.
struct WrittenPixels {
    private let bytes: [UInt8]
    /// Of one frame.
    private let pixels: Int
    /// Bytes of one number of a LABELMAP.
    private let width: Int

    /// *Throws* `verify` when size, type and number of frames do not fit the grid or the length of Pixel Data.
    init(_ written: WrittenObject, _ grid: FrameGrid, _ type: SegmentationType) throws(ObjectFailure) {
        let dataSet = written.dataSet
        let (rows, columns) = (dataSet.int(.rows) ?? 0, dataSet.int(.columns) ?? 0)
        guard rows == grid.rows, columns == grid.columns else {
            throw .verify("\(rows)×\(columns) pixels instead of \(grid.rows)×\(grid.columns)")
        }
        let frames = dataSet.items(.perFrameFunctionalGroupsSequence).count
        guard frames == dataSet.int(.numberOfFrames) else {
            throw .verify("\(frames) functional groups for another number of frames")
        }
        let bits = dataSet.int(.bitsAllocated) ?? 0
        guard dataSet.string(.segmentationType) == type.definedTerm,
            type == .binary ? bits == 1 : type == .fractional ? bits == 8 : bits == 8 || bits == 16
        else { throw .verify("\(bits) bits a pixel for another type of segmentation") }
        guard let element = dataSet[.pixelData] else { throw .verify("no Pixel Data") }
        bytes = Array(try written.value(of: element))
        pixels = rows * columns
        width = max(1, bits / 8)
        let length = type == .binary ? (pixels * frames + 7) / 8 : pixels * frames * width
        guard bytes.count == length + length % 2 else {
            throw .verify("\(bytes.count) bytes of pixels for \(frames) frames of \(pixels)")
        }
        let used = type == .binary ? pixels * frames : length * 8
        for bit in used..<bytes.count * 8 where bytes[bit >> 3] >> UInt8(bit & 7) & 1 == 1 {
            throw .verify("padding behind the last frame is not zero")
        }
    }

    /// Pixels set in a frame of a BINARY object. *Throws* `verify` when they are not the mask's.
    func count(_ frame: Int, same mask: Mask) throws(ObjectFailure) -> Int {
        let start = frame * pixels
        let (first, shift) = (start >> 3, UInt8(start & 7))
        var count = 0
        for at in 0..<(pixels + 7) / 8 {
            var byte = bytes[first + at] >> shift
            if shift > 0, first + at + 1 < bytes.count { byte |= bytes[first + at + 1] << (8 - shift) }
            let left = pixels - at * 8
            if left < 8 { byte &= 1 << UInt8(left) - 1 }
            guard byte == mask.bits[at] else {
                throw .verify("frame \(frame + 1), pixels from \(at * 8) on differ from the mask")
            }
            count += byte.nonzeroBitCount
        }
        return count
    }

    /// Pixels of each segment in a frame of a LABELMAP. *Throws* `verify` when they are not the masks'. *Shape*: `masks[label - 1]`.
    func counts(_ frame: Int, same masks: [Mask]) throws(ObjectFailure) -> [Int] {
        let start = frame * pixels * width
        var bits = masks.map { [UInt8](repeating: 0, count: $0.bits.count) }
        for pixel in 0..<pixels {
            let at = start + pixel * width
            let label = width == 1 ? Int(bytes[at]) : Int(bytes[at]) | Int(bytes[at + 1]) << 8
            if label == 0 { continue }
            guard label <= masks.count else {
                throw .verify("frame \(frame + 1), pixel \(pixel) has the label \(label)")
            }
            bits[label - 1][pixel >> 3] |= 1 << UInt8(pixel & 7)
        }
        for (index, mask) in masks.enumerated() where bits[index] != mask.bits {
            throw .verify("frame \(frame + 1) differs from the mask of segment \(index + 1)")
        }
        return masks.map(\.count)
    }

    /// *Throws* `verify` when a frame of a LABELMAP holds other numbers.
    func check(_ frame: Int, same labels: [UInt16]) throws(ObjectFailure) {
        let start = frame * pixels * width
        for (pixel, label) in labels.enumerated() {
            let at = start + pixel * width
            let found = width == 1 ? UInt16(bytes[at]) : UInt16(bytes[at]) | UInt16(bytes[at + 1]) << 8
            guard found == label else {
                throw .verify("frame \(frame + 1), pixel \(pixel) has the label \(found) instead of \(label)")
            }
        }
    }

    /// *Throws* `verify` when a frame of a FRACTIONAL object holds other probabilities.
    func check(_ frame: Int, same probabilities: [UInt8]) throws(ObjectFailure) {
        guard bytes[frame * pixels..<(frame + 1) * pixels].elementsEqual(probabilities) else {
            throw .verify("frame \(frame + 1) holds other probabilities")
        }
    }
}
