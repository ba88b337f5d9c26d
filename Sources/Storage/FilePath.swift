/// A path as the system keeps it: bytes, whatever they mean as text. Names that are not UTF-8 can be opened and told apart.
package struct FilePath: Sendable, Hashable, Comparable, CustomStringConvertible {
    package let bytes: [UInt8]

    package init(_ text: String) { bytes = Array(text.utf8) }
    package init(bytes: [UInt8]) { self.bytes = bytes }

    /// The path for people and records: as it is where it is UTF-8 without control characters, otherwise each other byte as
    /// `\xNN` (`M\xFCller.dcm` for a name in Latin-1). Never to be opened: two paths may rarely read alike.
    package var text: String {
        if let text = String(validating: bytes, as: UTF8.self), !text.unicodeScalars.contains(where: Self.isControl) {
            return text
        }
        var told = ""
        var rest = bytes[...]
        while let first = rest.first {
            // The longest character that begins here.
            let character = (1...4).reversed().lazy.compactMap { count in
                String(validating: rest.prefix(count), as: UTF8.self)
            }.first { $0.unicodeScalars.count == 1 && !$0.unicodeScalars.contains(where: Self.isControl) }
            if let character {
                told += character
                rest.removeFirst(character.utf8.count)
            } else {
                let digits = String(first, radix: 16, uppercase: true)
                told += "\\x" + (digits.utf8.count == 1 ? "0" : "") + digits
                rest.removeFirst()
            }
        }
        return told
    }

    package var description: String { text }

    /// The last name.
    package var name: FilePath { FilePath(bytes: Array(bytes[nameStart...])) }

    /// The folder it stands in, empty for a single name.
    package var folder: FilePath {
        let slash = nameStart - 1
        return FilePath(bytes: slash < 0 ? [] : slash == 0 ? [Self.slash] : Array(bytes[..<slash]))
    }

    /// `self/other`, with one slash between them.
    package func appending(_ other: FilePath) -> FilePath {
        if bytes.isEmpty { return other }
        return FilePath(bytes: bytes + (bytes.last == Self.slash ? [] : [Self.slash]) + other.bytes)
    }

    package func appending(_ name: String) -> FilePath { appending(FilePath(name)) }

    /// The same with `text` behind its last name.
    package func extended(_ text: String) -> FilePath { FilePath(bytes: bytes + Array(text.utf8)) }

    /// By bytes, as folders are listed.
    package static func < (a: FilePath, b: FilePath) -> Bool { a.bytes.lexicographicallyPrecedes(b.bytes) }

    /// Calls `body` with the path as C takes it.
    package func withCString<Result>(_ body: (UnsafePointer<CChar>) -> Result) -> Result {
        let terminated = bytes.map { CChar(bitPattern: $0) } + [0]
        return unsafe terminated.withUnsafeBufferPointer { buffer in
            guard let address = buffer.baseAddress else { preconditionFailure("FilePath: an array with an element") }
            return unsafe body(address)
        }
    }

    private static let slash = UInt8(ascii: "/")

    private var nameStart: Int { bytes.lastIndex(of: Self.slash).map { $0 + 1 } ?? 0 }

    private static func isControl(_ scalar: Unicode.Scalar) -> Bool {
        scalar.value < 32 || (127..<160).contains(scalar.value)
    }
}
