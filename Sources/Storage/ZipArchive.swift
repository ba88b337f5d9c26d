/// A zip archive, read from a mapped file: its entries by name, stored or deflated, Zip64 included.
///
/// Only the central directory at the file's end counts; what it says is checked against the file's length before anything is
/// read. Entries are read one at a time, and their CRC-32 is compared.
///
/// *Source*: PKWARE APPNOTE 6.3.10, sections 4.3 and 4.5.3.
package struct ZipArchive: Sendable {
    /// What the central directory says of one file.
    package struct Entry: Sendable {
        package let name: String
        /// Bytes when unpacked.
        package let size: Int
        fileprivate let packedSize: Int
        fileprivate let method: UInt16
        fileprivate let isEncrypted: Bool
        fileprivate let crc32: UInt32
        /// Where the entry's local header begins.
        fileprivate let headerOffset: Int
    }

    package let file: MappedFile
    /// In the order of the central directory.
    package let entries: [Entry]
    private let positions: [String: Int]

    /// More entries than any archive that we read has.
    private static let mostEntries = 100_000

    /// - Throws: `ZipFailure.notZip`, `.truncated`, `.broken`.
    package init(_ file: MappedFile) throws(ZipFailure) {
        let directory = try ZipDirectory(file)
        guard directory.count <= Self.mostEntries else {
            throw .broken(path: file.path, reason: "it announces \(directory.count) entries")
        }
        guard let bytes = file.copy(offset: directory.offset, count: directory.length) else {
            throw .truncated(path: file.path, reason: "its directory lies beyond its end")
        }
        self.file = file
        var reader = LittleEndianReader(bytes)
        var entries: [Entry] = []
        var positions: [String: Int] = [:]
        for _ in 0..<directory.count {
            guard let entry = Self.entry(&reader) else {
                throw .broken(path: file.path, reason: "its directory cannot be read")
            }
            guard positions.updateValue(entries.count, forKey: entry.name) == nil else {
                throw .broken(path: file.path, reason: "it holds an entry twice")
            }
            entries.append(entry)
        }
        self.entries = entries
        self.positions = positions
    }

    /// Nil when the archive has none of that name.
    package func entry(_ name: String) -> Entry? { positions[name].map { entries[$0] } }

    /// The bytes of a stored entry are lent as they lie in the file; a deflated one is unpacked.
    ///
    /// - Parameter limit: more bytes are refused.
    /// - Throws: `ZipFailure`, and what `body` throws.
    package func withBytes<Result>(of entry: Entry, limit: Int, _ body: (RawSpan) throws -> Result) throws -> Result {
        let range = try range(of: entry)
        guard entry.size <= limit else {
            throw ZipFailure.broken(
                path: file.path, reason: "the entry \(entry.name) has \(entry.size) bytes, more than \(limit)")
        }
        guard !entry.isEncrypted else {
            throw ZipFailure.broken(path: file.path, reason: "the entry \(entry.name) is encrypted")
        }
        return try file.withBytes { bytes in
            let packed = bytes.extracting(range)
            if entry.method == 0 {
                guard entry.size == entry.packedSize, Inflate.crc32(packed) == entry.crc32 else { throw damaged(entry) }
                return try body(packed)
            }
            guard entry.method == 8 else {
                throw ZipFailure.broken(
                    path: file.path, reason: "the entry \(entry.name) uses compression method \(entry.method)")
            }
            guard let unpacked = try? Inflate.bytes(of: packed, limit: entry.size, expected: entry.size),
                unpacked.count == entry.size, Inflate.crc32(unpacked.span.bytes) == entry.crc32
            else { throw damaged(entry) }
            return try body(unpacked.span.bytes)
        }
    }

    /// A copy of an entry's bytes.
    package func bytes(of entry: Entry, limit: Int) throws -> [UInt8] {
        try withBytes(of: entry, limit: limit) { span in
            unsafe span.withUnsafeBytes { unsafe [UInt8]($0) }
        }
    }

    private func damaged(_ entry: Entry) -> ZipFailure {
        .broken(path: file.path, reason: "the bytes of the entry \(entry.name) are damaged")
    }

    /// Where the entry's packed bytes lie: behind its local header, whose name and extra field may differ from the directory's.
    private func range(of entry: Entry) throws(ZipFailure) -> Range<Int> {
        guard let bytes = file.copy(offset: entry.headerOffset, count: 30) else {
            throw .truncated(path: file.path, reason: "the entry \(entry.name) lies beyond its end")
        }
        var header = LittleEndianReader(bytes)
        guard header.u32() == 0x0403_4B50, header.skip(22), let name = header.u16(), let extra = header.u16() else {
            throw damaged(entry)
        }
        let start = entry.headerOffset + 30 + Int(name) + Int(extra)
        guard start <= file.count, entry.packedSize <= file.count - start else {
            throw .truncated(path: file.path, reason: "the entry \(entry.name) lies beyond its end")
        }
        return start..<start + entry.packedSize
    }

    /// One record of the central directory; nil when it is not valid.
    private static func entry(_ reader: inout LittleEndianReader) -> Entry? {
        guard reader.u32() == 0x0201_4B50, reader.skip(4), let flags = reader.u16(), let method = reader.u16(),
            reader.skip(4),
            let crc32 = reader.u32(),
            let packed = reader.u32(), let size = reader.u32(), let nameLength = reader.u16(),
            let extraLength = reader.u16(),
            let commentLength = reader.u16(), reader.skip(8), let offset = reader.u32(),
            let nameBytes = reader.bytes(Int(nameLength)),
            let extra = reader.bytes(Int(extraLength)), reader.skip(Int(commentLength))
        else { return nil }
        // Names of other alphabets are kept apart by their bytes.
        let name =
            String(validating: nameBytes, as: UTF8.self)
            ?? String(String.UnicodeScalarView(nameBytes.map { Unicode.Scalar($0) }))
        var wide = Zip64Extra(extra)
        guard let size = wide.value(size), let packed = wide.value(packed), let offset = wide.value(offset) else {
            return nil
        }
        return Entry(
            name: name, size: size, packedSize: packed, method: method, isEncrypted: flags & 1 != 0, crc32: crc32,
            headerOffset: offset)
    }
}

/// The 64-bit values of a directory record, in the order of the fields that are all ones.
private struct Zip64Extra {
    private var reader = LittleEndianReader([])

    init(_ extra: [UInt8]) {
        var fields = LittleEndianReader(extra)
        while let id = fields.u16(), let length = fields.u16(), let bytes = fields.bytes(Int(length)) {
            if id == 1 { reader = LittleEndianReader(bytes) }
        }
    }

    mutating func value(_ field: UInt32) -> Int? {
        guard field == .max else { return Int(field) }
        return reader.u64().flatMap { Int(exactly: $0) }
    }
}

/// Where the central directory lies, from the record at the file's end.
private struct ZipDirectory {
    let count: Int
    let offset: Int
    let length: Int

    init(_ file: MappedFile) throws(ZipFailure) {
        let truncated = ZipFailure.truncated(
            path: file.path, reason: "it begins as a zip archive, but its directory is missing")
        guard let start = file.copy(offset: 0, count: 4),
            [0x0403_4B50, 0x0605_4B50].contains(LittleEndianReader.u32(start))
        else {
            throw .notZip(path: file.path)
        }
        // The record has 22 bytes and a comment of at most 65535.
        let tailLength = min(file.count, 22 + 65535)
        guard let tail = file.copy(offset: file.count - tailLength, count: tailLength) else { throw truncated }
        guard let at = stride(from: tailLength - 22, through: 0, by: -1).first(where: { Self.isEnd(tail, $0) }) else {
            throw truncated
        }
        var end = LittleEndianReader(Array(tail[at...]))
        guard end.skip(10), let count = end.u16(), let length = end.u32(), let offset = end.u32() else {
            throw truncated
        }
        if count != .max, length != .max, offset != .max {
            (self.count, self.length, self.offset) = (Int(count), Int(length), Int(offset))
            return
        }
        // Zip64: a locator of 20 bytes stands before, and says where the wide record is.
        let broken = ZipFailure.broken(path: file.path, reason: "its Zip64 directory cannot be read")
        let locatorOffset = file.count - tailLength + at - 20
        guard locatorOffset >= 0, let locatorBytes = file.copy(offset: locatorOffset, count: 20) else { throw broken }
        var locator = LittleEndianReader(locatorBytes)
        guard locator.u32() == 0x0706_4B50, locator.skip(4),
            let recordOffset = locator.u64().flatMap({ Int(exactly: $0) }),
            let recordBytes = file.copy(offset: recordOffset, count: 56)
        else { throw broken }
        var record = LittleEndianReader(recordBytes)
        guard record.u32() == 0x0606_4B50, record.skip(28), let wideCount = record.u64().flatMap({ Int(exactly: $0) }),
            let wideLength = record.u64().flatMap({ Int(exactly: $0) }),
            let wideOffset = record.u64().flatMap({ Int(exactly: $0) })
        else { throw broken }
        (self.count, self.length, self.offset) = (wideCount, wideLength, wideOffset)
    }

    /// The end record's signature, with a comment that ends where the file does.
    private static func isEnd(_ tail: [UInt8], _ at: Int) -> Bool {
        guard tail[at] == 0x50, tail[at + 1] == 0x4B, tail[at + 2] == 5, tail[at + 3] == 6 else { return false }
        return Int(tail[at + 20]) | Int(tail[at + 21]) << 8 == tail.count - at - 22
    }
}

/// Reads little-endian numbers one after the other; nil beyond the end.
private struct LittleEndianReader {
    private let data: [UInt8]
    private var position = 0

    init(_ data: [UInt8]) { self.data = data }

    static func u32(_ bytes: [UInt8]) -> UInt32 {
        var reader = LittleEndianReader(bytes)
        return reader.u32() ?? 0
    }

    private mutating func number(_ size: Int) -> UInt64? {
        bytes(size)?.reversed().reduce(0) { $0 << 8 | UInt64($1) }
    }

    mutating func u16() -> UInt16? { number(2).map(UInt16.init) }
    mutating func u32() -> UInt32? { number(4).map(UInt32.init) }
    mutating func u64() -> UInt64? { number(8) }

    mutating func bytes(_ count: Int) -> [UInt8]? {
        guard count <= data.count - position else { return nil }
        defer { position += count }
        return Array(data[position..<position + count])
    }

    mutating func skip(_ count: Int) -> Bool { bytes(count) != nil }
}
