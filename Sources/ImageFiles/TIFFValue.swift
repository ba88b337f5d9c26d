import CImageFiles

/// What one tag of a page holds, whether libtiff knows the tag or not.
struct TIFFValue: Sendable {
    private let type: UInt16
    private let isBigEndian: Bool
    private let bytes: [UInt8]

    fileprivate init(_ value: ci_tiff_value, _ bytes: [UInt8]) {
        type = value.type
        isBigEndian = value.big_endian != 0
        self.bytes = bytes
    }

    /// Up to the first NUL; UTF-8, and where it is none Latin-1.
    var text: String {
        let part = bytes.prefix { $0 != 0 }
        return String(validating: part, as: UTF8.self)
            ?? String(String.UnicodeScalarView(part.map { Unicode.Scalar($0) }))
    }

    /// Bytes and whole numbers without sign; empty for other types.
    var whole: [Int] {
        let size =
            switch type {
            case 1, 7: 1
            case 3: 2
            case 4, 13: 4
            case 16, 18: 8
            default: 0
            }
        guard size > 0 else { return [] }
        return stride(from: 0, to: bytes.count - size + 1, by: size).map { Int(clamping: number(at: $0, size)) }
    }

    /// How many values of eight bytes there are: two numbers of a fraction each.
    var fractionCount: Int { type == 5 || type == 10 ? bytes.count / 8 : 0 }

    var byteCount: Int { bytes.count }

    /// As they stand in the file.
    func prefix(_ count: Int) -> [UInt8] { Array(bytes.prefix(count)) }

    /// A signed number of 32 bits at a place in a block of a vendor's.
    func int32(at offset: Int) -> Int? {
        guard offset >= 0, offset + 4 <= bytes.count else { return nil }
        return Int(Int32(truncatingIfNeeded: number(at: offset, 4)))
    }

    /// A number of 64 bits at a place in a block of a vendor's.
    func double(at offset: Int) -> Double? {
        guard offset >= 0, offset + 8 <= bytes.count else { return nil }
        return Double(bitPattern: number(at: offset, 8))
    }

    private func number(at offset: Int, _ size: Int) -> UInt64 {
        let part = bytes[offset..<offset + size]
        return (isBigEndian ? Array(part) : Array(part.reversed())).reduce(0) { $0 << 8 | UInt64($1) }
    }
}

extension TIFFFile {
    /// A tag of a page (from 0); nil when the page has none. *Throws* `ImageFilesFailure`: truncated, limit.
    func value(_ tag: UInt16, page: Int) throws(ImageFilesFailure) -> TIFFValue? {
        var value = ci_tiff_value()
        var error = ci_error()
        guard ci_tiff_tag(handle, UInt32(clamping: page), tag, &value, &error) == CI_OK else { throw failure(error) }
        guard let bytes = value.bytes else { return nil }
        defer { ci_free(bytes) }
        return TIFFValue(value, Array(UnsafeBufferPointer(start: bytes, count: value.size)))
    }
}
