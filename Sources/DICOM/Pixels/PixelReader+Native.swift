/// Pixels that are not compressed.
extension PixelReader {
    /// A frame of native bytes, the first of its bits at `firstBit`.
    func native(_ bytes: [UInt8], firstBit: Int) throws(DICOMFailure) -> StoredFrame {
        let colour = try Codecs.taggedColour(pixels)
        switch pixels.storage {
        case .floats:
            let values = bytes.withUnsafeBytes { buffer in
                (0..<pixels.pixelCount).map {
                    Float(
                        bitPattern: UInt32(littleEndian: buffer.loadUnaligned(fromByteOffset: $0 * 4, as: UInt32.self)))
                }
            }
            return stored(.floats(values), nil, [])
        case .doubles:
            let values = bytes.withUnsafeBytes { buffer in
                (0..<pixels.pixelCount).map {
                    Double(
                        bitPattern: UInt64(littleEndian: buffer.loadUnaligned(fromByteOffset: $0 * 8, as: UInt64.self)))
                }
            }
            return stored(.doubles(values), nil, [])
        case .integers: break
        }
        if pixels.bitsAllocated == 1 {
            return stored(
                .integers(
                    bytes.withUnsafeBytes { SampleUnpacking.bits($0, firstBit: firstBit, count: pixels.pixelCount) }),
                nil, [])
        }
        let cell = SampleUnpacking.Cell(pixels)
        let (unpacked, stray) = bytes.withUnsafeBytes {
            (
                SampleUnpacking.values($0, count: pixels.storedSampleCount, cell),
                SampleUnpacking.strayBits($0, count: pixels.storedSampleCount, cell, overlays: pixels.overlayBits)
            )
        }
        var values = unpacked
        if pixels.isSubsampled {
            values = SampleUnpacking.expanded422(values, rows: pixels.rows, columns: pixels.columns)
        } else if pixels.isPlanar {
            values = SampleUnpacking.interleaved(values, pixels: pixels.pixelCount, samples: pixels.samples)
        }
        return stored(.integers(values), colour, [], hasStrayBits: stray != 0)
    }

    /// Refuses native pixel data that is shorter or longer than the attributes say, before any frame is asked for.
    static func checkLength(
        _ file: DICOMFile, _ pixels: PixelDescription, _ limits: DICOMLimits
    ) throws(DICOMFailure) {
        guard let element = file.dataSet[pixels.attribute] else { return }
        let count: Int
        switch element.value {
        case .bytes(let bytes): count = bytes.count
        case .inFile(_, let length): count = length
        default: return
        }
        let syntax = file.transferSyntax
        guard syntax.pixels == .native else {
            throw .fragments(
                "pixel data without fragments under \(syntax.name): the transfer syntax is wrong.",
                cure: "Export the image again.")
        }
        guard !syntax.isBigEndian || pixels.storage != .integers || pixels.bitsAllocated <= 8 || element.vr == .OW
        else {
            throw .bits(
                "Pixel Data in \(element.vr.rawValue) with Bits Allocated = \(pixels.bitsAllocated) under \(syntax.name), which demands OW: the order of the bytes is unknown.",
                cure: "Export the image as Explicit VR Little Endian.")
        }
        guard pixels.photometric != .ybrPartial420 else {
            throw .photometric("native YBR_PARTIAL_420: it is not read.", cure: "Export as RGB.")
        }
        guard !pixels.isSubsampled || pixels.columns % 2 == 0 else {
            throw .pixelSize(
                "\(pixels.columns) columns with \(pixels.photometric.rawValue): pixels come in pairs there.",
                cure: "Export as RGB.")
        }
        let total = byteCount(pixels, frames: pixels.frames)
        guard count >= total else {
            throw .pixelsTruncated(
                "\(count) bytes of pixels, \(total) expected: pixels are missing.", cure: "Send the file again.")
        }
        try checkExcess(count, frames: pixels.frames, pixels) { () throws(DICOMFailure) in
            switch element.value {
            case .bytes(let bytes): Array(bytes[total...])
            case .inFile(let offset, _): try file.source.opened(limits).bytes(offset + total..<offset + count)
            default: []
            }
        }
    }

    /// Refuses bytes behind the frames that are no padding: Rows, Columns or Number of Frames would be others than the pixels have, and
    /// the picture sheared or cut off.
    ///
    /// Padding is the byte that makes the length even (PS3.5 7.1.1), and zeros that are fewer than a row and than a column of the image.
    /// - Parameter behind: the bytes behind the frames; asked for only where their number could be padding.
    static func checkExcess(
        _ count: Int, frames: Int, _ pixels: PixelDescription, behind: () throws(DICOMFailure) -> [UInt8]
    ) throws(DICOMFailure) {
        let total = byteCount(pixels, frames: frames)
        let full = pixels.pixelCount * 3 * pixels.bitsAllocated / 8 * frames
        guard !pixels.isSubsampled || count < full || count > full + 1 else {
            throw .photometric(
                "the bytes are those of three samples for each pixel, and \(pixels.photometric.rawValue) stores two: they contradict each other.",
                cure: "Export as RGB.")
        }
        let frame = max(1, byteCount(pixels, frames: 1))
        guard count - total > 1 else { return }
        guard count - total < frame else {
            throw .pixelSize(
                "\(count) bytes of pixels are \(count / frame) frames, the attributes say \(frames): they contradict each other.",
                cure: "Export the image again.")
        }
        let padding = pixels.storedSampleCount * pixels.bitsAllocated / max(pixels.rows, pixels.columns) / 8
        guard count - total < padding, try behind().allSatisfy({ $0 == 0 }) else {
            throw .pixelSize(
                "\(count) bytes of pixels, \(total) expected: Rows, Columns or Bits Allocated contradict the pixel data.",
                cure: "Export the image again.")
        }
    }

    /// Bytes of native frames. The limits keep every factor small: 2^35 pixels · 3 samples · 64 bits stay below 2^63.
    static func byteCount(_ pixels: PixelDescription, frames: Int) -> Int {
        (pixels.storedSampleCount * pixels.bitsAllocated * frames + 7) / 8
    }
}
