import Numbers

/// The three tables of PALETTE COLOR as display values (PS3.3 C.7.6.3.1.5, C.7.9.2).
struct Palette {
    private struct Channel {
        var first: Int
        /// 0…255
        var entries: [UInt8]
    }

    private let channels: [Channel]

    /// *Throws*: `photometric` when a table is missing or damaged, the tables are unlike each other, or none of the values that the pixels
    /// can have is in them.
    init(_ dataSet: DataSet, _ pixels: PixelDescription) throws(DICOMFailure) {
        var raw: [(first: Int, entries: [UInt16])] = []
        var descriptors: Set<[Int]> = []
        let tables: [(descriptor: Attribute, data: Attribute, segmented: Attribute)] = [
            (
                .redPaletteColorLookupTableDescriptor, .redPaletteColorLookupTableData,
                .segmentedRedPaletteColorLookupTableData
            ),
            (
                .greenPaletteColorLookupTableDescriptor, .greenPaletteColorLookupTableData,
                .segmentedGreenPaletteColorLookupTableData
            ),
            (
                .bluePaletteColorLookupTableDescriptor, .bluePaletteColorLookupTableData,
                .segmentedBluePaletteColorLookupTableData
            ),
        ]
        for table in tables {
            guard let descriptor = LUTDescriptor(dataSet, table.descriptor, signedInput: pixels.isSigned) else {
                throw Self.missing
            }
            let entries: [UInt16]
            if let data = dataSet.bytes(table.data), !data.isEmpty {
                guard let found = descriptor.entries(data) else { throw Self.missing }
                entries = found
            } else if let data = dataSet.bytes(table.segmented) {
                entries = try Self.expand(data, wide: descriptor.bits > 8, count: descriptor.count)
            } else {
                throw Self.missing
            }
            raw.append((descriptor.first, entries))
            descriptors.insert([descriptor.count, descriptor.first])
        }
        guard descriptors.count == 1, let first = raw.first else {
            throw .photometric(
                "the descriptors of the red, green and blue palette are unlike each other: colours are unknown.",
                cure: "Export as RGB.")
        }
        let half = 1 << (pixels.bitsStored - 1)
        let values = pixels.isSigned ? -half...half - 1 : 0...2 * half - 1
        guard values.overlaps(first.first...first.first + first.entries.count - 1) else {
            throw .photometric(
                "the palette begins at \(first.first), and no value of \(pixels.bitsStored) bits\(pixels.isSigned ? ", signed," : "") is in it: colours are unknown.",
                cure: "Export as RGB.")
        }
        // Tables of 16 bits show their high bytes, unless they were filled with 8-bit values.
        let isWide = raw.contains { $0.entries.contains { $0 > 255 } }
        channels = raw.map { table in
            Channel(first: table.first, entries: table.entries.map { UInt8(truncatingIfNeeded: isWide ? $0 >> 8 : $0) })
        }
    }

    /// Where colours begin in grey pixels: the first entry of a Supplemental Palette, where Pixel Presentation says that it is used.
    ///
    /// *Source*: PS3.3 C.7.6.19, C.8.16.2.1.1.
    static func supplementalFirst(_ instance: SourceInstance) -> Int? {
        guard instance.pixels.photometric == .monochrome2 || instance.pixels.photometric == .monochrome1,
            ["COLOR", "MIXED"].contains(instance.dataSet.string(.pixelPresentation))
        else { return nil }
        return LUTDescriptor(
            instance.dataSet, .redPaletteColorLookupTableDescriptor, signedInput: instance.pixels.isSigned)?.first
    }

    /// Display red, green and blue of one stored value.
    func rgb(_ value: Int) -> (Float, Float, Float) {
        func level(_ channel: Channel) -> Float {
            Float(channel.entries[min(max(value - channel.first, 0), channel.entries.count - 1)])
        }
        return (level(channels[0]), level(channels[1]), level(channels[2]))
    }

    private static var missing: DICOMFailure {
        .photometric("PALETTE COLOR without a usable palette: colours are unknown.", cure: "Export as RGB.")
    }

    /// Segmented data (PS3.3 C.7.9.2): 0 discrete, 1 linear, 2 indirect (earlier segments again, never nested).
    private static func expand(_ data: [UInt8], wide: Bool, count: Int) throws(DICOMFailure) -> [UInt16] {
        let size = wide ? 2 : 1
        var out: [UInt16] = []
        func word(_ at: Int) -> Int { wide ? Int(data[at]) | Int(data[at + 1]) << 8 : Int(data[at]) }

        /// One segment of kind 0 or 1 at `at`; moves `at` behind it.
        func direct(_ at: inout Int) throws(DICOMFailure) {
            guard data.count - at >= 2 * size else { throw missing }
            let opcode = word(at)
            let length = word(at + size)
            at += 2 * size
            switch opcode {
            case 0:
                guard data.count - at >= length * size, out.count + length <= count else { throw missing }
                for _ in 0..<length {
                    out.append(UInt16(word(at)))
                    at += size
                }
            case 1:
                guard data.count - at >= size, let last = out.last, out.count + length <= count, length > 0 else {
                    throw missing
                }
                let end = Double(word(at))
                at += size
                for step in 1...length {
                    let value = Double(last) + (end - Double(last)) * Double(step) / Double(length)
                    out.append(UInt16(clamping: Int(rounding: value, clampedTo: 0...65535)))
                }
            default: throw missing
            }
        }

        var at = 0
        while out.count < count {
            guard data.count - at >= 2 * size else { throw missing }
            if word(at) == 2 {
                // Opcode, number of segments, byte offset of the first as two words, the low one first.
                guard data.count - at >= size * (wide ? 4 : 6) else { throw missing }
                let segments = word(at + size)
                var target = 0
                for byte in (0..<4).reversed() { target = target << 8 | Int(data[at + 2 * size + byte]) }
                guard target >= 0, target < data.count else { throw missing }
                at += 2 * size + 4
                for _ in 0..<segments { try direct(&target) }
            } else {
                try direct(&at)
            }
        }
        // What is left may be the byte that makes a length even.
        guard data.count - at < 2 * size else { throw missing }
        return out
    }
}
