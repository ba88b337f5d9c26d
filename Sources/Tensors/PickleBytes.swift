/// The bytes of a pickle, taken from front to back. *Throws* `.truncated` where they end too early.
struct PickleBytes {
    private let bytes: UnsafeRawBufferPointer
    var count: Int { bytes.count }
    /// The next byte.
    private(set) var position: Int

    init(_ bytes: UnsafeRawBufferPointer, from position: Int) {
        self.bytes = bytes
        self.position = position
    }

    mutating func byte() throws(Pickle.Problem) -> UInt8 { try take(1)[0] }

    mutating func take(_ count: Int) throws(Pickle.Problem) -> UnsafeRawBufferPointer {
        guard count >= 0, count <= bytes.count - position else { throw .truncated }
        defer { position += count }
        return UnsafeRawBufferPointer(rebasing: bytes[position..<position + count])
    }

    /// A little-endian number of up to eight bytes; one that does not fit is beyond the file anyway.
    mutating func number(_ size: Int) throws(Pickle.Problem) -> Int {
        let value = try take(size).reversed().reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
        guard let number = Int(exactly: value) else { throw .truncated }
        return number
    }

    mutating func text(_ count: Int) throws(Pickle.Problem) -> String {
        guard let text = String(validating: try take(count), as: UTF8.self) else {
            throw .malformed("a text is not UTF-8")
        }
        return text
    }

    mutating func line() throws(Pickle.Problem) -> String {
        let start = position
        while try byte() != 0x0A {}
        guard let text = String(validating: bytes[start..<position - 1], as: UTF8.self) else {
            throw .malformed("a name is not UTF-8")
        }
        return text
    }

    /// A two's-complement number of any length.
    static func long(_ bytes: UnsafeRawBufferPointer) -> Pickle.Value {
        guard bytes.count <= 8 else { return .long([UInt8](bytes)) }
        let negative = (bytes.last ?? 0) & 0x80 != 0
        var value: UInt64 = negative ? .max : 0
        for byte in bytes.reversed() { value = value << 8 | UInt64(byte) }
        return .int(Int(bitPattern: UInt(value)))
    }
}
