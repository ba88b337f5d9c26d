/// What the header of a JPEG or JPEG-LS stream says, read before any decoder sees it (ISO 10918-1 annex B, ISO 14495-1
/// annex C).
struct JPEGStream {
    var precision = 0
    var rows = 0
    var columns = 0
    /// Identifier and sampling factors of each component.
    var components: [(id: UInt8, horizontal: Int, vertical: Int)] = []
    /// The frame marker's second byte: C0 baseline … C3 lossless … F7 JPEG-LS.
    var frameMarker: UInt8 = 0
    /// The transform in Adobe's APP14.
    var adobeTransform: Int?
    var hasJFIF = false

    var isLossless: Bool { frameMarker == 0xC3 || frameMarker == 0xF7 }
    var isLS: Bool { frameMarker == 0xF7 }

    /// Nil when there is no frame header before the first scan.
    init?(_ bytes: [UInt8]) {
        guard bytes.count > 4, bytes[0] == 0xFF, bytes[1] == 0xD8 else { return nil }
        var at = 2
        while at + 4 <= bytes.count {
            guard bytes[at] == 0xFF else { return nil }
            let marker = bytes[at + 1]
            if marker == 0xFF {  // fill byte
                at += 1
                continue
            }
            if marker == 0x01 || (0xD0...0xD7).contains(marker) {
                at += 2
                continue
            }
            let length = Int(bytes[at + 2]) << 8 | Int(bytes[at + 3])
            let body = at + 4
            let end = at + 2 + length
            guard length >= 2, end <= bytes.count else { return nil }
            switch marker {
            case 0xC0, 0xC1, 0xC2, 0xC3, 0xC5, 0xC6, 0xC7, 0xC9, 0xCA, 0xCB, 0xCD, 0xCE, 0xCF, 0xF7:
                guard end - body >= 6 else { return nil }
                precision = Int(bytes[body])
                rows = Int(bytes[body + 1]) << 8 | Int(bytes[body + 2])
                columns = Int(bytes[body + 3]) << 8 | Int(bytes[body + 4])
                let count = Int(bytes[body + 5])
                guard end - body >= 6 + 3 * count else { return nil }
                components = (0..<count).map {
                    let factors = bytes[body + 7 + $0 * 3]
                    return (bytes[body + 6 + $0 * 3], Int(factors >> 4), Int(factors & 15))
                }
                frameMarker = marker
            // A second APP0 may hold a thumbnail (JFXX).
            case 0xE0: hasJFIF = hasJFIF || bytes[body..<end].starts(with: [0x4A, 0x46, 0x49, 0x46, 0])
            case 0xEE where bytes[body..<end].starts(with: [0x41, 0x64, 0x6F, 0x62, 0x65]) && end - body >= 12:
                adobeTransform = Int(bytes[body + 11])
            case 0xDA:
                guard frameMarker != 0 else { return nil }
                return
            case 0xD9: return nil
            default: break
            }
            at = end
        }
        return nil
    }

    /// What three components mean, decided by the stream before the tag.
    ///
    /// *Source*: `docs/dicom-support.md`, "Pixels".
    func colour(_ tagged: PixelDescription.Photometric) throws(DICOMFailure) -> (
        colour: StoredFrame.Colour, note: String?
    ) {
        func found(_ colour: StoredFrame.Colour) -> (colour: StoredFrame.Colour, note: String?) {
            let agrees = (colour == .rgb) == (tagged == .rgb)
            return (
                colour,
                agrees
                    ? nil : "the JPEG stream holds \(colour == .rgb ? "RGB" : "YCbCr"), the tag says \(tagged.rawValue)"
            )
        }
        if let adobeTransform, adobeTransform > 1 {
            throw .photometric("a JPEG stream in YCCK: its colours are not read.", cure: "Export as RGB.")
        }
        let isRGB = adobeTransform == 0 || components.map(\.id).elementsEqual([0x52, 0x47, 0x42])
        let isShared = components.contains {
            ($0.horizontal, $0.vertical) != (components[0].horizontal, components[0].vertical)
        }
        let isYBR = adobeTransform == 1 || (hasJFIF && !isLossless) || isShared
        guard !isRGB || !isYBR else {
            throw .photometric(
                "the JPEG stream says that it holds RGB, and that it holds YCbCr (markers APP0 and APP14, names and sampling of its components): its colours are unknown.",
                cure: "Export as RGB.")
        }
        if isRGB { return found(.rgb) }
        if isYBR { return found(.ybrFull) }
        if frameMarker == 0xC3, tagged == .ybrFull422 { return found(.rgb) }
        return (tagged == .rgb ? .rgb : .ybrFull, nil)
    }
}
