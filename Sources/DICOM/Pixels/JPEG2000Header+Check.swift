extension JPEG2000Header {
    /// Holds the stream to the tags and to what OpenJPEG can do, before it gets it.
    ///
    /// *Throws*: `unsupportedSyntax`, `fragments`, `pixelsTruncated`, `pixelSize`, `photometric`, `bits`, `codec` (`docs/dicom-support.md`).
    func check(_ pixels: PixelDescription) throws(DICOMFailure) {
        if needsPart2 {
            throw .unsupportedSyntax(
                "a JPEG 2000 Part 2 stream: no decoder for it.", cure: "Export as JPEG 2000 Part 1.")
        }
        if let problem {
            throw .codec("the JPEG 2000 stream has \(problem): the frame is damaged.", cure: "Export it again.")
        }
        guard !isFollowed else {
            throw .fragments(
                "another JPEG 2000 stream begins behind the end of a frame's: Number of Frames or the offset table contradicts the pixel data.",
                cure: "Export the image again.")
        }
        guard hasAllTiles else {
            throw .pixelsTruncated(
                "the JPEG 2000 stream lacks some of its \(tiles.across * tiles.down) tiles: pixels are missing.",
                cure: "Send the file again.")
        }
        guard columns == pixels.columns, rows == pixels.rows else {
            throw .pixelSize(
                "the stream has \(rows) × \(columns) pixels, the tags say \(pixels.rows) × \(pixels.columns): they contradict each other.",
                cure: "Export the image again.")
        }
        guard components.count == pixels.samples else {
            throw .photometric(
                "the stream has \(components.count) components, Samples per Pixel = \(pixels.samples): they contradict each other.",
                cure: "Export the image again.")
        }
        guard !hasPalette else {
            throw .photometric(
                "a JP2 file with a palette of its own: its samples are no grey values.", cure: "Export as RGB.")
        }
        let first = components[0]
        let most = pixels.bitsAllocated > 16 ? 31 : 16
        guard components.allSatisfy({ $0.precision == first.precision && $0.isSigned == first.isSigned }),
            first.precision <= most
        else {
            throw .bits(
                "the stream has components of \(components.map { "\($0.precision)" }.joined(separator: ", ")) bits: at most \(most), and the same of all, are read.",
                cure: "Export the image again.")
        }
    }

    /// Holds what the boxes of a JP2 file say of three components to the tag (ISO 15444-1, I.5.3.3: 16 is RGB, 18 YCbCr).
    func checkColour(_ pixels: PixelDescription, isTransformed: Bool) throws(DICOMFailure) {
        let isTaggedYBR = pixels.photometric == .ybrFull || pixels.photometric == .ybrFull422
        let isYBR = isTaggedYBR && !isTransformed
        guard boxedColour != (isYBR ? 16 : 18) else {
            throw .photometric(
                "the JP2 file says that it holds \(isYBR ? "RGB" : "YCbCr"), the tag says \(pixels.photometric.rawValue): they contradict each other.",
                cure: "Export as RGB.")
        }
    }

    /// OpenJPEG holds the image and the tile with four bytes a sample, and a record of every tile, precinct and code block, whether
    /// data follow or not; it visits every packet that the header announces.
    func cost(_ pixels: PixelDescription, stream count: Int) -> FrameCost {
        // Entropy coding visits each bit plane up to three times.
        let bits = Double(components.first?.precision ?? 16)
        var cost = FrameCost(pixels, stream: 2 * count, decoded: 4, nanoseconds: 20 * (bits + 4))
        let tileCount = Double(tiles.across) * Double(tiles.down)
        let (width, height) = (Double(min(tileColumns, columns)), Double(min(tileRows, rows)))
        let number = Double(components.count)

        var precincts = 0.0, blocks = 0.0, steps = 0.0
        for distance in 0...style.levels {
            let scale = Double(sign: .plus, exponent: distance, significand: 1)
            let size = style.precincts[distance]
            func pieces(_ length: Double, _ exponent: Int) -> Double {
                (length / scale / Double(1 << exponent)).rounded(.up) + 1
            }
            precincts += pieces(width, size.width) * pieces(height, size.height)
            // A code block is never larger than its precinct, which has half the size in each band.
            blocks +=
                pieces(width, min(style.codeBlock.width, max(0, size.width - 1)))
                * pieces(height, min(style.codeBlock.height, max(0, size.height - 1)))
            let stepX = (width / (scale * Double(1 << size.width))).rounded(.up) + 1
            let stepY = (height / (scale * Double(1 << size.height))).rounded(.up) + 1
            steps = max(steps, stepX * stepY)
        }
        let levels = Double(style.levels + 1)
        let packets = precincts * Double(style.layers) * number * tileCount
        cost.bytes +=
            4 * (Double(columns) * Double(rows) + width * height) * number
            + (precincts * 800 + blocks * 160) * number + precincts * Double(style.layers) * number * 2
            + tileCount * (6000 + 1400 * number)
        cost.seconds += packets * 100e-9 * Double(style.progressions)
        if style.isByPosition || style.progressions > 1 {
            cost.seconds += steps * levels * number * tileCount * Double(style.progressions) * 5e-9
        }
        return cost
    }
}
