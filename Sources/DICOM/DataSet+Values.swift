/// Values by the type that the caller wants. Reading is tolerant: what is absent, empty or not of that type gives nil
/// or an empty array, and text padding is removed.
extension DataSet {
    /// The values of a text attribute, decoded by the character set in force; LT, ST, UT and UR have one value.
    package func strings(_ tag: Tag) -> [String] {
        guard let element = self[tag], case .bytes(let bytes) = element.value, !bytes.isEmpty else { return [] }
        switch element.vr {
        case .LT, .ST, .UT, .UR:
            return [Self.trimmed(decoded(bytes, delimiters: ""))]
        case .LO, .PN, .SH, .UC:
            let delimiters = element.vr == .PN ? "\\^=" : "\\"
            if CharacterSet.separatesByBytes(characterSet) {
                return bytes.split(separator: 0x5C, omittingEmptySubsequences: false)
                    .map { Self.trimmed(decoded(Array($0), delimiters: delimiters)) }
            }
            return decoded(bytes, delimiters: delimiters).split(separator: "\\", omittingEmptySubsequences: false)
                .map { Self.trimmed(String($0)) }
        default:
            // AE, AS, CS, DA, DS, DT, IS, TM, UI and whatever calls itself text under UN: the default repertoire.
            return bytes.split(separator: 0x5C, omittingEmptySubsequences: false)
                .map { Self.trimmed(CharacterSet.repertoire($0)) }
        }
    }

    /// The first value of a text attribute; nil when absent or empty.
    package func string(_ tag: Tag) -> String? {
        guard let first = strings(tag).first, !first.isEmpty else { return nil }
        return first
    }

    /// All values of a text attribute as one text with its backslashes; nil when absent or empty.
    package func text(_ tag: Tag) -> String? {
        let text = strings(tag).joined(separator: "\\")
        return text.isEmpty ? nil : text
    }

    /// False when a text holds bytes that its character set does not explain; `strings` shows them as U+FFFD.
    package func isDecodable(_ tag: Tag) -> Bool {
        guard let element = self[tag], element.vr.isEncodedText, case .bytes(let bytes) = element.value else {
            return true
        }
        return CharacterSet.isPlain(bytes)
            || CharacterSet.utf8(bytes, characterSet: characterSet, delimiters: element.vr == .PN ? "\\^=" : "\\")
                != nil
    }

    /// A UID as it stands, without padding; nil for what `UID` does not accept, and for several.
    package func uid(_ tag: Tag) -> String? {
        let values = strings(tag)
        guard values.count == 1, UID.isAccepted(values[0]) else { return nil }
        return values[0]
    }

    /// DS and FL/FD/OF/OD/integer values; one that is no number is left out as NaN so that positions stay.
    package func doubles(_ tag: Tag) -> [Double] {
        guard let element = self[tag], case .bytes(let bytes) = element.value, !bytes.isEmpty else { return [] }
        switch element.vr {
        case .FL, .OF: return Self.words(bytes, UInt32.self).map { Double(Float(bitPattern: $0)) }
        case .FD, .OD: return Self.words(bytes, UInt64.self).map { Double(bitPattern: $0) }
        case .US, .OW, .SS, .UL, .OL, .SL, .UV, .OV, .SV: return ints(tag).map(Double.init)
        default: return strings(tag).map { Self.number($0) ?? .nan }
        }
    }

    /// The first number; nil when absent or not finite.
    package func double(_ tag: Tag) -> Double? {
        guard let first = doubles(tag).first, first.isFinite else { return nil }
        return first
    }

    /// IS and binary integers. An IS written like a decimal that is whole ("10.0") counts; anything else is left out.
    package func ints(_ tag: Tag) -> [Int] {
        guard let element = self[tag], case .bytes(let bytes) = element.value, !bytes.isEmpty else { return [] }
        switch element.vr {
        case .US, .OW: return Self.words(bytes, UInt16.self).map(Int.init)
        case .SS: return Self.words(bytes, UInt16.self).map { Int(Int16(bitPattern: $0)) }
        case .UL, .OL: return Self.words(bytes, UInt32.self).map(Int.init)
        case .SL: return Self.words(bytes, UInt32.self).map { Int(Int32(bitPattern: $0)) }
        case .UV, .OV: return Self.words(bytes, UInt64.self).compactMap(Int.init(exactly:))
        case .SV: return Self.words(bytes, UInt64.self).map { Int(Int64(bitPattern: $0)) }
        case .OB: return bytes.map(Int.init)
        default: return strings(tag).compactMap { Int($0) ?? Self.number($0).flatMap { Int(exactly: $0) } }
        }
    }

    /// The first whole number; nil when absent or none.
    package func int(_ tag: Tag) -> Int? { ints(tag).first }

    /// 16-bit values re-read with the sign that the data set's Pixel Representation asks for, whatever VR stands in the
    /// file.
    package func ints16(_ attribute: Attribute, signed: Bool) -> [Int] {
        guard let bytes = bytes(attribute) else { return [] }
        return Self.words(bytes, UInt16.self).map { signed ? Int(Int16(bitPattern: $0)) : Int($0) }
    }

    private func decoded(_ bytes: [UInt8], delimiters: String) -> String {
        if CharacterSet.isPlain(bytes) { return CharacterSet.repertoire(bytes[...]) }
        return CharacterSet.utf8(bytes, characterSet: characterSet, delimiters: delimiters)
            ?? CharacterSet.repertoire(bytes[...])
    }

    /// A decimal number as DS and IS write it; nil for anything else that Swift would accept (hexadecimal, "inf",
    /// "nan").
    static func number(_ text: String) -> Double? {
        let legal = text.utf8.allSatisfy {
            (48...57).contains($0) || $0 == 43 || $0 == 45 || $0 == 46 || $0 == 101 || $0 == 69
        }
        return legal ? Double(text) : nil
    }

    /// Without the padding that DICOM allows: spaces and NULs at both ends.
    private static func trimmed(_ text: String) -> String {
        let isPadding = { (character: Unicode.Scalar) in character == " " || character == "\0" }
        let scalars = text.unicodeScalars
        guard let first = scalars.firstIndex(where: { !isPadding($0) }),
            let last = scalars.lastIndex(where: { !isPadding($0) })
        else { return "" }
        return String(scalars[first...last])
    }

    /// Whole little-endian words; a rest shorter than a word is left out.
    private static func words<Word: FixedWidthInteger>(_ bytes: [UInt8], _: Word.Type) -> [Word] {
        let size = Word.bitWidth / 8
        return (0..<bytes.count / size).map { index in
            var word: Word = 0
            for byte in (0..<size).reversed() { word = word << 8 | Word(bytes[index * size + byte]) }
            return word
        }
    }
}
