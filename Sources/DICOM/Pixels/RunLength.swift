/// RLE Lossless (PS3.5 annex G): byte planes, each packed by runs. Every sample has its most significant plane first.
package enum RunLength {
    /// One frame's planes put together as little-endian cells, plane by plane of samples.
    ///
    /// *Throws*: `codec` when the header does not fit the image, `pixelsTruncated` when a segment gives too few bytes, `pixelSize` when
    /// it gives more than the pixels' (PS3.5 G.3 to G.5: a segment is one byte plane, no more).
    package static func unpack(
        _ frame: [UInt8], pixels: Int, samples: Int, bytesPerSample: Int
    ) throws(DICOMFailure) -> [UInt8] {
        let expected = samples * bytesPerSample
        guard frame.count >= 64 else {
            throw .pixelsTruncated(
                "an RLE frame of \(frame.count) bytes: pixels are missing.", cure: "Send the file again.")
        }
        let segments = word(frame, 0)
        guard segments == expected else {
            throw .codec(
                "the RLE header says \(segments) segments, the pixel attributes \(expected): the frame is damaged.",
                cure: "Export it again.")
        }
        let ranges = try Self.ranges(frame, segments: segments, pixels: pixels)
        var out = [UInt8](repeating: 0, count: pixels * expected)
        for (segment, range) in ranges.enumerated() {
            let sample = segment / bytesPerSample
            let byte = bytesPerSample - 1 - segment % bytesPerSample
            let got = expand(
                frame, range, into: &out, at: sample * pixels * bytesPerSample + byte, step: bytesPerSample,
                pixels)
            guard got.count == pixels else {
                throw .pixelsTruncated(
                    "RLE segment \(segment + 1) holds \(got.count) of \(pixels) pixels: pixels are missing.",
                    cure: "Send the file again.")
            }
            guard !got.hasMore else {
                throw .pixelSize(
                    "RLE segment \(segment + 1) holds more than \(pixels) pixels: Rows or Columns contradict the pixel data.",
                    cure: "Export the image again.")
            }
        }
        return out
    }

    /// Where each segment lies, every offset checked before anything is allocated or unpacked: inside the frame, in order, and long
    /// enough for its pixels, of which two bytes hold at most 128.
    private static func ranges(_ frame: [UInt8], segments: Int, pixels: Int) throws(DICOMFailure) -> [Range<Int>] {
        // PS3.5 G.5: the offsets of segments that there are not are 0.
        guard (segments..<15).allSatisfy({ word(frame, 4 + $0 * 4) == 0 }) else {
            throw .codec(
                "the RLE header says \(segments) segments and where others lie: the frame is damaged.",
                cure: "Export it again.")
        }
        let starts = (0..<segments).map { word(frame, 4 + $0 * 4) } + [frame.count]
        // PS3.5 G.5: the first segment follows the header.
        guard !frame[64..<max(64, min(starts[0], frame.count))].contains(where: { $0 != 0 }) else {
            throw .codec(
                "bytes that belong to no segment stand behind the RLE header: the frame is damaged, or holds more than is said.",
                cure: "Export it again.")
        }
        var ranges: [Range<Int>] = []
        for segment in 0..<segments {
            guard starts[segment] >= 64, starts[segment] <= starts[segment + 1], starts[segment + 1] <= frame.count
            else {
                throw .codec(
                    "RLE segment \(segment + 1) lies outside its frame: the frame is damaged.", cure: "Export it again."
                )
            }
            let range = starts[segment]..<starts[segment + 1]
            guard range.count >= (pixels + 127) / 128 * 2 else {
                throw .pixelsTruncated(
                    "RLE segment \(segment + 1) has \(range.count) bytes for \(pixels) pixels: pixels are missing.",
                    cure: "Send the file again.")
            }
            ranges.append(range)
        }
        return ranges
    }

    /// Packed runs to every `step`th byte; returns how many were written, at most `limit`, and whether there are more.
    ///
    /// What pads a segment is none: zeros, and the control byte that stands for nothing (80 hexadecimal).
    private static func expand(
        _ packed: [UInt8], _ range: Range<Int>, into out: inout [UInt8], at first: Int, step: Int, _ limit: Int
    ) -> (count: Int, hasMore: Bool) {
        var at = range.lowerBound
        var written = 0
        var hasMore = false
        while at < range.upperBound, written < limit {
            let control = Int8(bitPattern: packed[at])
            at += 1
            if control >= 0 {
                hasMore = Int(control) + 1 > limit - written
                let count = min(Int(control) + 1, range.upperBound - at, limit - written)
                for _ in 0..<count {
                    out[first + written * step] = packed[at]
                    at += 1
                    written += 1
                }
            } else if control != -128 {
                guard at < range.upperBound else { break }
                hasMore = 1 - Int(control) > limit - written
                for _ in 0..<min(1 - Int(control), limit - written) {
                    out[first + written * step] = packed[at]
                    written += 1
                }
                at += 1
            }
        }
        return (written, hasMore || packed[at..<range.upperBound].contains { $0 != 0 && $0 != 0x80 })
    }

    private static func word(_ bytes: [UInt8], _ at: Int) -> Int {
        Int(bytes[at]) | Int(bytes[at + 1]) << 8 | Int(bytes[at + 2]) << 16 | Int(bytes[at + 3]) << 24
    }
}
