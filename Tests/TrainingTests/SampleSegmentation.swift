import Mutations

/// A BINARY segmentation of the slices of `SampleSeries.slices`, each attribute of which can be made wrong.
struct SampleSegmentation {
    /// One frame of it.
    struct Frame {
        /// The slice that it names, from 0; nil: none.
        var source: Int?
        /// Its place; nil: none.
        var position: String?
        /// Segment Number.
        var segment: UInt16 = 1
        /// From this pixel to the end of the frame everything is marked.
        var first: Int

        /// Of a slice and where it lies.
        init(_ slice: Int, first: Int) {
            (source, position, self.first) = (slice, "-10\\-20\\\(Double(slice) * 2.5)", first)
        }

        /// What it marks, as a mask's classes.
        var classes: [UInt8] { (0..<100).map { $0 >= first ? 1 : 0 } }
    }

    /// Of the series: `SampleSeries.objects(variant:)`.
    var variant = ""
    var instance = "1.2.826.0.1.3680043.10.1500.9"
    var patient = "P-1"
    /// Segment Labels with values of SNOMED CT.
    var segments = [("Part", "10200004")]
    var orientation = "1\\0\\0\\0\\1\\0"
    var spacing = "0.5\\0.5"
    /// Nil: that of the slices.
    var frameOfReference: String?
    var frames = [Frame(1, first: 40), Frame(2, first: 70)]

    private static let root = "1.2.826.0.1.3680043.10.1500."

    private func reference(_ slice: Int) -> [RawElement] {
        [
            RawElement(0x0008, 0x1150, "UI", "1.2.840.10008.5.1.4.1.1.2"),
            RawElement(0x0008, 0x1155, "UI", "\(Self.root)3.\(slice)\(variant)"),
        ]
    }

    private func macro(_ group: UInt16, _ element: UInt16, _ attributes: RawElement...) -> RawElement {
        RawElement(group, element, "SQ", .items([attributes]))
    }

    private var pixels: [UInt8] {
        let flags = frames.flatMap(\.classes)
        let bytes = stride(from: 0, to: flags.count, by: 8).map { start in
            flags[start..<min(start + 8, flags.count)].enumerated().reduce(UInt8(0)) { $0 | $1.element << $1.offset }
        }
        return bytes.count % 2 == 0 ? bytes : bytes + [0]
    }

    /// The file.
    var bytes: [UInt8] {
        let items = segments.enumerated().map { index, segment in
            [
                RawElement(0x0062, 0x0004, us: UInt16(index + 1)), RawElement(0x0062, 0x0005, "LO", segment.0),
                macro(
                    0x0062, 0x000F, RawElement(0x0008, 0x0100, "SH", segment.1),
                    RawElement(0x0008, 0x0102, "SH", "SCT"), RawElement(0x0008, 0x0104, "LO", segment.0)),
            ]
        }
        let groups = frames.map { frame in
            let derivation = frame.source.map {
                macro(0x0008, 0x9124, RawElement(0x0008, 0x2112, "SQ", .items([reference($0)])))
            }
            let place = frame.position.map { macro(0x0020, 0x9113, RawElement(0x0020, 0x0032, "DS", $0)) }
            return [derivation, place, macro(0x0062, 0x000A, RawElement(0x0062, 0x000B, us: frame.segment))].compactMap
            {
                $0
            }
        }
        return RawObject([
            RawElement(0x0008, 0x0016, "UI", "1.2.840.10008.5.1.4.1.1.66.4"),
            RawElement(0x0008, 0x0018, "UI", instance),
            RawElement(0x0008, 0x0060, "CS", "SEG"),
            macro(
                0x0008, 0x1115, RawElement(0x0008, 0x114A, "SQ", .items((0..<4).map(reference))),
                RawElement(0x0020, 0x000E, "UI", "\(Self.root)2\(variant)")),
            RawElement(0x0010, 0x0020, "LO", patient),
            RawElement(0x0020, 0x000D, "UI", "\(Self.root)1\(variant)"),
            RawElement(0x0020, 0x000E, "UI", "\(Self.root)8\(variant)"),
            RawElement(0x0020, 0x0052, "UI", frameOfReference ?? "\(Self.root)5\(variant)"),
            RawElement(0x0028, 0x0002, us: 1), RawElement(0x0028, 0x0004, "CS", "MONOCHROME2"),
            RawElement(0x0028, 0x0008, "IS", "\(frames.count)"),
            RawElement(0x0028, 0x0010, us: SampleSeries.side), RawElement(0x0028, 0x0011, us: SampleSeries.side),
            RawElement(0x0028, 0x0100, us: 1), RawElement(0x0028, 0x0101, us: 1), RawElement(0x0028, 0x0102, us: 0),
            RawElement(0x0028, 0x0103, us: 0),
            RawElement(0x0062, 0x0001, "CS", "BINARY"),
            RawElement(0x0062, 0x0002, "SQ", .items(items)),
            RawElement(
                0x5200, 0x9229, "SQ",
                .items([
                    [
                        macro(0x0020, 0x9116, RawElement(0x0020, 0x0037, "DS", orientation)),
                        macro(0x0028, 0x9110, RawElement(0x0028, 0x0030, "DS", spacing)),
                    ]
                ])),
            RawElement(0x5200, 0x9230, "SQ", .items(groups)),
            RawElement(0x7FE0, 0x0010, "OB", .bytes(pixels)),
        ]).fileBytes
    }
}
