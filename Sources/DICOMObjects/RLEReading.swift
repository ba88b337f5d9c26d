import DICOM

/// Frames of RLE Lossless as they were read back; nothing of the encoder is used.
///
/// *Source*: PS3.5 2024e, annex G.
enum RLEReading {
    /// The frames' bytes one behind the other, little endian, as native Pixel Data has them. *Throws* `verify` for a damaged frame.
    ///
    /// - Parameter width: bytes of a pixel.
    static func pixels(
        _ fragments: [Range<Int>], in file: [UInt8], framePixels: Int, width: Int
    ) throws(ObjectFailure) -> [UInt8] {
        var pixels = [UInt8](repeating: 0, count: fragments.count * framePixels * width)
        for (frame, range) in fragments.enumerated() {
            guard range.count >= 64, range.upperBound <= file.count else { throw damaged(frame) }
            func word(_ index: Int) -> Int {
                (0..<4).reduce(0) { $0 | Int(file[range.lowerBound + 4 * index + $1]) << (8 * $1) }
            }
            guard word(0) == width else { throw damaged(frame) }
            for segment in 0..<width {
                let start = word(segment + 1)
                let end = segment + 1 < width ? word(segment + 2) : range.count
                guard start >= 64, start <= end, end <= range.count else { throw damaged(frame) }
                // The first segment holds the high bytes.
                let first = frame * framePixels * width + (width - 1 - segment)
                let count = unpack(
                    file[range.lowerBound + start..<range.lowerBound + end], into: &pixels, first: first, by: width,
                    count: framePixels)
                guard count == framePixels else { throw damaged(frame) }
            }
        }
        return pixels
    }

    /// How many bytes came out. One byte may stand behind the last run to make the length even.
    private static func unpack(
        _ bytes: ArraySlice<UInt8>, into pixels: inout [UInt8], first: Int, by width: Int, count: Int
    ) -> Int {
        var (at, done) = (bytes.startIndex, 0)
        while at < bytes.endIndex, done < count {
            let control = Int(Int8(bitPattern: bytes[at]))
            at += 1
            if control == -128 { continue }
            let length = control >= 0 ? control + 1 : 1 - control
            guard done + length <= count, at + (control >= 0 ? length : 1) <= bytes.endIndex else { return -1 }
            for index in 0..<length { pixels[first + (done + index) * width] = bytes[control >= 0 ? at + index : at] }
            at += control >= 0 ? length : 1
            done += length
        }
        return done
    }

    private static func damaged(_ frame: Int) -> ObjectFailure { .verify("frame \(frame + 1) is no RLE of its pixels") }
}
