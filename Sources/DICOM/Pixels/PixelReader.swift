import Storage

/// Stored values of one file, frame by frame. Opens the file once; never holds more than one frame.
package final class PixelReader {
    private let file: DICOMFile
    let pixels: PixelDescription
    private let limits: DICOMLimits
    private let source: ByteSource
    private let layout: Layout
    /// What was odd about the pixel data as a whole.
    package let notes: [String]

    private enum Layout {
        /// Where the frames stand one behind the other.
        case native(Range<Int>)
        /// Native frames short enough that the walk kept them in memory, little endian.
        case memory([UInt8])
        case fragments([[Range<Int>]])
    }

    /// *Throws*: `TS-…` for a syntax that is not decoded; `pixelsTruncated`, `fragments` when the pixel data does not
    /// hold what the attributes say; `unreadable` when the file is gone.
    package init(_ file: DICOMFile, _ pixels: PixelDescription, limits: DICOMLimits = .standard) throws(DICOMFailure) {
        try file.transferSyntax.checkSupported()
        self.file = file
        self.pixels = pixels
        self.limits = limits
        source = try file.source.opened(limits)
        try Self.checkLength(file, pixels, limits)
        let syntax = file.transferSyntax
        let total = Self.byteCount(pixels, frames: pixels.frames)
        guard let element = file.dataSet[pixels.attribute] else {
            throw .notImage("no pixel data in it: nothing to segment.")
        }
        switch element.value {
        case .items: throw .corrupt("Pixel Data is a sequence: the file is damaged.", cure: "Send it again.")
        case .bytes(let bytes):
            layout = .memory(bytes)
            notes =
                pixels.warnings
                + (bytes.count > total + 1 ? ["Pixel Data is \(bytes.count - total) bytes longer than its frames"] : [])
        case .inFile(let offset, let length):
            layout = .native(offset..<offset + length)
            notes =
                pixels.warnings
                + (length > total + 1 ? ["Pixel Data is \(length - total) bytes longer than its frames"] : [])
        case .fragments(let table, let items):
            guard syntax.pixels != .native else {
                throw .fragments(
                    "fragments under \(syntax.name): the transfer syntax is wrong.", cure: "Export the image again.")
            }
            let extended: (offsets: [Int], lengths: [Int])? =
                file.dataSet.has(.extendedOffsetTable)
                ? (
                    try Self.table(.extendedOffsetTable, file, source),
                    try Self.table(.extendedOffsetTableLengths, file, source)
                ) : nil
            let map = try FragmentMap(
                offsetTable: table, items: items, frameCount: pixels.frames, extended: extended,
                signature: Self.signature(syntax, pixels), isCut: file.pixelDataIsCut, bytes: source)
            layout = .fragments(map.frames)
            notes = pixels.warnings + map.notes
        }
    }

    /// The stored values of frame `number`, from 1.
    ///
    /// *Throws*: `codec`, `pixelsTruncated`, `pixelSize`, `photometric`, `bits` when this frame cannot be decoded.
    package func frame(_ number: Int) throws(DICOMFailure) -> StoredFrame {
        precondition((1...pixels.frames).contains(number), "PixelReader: frame \(number) of \(pixels.frames)")
        return try FrameCost.timed(limits) { () throws(DICOMFailure) in try decoded(number) }
    }

    private func decoded(_ number: Int) throws(DICOMFailure) -> StoredFrame {
        if case .fragments = layout {
            // Each codec knows what its own form costs.
        } else {
            try FrameCost(pixels, stream: 0, decoded: pixels.bitsAllocated / 8, nanoseconds: 10).check(limits)
        }
        switch layout {
        case .memory(let bytes):
            let slice = frameRange(number, of: bytes.count)
            return try native(Array(bytes[slice]), firstBit: firstBit(number))
        case .native(let range):
            let slice = frameRange(number, of: range.count)
            let word = bigEndianWord
            // Whole words are read and turned round, then cut to the frame: words may reach over its ends.
            let lower = slice.lowerBound - slice.lowerBound % word
            let upper = min(range.count, (slice.upperBound + word - 1) / word * word)
            var bytes = try source.bytes(range.lowerBound + lower..<range.lowerBound + upper)
            if word > 1 {
                FileWalk.swap(&bytes, wordSize: word)
                bytes = Array(bytes[slice.lowerBound - lower..<slice.upperBound - lower])
            }
            return try native(bytes, firstBit: firstBit(number))
        case .fragments(let frames):
            let bytes = try stream(frames[number - 1])
            let decoded: Codecs.Decoded
            switch file.transferSyntax.pixels {
            case .rle: decoded = try Codecs.rle(bytes, pixels, limits)
            case .jpeg: decoded = try Codecs.jpeg(bytes, pixels, limits)
            case .jpegLS: decoded = try Codecs.jpegLS(bytes, pixels, limits)
            case .jpeg2000:
                decoded = try Codecs.jpeg2000(bytes, pixels, limits, allowsLoss: file.transferSyntax.allowsLoss)
            default:
                let bytes = file.transferSyntax.pixels == .deflatedFrames ? try inflated(bytes) : bytes
                let needed = Self.byteCount(pixels, frames: 1)
                guard bytes.count >= needed else {
                    throw .pixelsTruncated(
                        "a frame of \(bytes.count) bytes, \(needed) expected: pixels are missing.",
                        cure: "Send the file again.")
                }
                try Self.checkExcess(bytes.count, frames: 1, pixels) { Array(bytes[needed...]) }
                return try native(bytes, firstBit: 0)
            }
            return stored(
                .integers(decoded.values), decoded.colour, decoded.notes, bits: decoded.bits,
                hasStrayBits: decoded.hasStrayBits)
        }
    }

    /// True when the stream of a frame is one from which samples do not come back exactly.
    func hasLossyStream() throws(DICOMFailure) -> Bool {
        guard case .fragments(let frames) = layout else { return false }
        for frame in frames {
            let isLossy =
                switch file.transferSyntax.pixels {
                case .jpeg: JPEGStream(try stream(frame)).map { !$0.isLossless } ?? false
                case .jpeg2000: try jpeg2000Header(frame)?.isIrreversible ?? false
                default: false
                }
            if isLossy { return true }
        }
        return false
    }

    /// The main header lies within the first bytes, but for a JP2 file, whose boxes are followed to their ends.
    private func jpeg2000Header(_ frame: [Range<Int>]) throws(DICOMFailure) -> JPEG2000Header? {
        if let header = JPEG2000Header(try stream(frame.prefix(1).map { $0.prefix(4096) })) { return header }
        return JPEG2000Header(try stream(frame))
    }

    /// The native bytes of a deflated frame, which begin at a byte for one bit a pixel too.
    ///
    /// *Throws*: `pixelsTruncated`, `codec`, `pixelSize` for more than the pixels can have.
    private func inflated(_ packed: [UInt8]) throws(DICOMFailure) -> [UInt8] {
        try FrameCost(pixels, stream: packed.count, decoded: pixels.bitsAllocated / 8 + 1, nanoseconds: 20).check(
            limits)
        let needed = Self.byteCount(pixels, frames: 1)
        let stream: (bytes: [UInt8], consumed: Int)
        do {
            stream = try Inflate.stream(of: packed.span.bytes, limit: needed + 1, expected: needed + 1)
        } catch {
            switch error {
            case .compressedShort:
                throw .pixelsTruncated(
                    "a deflated frame ends too early: pixels are missing.", cure: "Send the file again.")
            case .compressedTooLarge:
                throw .pixelSize(
                    "a deflated frame holds more than \(needed) bytes: Rows, Columns or Bits Allocated contradict the pixel data.",
                    cure: "Export the image again.")
            case .outOfMemory:
                throw .unreadable(
                    "no memory for a frame.", cure: "Close other programs, or give the machine more memory.")
            default: throw .codec("a deflated frame cannot be unpacked: it is damaged.", cure: "Export it again.")
            }
        }
        guard packed[stream.consumed...].allSatisfy({ $0 == 0 }) else {
            throw .fragments(
                "a deflated frame has bytes behind its end: Number of Frames or the offset table contradicts the pixel data.",
                cure: "Export the image again.")
        }
        return stream.bytes
    }

    /// A frame's fragments put together.
    private func stream(_ ranges: [Range<Int>]) throws(DICOMFailure) -> [UInt8] {
        if let only = ranges.first, ranges.count == 1 { return try source.bytes(only) }
        var bytes: [UInt8] = []
        bytes.reserveCapacity(ranges.reduce(0) { $0 + $1.count })
        for range in ranges { bytes += try source.bytes(range) }
        return bytes
    }

    // MARK: Frames

    func stored(
        _ values: StoredFrame.Values, _ colour: StoredFrame.Colour?, _ notes: [String], bits: Int? = nil,
        hasStrayBits: Bool = false
    ) -> StoredFrame {
        StoredFrame(
            rows: pixels.rows, columns: pixels.columns, samples: pixels.samples, isSigned: pixels.isSigned,
            bitsAllocated: pixels.bitsAllocated, bits: bits ?? pixels.bitsStored, values: values, colour: colour,
            notes: notes,
            doubts: doubts(hasStrayBits: hasStrayBits))
    }

    private func doubts(hasStrayBits: Bool) -> [String] {
        var doubts: [String] = []
        if hasStrayBits {
            doubts.append(
                "bits outside of Bits Stored = \(pixels.bitsStored), High Bit = \(pixels.highBit) are set and were masked away: values may not be those that were meant"
            )
        }
        if pixels.hasOverlayInValues {
            doubts.append(
                "an overlay is said to stand in bits of the values (Overlay Bit Position, Bits Stored = \(pixels.bitsStored)): its lines may be part of them"
            )
        }
        return doubts
    }

    /// Bytes of frame `number`; for one bit a pixel, the bytes that hold its bits. Big-endian words of 8-bit pixels are
    /// read whole.
    private func frameRange(_ number: Int, of available: Int) -> Range<Int> {
        let bits = pixels.storedSampleCount * pixels.bitsAllocated
        let lower = bits * (number - 1) / 8
        return lower..<min(available, (bits * number + 7) / 8)
    }

    private func firstBit(_ number: Int) -> Int { pixels.bitsAllocated == 1 ? pixels.pixelCount * (number - 1) & 7 : 0 }

    /// Bytes of a word that big-endian byte order has turned round: 2 for OW whatever a cell holds (PS3.5 annex D), 1
    /// for none.
    private var bigEndianWord: Int {
        file.transferSyntax.isBigEndian ? file.dataSet[pixels.attribute]?.vr.valueSize ?? 1 : 1
    }

    // MARK: Encapsulated

    private static func signature(_ syntax: TransferSyntax, _ pixels: PixelDescription) -> FragmentMap.Signature {
        switch syntax.pixels {
        case .jpeg, .jpegLS: .marker(0xD8)
        case .jpeg2000: .marker(0x4F)
        case .rle: .rle(segments: pixels.samples * max(1, pixels.bitsAllocated / 8))
        default: .none
        }
    }

    /// Values of an offset table (OV), which may be long enough to have stayed in the file.
    private static func table(_ attribute: Attribute, _ file: DICOMFile, _ source: ByteSource)
        throws(DICOMFailure) -> [Int]
    {
        guard case .inFile(let offset, let length)? = file.dataSet[attribute]?.value else {
            return file.dataSet.ints(attribute)
        }
        let bytes = try source.bytes(offset..<offset + length)
        return (0..<length / 8).map { index in
            let value = bytes[index * 8..<index * 8 + 8].reversed().reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
            return Int(exactly: value) ?? -1
        }
    }
}
