/// Named values as bytes that never change: what every identity in this program is the SHA-256 of.
///
/// Each field is written as `name=length:value\n`, in the order of the calls; a list as its count and its elements, a nested
/// record between its own braces. Numbers are written so that equal values have equal bytes on every machine. Nothing comes
/// from Swift's descriptions of types or enum cases: a renamed case changes no digest, and a recorded digest is a test.
///
///     var fields = CanonicalEncoding("hspsam pipeline 1")
///     fields.add("name", pipeline.name)
///     fields.digest.hex
package struct CanonicalEncoding: Sendable {
    /// The bytes so far.
    package private(set) var bytes: [UInt8] = []

    /// - Parameter domain: what is encoded and in which revision: records of different domains never share a digest.
    package init(_ domain: String) { add("domain", domain) }

    /// A text, as UTF-8.
    package mutating func add(_ name: String, _ value: String) {
        bytes += Array("\(name)=\(value.utf8.count):".utf8)
        bytes += Array(value.utf8)
        bytes.append(0x0A)
    }

    package mutating func add(_ name: String, _ value: Int) { add(name, String(value)) }
    /// `yes` or `no`.
    package mutating func add(_ name: String, _ value: Bool) { add(name, value ? "yes" : "no") }

    /// By its bits, 16 hexadecimal digits; -0 as 0.
    package mutating func add(_ name: String, _ value: Double) {
        let digits = String((value == 0 ? 0 : value).bitPattern, radix: 16)
        add(name, String(repeating: "0", count: 16 - digits.count) + digits)
    }

    package mutating func add(_ name: String, _ values: [String]) { list(name, values) { $0.add("item", $1) } }
    package mutating func add(_ name: String, _ values: [Int]) { list(name, values) { $0.add("item", $1) } }
    package mutating func add(_ name: String, _ values: [Double]) { list(name, values) { $0.add("item", $1) } }

    /// An absent value is told from every present one.
    package mutating func add<Value>(
        _ name: String, optional value: Value?, _ body: (inout CanonicalEncoding, Value) -> Void
    ) {
        list(name, value.map { [$0] } ?? [], body)
    }

    /// A list of records or values, in its order.
    package mutating func list<Value>(
        _ name: String, _ values: [Value], _ body: (inout CanonicalEncoding, Value) -> Void
    ) {
        add(name, values.count)
        for value in values {
            bytes += Array("{\n".utf8)
            body(&self, value)
            bytes += Array("}\n".utf8)
        }
    }

    /// The SHA-256 of all fields so far.
    package var digest: FileDigest { FileDigest(of: bytes) }
}
