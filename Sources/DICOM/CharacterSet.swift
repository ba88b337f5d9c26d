import CDICOM

/// Texts of a data set to Unicode (PS3.5 section 6.1), through the C library's tables.
enum CharacterSet {
    /// Text that is the same in every character set: ASCII without escape sequences.
    static func isPlain(_ bytes: [UInt8]) -> Bool { bytes.allSatisfy { $0 < 0x80 && $0 != 0x1B } }

    /// ASCII as it is; any other byte as U+FFFD.
    static func repertoire(_ bytes: ArraySlice<UInt8>) -> String {
        if bytes.allSatisfy({ $0 < 0x80 }) { return String(decoding: bytes, as: UTF8.self) }
        var text = String.UnicodeScalarView()
        for byte in bytes { text.append(byte < 0x80 ? Unicode.Scalar(byte) : "\u{FFFD}") }
        return String(text)
    }

    /// True for single-byte sets and UTF-8, where a byte 0x5C always separates values. Not so in GB18030, GBK and ISO
    /// 2022.
    static func separatesByBytes(_ characterSet: String) -> Bool {
        !(characterSet.contains("GB") || characterSet.contains("2022"))
    }

    /// The text in UTF-8; nil when the character set is unknown or does not explain the bytes.
    static func utf8(_ bytes: [UInt8], characterSet: String, delimiters: String) -> String? {
        var error = cd_error()
        var length = 0
        // Three bytes of UTF-8 for each byte of any character set that DICOM knows.
        var out = [UInt8](repeating: 0, count: bytes.count * 3 + 16)
        var status = cd_to_utf8(characterSet, delimiters, bytes, bytes.count, &out, out.count, &length, &error)
        if status == CD_OK, length > out.count {
            out = [UInt8](repeating: 0, count: length)
            status = cd_to_utf8(characterSet, delimiters, bytes, bytes.count, &out, out.count, &length, &error)
        }
        guard status == CD_OK, length <= out.count else { return nil }
        return String(validating: out[..<length], as: UTF8.self)
    }
}
