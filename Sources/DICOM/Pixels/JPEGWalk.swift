/// A JPEG or JPEG-LS stream followed from its first to its last marker before a decoder sees it: the decoders of Debian's DCMTK trust
/// lengths, tables and the number of scans.
///
/// *Source*: ISO 10918-1 annex B, ISO 14495-1 annex C.
struct JPEGWalk {
    private(set) var scans = 0
    /// Bytes in front of the markers behind the scans that are all zero or all ones: what decoders may pass over.
    private(set) var padding = 0
    /// Of each component that a scan has, the lowest bit of each coefficient that has come (progressive: ISO 10918-1 annex G).
    private var received: [UInt8: [Int?]] = [:]
    private var frames = 0
    /// Says itself that a camera appended further pictures: previews, depths (CIPA DC-007).
    private var isMultiPicture = false
    /// A JPEG-LS scan whose samples do not come back exactly.
    private(set) var isNear = false
    private let bytes: [UInt8]
    private let stream: JPEGStream

    /// *Throws*: `codec` for what contradicts the standard; `fragments` for a second stream behind the first; `unsupportedSyntax` for forms
    /// without a decoder; `limit` for more scans than a picture has use for.
    init(_ bytes: [UInt8], _ stream: JPEGStream, limits: DICOMLimits) throws(DICOMFailure) {
        self.bytes = bytes
        self.stream = stream
        var at = 2
        while at + 2 <= bytes.count {
            guard bytes[at] == 0xFF else { throw Self.damaged("a byte that is no marker at offset \(at)") }
            let marker = bytes[at + 1]
            switch marker {
            case 0xFF: at += 1
            case 0x01, 0xD0...0xD7: at += 2
            case 0xD9:
                try checkEnd(at + 2)
                try checkComplete()
                return
            case 0xD8: throw Self.damaged("a second beginning inside")
            default:
                let body = try body(at)
                at = body.upperBound
                try segment(marker, body)
                if marker == 0xDA {
                    guard scans <= scanLimit(limits) else {
                        throw .limit(
                            "the JPEG stream has more than \(scanLimit(limits)) scans: more than a picture of its kind has use for.",
                            cure: "Export the image again.")
                    }
                    let start = at
                    at = endOfScan(at)
                    padding += bytes[start..<at].reversed().prefix(while: { $0 == 0 || $0 == 0xFF }).count
                }
            }
        }
    }

    /// Padding may stand behind the end, not another picture: it would be dropped without a word.
    private func checkEnd(_ end: Int) throws(DICOMFailure) {
        guard !isMultiPicture, bytes.count - end > 2 else { return }
        let isFollowed = (end..<bytes.count - 2).contains {
            bytes[$0] == 0xFF && bytes[$0 + 1] == 0xD8 && bytes[$0 + 2] == 0xFF
        }
        guard !isFollowed else {
            throw .fragments(
                "another JPEG stream begins behind the end of a frame's: Number of Frames or the offset table contradicts the pixel data.",
                cure: "Export the image again.")
        }
    }

    /// Each component has to come, and of a progressive picture each bit of each coefficient: what is missing is shown grey or blurred.
    /// No encoder leaves the last scans out (ISO 10918-1, G.1.1).
    private func checkComplete() throws(DICOMFailure) {
        guard stream.components.allSatisfy({ received[$0.id]?.allSatisfy { $0 == 0 } ?? false }) else {
            throw .pixelsTruncated(
                "the JPEG stream lacks scans of some of its components or coefficients: pixels are missing.",
                cure: "Send the file again.")
        }
    }

    /// Of a segment without its length; it lies inside the stream.
    private func body(_ at: Int) throws(DICOMFailure) -> Range<Int> {
        guard at + 4 <= bytes.count else { throw Self.damaged("it ends inside a marker") }
        let length = word(at + 2)
        guard length >= 2, at + 2 + length <= bytes.count else {
            throw Self.damaged("marker \(Self.hex(bytes[at + 1])) is longer than the stream")
        }
        return at + 4..<at + 2 + length
    }

    private mutating func segment(_ marker: UInt8, _ body: Range<Int>) throws(DICOMFailure) {
        switch marker {
        case 0xC0...0xC3, 0xF7: try frame(body)
        case 0xC4: try huffmanTables(body)
        case 0xC5...0xCF where marker != 0xC8:
            throw .unsupportedSyntax(
                "a JPEG stream in \(marker == 0xCC || marker > 0xC8 ? "arithmetic" : "hierarchical") coding: there is no decoder for it.",
                cure: "Export as baseline or lossless JPEG.")
        case 0xDA: try scan(body)
        case 0xDB: try quantisationTables(body)
        case 0xDC, 0xDE, 0xDF: throw Self.damaged("marker \(Self.hex(marker)), which images in DICOM do not have")
        case 0xDD: guard body.count == 2 else { throw Self.damaged("a restart interval of \(body.count) bytes") }
        case 0xF8: try presets(body)
        case 0xE2: isMultiPicture = isMultiPicture || bytes[body].starts(with: [0x4D, 0x50, 0x46, 0])
        case 0xE0...0xEF, 0xFE: break
        default: throw Self.damaged("the unknown marker \(Self.hex(marker))")
        }
    }

    private mutating func frame(_ body: Range<Int>) throws(DICOMFailure) {
        frames += 1
        guard frames == 1, scans == 0 else { throw Self.damaged("a second frame header") }
        guard body.count == 6 + 3 * stream.components.count, !stream.components.isEmpty else {
            throw Self.damaged("a frame header of \(body.count) bytes for \(stream.components.count) components")
        }
        var blocks = 0
        for component in stream.components {
            guard (1...4).contains(component.horizontal), (1...4).contains(component.vertical) else {
                throw Self.damaged("sampling factors \(component.horizontal) × \(component.vertical)")
            }
            blocks += component.horizontal * component.vertical
        }
        guard !stream.isLS || blocks == stream.components.count else {
            throw Self.damaged("JPEG-LS with shared samples")
        }
        guard Set(stream.components.map(\.id)).count == stream.components.count else {
            throw Self.damaged("two components of one name")
        }
    }

    private mutating func scan(_ body: Range<Int>) throws(DICOMFailure) {
        scans += 1
        let count = body.isEmpty ? 0 : Int(bytes[body.lowerBound])
        guard frames == 1, (1...4).contains(count), body.count == 4 + 2 * count else {
            throw Self.damaged("a scan header of \(body.count) bytes for \(count) components")
        }
        var ids = Set<UInt8>()
        for index in 0..<count { ids.insert(bytes[body.lowerBound + 1 + 2 * index]) }
        guard ids.count == count, ids.isSubset(of: stream.components.map(\.id)) else {
            throw Self.damaged("a scan of components that are not there")
        }
        if stream.frameMarker == 0xC2 {
            let (first, last) = (Int(bytes[body.upperBound - 3]), Int(bytes[body.upperBound - 2]))
            guard first <= last, last < 64 else { throw Self.damaged("a scan of coefficients that are not there") }
            for id in ids {
                for index in first...last {
                    received[id, default: Array(repeating: nil, count: 64)][index] = Int(
                        bytes[body.upperBound - 1] & 15)
                }
            }
        } else {
            for id in ids { received[id] = [] }
        }
        if stream.isLS {
            let near = Int(bytes[body.upperBound - 3])
            guard near <= min(255, (1 << stream.precision) / 2), bytes[body.upperBound - 2] <= 2,
                bytes[body.upperBound - 1] & 15 == 0
            else { throw Self.damaged("a JPEG-LS scan with impossible parameters") }
            isNear = isNear || near > 0
        }
    }

    /// Code lengths that no Huffman tree has would let a decoder look behind its tables (ISO 10918-1 annex C).
    private func huffmanTables(_ body: Range<Int>) throws(DICOMFailure) {
        var at = body.lowerBound
        while at < body.upperBound {
            guard body.upperBound - at >= 17, bytes[at] >> 4 <= 1, bytes[at] & 15 <= 3 else {
                throw Self.damaged("a Huffman table with an impossible header")
            }
            var codes = 0, free = 1
            for length in 1...16 {
                let count = Int(bytes[at + length])
                codes += count
                free = free * 2 - count
                guard free >= 0, codes <= 256 else { throw Self.damaged("a Huffman table with too many codes") }
            }
            at += 17 + codes
            guard at <= body.upperBound else { throw Self.damaged("a Huffman table longer than its segment") }
        }
    }

    private func quantisationTables(_ body: Range<Int>) throws(DICOMFailure) {
        var at = body.lowerBound
        while at < body.upperBound {
            guard bytes[at] >> 4 <= 1, bytes[at] & 15 <= 3 else {
                throw Self.damaged("a quantisation table with an impossible header")
            }
            at += bytes[at] >> 4 == 0 ? 65 : 129
            guard at <= body.upperBound else { throw Self.damaged("a quantisation table longer than its segment") }
        }
    }

    /// JPEG-LS preset coding parameters (ISO 14495-1, C.2.4.1.1); 0 stands for the default.
    private func presets(_ body: Range<Int>) throws(DICOMFailure) {
        guard stream.isLS, body.count == 11, bytes[body.lowerBound] == 1 else {
            throw .unsupportedSyntax(
                "a JPEG-LS stream with mapping tables or other extensions: there is no decoder for it.",
                cure: "Export as plain JPEG-LS or uncompressed.")
        }
        let values = (0..<5).map { word(body.lowerBound + 1 + 2 * $0) }
        let top = values[0] == 0 ? (1 << stream.precision) - 1 : values[0]
        let thresholds = values[1...3].filter { $0 != 0 }
        guard top < 1 << stream.precision, thresholds.allSatisfy({ (1...top).contains($0) }),
            zip(thresholds, thresholds.dropFirst()).allSatisfy({ $0 <= $1 }),
            values[4] == 0 || (3...max(255, top)).contains(values[4])
        else { throw Self.damaged("JPEG-LS coding parameters that are impossible") }
    }

    /// One scan of each component; a progressive picture has as many as its writer liked.
    private func scanLimit(_ limits: DICOMLimits) -> Int {
        stream.frameMarker == 0xC2 ? limits.jpegScans : stream.components.count
    }

    /// The next marker that is no restart marker, or the end.
    private func endOfScan(_ start: Int) -> Int {
        var at = start
        while at + 1 < bytes.count {
            let next = bytes[at + 1]
            let isMarker = stream.isLS ? next >= 0x80 : next >= 0xC0
            if bytes[at] == 0xFF, isMarker, next != 0xFF, !(0xD0...0xD7).contains(next) { return at }
            at += 1
        }
        return bytes.count
    }

    private func word(_ at: Int) -> Int { Int(bytes[at]) << 8 | Int(bytes[at + 1]) }

    private static func hex(_ marker: UInt8) -> String { "FF" + String(marker, radix: 16, uppercase: true) }

    private static func damaged(_ what: String) -> DICOMFailure {
        .codec("the JPEG stream has \(what): the frame is damaged.", cure: "Export it again.")
    }
}

extension JPEGWalk {
    /// DCMTK keeps two bytes a coefficient (lossless: four a sample) of pictures of several scans, in whole units of all components.
    func cost(_ pixels: PixelDescription, stream count: Int) -> FrameCost {
        let isWide = stream.precision > 8
        let nanoseconds: Double = stream.isLS ? 100 : stream.isLossless ? 40 : 40 + 12 * Double(scans)
        var cost = FrameCost(pixels, stream: count, decoded: isWide ? 2 : 1, nanoseconds: nanoseconds)
        let isBuffered = !stream.isLS && (scans > 1 || stream.frameMarker == 0xC2)
        if isBuffered {
            let across = stream.components.map(\.horizontal).max() ?? 1
            let down = stream.components.map(\.vertical).max() ?? 1
            let units = Double(stream.columns / (8 * across) + 1) * Double(stream.rows / (8 * down) + 1)
            let blocks = stream.components.reduce(0) { $0 + $1.horizontal * $1.vertical }
            cost.bytes += units * Double(blocks) * (stream.isLossless || isWide ? 256 : 128)
        }
        return cost
    }
}
