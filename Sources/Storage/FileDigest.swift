internal import CSystem
internal import Failures

/// A SHA-256.
package struct FileDigest: Sendable, Hashable, CustomStringConvertible {
    /// 32 bytes, most significant first: many thousands of digests are held at once, so they need no memory of their own.
    private let words: SIMD4<UInt64>

    /// The 32 bytes, as they stand in `hex`.
    package var bytes: [UInt8] {
        (0..<32).map { UInt8(truncatingIfNeeded: words[$0 / 8] >> UInt64(56 - $0 % 8 * 8)) }
    }

    /// Of a whole regular file, read in pieces.
    ///
    /// *Throws* `.notAFile`, `.system`. *Cost*: one pass over the file, about 0.5 to 2 GB/s.
    package init(ofFile path: String) throws(StorageFailure) {
        let (file, _) = try openRegular(path, limit: .max, followingLinks: true)
        defer { cs_close(file) }
        var sum = Accumulator()
        var buffer = [UInt8](repeating: 0, count: 1 << 18)
        while true {
            let got = unsafe buffer.withUnsafeMutableBytes { unsafe cs_read(file, $0.baseAddress, $0.count) }
            if got < 0 { throw .system(operation: "read it", path: path, errno: Int32(-got)) }
            if got == 0 { break }
            sum.add(buffer.span.bytes.extracting(0..<Int(got)))
        }
        self = sum.finish()
    }

    /// Of a user's file from byte `start` to its end, read in pieces through its descriptor.
    ///
    /// *Throws* `.changed`, `.system`. *Cost*: one pass over those bytes.
    ///
    /// - Parameter each: called after each piece.
    package init(of file: InputFile, from start: Int = 0, each: () -> Void = {}) throws(StorageFailure) {
        var sum = Accumulator()
        try sum.add(file, start..<file.size, each: each)
        self = sum.finish()
    }

    /// Of a file, or of all regular files below a folder with their names. Links below it are not followed and count by their names.
    ///
    /// *Throws* `StorageFailure`. *Cost*: one pass over all of them.
    ///
    /// - Parameter each: called after each piece.
    package init(ofTree path: String, each: () -> Void = {}) throws(StorageFailure) {
        guard try FileStatus(of: path, followingLinks: true).kind == .directory else {
            self = try FileDigest(ofFile: path)
            return
        }
        let folder = try InputFolder(FilePath(path))
        var sum = Accumulator()
        for entry in try Folder.walk(path) {
            sum.add(entry.path.bytes)
            sum.add("\0\(entry.status.kind.rawValue) ")
            guard entry.status.kind == .regular else { continue }
            sum.add(try FileDigest(of: folder.open(entry.path), each: each).bytes)
        }
        self = sum.finish()
    }

    package init(of bytes: RawSpan) {
        var sum = Accumulator()
        sum.add(bytes)
        self = sum.finish()
    }

    package init(of bytes: [UInt8]) { self.init(of: bytes.span.bytes) }

    /// Of the UTF-8 bytes of `text`.
    package init(of text: String) { self.init(of: Array(text.utf8)) }

    /// From 64 hexadecimal digits; nil for anything else.
    package init?(hex: String) {
        let digits = hex.utf8.map { Character(UnicodeScalar($0)).hexDigitValue }
        guard digits.count == 64 else { return nil }
        var bytes: [UInt8] = []
        for index in stride(from: 0, to: 64, by: 2) {
            guard let high = digits[index], let low = digits[index + 1] else { return nil }
            bytes.append(UInt8(high << 4 | low))
        }
        self.init(finished: bytes)
    }

    /// From 32 bytes.
    private init(finished bytes: [UInt8]) {
        var words = SIMD4<UInt64>()
        for (index, byte) in bytes.enumerated() { words[index / 8] = words[index / 8] << 8 | UInt64(byte) }
        self.words = words
    }

    /// 64 lower-case digits, as `sha256sum` prints them.
    package var hex: String {
        let digits = Array("0123456789abcdef".utf8)
        var text: [UInt8] = []
        text.reserveCapacity(64)
        for byte in bytes {
            text.append(digits[Int(byte >> 4)])
            text.append(digits[Int(byte & 15)])
        }
        return String(decoding: text, as: UTF8.self)
    }

    package var description: String { hex }

    /// Adds bytes piece by piece.
    package struct Accumulator: ~Copyable {
        private let handle: OpaquePointer

        package init() {
            // libcrypto fails here only without memory for a few hundred bytes: nothing could go on then.
            guard let made = unsafe cs_digest_create() else { preconditionFailure("SHA-256: no memory for its state") }
            unsafe handle = made
        }

        deinit { unsafe cs_digest_destroy(handle) }

        package mutating func add(_ bytes: RawSpan) {
            unsafe bytes.withUnsafeBytes { unsafe _ = cs_digest_update(handle, $0.baseAddress, $0.count) }
        }

        /// A part of a user's file, read in pieces.
        package mutating func add(
            _ file: InputFile, _ range: Range<Int>, each: () -> Void = {}
        ) throws(StorageFailure) {
            guard !range.isEmpty else { return }
            var buffer = [UInt8](repeating: 0, count: min(range.count, 1 << 18))
            var at = range.lowerBound
            while at < range.upperBound {
                let count = min(buffer.count, range.upperBound - at)
                try file.read(at: at, into: &buffer, count: count)
                add(buffer.span.bytes.extracting(0..<count))
                at += count
                each()
            }
        }

        package mutating func add(_ bytes: [UInt8]) { add(bytes.span.bytes) }
        package mutating func add(_ text: String) { add(Array(text.utf8)) }

        package consuming func finish() -> FileDigest {
            var out = [UInt8](repeating: 0, count: 32)
            unsafe _ = out.withUnsafeMutableBufferPointer { unsafe cs_digest_finish(handle, $0.baseAddress) }
            return FileDigest(finished: out)
        }
    }
}
