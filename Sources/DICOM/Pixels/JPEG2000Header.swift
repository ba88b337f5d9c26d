/// What a JPEG 2000 code stream says of itself (ISO 15444-1 annex A), read to its end before any decoder sees it: the main header, the
/// header of every tile-part, and how the tile-parts follow each other.
struct JPEG2000Header {
    /// Where the code stream lies: in a JP2 file inside a box, else everything.
    private(set) var codeStream = 0..<0
    /// It came in the boxes of a JP2 file.
    private(set) var isBoxed = false
    /// What the boxes of a JP2 file say of colour: the enumerated colour space, and that samples are indices of a palette.
    private(set) var boxedColour: Int?
    private(set) var hasPalette = false
    /// Rsiz asks for extensions of Part 2, which OpenJPEG does not have.
    private(set) var needsPart2 = false
    /// The 9-7 wavelet: samples do not come back exactly.
    private(set) var isIrreversible = false
    private(set) var columns = 0
    private(set) var rows = 0
    private(set) var tileColumns = 0
    private(set) var tileRows = 0
    /// How many tiles lie beside and below each other.
    private(set) var tiles = (across: 0, down: 0)
    private(set) var components: [Component] = []
    /// Of all tiles and components together, whatever costs most.
    private(set) var style = Style()
    /// How many parts of each tile there are, and the number that they say.
    private var parts: [Int: (count: Int, stated: Int)] = [:]
    /// Another code stream begins behind the end of this one.
    private(set) var isFollowed = false
    /// All tiles are there, with as many parts as they say: what is missing a decoder leaves grey.
    var hasAllTiles: Bool {
        parts.count == tiles.across * tiles.down && parts.values.allSatisfy { $0.count >= $0.stated }
    }
    /// The first thing that contradicts the standard.
    private(set) var problem: String?

    struct Component: Equatable {
        let precision: Int
        let isSigned: Bool
        let horizontal: Int
        let vertical: Int
    }

    struct Style {
        var levels = 0
        var layers = 1
        /// Binary logarithms: the smallest code block and the smallest precinct at each distance from the full resolution.
        var codeBlock = (width: 10, height: 10)
        var precincts = [(width: Int, height: Int)](repeating: (15, 15), count: 33)
        /// Progression orders, the default and those of progression order changes.
        var progressions = 1
        /// Packets ordered by position, which is searched pixel by pixel.
        var isByPosition = false
    }

    private var hasCodingStyle = false

    /// Nil when there is no code stream: neither at the beginning nor in a JP2 file's box.
    init?(_ bytes: [UInt8]) {
        guard let range = codeStream(in: bytes), range.count > 4,
            bytes[range.lowerBound..<range.lowerBound + 4].elementsEqual([0xFF, 0x4F, 0xFF, 0x51])
        else { return nil }
        codeStream = range
        isBoxed = range.lowerBound > 0
        var reader = Reader(bytes: bytes, at: range.lowerBound + 2, end: range.upperBound)
        guard header(&reader, until: 0x90) else { return }
        tileParts(&reader)
    }

    // MARK: Boxes (ISO 15444-1 annex I)

    private mutating func codeStream(in bytes: [UInt8]) -> Range<Int>? {
        if bytes.starts(with: [0xFF, 0x4F]) { return 0..<bytes.count }
        guard bytes.starts(with: [0, 0, 0, 12, 0x6A, 0x50, 0x20, 0x20]) else { return nil }
        var reader = Reader(bytes: bytes, at: 0, end: bytes.count)
        while let length = reader.long(), let type = reader.long() {
            var body = length - 8
            if length == 1 {
                guard let high = reader.long(), let low = reader.long(), high == 0 else { return nil }
                body = low - 16
            } else if length == 0 {
                body = bytes.count - reader.at
            }
            guard body >= 0, body <= bytes.count - reader.at else { return nil }
            switch type {
            case 0x6A70_3263: return reader.at..<reader.at + body
            // The header box holds the ones that follow.
            case 0x6A70_3268: continue
            case 0x7063_6C72: hasPalette = true
            case 0x636F_6C72 where body >= 7 && bytes[reader.at] == 1:
                boxedColour = bytes[reader.at + 3..<reader.at + 7].reduce(0) { $0 << 8 | Int($1) }
            default: break
            }
            reader.at += body
        }
        return nil
    }

    // MARK: Headers

    /// Marker segments up to a delimiter, which is read too; false when they cannot be followed.
    private mutating func header(_ reader: inout Reader, until delimiter: UInt8) -> Bool {
        while true {
            guard let first = reader.byte(), first == 0xFF, let marker = reader.byte() else {
                return fail("a header that ends too early")
            }
            if marker == delimiter { return true }
            guard let length = reader.word(), length >= 2, length - 2 <= reader.end - reader.at else {
                return fail("a marker segment longer than the stream")
            }
            var segment = Reader(bytes: reader.bytes, at: reader.at, end: reader.at + length - 2)
            reader.at = segment.end
            switch marker {
            case 0x51:
                guard columns == 0, size(&segment) else { return fail("an impossible image size") }
            case 0x52, 0x53:
                guard codingStyle(&segment, isDefault: marker == 0x52) else {
                    return fail("an impossible coding style")
                }
            case 0x5F: style.progressions += (length - 2) / 7
            case 0x30...0x3F, 0x4F, 0x90...0x93, 0xD9: return fail("a marker out of place")
            default: break
            }
        }
    }

    private mutating func size(_ segment: inout Reader) -> Bool {
        guard let capabilities = segment.word() else { return false }
        needsPart2 = capabilities & 0x8000 != 0
        let numbers = (0..<8).compactMap { _ in segment.long() }
        guard numbers.count == 8, let count = segment.word(), (1...16384).contains(count) else { return false }
        let (x1, y1, x0, y0) = (numbers[0], numbers[1], numbers[2], numbers[3])
        let (tileX0, tileY0) = (numbers[6], numbers[7])
        (tileColumns, tileRows) = (numbers[4], numbers[5])
        guard x1 > x0, y1 > y0, tileColumns > 0, tileRows > 0, tileX0 <= x0, tileY0 <= y0, tileX0 + tileColumns > x0,
            tileY0 + tileRows > y0
        else { return false }
        (columns, rows) = (x1 - x0, y1 - y0)
        tiles = ((x1 - tileX0 + tileColumns - 1) / tileColumns, (y1 - tileY0 + tileRows - 1) / tileRows)
        for _ in 0..<count {
            guard let depth = segment.byte(), let horizontal = segment.byte(), let vertical = segment.byte(),
                horizontal > 0, vertical > 0
            else { return false }
            components.append(
                Component(
                    precision: Int(depth & 0x7F) + 1, isSigned: depth & 0x80 != 0, horizontal: Int(horizontal),
                    vertical: Int(vertical)))
        }
        return true
    }

    /// COD, or COC with the number of its component before it.
    private mutating func codingStyle(_ segment: inout Reader, isDefault: Bool) -> Bool {
        if isDefault {
            guard let flags = segment.byte(), let order = segment.byte(), let layers = segment.word(),
                segment.byte() != nil, order <= 4, layers > 0
            else { return false }
            style.layers = max(style.layers, layers)
            style.isByPosition = style.isByPosition || order >= 2
            return parameters(&segment, hasPrecincts: flags & 1 != 0, isMain: !hasCodingStyle)
        }
        guard columns > 0, components.count < 257 ? segment.byte() != nil : segment.word() != nil,
            let flags = segment.byte()
        else { return false }
        return parameters(&segment, hasPrecincts: flags & 1 != 0, isMain: false)
    }

    private mutating func parameters(_ segment: inout Reader, hasPrecincts: Bool, isMain: Bool) -> Bool {
        guard let levels = segment.byte(), let width = segment.byte(), let height = segment.byte(),
            segment.byte() != nil, let wavelet = segment.byte(), levels <= 32, width <= 8, height <= 8,
            width + height <= 8
        else { return false }
        if isMain {
            isIrreversible = wavelet == 0
            hasCodingStyle = true
        }
        style.levels = max(style.levels, Int(levels))
        style.codeBlock = (min(style.codeBlock.width, Int(width) + 2), min(style.codeBlock.height, Int(height) + 2))
        guard hasPrecincts else { return true }
        for resolution in 0...Int(levels) {
            guard let size = segment.byte() else { return false }
            let (across, down) = (Int(size & 15), Int(size >> 4))
            guard resolution == 0 || (across > 0 && down > 0) else { return false }
            // Resolutions count from the smallest, distances from the largest.
            let known = style.precincts[Int(levels) - resolution]
            style.precincts[Int(levels) - resolution] = (min(known.width, across), min(known.height, down))
        }
        return true
    }

    // MARK: Tile-parts

    /// From the first SOT, whose marker has been read, to the end of the code stream.
    private mutating func tileParts(_ reader: inout Reader) {
        guard hasCodingStyle, columns > 0 else {
            problem = problem ?? "a header without size or coding style"
            return
        }
        while true {
            let start = reader.at - 2
            guard reader.word() == 10, let tile = reader.word(), let length = reader.long(), let part = reader.word()
            else {
                problem = "a tile-part with an impossible header"
                return
            }
            let known = parts[tile] ?? (0, 0)
            parts[tile] = (known.count + 1, max(known.stated, part & 0xFF))
            guard tile < tiles.across * tiles.down, length == 0 || length >= 14 else {
                problem = "a tile-part of a tile that is not there"
                return
            }
            // 0: to the end of the stream.
            let end = length == 0 ? codeStream.upperBound : start + length
            guard end <= codeStream.upperBound else {
                problem = "a tile-part longer than the stream"
                return
            }
            var body = Reader(bytes: reader.bytes, at: reader.at, end: end)
            guard header(&body, until: 0x93) else { return }
            reader.at = end
            guard length != 0, let first = reader.byte(), let second = reader.byte(), first == 0xFF, second == 0x90
            else {
                isFollowed = Self.hasStart(reader.bytes, from: length == 0 ? Self.endOfData(body) : end)
                return
            }
        }
    }

    /// Behind the first end of a code stream from the reader on: no coded data hold a marker above FF8F (ISO 15444-1, A.1.1).
    private static func endOfData(_ part: Reader) -> Int {
        var at = part.at
        while at + 1 < part.end, part.bytes[at] != 0xFF || part.bytes[at + 1] != 0xD9 { at += 1 }
        return min(at + 2, part.end)
    }

    /// Whether a code stream (SOC and SIZ) begins anywhere from `start` on.
    private static func hasStart(_ bytes: [UInt8], from start: Int) -> Bool {
        let marker: [UInt8] = [0xFF, 0x4F, 0xFF, 0x51]
        guard bytes.count - start >= marker.count else { return false }
        return (start...bytes.count - marker.count).contains { bytes[$0..<$0 + marker.count].elementsEqual(marker) }
    }

    private mutating func fail(_ what: String) -> Bool {
        problem = problem ?? what
        return false
    }
}

/// Big-endian numbers out of a part of the bytes.
private struct Reader {
    let bytes: [UInt8]
    var at: Int
    let end: Int

    mutating func byte() -> UInt8? {
        guard at < end else { return nil }
        defer { at += 1 }
        return bytes[at]
    }

    mutating func word() -> Int? {
        guard let high = byte(), let low = byte() else { return nil }
        return Int(high) << 8 | Int(low)
    }

    mutating func long() -> Int? {
        guard let high = word(), let low = word() else { return nil }
        return high << 16 | low
    }
}
