/// Numbers as people read them: one rule for messages, reports, pages and terminals. No value of a file can trap here.
package enum NumberText {
    /// Three significant digits from 0.001 to 999, whole numbers in groups of three from 1000 on; very small and very large ones with an
    /// exponent; `unknown` for what is not finite.
    package static func short(_ value: Double) -> String {
        guard value.isFinite else { return "unknown" }
        let magnitude = value.magnitude
        if magnitude == 0 { return "0" }
        guard magnitude >= 0.001, magnitude < 1e12 else { return exponential(value) }
        if let whole = Int(rounding: value), magnitude >= 99.95 { return grouped(whole) }
        return fixed(value, magnitude >= 9.995 ? 1 : magnitude >= 0.9995 ? 2 : 3)
    }

    /// With at most that many decimals (0…9), zeros at the end left away; `unknown` for what is not finite.
    package static func fixed(_ value: Double, _ decimals: Int) -> String {
        guard value.isFinite else { return "unknown" }
        guard value.magnitude < 1e12 else { return exponential(value) }
        let text = "\(value.rounded(decimals: decimals))"
        return text.hasSuffix(".0") ? String(text.dropLast(2)) : text
    }

    /// Digits in groups of three, with a thin space that does not break.
    package static func grouped(_ value: Int) -> String {
        var digits = String(value.magnitude)
        var groups: [String] = []
        while digits.count > 3 {
            groups.insert(String(digits.suffix(3)), at: 0)
            digits.removeLast(3)
        }
        return (value < 0 ? "−" : "") + ([digits] + groups).joined(separator: "\u{202F}")
    }

    /// `2 files`, `1 file`
    package static func plural(_ count: Int, _ one: String) -> String {
        "\(grouped(count)) \(one)\(count == 1 ? "" : "s")"
    }

    /// `1.23e20`
    private static func exponential(_ value: Double) -> String {
        var exponent = 0
        var mantissa = value
        while mantissa.magnitude >= 10 { (mantissa, exponent) = (mantissa / 10, exponent + 1) }
        while mantissa.magnitude < 1 { (mantissa, exponent) = (mantissa * 10, exponent - 1) }
        return "\(mantissa.rounded(decimals: 2))e\(exponent)"
    }
}

extension Double {
    /// Half away from zero at a number of decimals (0…15), so that JSON holds 12.34 and not 12.340000000000002; unchanged where that
    /// would leave the range of numbers.
    package func rounded(decimals: Int) -> Double {
        let scale = (0..<decimals).reduce(1.0) { scale, _ in scale * 10 }
        let result = (self * scale).rounded() / scale
        return result.isFinite ? result : self
    }

    /// Without the noise of computing, so that 2.41 is written and not 2.41000000000002: six decimals, more where the number is below 1
    /// and has its first digit later.
    package var withoutNoise: Double { rounded(decimals: 6, orDigits: 6) }
}
