import CImageFiles
import Numbers

/// From stored TIFF samples to grey or RGB values of 8 to 16 bits.
struct SampleReading {
    private let stored: Int
    private let bits: Int
    private let format: Int
    private let photometric: Int
    private let alpha: Int
    /// The one sample that is the picture; nil: grey's first, or the colours.
    private let sample: Int?
    /// What the page calls no measurement; nil: nothing, or what is none by itself.
    private let noData: Double?
    /// 1 or 3 in the result.
    let samples: Int

    /// - Parameter noData: the value of samples that are no measurement, as the page says it.
    init(_ tags: ci_tiff_page, sample: Int?, noData: Double? = nil) {
        stored = Int(tags.samples)
        bits = Int(tags.bits)
        format = Int(tags.format)
        photometric = Int(tags.photometric)
        alpha = Int(tags.alpha)
        self.sample = sample
        let held = tags.format == 3 && tags.bits == 32 ? noData.map { Double(Float($0)) } : noData
        self.noData = held.flatMap { SampleSurvey.isValue($0) ? $0 : nil }
        samples = sample == nil && [2, 3, 6].contains(photometric) ? 3 : 1
    }

    private var isColour: Bool { samples == 3 && photometric != 3 }
    private var isSigned: Bool { format == 2 }
    private var isFloating: Bool { format == 3 }

    /// Whether the samples are looked at before they are converted.
    var needsSurvey: Bool { isColour ? bits >= 16 : photometric != 3 && bits > 16 }

    func survey(_ bytes: UnsafeRawBufferPointer, pixels: Int) -> SampleSurvey {
        var survey = SampleSurvey()
        for pixel in 0..<pixels {
            for colour in 0..<samples {
                let index = index(pixel, colour)
                if isColour, !isFloating {
                    survey.add(colour: whole(bytes, index))
                } else {
                    survey.add(number(bytes, index))
                }
            }
        }
        return survey
    }

    /// Why samples cannot be shown although each can be read.
    func problem(_ survey: SampleSurvey) -> String? {
        guard isColour, isFloating else { return nil }
        if survey.lacksValues { return "has floating point colours that are no finite numbers" }
        guard let range = survey.range, range.lowerBound < 0 || range.upperBound > 1 else {
            return nil
        }
        return "has floating point colours that are not from 0 to 1"
    }

    /// Whether a pixel is what the page calls no measurement, a colour in all of its samples, where values have no room for padding.
    /// *Cost*: a pass over pages that say it.
    func hasNoData(_ bytes: UnsafeRawBufferPointer, pixels: Int) -> Bool {
        guard let noData, isColour || photometric == 3 || bits <= 16 else { return false }
        return (0..<pixels).contains { pixel in
            (0..<(isColour ? 3 : 1)).allSatisfy { colour in
                let index = index(pixel, colour)
                guard bits <= 16 else { return stated(bytes, index) == noData }
                let value = whole(bytes, index)
                return Double(
                    isSigned ? Int(Int32(bitPattern: value << UInt32(32 - bits)) >> Int32(32 - bits)) : Int(value))
                    == noData
            }
        }
    }

    /// Samples of a pixel that are its colours or its grey.
    private var shown: Int { photometric == 2 || photometric == 6 ? 3 : 1 }

    /// Samples stand behind the colours that are not shown, alpha first.
    var hasExtraSamples: Bool { sample == nil && stored > shown }

    /// As `RasterPage.isContradictedByAlpha`, of samples of which there are extra ones.
    func isContradictedByAlpha(_ bytes: UnsafeRawBufferPointer, pixels: Int) -> Bool {
        func isZero(_ index: Int) -> Bool { bits > 16 ? stated(bytes, index) == 0 : whole(bytes, index) == 0 }
        var (hasColour, hasTransparent, hasOpaque) = (false, false, false)
        for pixel in 0..<pixels {
            // White is 0 where Photometric is.
            let isBlack = (0..<shown).allSatisfy { colour in
                let index = pixel * stored + colour
                guard photometric == 0, bits <= 16 else { return isZero(index) }
                return whole(bytes, index) == UInt32((1 << bits) - 1)
            }
            let isTransparent = isZero(pixel * stored + shown)
            if isTransparent, !isBlack { return true }
            hasColour = hasColour || !isBlack
            hasTransparent = hasTransparent || isTransparent
            hasOpaque = hasOpaque || !isTransparent
        }
        return !hasColour && hasTransparent && hasOpaque
    }

    /// Whether the extra samples are not the same in all pixels: parts are transparent, or another picture is in them.
    ///
    /// - Parameter first: those of the first pixel that was looked at; empty: it is the first of these.
    func extrasDiffer(_ bytes: UnsafeRawBufferPointer, pixels: Int, from first: inout [UInt8]) -> Bool {
        guard hasExtraSamples, pixels > 0 else { return false }
        let each = bits <= 8 ? 1 : bits <= 16 ? 2 : bits <= 32 ? 4 : 8
        let (own, all) = (shown * each, stored * each)
        if first.isEmpty { first = Array(bytes[own..<all]) }
        return (0..<pixels).contains { !bytes[$0 * all + own..<($0 + 1) * all].elementsEqual(first) }
    }

    private func extras(differ: Bool) -> RasterFinding? {
        guard hasExtraSamples else { return nil }
        guard differ else { return RasterFinding(.picture, "\(stored - shown) extra samples of one value dropped") }
        let text =
            switch alpha {
            case 1: "parts of the picture are transparent (associated alpha), and are shown over black"
            case 2: "parts of the picture are transparent (alpha), and what lies below is shown as if it were seen"
            default: "\(stored - shown) samples a pixel of which nothing says what they are were dropped"
            }
        return RasterFinding(.picture, isWarning: true, isTransparency: [1, 2].contains(alpha), text)
    }

    /// - Parameter extrasDiffer: as the method of this name found it.
    func findings(_ survey: SampleSurvey, extrasDiffer: Bool = false) -> [RasterFinding] {
        var findings = [extras(differ: extrasDiffer)].compactMap { $0 }
        if isColour, !isFloating, bits >= 16 {
            let used = survey.significantBits(limit: bits)
            if used < bits { findings.append(.unusedBits(of: bits, used: used)) }
        }
        if !isColour, photometric != 3, bits > 16 {
            let mapping = survey.mapping
            findings.append(
                RasterFinding(
                    .depth,
                    mapping.slope == 1
                        ? "\(bits)-bit samples are held as they are, in 16 bits\(mapping.hasPadding ? ", but for those that are no finite numbers" : "")."
                        : "\(bits)-bit samples are held in 16 bits in steps of \(NumberText.short(mapping.slope)), the same in all pictures of the series."
                ))
        }
        return findings
    }

    /// *Shape*: `[pixels, samples]`; *Cost*: one pass.
    func values(
        _ bytes: UnsafeRawBufferPointer, pixels: Int, palette: [UInt16]?, survey: SampleSurvey
    ) -> (values: [UInt16], bits: Int, mapping: ValueMapping?) {
        if let palette { return (resolved(bytes, pixels: pixels, palette: palette), 8, nil) }
        if isColour { return colours(bytes, pixels: pixels, survey: survey) }
        if bits > 16 {
            let mapping = survey.mapping
            var values = [UInt16](repeating: 0, count: pixels)
            for pixel in 0..<pixels { values[pixel] = mapping.held(number(bytes, index(pixel, 0))) }
            guard photometric == 0 else { return (values, 16, mapping) }
            return (values.map { 65535 - $0 }, 16, nil)
        }
        let top = UInt32((1 << bits) - 1)
        let stretch = bits < 8
        // Flipping the sign bit adds half the range to a two's complement number.
        let sign: UInt32 = isSigned ? 1 << UInt32(bits - 1) : 0
        let inverted = photometric == 0
        var values = [UInt16](repeating: 0, count: pixels)
        for pixel in 0..<pixels {
            var value = whole(bytes, index(pixel, 0)) ^ sign
            if inverted { value = top - min(value, top) }
            if stretch { value = (value * 255 + top / 2) / top }
            values[pixel] = UInt16(truncatingIfNeeded: value)
        }
        return (values, max(8, bits), isSigned ? ValueMapping(slope: 1, intercept: -Double(sign)) : nil)
    }

    /// Grey whose samples are numbers beside the shades from 0 on that fit into 16 bits: signed, floating point, or wider.
    var holdsNumbers: Bool { !isColour && photometric != 3 && (bits > 16 || isSigned || isFloating) }

    /// Grey samples as the numbers that they are, for masks; nil where one is no whole number from 0 to 65535. Of unsigned samples whose
    /// white is 0 the numbers are counted from there.
    func labels(_ bytes: UnsafeRawBufferPointer, pixels: Int) -> [UInt16]? {
        let sign: UInt32 = isSigned && bits <= 16 ? 1 << UInt32(bits - 1) : 0
        let top = Double(bits < 64 ? (1 << bits) - 1 : 0)
        var labels = [UInt16](repeating: 0, count: pixels)
        for pixel in 0..<pixels {
            let index = index(pixel, 0)
            var value = bits > 16 ? number(bytes, index) : Double(whole(bytes, index) ^ sign) - Double(sign)
            if photometric == 0 { value = top - value }
            guard let label = UInt16(exactly: value) else { return nil }
            labels[pixel] = label
        }
        return labels
    }

    /// How bright a pixel is, in a unit that all pages of its kind have; NaN for what is no measurement.
    func brightness(_ bytes: UnsafeRawBufferPointer, _ pixel: Int, palette: [UInt16]?) -> Double {
        if let palette {
            let entries = palette.count / 3, entry = min(Int(whole(bytes, pixel * stored)), entries - 1)
            return (0..<3).reduce(0) { $0 + Double(palette[$1 * entries + entry]) }
        }
        let sign: UInt32 = isSigned && bits <= 16 ? 1 << UInt32(bits - 1) : 0
        return (0..<samples).reduce(0) { sum, colour in
            let index = index(pixel, colour)
            return sum + (bits > 16 || isFloating ? number(bytes, index) : Double(whole(bytes, index) ^ sign))
        }
    }

    // MARK: Inside

    private func index(_ pixel: Int, _ colour: Int) -> Int { pixel * stored + (sample ?? colour) }

    /// The bits of a whole number.
    private func whole(_ bytes: UnsafeRawBufferPointer, _ index: Int) -> UInt32 {
        bits <= 8
            ? UInt32(bytes[index])
            : bits <= 16
                ? UInt32(bytes.loadUnaligned(fromByteOffset: 2 * index, as: UInt16.self))
                : bytes.loadUnaligned(fromByteOffset: 4 * index, as: UInt32.self)
    }

    /// A sample of more than 16 bits; NaN for one that is no measurement.
    private func number(_ bytes: UnsafeRawBufferPointer, _ index: Int) -> Double {
        let value = stated(bytes, index)
        return value == noData ? .nan : value
    }

    /// A sample of more than 16 bits, as it stands there.
    private func stated(_ bytes: UnsafeRawBufferPointer, _ index: Int) -> Double {
        if isFloating, bits == 64 { return bytes.loadUnaligned(fromByteOffset: 8 * index, as: Double.self) }
        let bits = bytes.loadUnaligned(fromByteOffset: 4 * index, as: UInt32.self)
        if isFloating { return Double(Float(bitPattern: bits)) }
        return isSigned ? Double(Int32(bitPattern: bits)) : Double(bits)
    }

    /// Colours by the bits they use.
    private func colours(
        _ bytes: UnsafeRawBufferPointer, pixels: Int, survey: SampleSurvey
    ) -> ([UInt16], Int, ValueMapping?) {
        var values = [UInt16](repeating: 0, count: pixels * 3)
        if isFloating {
            for pixel in 0..<pixels {
                for colour in 0..<3 {
                    let value = number(bytes, index(pixel, colour))
                    values[3 * pixel + colour] = UInt16(Int(rounding: value * 65535, clampedTo: 0...65535))
                }
            }
            return (values, 16, nil)
        }
        let used = bits >= 16 ? survey.significantBits(limit: bits) : bits
        let shift = UInt32(max(0, used - 16))
        let top = UInt32((1 << bits) - 1)
        for pixel in 0..<pixels {
            for colour in 0..<3 {
                var value = whole(bytes, index(pixel, colour)) >> shift
                if bits < 8 { value = (value * 255 + top / 2) / top }
                values[3 * pixel + colour] = UInt16(truncatingIfNeeded: value)
            }
        }
        return (values, max(8, min(used, 16)), nil)
    }

    /// Colour maps hold 16 bits; writers that meant 8 never exceed 255.
    private func resolved(_ bytes: UnsafeRawBufferPointer, pixels: Int, palette: [UInt16]) -> [UInt16] {
        let entries = 1 << bits
        let shift: UInt16 = palette.contains { $0 > 255 } ? 8 : 0
        var values = [UInt16](repeating: 0, count: pixels * 3)
        for pixel in 0..<pixels {
            let entry = min(Int(whole(bytes, pixel * stored)), entries - 1)
            for colour in 0..<3 { values[3 * pixel + colour] = palette[colour * entries + entry] >> shift }
        }
        return values
    }
}
