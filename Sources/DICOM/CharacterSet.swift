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
        let terms = canonical(characterSet)
        return !(terms.contains("GB") || terms.contains("2022"))
    }

    /// The text in UTF-8; nil when the character set is unknown or does not explain the bytes.
    static func utf8(_ bytes: [UInt8], characterSet: String, delimiters: String) -> String? {
        let characterSet = canonical(characterSet)
        let bytes = designated(bytes, characterSet, delimiters)
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

    // MARK: Terms

    /// The defined terms (PS3.3 C.12.1.1.2) where a term is written otherwise but its meaning is certain: `ISO-IR 100`, `ISO_IR 149`,
    /// `UTF-8`, `ISO 8859-1`. A term that nobody can know stays as it is.
    static func canonical(_ characterSet: String) -> String {
        let terms = characterSet.split(separator: "\\", omittingEmptySubsequences: false).map(Term.init)
        guard terms.count == 1, let only = terms.first else {
            return terms.map(\.extended).joined(separator: "\\")
        }
        return only.single
    }

    private struct Term {
        let written: String
        /// Capital letters and digits only, without the words that tell the two forms of a term apart.
        let number: String?

        init(_ text: Substring) {
            written = String(text)
            let key = String(
                String.UnicodeScalarView(
                    text.uppercased().unicodeScalars.filter {
                        ("A"..."Z").contains($0) || ("0"..."9").contains($0)
                    }))
            let prefix = ["ISO2022IR", "ISOIR", "ISO2022"].first { key.hasPrefix($0) }
            number = prefix.map { String(key.dropFirst($0.count)) } ?? Self.aliases[key]
        }

        /// As the only term.
        var single: String {
            guard let number else { return written }
            switch number {
            case "6": return ""
            case "GBK", "GB18030": return number
            // Sets of two bytes a character extend another set: they cannot stand alone.
            case "58", "149", "87", "159": return "\\ISO 2022 IR \(number)"
            default: return "ISO_IR \(number)"
            }
        }

        /// As one of several.
        var extended: String {
            guard let number, number != "GBK", number != "GB18030", number != "192" else { return written }
            return "ISO 2022 IR \(number)"
        }

        private static let aliases: [String: String] = [
            "ASCII": "6", "USASCII": "6", "ISO646": "6", "UTF8": "192", "UNICODE11UTF8": "192", "LATIN1": "100",
            "ISO88591": "100",
            "ISO88592": "101", "ISO88593": "109", "ISO88594": "110", "ISO88595": "144", "ISO88596": "127",
            "ISO88597": "126",
            "ISO88598": "138", "ISO88599": "148", "ISO885915": "203", "TIS620": "166", "KSX1001": "149",
            "KSC5601": "149",
            "EUCKR": "149", "GBK": "GBK", "GB18030": "GB18030", "GB2312": "GBK",
        ]
    }

    /// Korean and Chinese without the escape sequence that calls the set (writers that know EUC forget it): put before each part that
    /// needs it, where no other set of the data set could be meant.
    private static func designated(_ bytes: [UInt8], _ characterSet: String, _ delimiters: String) -> [UInt8] {
        guard !bytes.contains(0x1B), bytes.contains(where: { $0 >= 0x80 }) else { return bytes }
        let sets = characterSet.split(separator: "\\").filter { $0 != "ISO 2022 IR 6" }
        let escape: [UInt8]
        switch sets {
        case ["ISO 2022 IR 149"]: escape = [0x1B, 0x24, 0x29, 0x43]
        case ["ISO 2022 IR 58"]: escape = [0x1B, 0x24, 0x29, 0x41]
        default: return bytes
        }
        // A delimiter or a control character ends what an escape sequence called (PS3.5 6.1.2.5.3).
        let ends = Set(delimiters.utf8 + [0x5C, 0x09, 0x0A, 0x0C, 0x0D])
        var result: [UInt8] = []
        var isCalled = false
        for byte in bytes {
            if ends.contains(byte) { isCalled = false }
            if byte >= 0x80, !isCalled {
                result += escape
                isCalled = true
            }
            result.append(byte)
        }
        return result
    }
}
