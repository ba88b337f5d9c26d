import Glibc
import Numbers

/// Recommended Display CIELab Value (0062,000D) of an sRGB colour.
///
/// Of all 2^24 colours no value lies nearer to a half than 6.9e-9: no library's last bits change what it is rounded to.
///
/// By D65 without adaptation, as DCMTK, dcmjs, dcmqi and highdicom invert it; colorimetric D50 would show shifted there.
/// *Source*: PS3.3 C.10.7.1.1 for the scaling; IEC 61966-2-1 for sRGB.
package enum CIELab {
    /// L, a, b as 16-bit values. (255, 0, 0) gives 34886, 53484, 50172. Pure black becomes a dark grey: some viewers hide it.
    package static func value(red: UInt8, green: UInt8, blue: UInt8) -> [Int] {
        let isBlack = red == 0 && green == 0 && blue == 0
        let (r, g, b) = isBlack ? (linear(20), linear(20), linear(20)) : (linear(red), linear(green), linear(blue))
        let x = compressed((0.4124 * r + 0.3576 * g + 0.1805 * b) / 0.95047)
        let y = compressed(0.2126 * r + 0.7152 * g + 0.0722 * b)
        let z = compressed((0.0193 * r + 0.1192 * g + 0.9505 * b) / 1.08883)
        let scaled = [
            (116 * y - 16) * 65535 / 100, (500 * (x - y) + 128) * 65535 / 255, (200 * (y - z) + 128) * 65535 / 255,
        ]
        return scaled.map { Int(rounding: $0, clampedTo: 0...65535) }
    }

    private static func linear(_ byte: UInt8) -> Double {
        let c = Double(byte) / 255
        return c > 0.04045 ? pow((c + 0.055) / 1.055, 2.4) : c / 12.92
    }

    private static func compressed(_ t: Double) -> Double {
        t > 0.008856451679 ? pow(t, 1.0 / 3) : 7.787 * t + 16.0 / 116
    }
}
