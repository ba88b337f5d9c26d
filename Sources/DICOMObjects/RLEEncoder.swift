/// Frames as RLE Lossless holds them: PackBits by row, a segment for each byte of a pixel, the high byte first.
///
/// *Source*: PS3.5 2024e, annex G. *Cost*: one pass over the bytes.
enum RLEEncoder {
    /// One frame of even length. *Shape*: `pixels` `[rows · columns]` of `width` bytes each, little endian.
    static func frame(_ pixels: ArraySlice<UInt8>, columns: Int, width: Int) -> [UInt8] {
        var segments: [[UInt8]] = []
        for byte in (0..<width).reversed() {
            let plane =
                width == 1
                ? pixels
                : stride(from: pixels.startIndex + byte, to: pixels.endIndex, by: width).map { pixels[$0] }[...]
            segments.append(packed(plane, columns: columns))
        }
        var header: [UInt32] = [UInt32(segments.count)]
        var offset = 64
        for segment in segments {
            header.append(UInt32(truncatingIfNeeded: offset))
            offset += segment.count
        }
        header += [UInt32](repeating: 0, count: 16 - header.count)
        return header.flatMap(\.littleEndianBytes) + segments.joined()
    }

    /// Rows do not share a run. Of even length.
    private static func packed(_ plane: ArraySlice<UInt8>, columns: Int) -> [UInt8] {
        var bytes: [UInt8] = []
        var row = plane.startIndex
        while row < plane.endIndex {
            let end = min(row + columns, plane.endIndex)
            pack(plane, row..<end, into: &bytes)
            row = end
        }
        if bytes.count % 2 == 1 { bytes.append(0) }
        return bytes
    }

    private static func pack(_ plane: ArraySlice<UInt8>, _ row: Range<Int>, into bytes: inout [UInt8]) {
        var at = row.lowerBound
        while at < row.upperBound {
            let run = run(plane, at, row.upperBound)
            if run > 1 {
                bytes.append(UInt8(257 - run))
                bytes.append(plane[at])
                at += run
                continue
            }
            var end = at + 1
            while end < row.upperBound, end - at < 128, self.run(plane, end, row.upperBound) < 3 { end += 1 }
            bytes.append(UInt8(end - at - 1))
            bytes += plane[at..<end]
            at = end
        }
    }

    /// Equal bytes from `start` on, 128 at most.
    private static func run(_ plane: ArraySlice<UInt8>, _ start: Int, _ end: Int) -> Int {
        let (value, limit) = (plane[start], min(end, start + 128))
        var at = start + 1
        while at < limit, plane[at] == value { at += 1 }
        return at - start
    }
}
