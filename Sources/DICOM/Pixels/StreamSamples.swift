/// What the samples of a compressed stream are, where it has its own precision and sign beside those of the tags.
///
/// One rule for JPEG, JPEG-LS and JPEG 2000. The samples are cells as native pixels are: their sign is that of Pixel Representation, and High Bit
/// says where they stand as far as the stream has such a bit. What native pixels may have and a stream never (PS3.5 8.2: what tags and stream say
/// is the same) is refused: bits outside of Bits Stored, and a sign that only one of both knows.
struct StreamSamples {
    private let precision: Int
    /// As the stream says.
    private let isSigned: Bool
    private let isLossy: Bool
    /// Coded by a cosine transform or the 9-7 wavelet, which know no wrap at the ends of the range.
    private let isTransformed: Bool
    private let pixels: PixelDescription
    private let cell: SampleUnpacking.Cell

    init(precision: Int, isSigned: Bool, isLossy: Bool, isTransformed: Bool, _ pixels: PixelDescription) {
        self.precision = precision
        self.isSigned = isSigned
        self.isLossy = isLossy
        self.isTransformed = isTransformed
        self.pixels = pixels
        if pixels.samples == 3 {
            // The depth of colours is the stream's own: the tags' would shift or cut them.
            cell = .init(allocated: 32, stored: precision, isSigned: false)
        } else if precision <= pixels.highBit {
            // The stream cannot hold samples at the place that High Bit names, so they stand at the bottom.
            cell = .init(allocated: 32, stored: pixels.bitsStored, isSigned: pixels.isSigned)
        } else {
            cell = .init(pixels)
        }
    }

    /// `count` stored values of samples as the decoder gives them: unsigned ones from bit 0 on, signed ones in two's complement of 32 bits.
    ///
    /// *Throws*: `bits` for what stream and tags contradict each other about.
    @inline(__always)
    func values(_ count: Int, _ bits: (Int) -> UInt32) throws(DICOMFailure) -> [Int32] {
        guard !isTransformed || pixels.samples > 1 || precision > 8 || pixels.bitsStored <= 8 else {
            throw .bits(
                "a lossy stream of \(precision) bits, Bits Stored = \(pixels.bitsStored): it holds the grey levels of a window, not the values that the tags describe.",
                cure: "Export the image again, or uncompressed.")
        }
        try checkSign(count, bits)
        guard cell.strayBits(count, of: precision, overlays: pixels.overlayBits, bits) != 0 else {
            return cell.values(count, bits)
        }
        guard isLossy, cell.highBit == cell.stored - 1 else { throw outside }
        return try saturated(count, bits)
    }

    /// A sign that the tags do not know, or one that may hide in a stream of fewer bits, or in one whose coding mixed the smallest with the
    /// largest values: two's complement and values that were moved up to be positive look the same there.
    @inline(__always)
    private func checkSign(_ count: Int, _ bits: (Int) -> UInt32) throws(DICOMFailure) {
        let takesTop = isSigned && !cell.isSigned
        let mayHide = !isSigned && cell.isSigned && (precision < cell.stored || isTransformed)
        guard takesTop || mayHide else { return }
        var found: UInt32 = 0
        for index in 0..<count { found |= bits(index) }
        let top = takesTop ? precision - 1 : min(precision - 1, cell.highBit)
        guard found &>> UInt32(top) & 1 == 1 else { return }
        throw .bits(
            takesTop
                ? "the stream is signed and holds negative values, Pixel Representation = 0: they contradict each other."
                : "the stream has \(precision) bits without a sign, and uses the highest; Bits Stored = \(pixels.bitsStored), signed: whether those values are negative is unknown.",
            cure: "Export the image again, or uncompressed.")
    }

    /// Lossy coding reaches a little over the ends of the range, as far as a sixteenth of it: such values are the end's.
    @inline(__always)
    private func saturated(_ count: Int, _ bits: (Int) -> UInt32) throws(DICOMFailure) -> [Int32] {
        let size = 1 << cell.stored
        let range = cell.isSigned ? -size / 2...size / 2 - 1 : 0...size - 1
        let near = range.lowerBound - size / 16...range.upperBound + size / 16
        let wide = SampleUnpacking.Cell(allocated: 32, stored: precision, isSigned: cell.isSigned)
        let values = wide.values(count, bits)
        guard values.allSatisfy({ near.contains(Int($0)) }) else { throw outside }
        return values.map { Int32(min(max(Int($0), range.lowerBound), range.upperBound)) }
    }

    private var outside: DICOMFailure {
        .bits(
            "the stream has values of more than Bits Stored = \(pixels.bitsStored) bits: they contradict each other.",
            cure: "Export the image again, or uncompressed.")
    }
}
