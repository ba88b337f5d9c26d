import CImageFiles

extension TIFFFile {
    /// Why pages of these tags are not shown, whatever their compression is; nil for those that are.
    ///
    /// *Source*: `docs/tiff-support.md`.
    static func refusal(of tags: ci_tiff_page) -> ImageFilesFailure.Reason? {
        switch tags.photometric {
        case 0, 1, 3: break
        case 2, 6:
            guard tags.samples >= 3 else {
                return .photometric(
                    "says RGB or YCbCr (Photometric \(tags.photometric)) but has \(tags.samples) samples a pixel")
            }
        case 4: return .photometric("is a transparency mask (Photometric 4)")
        case 5: return .photometric("is CMYK (Photometric 5)")
        case 8, 9, 10: return .photometric("is CIE L*a*b* (Photometric \(tags.photometric))")
        case 32844, 32845: return .photometric("is LogLuv (Photometric \(tags.photometric))")
        default: return .photometric("has the unknown Photometric \(tags.photometric)")
        }
        return refusalOfSamples(tags)
    }

    private static func refusalOfSamples(_ tags: ci_tiff_page) -> ImageFilesFailure.Reason? {
        let isReadable =
            switch tags.format {
            case 1, 4: (1...16).contains(tags.bits) || tags.bits == 24 || tags.bits == 32
            case 2: tags.bits == 8 || tags.bits == 16 || tags.bits == 32
            case 3: tags.bits == 32 || tags.bits == 64
            default: false
            }
        guard isReadable, tags.photometric != 3 || tags.bits <= 16, tags.photometric != 6 || tags.bits == 8 else {
            let format = [1: "unsigned", 2: "signed", 3: "floating point", 4: "untyped"][tags.format] ?? "complex"
            return .bits("has \(format) samples of \(tags.bits) bits")
        }
        // Both are numbers that somebody measured: whether they or their negative is meant, nobody says.
        if tags.photometric == 0, tags.format == 2 || tags.format == 3 {
            return .photometric("is white at 0 (Photometric 0) and has signed or floating point samples")
        }
        if tags.photometric == 2 || tags.photometric == 6, tags.format == 2 {
            return .bits("has colours of signed samples")
        }
        return nil
    }
}
