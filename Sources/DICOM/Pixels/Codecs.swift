import CDICOM

/// Compressed frames to stored values: DCMTK's decoders for JPEG and JPEG-LS, OpenJPEG for JPEG 2000, our own for RLE.
enum Codecs {
    struct Decoded {
        var values: [Int32]
        var colour: StoredFrame.Colour?
        /// Of a colour stream; nil where Bits Stored holds.
        var bits: Int?
        var hasStrayBits = false
        var notes: [String] = []
    }

    static func rle(_ bytes: [UInt8], _ pixels: PixelDescription, _ limits: DICOMLimits) throws(DICOMFailure) -> Decoded
    {
        try FrameCost(pixels, stream: bytes.count, decoded: pixels.bitsAllocated / 8 + 4, nanoseconds: 40).check(limits)
        if pixels.bitsAllocated == 1 {
            let packed = try RunLength.unpack(bytes, pixels: (pixels.pixelCount + 7) / 8, samples: 1, bytesPerSample: 1)
            return Decoded(
                values: packed.withUnsafeBytes { SampleUnpacking.bits($0, firstBit: 0, count: pixels.pixelCount) })
        }
        let count = pixels.pixelCount * pixels.samples
        let cells = try RunLength.unpack(
            bytes, pixels: pixels.pixelCount, samples: pixels.samples, bytesPerSample: pixels.bitsAllocated / 8)
        let cell = SampleUnpacking.Cell(pixels)
        let (planar, stray) = cells.withUnsafeBytes {
            (
                SampleUnpacking.values($0, count: count, cell),
                SampleUnpacking.strayBits($0, count: count, cell, overlays: pixels.overlayBits)
            )
        }
        let values =
            pixels.samples == 1
            ? planar : SampleUnpacking.interleaved(planar, pixels: pixels.pixelCount, samples: pixels.samples)
        return Decoded(values: values, colour: try taggedColour(pixels), hasStrayBits: stray != 0)
    }

    static func jpeg(_ bytes: [UInt8], _ pixels: PixelDescription, _ limits: DICOMLimits) throws(DICOMFailure)
        -> Decoded
    {
        let (stream, walk) = try header(bytes, pixels, limits, wantsLS: false)
        let colour = pixels.samples == 3 ? try stream.colour(pixels.photometric) : nil
        var skipped: UInt64 = 0
        let (values, notes) = try decoded(stream, pixels, isLossy: !stream.isLossless) { frame, out, error in
            let (count, precision) = (out.count, UInt32(stream.precision))
            var status = cd_decode_jpeg(bytes, bytes.count, &frame, precision, 0, &out, count, &skipped, &error)
            if status == CD_FAILED, stream.isLossless {
                // Encoders of one maker wrote a defective Huffman table, which the decoder can work around.
                status = cd_decode_jpeg(bytes, bytes.count, &frame, precision, 1, &out, count, &skipped, &error)
            }
            return status
        }
        guard skipped <= walk.padding else {
            throw .codec(
                "the JPEG stream has \(skipped) bytes that belong to no pixel: the frame is damaged.",
                cure: "Export it again.")
        }
        return Decoded(
            values: values, colour: colour?.colour, bits: colour == nil ? nil : depth(stream.precision, values, pixels),
            notes: notes + [colour?.note].compactMap { $0 })
    }

    static func jpegLS(_ bytes: [UInt8], _ pixels: PixelDescription, _ limits: DICOMLimits) throws(DICOMFailure)
        -> Decoded
    {
        let (stream, walk) = try header(bytes, pixels, limits, wantsLS: true)
        let (values, notes) = try decoded(stream, pixels, isLossy: walk.isNear) { frame, out, error in
            let count = out.count
            return cd_decode_jpeg_ls(bytes, bytes.count, &frame, &out, count, &error)
        }
        let colour = try taggedColour(pixels)
        let bits = colour == nil ? nil : depth(stream.precision, values, pixels)
        return Decoded(values: values, colour: colour, bits: bits, notes: notes)
    }

    /// - Parameter allowsLoss: even a reversible stream may have been cut to a size.
    static func jpeg2000(
        _ bytes: [UInt8], _ pixels: PixelDescription, _ limits: DICOMLimits, allowsLoss: Bool
    ) throws(DICOMFailure) -> Decoded {
        guard let header = JPEG2000Header(bytes) else {
            throw .codec(
                "the frame is no JPEG 2000 stream: the transfer syntax is wrong or the frame is damaged.",
                cure: "Export it again.")
        }
        try header.check(pixels)
        try header.cost(pixels, stream: bytes.count).check(limits)
        let codeStream = header.isBoxed ? Array(bytes[header.codeStream]) : bytes
        var frame = description(pixels, allocated: pixels.bitsAllocated, stored: pixels.bitsStored)
        var found = cd_stream()
        var error = cd_error()
        let count = pixels.pixelCount * pixels.samples
        var status = CD_OK
        let raw = [Int32](unsafeUninitializedCapacity: count) { out, used in
            status = cd_decode_jpeg2000(codeStream, codeStream.count, &frame, out.baseAddress, count, &found, &error)
            if status == CD_OK { used = count }
        }
        try check(status, error)
        var decoded = Decoded(values: [])
        if header.isBoxed { decoded.notes.append("a JP2 file instead of a bare code stream") }
        let precision = Int(found.precision)
        if precision != pixels.bitsStored || (found.is_signed != 0) != pixels.isSigned {
            decoded.notes.append(
                "the stream has \(precision) bits \(found.is_signed != 0 ? "signed" : "unsigned"), the tags say \(pixels.bitsStored) \(pixels.isSigned ? "signed" : "unsigned")"
            )
        }
        let samples = StreamSamples(
            precision: precision, isSigned: found.is_signed != 0, isLossy: allowsLoss || header.isIrreversible,
            isTransformed: header.isIrreversible, pixels)
        decoded.values = try samples.values(raw.count) { UInt32(bitPattern: raw[$0]) }
        if pixels.samples == 3 {
            decoded.bits = depth(precision, decoded.values, pixels)
            let isTransformed = found.colour_transformed != 0
            try header.checkColour(pixels, isTransformed: isTransformed)
            switch pixels.photometric {
            case .ybrPartial420, .ybrPartial422:
                throw .photometric("JPEG 2000 with \(pixels.photometric.rawValue): impossible.", cure: "Export as RGB.")
            case .ybrFull, .ybrFull422:
                decoded.colour = isTransformed ? .rgb : .ybrFull
                if isTransformed {
                    decoded.notes.append("the code stream holds RGB, the tag says \(pixels.photometric.rawValue)")
                }
            case .ybrICT, .ybrRCT:
                guard isTransformed else {
                    throw .photometric(
                        "the stream has no component transform, the tag says \(pixels.photometric.rawValue): whether it holds RGB or YCbCr is unknown.",
                        cure: "Export as RGB.")
                }
                decoded.colour = .rgb
            default: decoded.colour = .rgb
            }
        }
        return decoded
    }

    /// Significant bits of a colour stream: its own, but where all of its values are so small that only the tags' bits show them.
    private static func depth(_ precision: Int, _ values: [Int32], _ pixels: PixelDescription) -> Int {
        guard precision >= pixels.bitsStored + 4, values.allSatisfy({ $0 &>> Int32(pixels.bitsStored) == 0 }) else {
            return precision
        }
        return pixels.bitsStored
    }

    /// What the tag says about colour, for codecs that leave it alone.
    static func taggedColour(_ pixels: PixelDescription) throws(DICOMFailure) -> StoredFrame.Colour? {
        switch pixels.photometric {
        case .rgb: .rgb
        case .ybrFull, .ybrFull422: .ybrFull
        case .ybrPartial420, .ybrPartial422: .ybrPartial
        case .ybrICT, .ybrRCT:
            throw .photometric(
                "\(pixels.photometric.rawValue) without JPEG 2000: it has no meaning there.", cure: "Export as RGB.")
        case .monochrome1, .monochrome2, .paletteColor: nil
        }
    }

    // MARK: JPEG's common part

    private static func header(
        _ bytes: [UInt8], _ pixels: PixelDescription, _ limits: DICOMLimits, wantsLS: Bool
    ) throws(DICOMFailure) -> (JPEGStream, JPEGWalk) {
        guard let stream = JPEGStream(bytes), stream.isLS == wantsLS else {
            throw .codec(
                "the frame is no \(wantsLS ? "JPEG-LS" : "JPEG") stream: the transfer syntax is wrong or the frame is damaged.",
                cure: "Export it again.")
        }
        guard stream.rows == pixels.rows, stream.columns == pixels.columns else {
            throw .pixelSize(
                "the stream has \(stream.rows) × \(stream.columns) pixels, the tags say \(pixels.rows) × \(pixels.columns): they contradict each other.",
                cure: "Export the image again.")
        }
        guard stream.components.count == pixels.samples else {
            throw .photometric(
                "the stream has \(stream.components.count) components, Samples per Pixel = \(pixels.samples): they contradict each other.",
                cure: "Export the image again.")
        }
        guard (2...16).contains(stream.precision), stream.precision <= pixels.bitsAllocated else {
            throw .bits(
                "the stream has \(stream.precision) bits, Bits Allocated = \(pixels.bitsAllocated): they contradict each other.",
                cure: "Export the image again.")
        }
        let walk = try JPEGWalk(bytes, stream, limits: limits)
        try walk.cost(pixels, stream: bytes.count).check(limits)
        return (stream, walk)
    }

    /// Runs a decoder that fills one or two bytes a sample by the stream's precision.
    private static func decoded(
        _ stream: JPEGStream, _ pixels: PixelDescription, isLossy: Bool,
        by decode: (inout cd_frame, inout [UInt8], inout cd_error) -> cd_status
    ) throws(DICOMFailure) -> (values: [Int32], notes: [String]) {
        let allocated = stream.precision <= 8 ? 8 : 16
        var frame = description(pixels, allocated: allocated, stored: stream.precision)
        var error = cd_error()
        let count = pixels.pixelCount * pixels.samples
        var out = [UInt8](repeating: 0, count: count * allocated / 8)
        try check(decode(&frame, &out, &error), error)
        let samples = StreamSamples(
            precision: stream.precision, isSigned: false, isLossy: isLossy, isTransformed: isLossy && !stream.isLS,
            pixels)
        let note =
            stream.precision == pixels.bitsStored
            ? [] : ["the stream has \(stream.precision) bits, the tags say \(pixels.bitsStored)"]
        let values = out.withUnsafeBytes { bytes in
            Result { () throws(DICOMFailure) in
                if allocated == 8 { return try samples.values(count) { UInt32(bytes[$0]) } }
                return try samples.values(count) {
                    UInt32(UInt16(littleEndian: bytes.loadUnaligned(fromByteOffset: $0 * 2, as: UInt16.self)))
                }
            }
        }
        return (try values.get(), note)
    }

    private static func description(_ pixels: PixelDescription, allocated: Int, stored: Int) -> cd_frame {
        cd_frame(
            rows: UInt32(pixels.rows), columns: UInt32(pixels.columns), samples: UInt32(pixels.samples),
            bits_allocated: UInt32(allocated), bits_stored: UInt32(stored), is_signed: pixels.isSigned ? 1 : 0)
    }

    private static func check(_ status: cd_status, _ error: cd_error) throws(DICOMFailure) {
        let reason = DCMTK.text(error)
        switch status {
        case CD_OK: return
        case CD_NO_MEMORY:
            throw .unreadable("no memory for a frame.", cure: "Close other programs, or give the machine more memory.")
        case CD_TRUNCATED: throw .pixelsTruncated("\(reason): pixels are missing.", cure: "Send the file again.")
        case CD_MISMATCH:
            throw .pixelSize(
                "\(reason): stream and tags contradict each other.",
                cure: "Export the image again.")
        case CD_NO_DICTIONARY: throw .installation("\(reason).")
        default: throw .codec("the decoder gave up (\(reason)): the frame is damaged.", cure: "Export it again.")
        }
    }
}
