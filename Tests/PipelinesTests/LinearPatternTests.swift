import Pipelines
import Testing

@Suite("LinearPattern")
struct LinearPatternTests {
    @Test(
        "it matches as a regular expression does",
        arguments: [
            ("^hspsam phantom ", "hspsam phantom body", true), ("^hspsam phantom ", "a hspsam phantom body", false),
            ("(?i)portal|venous", "CT PORTALVENOES", true), ("portal|venous", "CT PORTAL", false),
            ("a.c$", "xabc", true), ("a.c$", "abcd", false), ("^(ab)+$", "ababab", true), ("^(ab)+$", "aba", false),
            ("[a-c]x?[^0-9]", "bz", true), ("^[a-c]x?[^0-9]$", "b5", false), ("\\d\\d\\.", "T1 12.5", true),
            ("^x*$", "", true), ("lung|bone", "Lunge", false), ("a(b|c|)d", "ad", true),
            ("^\\w+\\s\\w+$", "two words", true), ("(?i)^\\D+$", "abc", true), ("(?i)^\\D+$", "a1", false),
            ("(?i)[^a]", "AAA", false), ("(?i)[x-z]9\\S", "Y9!", true), ("(?i)STRASSE", "strasse", true),
            ("(?i)größe", "GRÖSSE", false), ("(?i)É", "é", true), ("^\\W\\S$", "!a", true),
        ])
    func matching(pattern: String, text: String, expected: Bool) throws {
        #expect(try LinearPattern(pattern).matches(text) == expected)
    }

    @Test("a pattern that holds up backtracking engines ends at once", .timeLimit(.minutes(60)))
    func hostile() throws {
        #expect(!(try LinearPattern("^(a*)*$").matches(String(repeating: "a", count: 1000) + "b")))
    }

    @Test(
        "a broken pattern says what is wrong",
        arguments: ["(ab", "ab)", "[ab", "*a", "a{3}", "a\\", "(?=a)", "[b-a]", "[\\D]", "(?i)\\B"])
    func broken(pattern: String) {
        #expect(throws: LinearPattern.Problem.self) { try LinearPattern(pattern) }
    }
}
