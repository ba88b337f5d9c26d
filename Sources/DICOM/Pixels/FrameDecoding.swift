package import Imaging

/// Frames of any instance as modality values or display colour. Keeps the file of the last instance open, so frames of
/// one file are best asked for one after the other. One thread at a time.
package final class FrameDecoding {
    private var current: Opened?
    /// What was odd about decoded frames, each once: notes, and warnings of values that a person has to look at.
    package private(set) var findings: [Finding] = []

    private var padding = PaddingCensus()

    /// An object whose frames are decoded, and what holds for all of them.
    private struct Opened {
        let instance: SourceInstance
        let reader: PixelReader
        let palette: Palette?
        /// The stored value from which on a Supplemental Palette shows pixels in colour; nil: none does.
        let coloursFrom: Int?
        var evidence: ObjectEvidence
    }

    package init() {}

    /// Behind the last frame of a volume. *Throws* `values` where what its Pixel Padding Value takes away is the picture itself.
    package func confirmPadding() throws(DICOMFailure) { try padding.confirm() }

    /// The frame's values: grey after the modality transform, with its padding marked; colour and palettes as display
    /// RGB.
    ///
    /// *Throws*: a `PIX-…` refusal, or `unreadable`. *Cost*: one decode; nothing but this frame is kept.
    package func frame(_ frame: SourceFrame) throws(DICOMFailure) -> Frame {
        let object = try opened(frame.instance)
        let stored = try object.reader.frame(frame.number)
        note(stored.notes)
        note(stored.doubts, .warning)
        note(try current?.evidence.doubts(of: stored) ?? [], .warning)
        if let colour = stored.colour {
            return Frame(
                rows: stored.rows, columns: stored.columns, samples: 3,
                values: Self.display(stored, colour))
        }
        if let palette = object.palette { return Self.coloured(stored, palette) }
        if let first = object.coloursFrom, stored.reaches(first) {
            note(
                [
                    "pixels have colours of a Supplemental Palette (Pixel Presentation), which were read as grey values: they are none that were measured"
                ], .warning)
        }
        return try grey(stored, frame)
    }

    private func opened(_ instance: SourceInstance) throws(DICOMFailure) -> Opened {
        if let current, current.instance === instance { return current }
        current = nil
        let reader = try PixelReader(instance.file, instance.pixels, limits: instance.limits)
        note(reader.notes)
        note(try instance.pixelFindings())
        let palette =
            instance.pixels.photometric == .paletteColor ? try Palette(instance.dataSet, instance.pixels) : nil
        let object = Opened(
            instance: instance, reader: reader, palette: palette, coloursFrom: Palette.supplementalFirst(instance),
            evidence: ObjectEvidence(instance))
        current = object
        return object
    }

    private func note(_ texts: [String], _ severity: Finding.Severity = .note) {
        note(texts.map { Finding("PIX-NOTE", severity, $0) })
    }

    private func note(_ more: [Finding]) {
        for finding in more where findings.count < 64 && !findings.contains(where: { $0.text == finding.text }) {
            findings.append(finding)
        }
    }

    // MARK: Grey

    private func grey(_ stored: StoredFrame, _ frame: SourceFrame) throws(DICOMFailure) -> Frame {
        let dataSet = frame.instance.dataSet
        let pixels = frame.instance.pixels
        let transform = ModalityTransform(
            frame.valueTransformation, modality: frame.instance.modality, pixels: pixels,
            relationship: dataSet.string(.pixelIntensityRelationship))
        note(transform.notes)
        let stated = PixelPadding(dataSet, pixels)
        let range = stated?.range
        let isInverted = pixels.photometric == .monochrome1 || dataSet.string(.presentationLUTShape) == "INVERSE"
        var padding: [Bool] = []
        let values: [Float]
        switch stored.values {
        case .integers(let integers):
            // One bit shows as black and white.
            if pixels.bitsAllocated == 1 {
                values = integers.map { $0 == 0 ? 0 : 255 }
            } else if stored.isSigned {
                values = transform(integers) { Double($0) }
            } else {
                values = transform(integers) { Double(UInt32(bitPattern: $0)) }
            }
            if let range, pixels.bitsAllocated > 1 {
                func number(_ value: Int32) -> Double {
                    stored.isSigned ? Double(value) : Double(UInt32(bitPattern: value))
                }
                let marks = integers.map { range.contains(number($0)) }
                if marks.contains(true) { padding = marks }
                if let stated {
                    self.padding.add(stated, integers.map(number), isInverted: isInverted, transform, frame)
                }
            }
        case .floats(let floats):
            values = transform(floats) { Double($0) }
            padding = marks(floats.map(Double.init), range, dataSet)
        case .doubles(let doubles):
            values = transform(doubles) { $0 }
            padding = marks(doubles, range, dataSet)
        }
        return Frame(
            rows: stored.rows, columns: stored.columns, samples: 1, values: values, padding: padding,
            inverted: isInverted)
    }

    /// In floating point NaN, infinities and numbers that no modality value can be (FLT_MAX) are padding; where the object does not
    /// call them that, a person has to look.
    private func marks(_ values: [Double], _ range: ClosedRange<Double>?, _ dataSet: DataSet) -> [Bool] {
        let stated = dataSet.doubles(.floatPixelPaddingValue) + dataSet.doubles(.doubleFloatPixelPaddingValue)
        let isStated = stated.contains { !CheckedNumbers.Range.value.contains($0) }
        var lost = 0
        let marks = values.map { value in
            if range?.contains(value) ?? false { return true }
            guard !CheckedNumbers.Range.value.contains(value) else { return false }
            if !isStated { lost += 1 }
            return true
        }
        if lost > 0 {
            note(
                [
                    "values are no numbers that a picture can have (NaN, infinite or beyond 1e12), and no padding value says so: they were left out as padding"
                ], .warning)
        }
        return marks.contains(true) ? marks : []
    }

    // MARK: Colour

    private static func coloured(_ stored: StoredFrame, _ palette: Palette) -> Frame {
        var values = [Float](repeating: 0, count: stored.rows * stored.columns * 3)
        if case .integers(let integers) = stored.values {
            for (index, value) in integers.enumerated() {
                let index3 = index * 3
                (values[index3], values[index3 + 1], values[index3 + 2]) = palette.rgb(
                    stored.isSigned ? Int(value) : Int(UInt32(bitPattern: value)))
            }
        }
        return Frame(rows: stored.rows, columns: stored.columns, samples: 3, values: values)
    }

    /// Display RGB 0…255 from any colour model; depths other than 8 bits are scaled.
    ///
    /// *Source*: PS3.3 C.7.6.3.1.2; ITU-R BT.601, full range for YBR_FULL, 16…235 / 16…240 for YBR_PARTIAL.
    private static func display(_ stored: StoredFrame, _ colour: StoredFrame.Colour) -> [Float] {
        guard case .integers(let integers) = stored.values else { return [] }
        let scale = 255 / Float(1 << stored.bits - 1)
        var values = integers.map { (stored.isSigned ? Float($0) : Float(UInt32(bitPattern: $0))) * scale }
        guard colour != .rgb else { return values }
        for pixel in stride(from: 0, to: values.count, by: 3) {
            var y = values[pixel]
            var cb = values[pixel + 1] - 128
            var cr = values[pixel + 2] - 128
            if colour == .ybrPartial {
                y = (y - 16) * 255 / 219
                cb *= 255 / 224
                cr *= 255 / 224
            }
            values[pixel] = min(max(y + 1.402 * cr, 0), 255)
            values[pixel + 1] = min(max(y - 0.344136 * cb - 0.714136 * cr, 0), 255)
            values[pixel + 2] = min(max(y + 1.772 * cb, 0), 255)
        }
        return values
    }
}
