package import Imaging

/// One-bit pixel data: bit p mod 8 (least significant first) of byte p div 8 is pixel p, counted over all frames without
/// padding at the ends of rows or frames; only the whole is padded, to an even number of bytes.
///
/// *Source*: PS3.5 8.1.1.
package enum BitPacking {
    /// Pixel Data of BINARY segmentations. All frames have one size.
    ///
    /// *Cost*: one pass; frames whose size is a multiple of 8 are copied whole.
    package static func pack(_ frames: [Mask]) -> [UInt8] {
        guard let first = frames.first else { return [] }
        let pixels = first.rows * first.columns
        let total = (pixels * frames.count + 7) / 8
        var bytes = [UInt8]()
        bytes.reserveCapacity(total + 1)
        // The bits that are collected and not yet written: fewer than 8.
        var pending: UInt16 = 0
        var count = 0
        for frame in frames {
            precondition(
                frame.rows == first.rows && frame.columns == first.columns, "BitPacking: frames differ in size")
            if count == 0, pixels % 8 == 0 {
                bytes += frame.bits
                continue
            }
            var left = pixels
            for byte in frame.bits {
                let width = min(left, 8)
                // Unused bits of a mask's last byte are 0.
                pending |= UInt16(byte) << UInt16(count)
                count += width
                left -= width
                if count >= 8 {
                    bytes.append(UInt8(truncatingIfNeeded: pending))
                    pending >>= 8
                    count -= 8
                }
            }
        }
        if count > 0 { bytes.append(UInt8(truncatingIfNeeded: pending)) }
        if bytes.count % 2 == 1 { bytes.append(0) }
        return bytes
    }
}
