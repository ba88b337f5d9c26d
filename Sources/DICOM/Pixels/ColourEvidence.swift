/// What the samples of a colour frame themselves say of their colour model and their order, where tags and streams may be wrong: pictures
/// that were decompressed or converted keep Photometric Interpretation and Planar Configuration of what they were.
///
/// Only what no picture can be is taken for evidence: a frame says nothing most of the time. *Cost*: a pass over the samples.
struct ColourEvidence {
    /// A picture of fewer pixels says too little.
    private static let leastPixels = 1024
    private let values: [Int32]
    private let bits: Int

    /// - Parameter values: three samples a pixel. Nil where they say too little.
    init?(_ values: [Int32], bits: Int) {
        guard values.count >= 3 * Self.leastPixels else { return nil }
        self.values = values
        self.bits = bits
    }

    /// - Parameter colour: how the frame is read.
    /// *Throws*: `photometric`.
    func check(_ colour: StoredFrame.Colour, _ pixels: PixelDescription) throws(DICOMFailure) {
        let contradicts = colour == .rgb ? isGreyYCbCr : hasNoColours
        guard !contradicts else {
            throw .photometric(
                "the samples are those of \(colour == .rgb ? "YCbCr" : "RGB"), and tags and stream (Photometric Interpretation = \(pixels.photometric.rawValue)) make \(colour == .rgb ? "RGB" : "YCbCr") of them: they contradict each other.",
                cure: "Correct Photometric Interpretation at the source, or export as RGB.")
        }
    }

    /// *Throws*: `photometric`. - Parameter isPlanar: how native samples were read.
    func checkOrder(isPlanar: Bool) throws(DICOMFailure) {
        guard isPlanar ? isByPixel : isByPlane else { return }
        throw .photometric(
            "the samples stand \(isPlanar ? "pixel by pixel" : "plane by plane"), Planar Configuration = \(isPlanar ? 1 : 0): they contradict each other.",
            cure: "Correct Planar Configuration at the source.")
    }

    // MARK: Colour model

    private var pixelCount: Int { values.count / 3 }

    /// A sample of 8 bits.
    private func level(_ index: Int) -> Int {
        let value = Int(UInt32(bitPattern: values[index]))
        return bits > 8 ? value >> (bits - 8) : value << (8 - bits)
    }

    /// Read as RGB: a quarter of the pixels has green and blue in the middle and red anywhere, from dark to light. That is grey in YCbCr.
    private var isGreyYCbCr: Bool {
        var count = 0
        var darkest = 255
        var lightest = 0
        for pixel in stride(from: 0, to: values.count, by: 3) {
            let (red, green, blue) = (level(pixel), level(pixel + 1), level(pixel + 2))
            guard abs(green - 128) <= 2, abs(blue - 128) <= 2, abs(red - 128) > 16 else { continue }
            count += 1
            darkest = min(darkest, red)
            lightest = max(lightest, red)
        }
        return count * 4 >= pixelCount && lightest - darkest >= 64
    }

    /// Read as YCbCr: a pixel in 32 lies far outside of all colours that there are. Black, white and most greys of RGB do.
    private var hasNoColours: Bool {
        var count = 0
        for pixel in stride(from: 0, to: values.count, by: 3) {
            let (y, cb, cr) = (level(pixel), level(pixel + 1) - 128, level(pixel + 2) - 128)
            let red = y + cr * 359 / 256
            let green = y - (cb * 88 + cr * 183) / 256
            let blue = y + cb * 454 / 256
            if max(red, green, blue) > 255 + 48 || min(red, green, blue) < -48 { count += 1 }
        }
        return count * 32 > pixelCount
    }

    // MARK: Order

    /// Read by plane: neighbours in memory differ by their place modulo 3, as they do where red, green and blue follow each other.
    private var isByPixel: Bool {
        let count = pixelCount
        var sums = [0, 0, 0]
        for sample in 0..<3 {
            for pixel in 1..<count {
                sums[(sample * count + pixel) % 3] += difference(pixel * 3 + sample, pixel * 3 + sample - 3)
            }
        }
        sums.sort()
        let isColoured = sums[2] > 4 * count && sums[2] > 2 * sums[0]
        let isGrey = sums[2] * 4 > count && sums[2] > 8 * sums[1]
        return isColoured || isGrey
    }

    /// Read by pixel: neighbours in memory do not differ by their place modulo 3, and the thirds of the memory are one picture.
    private var isByPlane: Bool {
        var sums = [0, 0, 0]
        for index in 1..<values.count { sums[index % 3] += difference(index, index - 1) }
        let (least, most) = (sums.min() ?? 0, sums.max() ?? 0)
        guard least * 20 > most * 17 else { return false }
        return correlation(0, pixelCount) > 0.9 && correlation(pixelCount, 2 * pixelCount) > 0.9
    }

    private func difference(_ index: Int, _ other: Int) -> Int { abs(level(index) - level(other)) }

    /// Of the samples of two thirds of the memory; 0 where one of them is flat.
    private func correlation(_ first: Int, _ second: Int) -> Double {
        var (a, b, aa, bb, ab) = (0.0, 0.0, 0.0, 0.0, 0.0)
        for index in 0..<pixelCount {
            let (x, y) = (Double(level(first + index)), Double(level(second + index)))
            (a, b, aa, bb, ab) = (a + x, b + y, aa + x * x, bb + y * y, ab + x * y)
        }
        let count = Double(pixelCount)
        let (varianceA, varianceB) = (aa / count - a / count * (a / count), bb / count - b / count * (b / count))
        guard varianceA > 16, varianceB > 16 else { return 0 }
        return (ab / count - a / count * (b / count)) / (varianceA * varianceB).squareRoot()
    }
}
