import Imaging
import Numbers
import Tensors

/// What JPEG compression does to a picture: each block of 8 × 8 values loses its fine cosines. No file is written.
///
/// *Source*: ITU-T T.81 A.3.3 and table K.1; quality scaled as the Independent JPEG Group does. Every channel by itself, with the
/// luminance table: cruder in colour than a file would be.
enum JPEGArtefacts {
    private static let table: [Float] = [
        16, 11, 10, 16, 24, 40, 51, 61, 12, 12, 14, 19, 26, 58, 60, 55, 14, 13, 16, 24, 40, 57, 69, 56, 14, 17, 22, 29,
        51,
        87, 80, 62, 18, 22, 37, 56, 68, 109, 103, 77, 24, 35, 55, 64, 81, 104, 113, 92, 49, 64, 78, 87, 103, 121, 120,
        101,
        72, 92, 95, 98, 112, 100, 103, 99,
    ]

    /// cos((2x + 1)·u·π/16) · c(u)/2, `[u, x]`.
    private static let basis: [Float] = (0..<64).map { at in
        let (u, x) = (at / 8, at % 8)
        let scale = u == 0 ? 0.5 * 0.5.squareRoot() : 0.5
        return Float(scale * cosine(Double((2 * x + 1) * u) * .pi / 16))
    }

    static func apply(to image: inout DisplayImage, quality: Int) {
        let scale = Float(quality < 50 ? 5000 / max(1, quality) : 200 - 2 * quality) / 100
        let steps = table.map { max(1, ($0 * scale).rounded()) }
        for top in stride(from: 0, to: image.rows, by: 8) {
            for left in stride(from: 0, to: image.columns, by: 8) {
                for channel in 0..<3 { block(&image, top, left, channel, steps) }
            }
        }
    }

    private static func block(
        _ image: inout DisplayImage, _ top: Int, _ left: Int, _ channel: Int, _ steps: [Float]
    ) {
        // Beyond the edge the last row and column go on.
        var values = [Float](repeating: 0, count: 64)
        for at in 0..<64 {
            let (row, column) = (min(top + at / 8, image.rows - 1), min(left + at % 8, image.columns - 1))
            values[at] = Float(image.pixels[(row * image.columns + column) * 3 + channel]) - 128
        }
        var cosines = transformed(transformed(values))
        for at in 0..<64 { cosines[at] = (cosines[at] / steps[at]).rounded() * steps[at] }
        let restored = restored(restored(cosines))
        for at in 0..<64 where top + at / 8 < image.rows && left + at % 8 < image.columns {
            let index = ((top + at / 8) * image.columns + left + at % 8) * 3 + channel
            image.pixels[index] = UInt8(grey: restored[at] + 128)
        }
    }

    /// One axis, and the axes exchanged: twice is both. `[i, j]` → `[j, u]` of Σ basis[u, i] · x.
    private static func transformed(_ x: [Float]) -> [Float] {
        (0..<64).map { at in (0..<8).reduce(0) { $0 + basis[at % 8 * 8 + $1] * x[$1 * 8 + at / 8] } }
    }

    /// The way back of `transformed`. `[i, u]` → `[u, j]`…: the transposed basis, the axes exchanged.
    private static func restored(_ x: [Float]) -> [Float] {
        (0..<64).map { at in (0..<8).reduce(0) { $0 + basis[$1 * 8 + at % 8] * x[$1 * 8 + at / 8] } }
    }
}
