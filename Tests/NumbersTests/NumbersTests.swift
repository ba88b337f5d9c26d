import Numbers
import Testing

@Suite("numbers")
struct NumbersTests {
    @Test(
        "a floating-point number becomes an integer only where one holds it",
        arguments: [
            (2.5, 3), (-2.5, -3), (0.49, 0), (1e20, nil), (-1e20, nil), (.nan, nil), (.infinity, nil), (9.3e18, nil),
        ] as [(Double, Int?)])
    func rounding(_ value: Double, _ expected: Int?) {
        #expect(Int(rounding: value) == expected)
    }

    @Test("clamped numbers stay in their range, NaN at its lower end")
    func clamping() {
        #expect(Int(rounding: 1e300, clampedTo: 0...255) == 255)
        #expect(Int(rounding: -1e300, clampedTo: 0...255) == 0)
        #expect(Int(rounding: Double.nan, clampedTo: 3...255) == 3)
        #expect(Int(rounding: 254.6, clampedTo: 0...255) == 255)
        #expect(Int(rounding: 12.0, in: 0...10) == nil)
        // The ends of what Int holds, between which a Double has no number for each.
        #expect(Int(rounding: 0x1p63) == nil && Int(rounding: -0x1p63) == .min && Int(rounding: Double.nan) == nil)
        #expect(Int(rounding: 0x1p63, clampedTo: .min ... .max) == .max)
        #expect(Int(rounding: Float(0x1p63), clampedTo: 0...16_777_217) == 16_777_217)
        #expect(Int(rounding: Float(-2.5), clampedTo: -9...9) == -3 && Int(rounding: Float.infinity) == nil)
    }

    @Test("a grey level is rounded half up and never leaves 0 to 255")
    func grey() {
        let levels: [(Float, UInt8)] = [
            (-1, 0), (0.49, 0), (0.5, 1), (127.5, 128), (254.49, 254), (254.5, 255), (255.4, 255), (1e30, 255),
            (-.infinity, 0),
            (.infinity, 255), (.nan, 0),
        ]
        for (level, expected) in levels { #expect(UInt8(grey: level) == expected, "\(level)") }
    }

    @Test(
        "people read three digits, and every number of a file has a text",
        arguments: [
            (0, "0"), (0.12345, "0.123"), (1.2345, "1.23"), (12.345, "12.3"), (123.45, "123"),
            (12345.6, "12\u{202F}346"),
            (-0.5, "-0.5"), (1e20, "1.0e20"), (-3.4e38, "-3.4e38"), (0.000012, "1.2e-5"), (.nan, "unknown"),
            (.infinity, "unknown"),
            (.greatestFiniteMagnitude, "1.8e308"), (.leastNonzeroMagnitude, "4.94e-324"), (99.96, "100"), (9.999, "10"),
        ] as [(Double, String)])
    func short(_ value: Double, _ expected: String) {
        #expect(NumberText.short(value) == expected)
    }

    @Test("the random sequence is the published one")
    func sequence() {
        var random = SplitMix64(seed: 1234567)
        #expect(random.next() == 6457827717110365317)
        #expect(random.next() == 3203168211198807973)
    }
}
