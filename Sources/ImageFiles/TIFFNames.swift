/// What tags' numbers are called, for people.
///
/// *Source*: TIFF 6.0; the registry of private tags of libtiff.
package enum TIFFNames {
    /// Of the values of Compression (259).
    package static func compression(_ number: Int) -> String {
        let names = [
            1: "none", 2: "CCITT RLE", 3: "CCITT Group 3", 4: "CCITT Group 4", 5: "LZW", 6: "old JPEG", 7: "JPEG",
            8: "Deflate", 32_773: "PackBits", 32_946: "Deflate (old number)", 33_003: "Aperio JPEG 2000 YCbCr",
            33_005: "Aperio JPEG 2000 RGB", 34_661: "JBIG", 34_676: "SGI LogL", 34_677: "SGI LogL24",
            34_712: "JPEG 2000", 34_887: "LERC", 34_925: "LZMA", 50_000: "Zstandard", 50_001: "WebP",
            32_809: "ThunderScan",
        ]
        return names[number] ?? "compression \(number)"
    }

    /// Of the values of PhotometricInterpretation (262).
    package static func photometric(_ number: Int) -> String {
        let names = [
            0: "white is zero", 1: "black is zero", 2: "RGB", 3: "palette", 4: "mask", 5: "CMYK", 6: "YCbCr",
            8: "CIE L*a*b*", 9: "ICC L*a*b*", 10: "ITU L*a*b*", 32_844: "LogL", 32_845: "LogLuv",
        ]
        return names[number] ?? "photometric \(number)"
    }
}
