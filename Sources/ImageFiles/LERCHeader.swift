import Storage

/// What a LERC blob says of its loss.
///
/// *Source*: github.com/Esri/lerc, Lerc2.h, HeaderInfo: `Lerc2 `, version, checksum (from 3 on), rows, columns, depth (from 4 on), valid pixels,
/// block size, blob size, data type, then the largest error as a double.
struct LERCHeader {
    /// Of a value, in its own unit.
    let largestError: Double
    /// Whole numbers.
    let isWhole: Bool

    /// Nil for bytes that are no such blob, or of which another compression hides what they are.
    init?(_ bytes: [UInt8]) {
        guard bytes.starts(with: Array("Lerc2 ".utf8)), bytes.count >= 10 else { return nil }
        func int32(_ at: Int) -> Int {
            (0..<4).reduce(0) { $0 | Int(bytes[at + $1]) << (8 * $1) }
        }
        let version = int32(6)
        guard (1...6).contains(version) else { return nil }
        let start = 10 + (version >= 3 ? 4 : 0), count = 6 + (version >= 4 ? 1 : 0)
        var at = start + 4 * count
        guard bytes.count >= at + 8 else { return nil }
        isWhole = int32(at - 4) <= 5
        // Version 6 has four flags and how many blobs follow between type and error.
        if version >= 6 { at += 4 + 4 }
        guard bytes.count >= at + 8 else { return nil }
        largestError = Double(bitPattern: (0..<8).reduce(UInt64(0)) { $0 | UInt64(bytes[at + $1]) << (8 * UInt64($1)) })
    }

    /// Values come back as they were: whole numbers within a half, others exactly.
    var isLossless: Bool { isWhole ? largestError <= 0.5 : largestError == 0 }
}

extension TIFFFile {
    /// Whether a page compressed with LERC may have lost something: its first strip or tile says it, or nobody does.
    func mayBeLossyLERC(_ index: Int) -> Bool {
        for tag: UInt16 in [273, 324] {
            guard let at = (try? value(tag, page: index))?.whole.first, at < file.size,
                let bytes = try? file.read(at..<min(file.size, at + 80))
            else { continue }
            return LERCHeader(bytes).map { !$0.isLossless } ?? true
        }
        return true
    }
}
