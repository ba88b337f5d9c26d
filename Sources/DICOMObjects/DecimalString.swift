/// Numbers as DS writes them: at most 16 characters (PS3.5 6.2).
package enum DecimalString {
    /// The shortest text that reads back as `value`; rounded to as many digits as 16 characters hold when that is longer.
    /// Nil for what is not finite.
    package static func text(_ value: Double) -> String? {
        guard value.isFinite else { return nil }
        if value == 0 { return "0" }
        let (digits, point) = decimal(value.magnitude)
        let sign = value < 0 ? "-" : ""
        for count in stride(from: digits.count, to: 0, by: -1) {
            let (rounded, shifted) = round(digits, to: count, point: point)
            let candidates = [plain(rounded, point: shifted), scientific(rounded, point: shifted)].compactMap { $0 }
            if let text = candidates.first(where: { sign.utf8.count + $0.utf8.count <= 16 }) { return sign + text }
        }
        return nil
    }

    /// Significant digits d₁d₂… and the place of the point: value = 0.d₁d₂… · 10^point. From Swift's shortest description.
    private static func decimal(_ value: Double) -> (digits: [UInt8], point: Int) {
        let parts = value.description.utf8.split(separator: UInt8(ascii: "e"))
        let mantissa = parts[0].split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
        let exponent = parts.count > 1 ? Int(String(decoding: parts[1], as: UTF8.self)) ?? 0 : 0
        var digits = (Array(mantissa[0]) + (mantissa.count > 1 ? Array(mantissa[1]) : [])).map { $0 - 48 }
        var point = mantissa[0].count + exponent
        while digits.count > 1, digits[0] == 0 {
            digits.removeFirst()
            point -= 1
        }
        while digits.count > 1, digits.last == 0 { digits.removeLast() }
        return (digits, point)
    }

    /// Half up, in decimal.
    private static func round(_ digits: [UInt8], to count: Int, point: Int) -> ([UInt8], Int) {
        guard count < digits.count else { return (digits, point) }
        var kept = Array(digits[..<count])
        var point = point
        if digits[count] >= 5 {
            var index = count - 1
            while index >= 0, kept[index] == 9 {
                kept[index] = 0
                index -= 1
            }
            if index >= 0 {
                kept[index] += 1
            } else {
                kept.insert(1, at: 0)
                point += 1
            }
        }
        while kept.count > 1, kept.last == 0 { kept.removeLast() }
        return (kept, point)
    }

    private static func text(_ digits: some Sequence<UInt8>) -> String {
        String(decoding: digits.map { $0 + 48 }, as: UTF8.self)
    }

    private static func plain(_ digits: [UInt8], point: Int) -> String? {
        guard point > -12, point <= 16 else { return nil }
        if point <= 0 { return "0." + String(repeating: "0", count: -point) + text(digits) }
        if point >= digits.count { return text(digits) + String(repeating: "0", count: point - digits.count) }
        return text(digits[..<point]) + "." + text(digits[point...])
    }

    private static func scientific(_ digits: [UInt8], point: Int) -> String {
        let fraction = digits.count > 1 ? "." + text(digits[1...]) : ""
        return text(digits[..<1]) + fraction + "E\(point - 1)"
    }
}
