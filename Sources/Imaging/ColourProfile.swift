/// The profile (ICC) that a colour picture has. It is not applied, for no model learned from colours that were; but one that is no profile, or of
/// another colour model than the picture, says that the picture is not what it seems.
///
/// *Source*: ICC.1:2022 7.2, profile header.
package enum ColourProfile {
    /// Bytes of its header, which is all that is looked at.
    package static let headerBytes = 128

    /// What a person has to look at; nil for a profile that fits a picture of red, green and blue.
    ///
    /// - Parameters:
    ///   - header: its first bytes.
    ///   - size: of the whole profile; nil where that is not known.
    package static func problem(_ header: [UInt8], size: Int?) -> String? {
        let meaning = "the picture's colours may not be those that were meant"
        guard header.count >= headerBytes, header[36..<40].elementsEqual("acsp".utf8) else {
            return "the colour profile (ICC) is damaged, or none: \(meaning)"
        }
        let stated = header[0..<4].reduce(0) { $0 << 8 | Int($1) }
        if let size, stated > size { return "the colour profile (ICC) is cut off: \(meaning)" }
        let space = header[16..<20]
        guard !["RGB ", "YCbr"].contains(where: { space.elementsEqual($0.utf8) }) else { return nil }
        return "the colour profile (ICC) is none of red, green and blue: \(meaning)"
    }
}
