internal import Foundation
internal import Numbers

/// Names and times that the service gives out.
enum Identifier {
    private static let digits = Array("0123456789ABCDEFGHJKMNPQRSTVWXYZ".utf8)

    /// A ULID: 26 letters and digits, sorted by the time they were made, unique without asking anybody.
    static func make(at milliseconds: Int64 = Moment.now) -> String {
        var random = SystemRandomNumberGenerator()
        var text = [UInt8](repeating: 0, count: 26)
        var time = UInt64(max(0, milliseconds))
        for index in stride(from: 9, through: 0, by: -1) {
            text[index] = digits[Int(time & 31)]
            time >>= 5
        }
        for index in 10..<26 { text[index] = digits[Int(random.next() & 31)] }
        return String(decoding: text, as: UTF8.self)
    }

    /// The time in a name that `make` gave.
    static func milliseconds(_ id: String) -> Int64 {
        id.utf8.prefix(10).reduce(0) { sum, digit in sum << 5 | Int64(digits.firstIndex(of: digit) ?? 0) }
    }

    static func isOne(_ text: String) -> Bool { text.utf8.count == 26 && text.utf8.allSatisfy { digits.contains($0) } }
}

/// Wall time as milliseconds since 1970, UTC: for people and for the ledger. Intervals use `ContinuousClock`.
package enum Moment {
    package static var now: Int64 { Int64(Int(rounding: Date().timeIntervalSince1970 * 1000, clampedTo: 0 ... .max)) }

    /// `2026-11-24T01:02:03Z`.
    package static func text(_ milliseconds: Int64) -> String {
        Date(timeIntervalSince1970: Double(milliseconds) / 1000).formatted(.iso8601)
    }

    /// `2026-11-24`, the name of a day's folder.
    static func day(_ milliseconds: Int64) -> String { String(text(milliseconds).prefix(10)) }

    /// Whether a name is one that `day` gives.
    static func isDay(_ name: String) -> Bool {
        name.utf8.count == 10 && name.utf8.allSatisfy { "0123456789-".utf8.contains($0) }
    }
}

extension Duration {
    var milliseconds: Int64 { components.seconds * 1000 + components.attoseconds / 1_000_000_000_000_000 }
}
