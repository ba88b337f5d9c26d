/// A TIFF written tag by tag, for tests: what programs write that our own writer never would.
package struct RawTIFF {
    package struct Value {
        let type: UInt16
        let count: Int
        let bytes: [UInt8]
    }

    package struct Page {
        package var rows: Int
        package var columns: Int
        package var samples = 1
        package var bits = 8
        /// Sample Format.
        package var format = 1
        package var photometric = 1
        /// Already in the file's byte order.
        package var data: [UInt8]
        package var description: String?
        /// Pixels a unit along a row and along a column, and the unit.
        package var resolution: (across: Int, down: Int, unit: Int)?
        package var isPlanar = false
        package var extraSamples: [Int] = []
        package var subfile = 0
        /// The data or tiles are compressed by it.
        package var compression = 1
        /// Directories below this one (SubIFDs).
        package var below: [Page] = []
        /// Rows Per Strip as the tag says it; nil: the page's rows.
        package var rowsPerStrip: Int?
        /// Tile sides; nil: one strip, or one a plane.
        package var tile: (rows: Int, columns: Int)?
        /// Bytes of each tile, where the page is in tiles.
        package var tiles: [[UInt8]] = []
        /// Further tags: SHORT or LONG by their size.
        package var numbers: [(tag: UInt16, values: [Int])] = []
        /// Further tags of raw bytes, with their type.
        package var raw: [(tag: UInt16, type: UInt16, bytes: [UInt8])] = []

        package init(rows: Int, columns: Int, data: [UInt8] = []) {
            self.rows = rows
            self.columns = columns
            self.data = data
        }
    }

    package var pages: [Page]
    package var isBigEndian = false

    package init(_ pages: [Page], isBigEndian: Bool = false) {
        self.pages = pages
        self.isBigEndian = isBigEndian
    }

    /// A number in the file's byte order.
    package func number(_ value: Int, _ size: Int) -> [UInt8] {
        let little = (0..<size).map { UInt8(truncatingIfNeeded: value >> (8 * $0)) }
        return isBigEndian ? little.reversed() : little
    }

    /// The whole file: header, then for each page its data, the directories below it and its directory.
    package var bytes: [UInt8] {
        var file: [UInt8] = (isBigEndian ? [0x4D, 0x4D] : [0x49, 0x49]) + number(42, 2) + number(0, 4)
        var link = 4
        for page in pages {
            let directory = append(page, to: &file)
            file.replaceSubrange(link..<link + 4, with: number(directory, 4))
            link = file.count - 4
        }
        return file
    }

    /// Where the page's directory begins; it ends with a link to no other.
    private func append(_ page: Page, to file: inout [UInt8]) -> Int {
        let below = page.below.map { append($0, to: &file) }
        var offsets: [Int] = [], sizes: [Int] = []
        let pieces = page.tile == nil ? strips(page) : page.tiles
        for piece in pieces {
            if file.count % 2 == 1 { file.append(0) }
            offsets.append(file.count)
            sizes.append(piece.count)
            file += piece
        }
        var tags = entries(page, offsets, sizes)
        if !below.isEmpty { tags.append((330, long(below))) }
        tags.sort { $0.tag < $1.tag }
        if file.count % 2 == 1 { file.append(0) }
        // Values first, then the directory that names them.
        var fields: [[UInt8]] = []
        for (tag, value) in tags {
            var field = number(Int(tag), 2) + number(Int(value.type), 2) + number(value.count, 4)
            if value.bytes.count <= 4 {
                field += value.bytes + [UInt8](repeating: 0, count: 4 - value.bytes.count)
            } else {
                field += number(file.count, 4)
                file += value.bytes
                if file.count % 2 == 1 { file.append(0) }
            }
            fields.append(field)
        }
        let directory = file.count
        file += number(fields.count, 2) + fields.flatMap { $0 } + number(0, 4)
        return directory
    }

    private func strips(_ page: Page) -> [[UInt8]] {
        guard page.isPlanar, page.samples > 1 else { return [page.data] }
        let each = page.data.count / page.samples
        return (0..<page.samples).map { Array(page.data[$0 * each..<($0 + 1) * each]) }
    }

    private func short(_ values: [Int]) -> Value {
        Value(type: 3, count: values.count, bytes: values.flatMap { number($0, 2) })
    }

    private func long(_ values: [Int]) -> Value {
        Value(type: 4, count: values.count, bytes: values.flatMap { number($0, 4) })
    }

    private func entries(_ page: Page, _ offsets: [Int], _ sizes: [Int]) -> [(tag: UInt16, value: Value)] {
        var tags: [(tag: UInt16, value: Value)] = [
            (254, long([page.subfile])), (256, long([page.columns])), (257, long([page.rows])),
            (258, short([Int](repeating: page.bits, count: page.samples))), (259, short([page.compression])),
            (262, short([page.photometric])), (277, short([page.samples])),
            (339, short([Int](repeating: page.format, count: page.samples))),
        ]
        if let tile = page.tile {
            tags += [(322, long([tile.columns])), (323, long([tile.rows])), (324, long(offsets)), (325, long(sizes))]
        } else {
            tags += [(273, long(offsets)), (278, long([page.rowsPerStrip ?? page.rows])), (279, long(sizes))]
        }
        if page.isPlanar { tags.append((284, short([2]))) }
        if let text = page.description {
            let bytes = Array(text.utf8) + [0]
            tags.append((270, Value(type: 2, count: bytes.count, bytes: bytes)))
        }
        if let resolution = page.resolution {
            for (tag, value) in [(282, resolution.across), (283, resolution.down)] {
                tags.append((UInt16(tag), Value(type: 5, count: 1, bytes: number(value, 4) + number(1, 4))))
            }
            tags.append((296, short([resolution.unit])))
        }
        if !page.extraSamples.isEmpty { tags.append((338, short(page.extraSamples))) }
        for (tag, values) in page.numbers {
            tags.append((tag, values.allSatisfy { $0 < 65_536 } ? short(values) : long(values)))
        }
        for (tag, type, bytes) in page.raw {
            let size = [1: 1, 2: 1, 5: 8, 7: 1, 12: 8][Int(type)] ?? 1
            tags.append((tag, Value(type: type, count: bytes.count / size, bytes: bytes)))
        }
        return tags
    }
}
