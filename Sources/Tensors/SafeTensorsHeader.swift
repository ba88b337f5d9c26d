/// The header of a safetensors file: which tensors there are and where their bytes lie.
///
/// The header is JSON of a small kind: objects, arrays, strings and non-negative whole numbers. The parser here accepts that
/// and nothing else: no doubled key, no depth to speak of, no number that overflows.
///
/// *Source*: https://github.com/huggingface/safetensors, "Format".
struct SafeTensorsHeader {
    struct Entry {
        let type: ElementType
        let shape: Shape
        /// Bytes of the tensor, counted from the first byte after the header.
        let range: Range<Int>
    }

    /// A reason why the header is not accepted, completed to a `TensorFailure` by the reader, which knows the path.
    struct Problem: Error {
        let reason: String
    }

    private(set) var entries: [String: Entry] = [:]
    private(set) var metadata: [String: String] = [:]

    /// Longest header that is read; the format's own limit.
    static let longest = 100_000_000

    /// - Parameter dataCount: the bytes that follow the header; the tensors must cover them exactly, without gap or overlap.
    /// *Throws* `Problem`.
    init(json: UnsafeRawBufferPointer, dataCount: Int) throws(Problem) {
        var parser = Parser(json)
        guard case .object(let members) = try parser.document() else {
            throw Problem(reason: "the header is no JSON object")
        }
        for (name, value) in members {
            if name == "__metadata__" {
                metadata = try Self.strings(value)
            } else {
                entries[name] = try Self.entry(name, value)
            }
        }
        try checkLayout(dataCount)
    }

    private static func strings(_ value: Value) throws(Problem) -> [String: String] {
        guard case .object(let members) = value else { throw Problem(reason: "__metadata__ is no object") }
        var result: [String: String] = [:]
        for (key, value) in members {
            guard case .string(let text) = value else { throw Problem(reason: "__metadata__.\(key) is no string") }
            result[key] = text
        }
        return result
    }

    private static func entry(_ name: String, _ value: Value) throws(Problem) -> Entry {
        guard case .object(let members) = value, members.count == 3, case .string(let dtype)? = members["dtype"],
            case .array(let sizes)? = members["shape"], case .array(let offsets)? = members["data_offsets"],
            offsets.count == 2,
            case .number(let start) = offsets[0], case .number(let end) = offsets[1]
        else { throw Problem(reason: "tensor \"\(name)\" is not described by dtype, shape and two data_offsets") }
        guard let type = ElementType(rawValue: dtype) else {
            throw Problem(reason: "tensor \"\(name)\" has the unknown type \(dtype)")
        }
        guard sizes.count <= 16 else { throw Problem(reason: "tensor \"\(name)\" has \(sizes.count) dimensions") }
        var dimensions: [Int] = []
        var bytes = type.size
        for size in sizes {
            guard case .number(let size) = size else {
                throw Problem(reason: "tensor \"\(name)\" has a size that is no number")
            }
            let (product, overflow) = bytes.multipliedReportingOverflow(by: size)
            guard !overflow else { throw Problem(reason: "tensor \"\(name)\" is larger than memory can be") }
            dimensions.append(size)
            bytes = product
        }
        guard start <= end, end - start == bytes else {
            throw Problem(reason: "tensor \"\(name)\" has offsets \(start) to \(end) for \(bytes) bytes")
        }
        return Entry(type: type, shape: Shape(dimensions), range: start..<end)
    }

    /// The tensors follow one another and fill the data exactly, so that nothing overlaps and nothing is hidden between them.
    private func checkLayout(_ dataCount: Int) throws(Problem) {
        var position = 0
        for (name, entry) in entries.sorted(by: {
            ($0.value.range.lowerBound, $0.value.range.upperBound) < (
                $1.value.range.lowerBound, $1.value.range.upperBound
            )
        }) {
            guard entry.range.lowerBound == position else {
                let what = entry.range.lowerBound < position ? "overlaps another tensor" : "leaves a gap before it"
                throw Problem(reason: "tensor \"\(name)\" \(what) at byte \(entry.range.lowerBound)")
            }
            position = entry.range.upperBound
        }
        guard position == dataCount else {
            let what =
                position > dataCount
                ? "the file ends after \(dataCount) of \(position) bytes of tensors"
                : "\(dataCount - position) bytes follow the last tensor"
            throw Problem(reason: what)
        }
    }
}

extension SafeTensorsHeader {
    enum Value {
        case object([String: Value])
        case array([Value])
        case string(String)
        case number(Int)
    }

    /// A strict reader of the header's JSON.
    struct Parser {
        private let bytes: UnsafeRawBufferPointer
        private var position = 0

        init(_ bytes: UnsafeRawBufferPointer) { self.bytes = bytes }

        /// One value; only spaces may follow.
        mutating func document() throws(Problem) -> Value {
            let result = try value(depth: 0)
            skipSpace()
            guard position == bytes.count else { throw unexpected() }
            return result
        }

        private func unexpected() -> Problem {
            Problem(reason: "the header is not valid at byte \(position)")
        }

        private mutating func skipSpace() {
            while position < bytes.count, [0x20, 0x09, 0x0A, 0x0D].contains(bytes[position]) { position += 1 }
        }

        /// Skips space and takes the byte `expected` if it is next.
        private mutating func take(_ expected: Character) -> Bool {
            skipSpace()
            guard position < bytes.count, bytes[position] == expected.asciiValue else { return false }
            position += 1
            return true
        }

        private mutating func value(depth: Int) throws(Problem) -> Value {
            guard depth < 8 else { throw Problem(reason: "the header is nested too deep") }
            if take("{") { return .object(try members(depth: depth + 1)) }
            if take("[") { return .array(try elements(depth: depth + 1)) }
            if take("\"") { return .string(try text()) }
            return .number(try number())
        }

        private mutating func members(depth: Int) throws(Problem) -> [String: Value] {
            var result: [String: Value] = [:]
            if take("}") { return result }
            repeat {
                guard take("\"") else { throw unexpected() }
                let key = try text()
                guard take(":") else { throw unexpected() }
                guard result.updateValue(try value(depth: depth), forKey: key) == nil else {
                    throw Problem(reason: "the header names \"\(key)\" twice")
                }
            } while take(",")
            guard take("}") else { throw unexpected() }
            return result
        }

        private mutating func elements(depth: Int) throws(Problem) -> [Value] {
            var result: [Value] = []
            if take("]") { return result }
            repeat { result.append(try value(depth: depth)) } while take(",")
            guard take("]") else { throw unexpected() }
            return result
        }

        private mutating func number() throws(Problem) -> Int {
            let start = position
            var result = 0
            while position < bytes.count, case let digit = bytes[position], (0x30...0x39).contains(digit) {
                let (tens, overflow) = result.multipliedReportingOverflow(by: 10)
                let (sum, carry) = tens.addingReportingOverflow(Int(digit - 0x30))
                guard !overflow, !carry else { throw unexpected() }
                result = sum
                position += 1
            }
            guard position > start, position == start + 1 || bytes[start] != 0x30 else { throw unexpected() }
            return result
        }

        /// The rest of a string whose opening quote is taken.
        private mutating func text() throws(Problem) -> String {
            var units: [UInt8] = []
            while position < bytes.count {
                let byte = bytes[position]
                position += 1
                switch byte {
                case 0x22:
                    guard let text = String(validating: units, as: UTF8.self) else { throw unexpected() }
                    return text
                case 0x5C: units += try escape()
                case 0..<0x20: throw unexpected()
                default: units.append(byte)
                }
            }
            throw unexpected()
        }

        /// The character after a backslash, as UTF-8. Halves of surrogate pairs are refused: no tensor is named so.
        private mutating func escape() throws(Problem) -> [UInt8] {
            guard position < bytes.count else { throw unexpected() }
            defer { position += 1 }
            switch bytes[position] {
            case UInt8(ascii: "\""): return [0x22]
            case UInt8(ascii: "\\"): return [0x5C]
            case UInt8(ascii: "/"): return [0x2F]
            case UInt8(ascii: "b"): return [0x08]
            case UInt8(ascii: "f"): return [0x0C]
            case UInt8(ascii: "n"): return [0x0A]
            case UInt8(ascii: "r"): return [0x0D]
            case UInt8(ascii: "t"): return [0x09]
            case UInt8(ascii: "u"):
                guard position + 4 < bytes.count,
                    let digits = String(validating: bytes[(position + 1)...(position + 4)], as: UTF8.self),
                    digits.allSatisfy(\.isHexDigit), let code = UInt32(digits, radix: 16),
                    let scalar = Unicode.Scalar(code)
                else { throw unexpected() }
                position += 4
                return Array(String(Character(scalar)).utf8)
            default: throw unexpected()
            }
        }
    }
}
