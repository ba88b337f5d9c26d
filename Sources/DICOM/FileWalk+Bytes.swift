import CDICOM

/// What single bytes mean: headers, byte order, VR.
extension FileWalk {
    /// VR and length; `at` moves to the value.
    mutating func header(
        _ at: inout Int, end: Int, _ tag: Tag, _ encoding: Encoding
    ) throws(DICOMFailure) -> (vr: VR, length: Int) {
        if encoding.isExplicit {
            let first = window[at + 4]
            let second = window[at + 5]
            if Self.isUpper(first), Self.isUpper(second) {
                let vr = VR(rawValue: String(decoding: [first, second], as: UTF8.self))
                if vr == nil { warn("an unknown VR at \(tag)") }
                guard vr?.hasLongLength ?? true else {
                    let length = Int(word16(at + 6, bigEndian: encoding.isBigEndian))
                    at += 8
                    return (vr ?? .UN, length)
                }
                guard end - at >= 12 else { throw truncated("the header of \(tag)") }
                let length = word32(at + 8, bigEndian: encoding.isBigEndian)
                at += 12
                return (vr ?? .UN, length == UInt32.max ? Self.undefined : Int(length))
            }
            if first == 0x20, second == 0x20 {
                // Blank letters stand for a VR that the writer did not know; the length is a short one.
                warn("an unknown VR at \(tag)")
                let length = Int(word16(at + 6, bigEndian: encoding.isBigEndian))
                at += 8
                return (Self.dictionaryVR(tag), length)
            }
            warn("elements without a VR among explicit ones")
        }
        let length = word32(at + 4, bigEndian: encoding.isBigEndian)
        at += 8
        return (Self.dictionaryVR(tag), length == UInt32.max ? Self.undefined : Int(length))
    }

    /// Explicit when the first element at `at` carries a VR that exists, implicit otherwise.
    mutating func detected(at: Int, end: Int, otherwise: Encoding) throws(DICOMFailure) -> Encoding {
        if end - at >= 8 { try window.load(at, 8) }
        guard end - at >= 8, Self.isUpper(window[at + 4]), Self.isUpper(window[at + 5]),
            VR(rawValue: String(decoding: [window[at + 4], window[at + 5]], as: UTF8.self)) != nil
        else { return Encoding(isExplicit: false, isBigEndian: otherwise.isBigEndian) }
        return Encoding(isExplicit: true, isBigEndian: otherwise.isBigEndian)
    }

    /// The tag at `at` in both byte orders; nil where no element fits.
    mutating func firstTags(_ at: Int) throws(DICOMFailure) -> (little: Tag, big: Tag)? {
        guard window.count - at >= 8 else { return nil }
        try window.load(at, 8)
        return (tag(at, bigEndian: false), tag(at, bigEndian: true))
    }

    func tag(_ at: Int, bigEndian: Bool) -> Tag {
        Tag(word16(at, bigEndian: bigEndian), word16(at + 2, bigEndian: bigEndian))
    }

    func word16(_ at: Int, bigEndian: Bool) -> UInt16 {
        let word = UInt16(window[at]) | UInt16(window[at + 1]) << 8
        return bigEndian ? word.byteSwapped : word
    }

    func word32(_ at: Int, bigEndian: Bool) -> UInt32 {
        let low = UInt32(word16(at, bigEndian: false))
        let word = low | UInt32(word16(at + 2, bigEndian: false)) << 16
        return bigEndian ? word.byteSwapped : word
    }

    /// Bytes of a word that byte order turns round; nil for text. AT is two 16-bit words.
    static func wordSize(_ vr: VR) -> Int? { vr == .AT ? 2 : vr.valueSize }

    static func swap(_ value: inout [UInt8], wordSize: Int) {
        for start in stride(from: 0, to: value.count - value.count % wordSize, by: wordSize) {
            value[start..<start + wordSize].reverse()
        }
    }

    static func isUpper(_ byte: UInt8) -> Bool { (0x41...0x5A).contains(byte) }

    /// The VR of the standard's dictionary; UN for private and unknown attributes. Where pixel attributes decide
    /// between US and SS it is US: whoever needs the sign reads the value with `ints16`.
    static func dictionaryVR(_ tag: Tag) -> VR {
        if tag.element == 0 { return .UL }
        if tag.isPrivate { return (0x10...0xFF).contains(tag.element) ? .LO : .UN }
        var letters: (CChar, CChar, CChar) = (0, 0, 0)
        let name = withUnsafeMutableBytes(of: &letters) { buffer in
            cd_value_representation(tag.group, tag.element, buffer.baseAddress?.assumingMemoryBound(to: CChar.self))
            return String(decoding: buffer.prefix(2), as: UTF8.self)
        }
        switch name {
        case "xs": return .US
        case "ox", "px", "lt": return .OW
        default: return VR(rawValue: name) ?? .UN
        }
    }
}
