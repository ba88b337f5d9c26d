/// What the decoded frames of one object say themselves against its tags.
///
/// Sign, byte order, colour model, order of samples and depth are those of all frames of an object, so few are looked at: the first, the
/// second, the fourth … that is decoded, 15 of 20,000. Not the first alone, for those at an end of an object often say nothing: air, or the
/// glass around a slide's tissue.
struct ObjectEvidence {
    private let pixels: PixelDescription
    /// Samples stand in the order that Planar Configuration says.
    private let hasOrder: Bool
    private var decoded = 0

    init(_ instance: SourceInstance) {
        pixels = instance.pixels
        let uncompressed: [TransferSyntax.Pixels] = [.native, .encapsulatedUncompressed, .deflatedFrames]
        hasOrder = uncompressed.contains(instance.file.transferSyntax.pixels) && !instance.pixels.isSubsampled
    }

    /// What a person has to look at of the next frame that was decoded; nothing for most.
    ///
    /// *Throws*: `bits`, `photometric`, `pixelSize` where what the samples are and what the tags say cannot both be.
    mutating func doubts(of frame: StoredFrame) throws(DICOMFailure) -> [String] {
        decoded += 1
        guard decoded & (decoded - 1) == 0, case .integers(let values) = frame.values else { return [] }
        let isPalette = pixels.photometric == .paletteColor
        guard
            isPalette || !GreyEvidence.areSidesExchanged(values, columns: frame.columns, samples: frame.samples)
        else {
            throw .pixelSize(
                "the rows of \(frame.rows) × \(frame.columns) pixels do not follow each other, and those of \(frame.columns) × \(frame.rows) would: \(Attribute.rows.keyword) and \(Attribute.columns.keyword) \(Attribute.columns.tag) are exchanged.",
                cure: "Export the image again.")
        }
        if let colour = frame.colour { return try doubts(of: values, frame.bits, colour) }
        guard !isPalette else { return [] }
        let evidence = GreyEvidence(values, bits: frame.bits, isSigned: frame.isSigned)
        guard !evidence.isByteSwapped(columns: frame.columns) else {
            throw .bits(
                "the values are noise as they stand, and a picture with the bytes of each exchanged: the byte order is not that of the transfer syntax.",
                cure: "Export the image again.")
        }
        guard evidence.isTorn else { return [] }
        return [
            "values lie at both ends of the range of \(frame.bits) bits and none in the middle half of it, as where Pixel Representation = \(frame.isSigned ? 1 : 0) is the wrong one: dark and light may be exchanged"
        ]
    }

    private func doubts(
        of values: [Int32], _ bits: Int, _ colour: StoredFrame.Colour
    ) throws(DICOMFailure) -> [String] {
        if let evidence = ColourEvidence(values, bits: bits) {
            try evidence.check(colour, pixels)
            if hasOrder { try evidence.checkOrder(isPlanar: pixels.isPlanar) }
        }
        guard bits >= 12, let most = values.max(), (1...255).contains(most) else { return [] }
        return [
            "the colours have \(bits) bits and no value above \(most): they may be of 8 bits, and are shown nearly black"
        ]
    }
}
