/// Bytes to stored values (PS3.5 section 8).
enum SampleUnpacking {
    /// How a sample lies in its cell.
    struct Cell {
        var allocated: Int
        var stored: Int
        var highBit: Int
        var isSigned: Bool

        init(_ pixels: PixelDescription) {
            allocated = pixels.bitsAllocated
            stored = pixels.bitsStored
            highBit = pixels.highBit
            isSigned = pixels.isSigned
        }

        init(allocated: Int, stored: Int, isSigned: Bool) {
            self.allocated = allocated
            self.stored = stored
            highBit = stored - 1
            self.isSigned = isSigned
        }

        /// `count` samples of the cells that `bits` gives. Unused bits are never trusted: shifted and masked away, the sign extended from the
        /// highest stored bit.
        @inline(__always)
        func values(_ count: Int, _ bits: (Int) -> UInt32) -> [Int32] {
            let (below, unused) = (UInt32(highBit + 1 - stored), UInt32(32 - stored))
            precondition(below < 32 && unused < 32, "SampleUnpacking: \(stored) bits below bit \(highBit + 1) of 32")
            return [Int32](unsafeUninitializedCapacity: count) { out, used in
                // The sign is asked for once, and shifts that are known to be below 32 need no care: several samples at a time.
                if isSigned {
                    for index in 0..<count {
                        out[index] = Int32(bitPattern: (bits(index) &>> below) &<< unused) &>> Int32(unused)
                    }
                } else {
                    for index in 0..<count {
                        out[index] = Int32(bitPattern: ((bits(index) &>> below) &<< unused) &>> unused)
                    }
                }
                used = count
            }
        }

        /// Which bits outside of the stored ones are set in any of `count` cells of `width` bits, where they are neither overlays nor the
        /// extension of the sign.
        ///
        /// *Cost*: nothing where all bits are stored; one pass where the others are zero, as they should be; two otherwise.
        @inline(__always)
        func strayBits(_ count: Int, of width: Int, overlays: UInt32, _ bits: (Int) -> UInt32) -> UInt32 {
            let outside = Self.low(width) & ~(Self.low(highBit + 1) & ~Self.low(highBit + 1 - stored)) & ~overlays
            guard outside != 0 else { return 0 }
            var found: UInt32 = 0
            for index in 0..<count { found |= bits(index) }
            guard found & outside != 0 else { return 0 }
            guard isSigned else { return found & outside }
            let above = outside & ~Self.low(highBit + 1)
            found = 0
            for index in 0..<count {
                let cell = bits(index)
                let isExtended = cell & above == above && cell &>> UInt32(highBit) & 1 == 1
                found |= isExtended ? cell & ~above : cell
            }
            return found & outside
        }

        /// The lowest `count` bits, at most 32.
        private static func low(_ count: Int) -> UInt32 { count >= 32 ? .max : 1 << UInt32(max(0, count)) - 1 }
    }

    /// Bits of little-endian cells of 8, 16 or 32 bits that are no part of a sample (`Cell.strayBits`).
    static func strayBits(
        _ bytes: UnsafeRawBufferPointer, count: Int, _ cell: Cell, overlays: UInt32
    ) -> UInt32 {
        switch cell.allocated {
        case 8: cell.strayBits(count, of: 8, overlays: overlays) { UInt32(bytes[$0]) }
        case 16:
            cell.strayBits(count, of: 16, overlays: overlays) {
                UInt32(UInt16(littleEndian: bytes.loadUnaligned(fromByteOffset: $0 * 2, as: UInt16.self)))
            }
        default:
            cell.strayBits(count, of: 32, overlays: overlays) {
                UInt32(littleEndian: bytes.loadUnaligned(fromByteOffset: $0 * 4, as: UInt32.self))
            }
        }
    }

    /// `count` samples from little-endian cells of 8, 16 or 32 bits. `bytes` holds at least `count` of them.
    static func values(_ bytes: UnsafeRawBufferPointer, count: Int, _ cell: Cell) -> [Int32] {
        switch cell.allocated {
        case 8: cell.values(count) { UInt32(bytes[$0]) }
        case 16:
            cell.values(count) {
                UInt32(UInt16(littleEndian: bytes.loadUnaligned(fromByteOffset: $0 * 2, as: UInt16.self)))
            }
        default:
            cell.values(count) { UInt32(littleEndian: bytes.loadUnaligned(fromByteOffset: $0 * 4, as: UInt32.self)) }
        }
    }

    /// `count` one-bit samples from bit number `firstBit` on, least significant bit first.
    static func bits(_ bytes: UnsafeRawBufferPointer, firstBit: Int, count: Int) -> [Int32] {
        (firstBit..<firstBit + count).map { Int32(bytes[$0 >> 3] >> UInt8($0 & 7) & 1) }
    }

    /// From plane by plane to pixel by pixel.
    static func interleaved(_ planar: [Int32], pixels: Int, samples: Int) -> [Int32] {
        [Int32](unsafeUninitializedCapacity: planar.count) { out, used in
            for sample in 0..<samples {
                for pixel in 0..<pixels { out[pixel * samples + sample] = planar[sample * pixels + pixel] }
            }
            used = planar.count
        }
    }

    /// YBR_FULL_422 as stored natively, Y1 Y2 Cb Cr for two pixels of a row, to three samples a pixel.
    static func expanded422(_ stored: [Int32], rows: Int, columns: Int) -> [Int32] {
        var out = [Int32](repeating: 0, count: rows * columns * 3)
        for pair in 0..<rows * columns / 2 {
            for side in 0..<2 {
                out[(pair * 2 + side) * 3] = stored[pair * 4 + side]
                out[(pair * 2 + side) * 3 + 1] = stored[pair * 4 + 2]
                out[(pair * 2 + side) * 3 + 2] = stored[pair * 4 + 3]
            }
        }
        return out
    }
}
