import DICOMObjects
import Imaging
import Testing

@Suite("BitPacking")
struct BitPackingTests {
    private func mask(_ rows: Int, _ columns: Int, _ text: String) -> Mask {
        Mask(rows: rows, columns: columns, flags: text.map { $0 == "1" })
    }

    @Test("frames follow each other without padding, as in the standard's examples")
    func examples() {
        #expect(BitPacking.pack([mask(3, 3, "111111111"), Mask(rows: 3, columns: 3)]) == [0xFF, 0x01, 0x00, 0x00])
        #expect(BitPacking.pack([mask(1, 3, "101"), mask(1, 3, "010"), mask(1, 3, "111")]) == [0xD5, 0x01])
    }

    @Test("every size up to 17 × 17 with up to 11 frames packs as a bit-by-bit reference does")
    func reference() {
        var generator = Lines(state: 7)
        for rows in 1...17 {
            for columns in 1...17 {
                for count in 1...11 {
                    let frames = (0..<count).map { _ in
                        Mask(
                            rows: rows, columns: columns,
                            flags: (0..<rows * columns).map { _ in generator.next() & 1 == 1 })
                    }
                    var expected = [UInt8](repeating: 0, count: ((rows * columns * count + 7) / 8 + 1) / 2 * 2)
                    for (frame, mask) in frames.enumerated() {
                        for pixel in 0..<rows * columns where mask[pixel] {
                            let position = frame * rows * columns + pixel
                            expected[position / 8] |= 1 << UInt8(position % 8)
                        }
                    }
                    let packed = BitPacking.pack(frames)
                    #expect(packed == expected, "\(rows)×\(columns), \(count) frames")
                    if packed != expected { return }
                }
            }
        }
    }
}

/// Splitmix, so that a failure can be repeated.
struct Lines: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }
}
