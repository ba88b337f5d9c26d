import Storage

/// UIDs derived from digests: the same input gives the same UID, another input another one.
package enum DerivedUID {
    /// What the UID names; the kinds never collide.
    package enum Kind: String, Sendable {
        case segmentationSeries = "seg.series"
        case segmentationInstance = "seg.instance"
        case segmentationDimensions = "seg.dims"
        case segmentationTracking = "seg.track"
        case device = "device"
        case reportSeries = "sr.series"
        case reportInstance = "sr.instance"
        case captureSeries = "sc.series"
        case captureInstance = "sc.instance"
        case structureSeries = "rt.series"
        case structureInstance = "rt.instance"
        case annotationSeries = "ann.series"
        case annotationInstance = "ann.instance"
        case annotationGroup = "ann.group"
        case importedStudy = "tiff.study"
        case importedSeries = "tiff.series"
        case importedInstance = "tiff.instance"
        case syntheticFrameOfReference = "for.synthetic"
        case frameOfReference = "for.study"
        case phantom = "phantom"
    }

    /// `2.25.` and the decimal value of the first 16 bytes of SHA-256(`hspsam-uid-1` ␟ salt ␟ kind ␟ parts joined by ␟), with
    /// version 8 and the variant of RFC 9562 set: at most 44 characters.
    ///
    /// *Source*: PS3.5 B.2; RFC 9562 section 5.8.
    package static func uid(_ kind: Kind, salt: String = "", _ parts: [String]) -> String {
        let text = (["hspsam-uid-1", salt, kind.rawValue] + parts).joined(separator: "\u{1F}")
        var bytes = Array(FileDigest(of: text).bytes.prefix(16))
        bytes[6] = bytes[6] & 0x0F | 0x80
        bytes[8] = bytes[8] & 0x3F | 0x80
        return "2.25.\(bytes.reduce(UInt128(0)) { $0 << 8 | UInt128($1) })"
    }

    /// 64 hexadecimal digits of SHA-256.
    static func digest(_ bytes: [UInt8]) -> String { FileDigest(of: bytes).hex }
}
