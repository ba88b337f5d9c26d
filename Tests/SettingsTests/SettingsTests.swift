import Failures
import Settings
import Testing

@Suite("settings: strict, with file and line")
struct SettingsTests {
    private func read<Value>(_ text: String, _ body: (Section) throws -> Value) throws -> Value {
        try Section.read(Array(text.utf8), file: "site.yaml", body)
    }

    /// The line that a person sees.
    private func complaint(_ text: String, _ body: (Section) throws -> Void) -> String {
        do {
            try read(text, body)
            return "none"
        } catch { return "\(error)" }
    }

    private enum Mode: String, CaseIterable { case quiet, ready }

    @Test("a file gives its values, with defaults for what is absent")
    func values() throws {
        let text = """
            inbox: {path: /in, scan: 5s}   # a comment
            reserve: 20GiB
            on: true
            factor: -1.5e-3
            count: 7
            mode: ready
            "quoted": "30"
            colours: [221, 130, 101]
            rules:
              - {names: [CT, ""]}
              - names: []
            nothing: ~
            """
        try read(text) { root in
            let inbox = try root.section("inbox")
            #expect(try inbox.string("path") == "/in")
            #expect(try inbox.duration("scan") == .seconds(5))
            #expect(try inbox.duration("quiet", default: .seconds(60)) == .seconds(60))
            #expect(try root.size("reserve") == 20 << 30)
            #expect(try root.bool("on"))
            #expect(try root.double("factor") == -0.0015)
            #expect(try root.int("count", in: 0...7) == 7)
            #expect(try root.choice("mode", default: Mode.quiet) == .ready)
            #expect(try root.string("quoted") == "30")
            #expect(try root.ints("colours", count: 3...3) == [221, 130, 101])
            #expect(try root.sections("rules").map { try $0.strings("names") } == [["CT", ""], []])
            #expect(try root.optionalString("nothing") == nil)
            #expect(try root.section("absent").string("x", default: "y") == "y")
        }
    }

    @Test("a byte-order mark in front, as editors write it, is no part of the file")
    func byteOrderMark() throws {
        #expect(try read("\u{FEFF}a: 1\nb: 2\n") { try ($0.int("a", in: 0...9), $0.int("b", in: 0...9)) } == (1, 2))
    }

    @Test("an unknown key is refused with its line and the nearest known one, at any depth")
    func unknown() {
        #expect(
            complaint("a: 1\nsettle:\n  quite: 60s\n") { root in
                _ = try root.int("a")
                _ = try root.section("settle").duration("quiet", default: .seconds(1))
            } == #"SET-UNKNOWN site.yaml:3: "settle.quite": unknown key. Did you mean "quiet"?"#)
        #expect(
            complaint("list: [{x: 1}, {y: 2}]") { root in
                for item in try root.sections("list") { _ = try item.optionalInt("x") }
            }
            .hasPrefix(#"SET-UNKNOWN site.yaml:1: "list[1].y": unknown key."#))
        #expect(complaint("zebra: 1") { _ in }.contains("no keys are expected here"))
    }

    @Test("a required key that is misspelt is told as misspelt, one that is absent as missing")
    func missing() {
        #expect(
            complaint("paht: /in") { _ = try $0.string("path") }
                == #"SET-UNKNOWN site.yaml:1: "paht": unknown key. Did you mean "path"?"#)
        #expect(
            complaint("a: 1") { _ = try $0.string("path") }.hasPrefix(
                #"SET-MISSING site.yaml:1: "path": the key is missing"#))
    }

    @Test("a rule that is broken because its key is misspelt tells the slip, not the rule")
    func misspeltRule() {
        func broken(_ text: String) -> String {
            complaint(text) { root in
                _ = try root.sections("data")
                throw root.failure("SET-EMPTY", at: "data", "the list is empty.", cure: "Name a data set.")
            }
        }
        #expect(
            broken("seed: 1\ndaten: [{folder: a}]")
                == #"SET-UNKNOWN site.yaml:2: "daten": unknown key. Did you mean "data"?"#)
        #expect(broken("data: []\ndaten: [{folder: a}]").hasPrefix("SET-EMPTY site.yaml:1"))
        #expect(broken("seed: 1").hasPrefix("SET-EMPTY site.yaml:1"))
    }

    @Test(
        "a value of the wrong kind or size is refused with its line and what would be right",
        arguments: [
            ("5", "SET-TYPE", "30s"), ("5 s", "SET-TYPE", "30s"), ("[5s]", "SET-TYPE", "a list"),
            ("soon", "SET-TYPE", "\"soon\""),
            ("99999999999999999999d", "SET-TYPE", "30s"), ("9999999999999999d", "SET-TYPE", "30s"),
            ("2h", "SET-RANGE", "0s to 60s"),
        ])
    func wrong(value: String, code: String, hint: String) {
        let line = complaint("\n\nquiet: \(value)") { _ = try $0.duration("quiet", in: .zero ... .seconds(60)) }
        #expect(line.hasPrefix(code + " site.yaml:3: ") && line.contains(hint), "\(line)")
    }

    @Test("numbers and truth values must be plain", arguments: ["\"1\"", "yes", "0x10", "1_000", ".inf", "1.5", "nan"])
    func plain(value: String) {
        #expect(complaint("k: \(value)") { _ = try $0.int("k") }.hasPrefix("SET-TYPE"))
        #expect(complaint("k: \(value)") { _ = try $0.bool("k") }.hasPrefix("SET-TYPE"))
    }

    @Test(
        "what is not our YAML is refused with its line",
        arguments: [
            ("a: 1\nb: 2\na: 3\n", "second time"), ("a: &x 1\n", "anchor"), ("a: &x 1\nb: *x\n", "a"),
            ("a: !!str 1\n", "tag"), ("a: !!int \"1\"\n", "tag"), ("a: !x [1]\n", "tag"), ("a: !!set {b: 1}\n", "tag"),
            ("!!int a: 1\n", "tag"), ("a: [1, !!binary eA==]\n", "tag"), ("a: [1, 2\n", "not YAML"),
            ("a: 1\n\tb: 2", "not YAML"), ("- 1\n", "keys with values"), ("just text", "keys with values"),
            ("a: 1\n---\nb: 2\n", "not YAML"), ("? [x]\n: 1\n", "key"),
            (String(repeating: "[", count: 100_000), "nested"), (String(repeating: "- ", count: 100_000), "nested"),
            (String(repeating: "? ", count: 100_000), "nested"),
            (String(repeating: " ", count: 1 << 20) + "a", "1 MiB"),
        ])
    func notOurs(text: String, hint: String) {
        let line = complaint(text) { _ in }
        #expect(line.hasPrefix("SET-") && line.contains("site.yaml:") && line.contains(hint), "\(line)")
    }

    @Test("texts in quotation marks and blocks are taken, as values, in lists and as keys")
    func quoted() throws {
        let text = try read("\"a\": \"1\"\n'b': ['x', y]\nc: |\n  two\n  lines\n") { root in
            [try root.string("a")] + (try root.optionalStrings("b") ?? []) + [try root.string("c")]
        }
        #expect(text == ["1", "x", "y", "two\nlines\n"])
    }

    @Test("bytes that are not UTF-8 and an empty file")
    func bytes() throws {
        #expect(throws: SettingsFailure.self) { try Section.read([0x61, 0xFF], file: "f") { _ in } }
        #expect(try read("# nothing\n") { try $0.int("a", default: 4) } == 4)
    }

    @Test("a rule of the reader's own is told at its key's line")
    func rule() {
        let line = complaint("a: 1\nb: 2\n") { root in
            throw root.failure("PIPE-SEGMENT", at: "b", "no category.", cure: "Add one.")
        }
        #expect(line == "PIPE-SEGMENT site.yaml:2: no category. Add one.")
    }

    @Test(
        "what somebody typed stands in the subject alone: keys, values, the file's name",
        arguments: [
            "CANARY: 1", "k: CANARY", "k: [CANARY]", "k: {CANARY: 1}", "k: 99999", "l: CANARY", "CANARY",
            "k: 1\nk: CANARY",
        ])
    func subject(text: String) throws {
        do {
            try Section.read(Array(text.utf8), file: "CANARY.yaml") { root in
                _ = try root.optionalInt("k", in: 0...9)
                if try root.optionalString("l") != nil {
                    throw root.failure("RULE", at: "l", found: "CANARY", "so.", cure: "")
                }
            }
            Issue.record("nothing was thrown")
        } catch let failure as SettingsFailure {
            #expect(failure.text.contains("CANARY"))
            #expect(!failure.message.withoutSubject.contains("CANARY"), "\(failure.message)")
        }
    }
}
