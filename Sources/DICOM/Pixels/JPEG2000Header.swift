/// What the main header of a JPEG 2000 code stream says (ISO 15444-1 annex A), read before any decoder sees it.
struct JPEG2000Header {
    /// Rsiz asks for extensions of Part 2, which OpenJPEG does not have.
    private(set) var needsPart2 = false
    /// The 9-7 wavelet: samples do not come back exactly.
    private(set) var isIrreversible = false

    /// Nil when there is no code stream in the first 4 KiB (a JP2 file has boxes before it).
    init?(_ bytes: some RandomAccessCollection<UInt8>) {
        let head = Array(bytes.prefix(4096))
        guard let start = head.indices.first(where: { head[$0...].starts(with: [0xFF, 0x4F, 0xFF, 0x51]) }) else {
            return nil
        }
        var at = start + 2
        while at + 4 <= head.count, head[at] == 0xFF, head[at + 1] != 0x90, head[at + 1] != 0xD9 {
            let length = Int(head[at + 2]) << 8 | Int(head[at + 3])
            let end = at + 2 + length
            guard length >= 2, end <= head.count else { return }
            if head[at + 1] == 0x51, length >= 4 { needsPart2 = head[at + 4] & 0x80 != 0 }
            // COD: Scod, progression, layers (2), transform, levels, block width and height, style, wavelet.
            if head[at + 1] == 0x52, length >= 12 { isIrreversible = head[at + 13] == 0 }
            at = end
        }
    }
}
