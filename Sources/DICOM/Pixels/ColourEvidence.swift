/// What the samples of a colour frame themselves say of their colour model and their order, where tags and streams may be wrong: pictures
/// that were decompressed or converted keep Photometric Interpretation and Planar Configuration of what they were.
///
/// Only what no picture can be is taken for evidence: a frame says nothing most of the time. *Cost*: passes over some 65,000 pixels.
struct ColourEvidence {
    /// A picture of fewer pixels says too little.
    private static let leastPixels = 1024
    private let values: [Int32]
    private let bits: Int
    /// Every so many pixels or samples are looked at; 1 modulo 3, so that all places of the three samples come.
    private let step: Int

    /// - Parameter values: three samples a pixel. Nil where they say too little.
    init?(_ values: [Int32], bits: Int) {
        guard values.count >= 3 * Self.leastPixels else { return nil }
        self.values = values
        self.bits = bits
        step = values.count / 3 / 65_536 / 3 * 3 + 1
    }

    /// - Parameter colour: how the frame is read.
    /// *Throws*: `photometric`.
    func check(_ colour: StoredFrame.Colour, _ pixels: PixelDescription) throws(DICOMFailure) {
        let contradicts = colour == .rgb ? isGreyYCbCr || isSmoothYCbCr : hasNoColours
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
        for pixel in stride(from: 0, to: values.count, by: 3 * step) {
            let (red, green, blue) = (level(pixel), level(pixel + 1), level(pixel + 2))
            guard abs(green - 128) <= 2, abs(blue - 128) <= 2, abs(red - 128) > 16 else { continue }
            count += 1
            darkest = min(darkest, red)
            lightest = max(lightest, red)
        }
        return count * step * 4 >= pixelCount && lightest - darkest >= 64
    }

    /// Read as RGB: what is fine in red is not in green and blue, and these lie around the middle. So luminance and its two colour differences
    /// are, of photographs above all; red, green and blue of what was photographed share their edges. A picture in which most neighbours are
    /// equal was drawn.
    private var isSmoothYCbCr: Bool {
        var steps = [0, 0, 0]
        var (count, changes, middle) = (0, 0, 0)
        for pixel in stride(from: 3, to: values.count, by: 3 * step) {
            count += 1
            for sample in 0..<3 { steps[sample] += difference(pixel + sample, pixel + sample - 3) }
            if difference(pixel, pixel - 3) > 0 { changes += 1 }
            if abs(level(pixel + 1) - 128) <= 64, abs(level(pixel + 2) - 128) <= 64 { middle += 1 }
        }
        return middle * 10 >= count * 9 && changes * 4 > count && steps[0] > count
            && max(steps[1], steps[2]) * 10 <= steps[0] * 3
    }

    /// Read as YCbCr: a pixel in 32 lies far outside of all colours that there are. Black, white and most greys of RGB do.
    private var hasNoColours: Bool {
        var count = 0
        for pixel in stride(from: 0, to: values.count, by: 3 * step) {
            let (y, cb, cr) = (level(pixel), level(pixel + 1) - 128, level(pixel + 2) - 128)
            let red = y + cr * 359 / 256
            let green = y - (cb * 88 + cr * 183) / 256
            let blue = y + cb * 454 / 256
            if max(red, green, blue) > 255 + 48 || min(red, green, blue) < -48 { count += 1 }
        }
        return count * step * 32 > pixelCount
    }

    // MARK: Order

    /// Read by plane: neighbours in memory differ by their place modulo 3, as they do where red, green and blue follow each other.
    private var isByPixel: Bool {
        let count = pixelCount
        var sums = [0, 0, 0]
        for sample in 0..<3 {
            for pixel in stride(from: 1, to: count, by: step) {
                sums[(sample * count + pixel) % 3] += difference(pixel * 3 + sample, pixel * 3 + sample - 3)
            }
        }
        sums.sort()
        let isColoured = sums[2] * step > 4 * count && sums[2] > 2 * sums[0]
        let isGrey = sums[2] * step * 4 > count && sums[2] > 8 * sums[1]
        return isColoured || isGrey
    }

    /// Read by pixel: neighbours in memory do not differ by their place modulo 3, and the thirds of the memory are one picture.
    private var isByPlane: Bool {
        var sums = [0, 0, 0]
        for index in stride(from: 1, to: values.count, by: step) { sums[index % 3] += difference(index, index - 1) }
        let (least, most) = (sums.min() ?? 0, sums.max() ?? 0)
        guard least * 20 > most * 17 else { return false }
        return areOne(0, pixelCount) && areOne(pixelCount, 2 * pixelCount)
    }

    private func difference(_ index: Int, _ other: Int) -> Int { abs(level(index) - level(other)) }

    /// Whether two thirds of the memory, none of them flat, correlate by more than 0.9.
    private func areOne(_ first: Int, _ second: Int) -> Bool {
        var (a, b, aa, bb, ab) = (0, 0, 0, 0, 0)
        var count = 0.0
        for index in stride(from: 0, to: pixelCount, by: step) {
            count += 1
            let (x, y) = (level(first + index), level(second + index))
            (a, b, aa, bb, ab) = (a + x, b + y, aa + x * x, bb + y * y, ab + x * y)
        }
        func covariance(_ products: Int, _ one: Int, _ other: Int) -> Double {
            Double(products) / count - Double(one) / count * (Double(other) / count)
        }
        let (own, others, common) = (covariance(aa, a, a), covariance(bb, b, b), covariance(ab, a, b))
        return own > 16 && others > 16 && common > 0 && common * common > 0.81 * own * others
    }
}
