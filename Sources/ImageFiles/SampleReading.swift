import CImageFiles

/// From stored TIFF samples to grey or RGB values of 8 to 16 bits.
struct SampleReading {
    private let stored: Int
    private let bits: Int
    private let format: Int
    private let photometric: Int
    /// 1 or 3 in the result.
    let samples: Int
    let outputBits: Int
    let notes: [String]

    init(_ tags: ci_tiff_page) {
        stored = Int(tags.samples)
        bits = Int(tags.bits)
        format = Int(tags.format)
        photometric = Int(tags.photometric)
        samples = [2, 3, 6].contains(photometric) ? 3 : 1
        outputBits = photometric == 3 || bits <= 8 ? 8 : min(bits, 16)
        var notes: [String] = []
        let used = photometric == 2 || photometric == 6 ? 3 : 1
        if stored > used {
            notes.append(
                tags.alpha == 1 ? "associated alpha shown over black" : "\(stored - used) extra samples dropped")
        }
        if format == 2 { notes.append("signed samples moved up by \(1 << (bits - 1))") }
        if bits > 16 { notes.append("\(bits)-bit samples mapped linearly to 16 bits") }
        self.notes = notes
    }

    /// *Shape*: `[pixels, samples]`; *Cost*: one pass, two for 32 and 64 bits.
    func values(
        _ bytes: UnsafeRawBufferPointer, pixels: Int, palette: [UInt16]?
    ) -> (values: [UInt16], mapping: RasterPage.LinearMapping?) {
        if let palette { return (resolved(bytes, pixels: pixels, palette: palette), nil) }
        if bits > 16 { return mapped(bytes, pixels: pixels) }
        let top = UInt32((1 << bits) - 1)
        let stretch = bits < 8
        let sign: UInt32 = format == 2 ? 1 << UInt32(bits - 1) : 0
        let inverted = photometric == 0
        var values = [UInt16](repeating: 0, count: pixels * samples)
        for pixel in 0..<pixels {
            for sample in 0..<samples {
                let index = pixel * stored + sample
                var value =
                    bits <= 8
                    ? UInt32(bytes[index]) : UInt32(bytes.loadUnaligned(fromByteOffset: 2 * index, as: UInt16.self))
                // Flipping the sign bit adds half the range to a two's complement number.
                value ^= sign
                if inverted { value = top - min(value, top) }
                if stretch { value = (value * 255 + top / 2) / top }
                values[pixel * samples + sample] = UInt16(truncatingIfNeeded: value)
            }
        }
        return (values, nil)
    }

    /// Colour maps hold 16 bits; writers that meant 8 never exceed 255.
    private func resolved(_ bytes: UnsafeRawBufferPointer, pixels: Int, palette: [UInt16]) -> [UInt16] {
        let entries = 1 << bits
        let shift: UInt16 = palette.contains { $0 > 255 } ? 8 : 0
        var values = [UInt16](repeating: 0, count: pixels * 3)
        for pixel in 0..<pixels {
            let index = pixel * stored
            let entry =
                bits <= 8 ? Int(bytes[index]) : Int(bytes.loadUnaligned(fromByteOffset: 2 * index, as: UInt16.self))
            for colour in 0..<3 {
                values[3 * pixel + colour] = palette[colour * entries + min(entry, entries - 1)] >> shift
            }
        }
        return values
    }

    /// 32-bit and floating point samples, from their smallest to their largest onto 0 … 65535; NaN and infinities become 0.
    private func mapped(_ bytes: UnsafeRawBufferPointer, pixels: Int) -> ([UInt16], RasterPage.LinearMapping?) {
        func value(_ index: Int) -> Double {
            if format == 3 && bits == 64 { return bytes.loadUnaligned(fromByteOffset: 8 * index, as: Double.self) }
            if format == 3 { return Double(bytes.loadUnaligned(fromByteOffset: 4 * index, as: Float.self)) }
            return Double(bytes.loadUnaligned(fromByteOffset: 4 * index, as: UInt32.self))
        }
        var low = Double.infinity, high = -Double.infinity
        for pixel in 0..<pixels {
            for sample in 0..<samples {
                let v = value(pixel * stored + sample)
                if v.isFinite { (low, high) = (min(low, v), max(high, v)) }
            }
        }
        if !(low <= high) { (low, high) = (0, 0) }
        // Halved first: the difference of two large doubles may be infinite.
        let half = high / 2 - low / 2
        let scale = half > 0 ? 65535 / half / 2 : 0
        var values = [UInt16](repeating: 0, count: pixels * samples)
        for pixel in 0..<pixels {
            for sample in 0..<samples {
                let v = value(pixel * stored + sample)
                let scaled = v.isFinite ? ((v / 2 - low / 2) * 2 * scale).rounded() : 0
                let clamped = scaled.isFinite ? UInt16(max(0, min(65535, scaled))) : 65535
                values[pixel * samples + sample] = photometric == 0 ? 65535 - clamped : clamped
            }
        }
        let sign: Double = photometric == 0 ? -1 : 1
        return (values, .init(scale: sign * scale, offset: (photometric == 0 ? 65535 : 0) - sign * low * scale))
    }
}
