import Foundation
import Testing

private let root = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "../..").standardizedFileURL

private struct Source {
    /// From the root of the project.
    let path: String
    let room: String
    /// Without comments and without the text of strings, so that rules see code alone.
    let code: String
    let lines: [Substring]
}

private func sources(_ endings: Set<String>) throws -> [Source] {
    let folder = root.appending(path: "Sources")
    let all = FileManager.default.enumerator(at: folder, includingPropertiesForKeys: nil)?.allObjects as? [URL] ?? []
    return try all.filter { endings.contains($0.pathExtension) }.sorted { $0.path < $1.path }.map { file in
        let path = String(file.path.dropFirst(root.path.count + 1))
        let text = try String(contentsOf: file, encoding: .utf8)
        let code = text.split(separator: "\n", omittingEmptySubsequences: false).map { line in
            line.drop { $0 == " " }.hasPrefix("//") ? "" : line.replacing(/"(?:[^"\\]|\\.)*"/, with: "\"\"")
        }
        return Source(
            path: path, room: path.split(separator: "/").dropFirst().first.map(String.init) ?? "",
            code: code.joined(separator: "\n"), lines: text.split(separator: "\n", omittingEmptySubsequences: false))
    }
}

/// The argument of each call that `head` finds, up to its closing parenthesis.
private func arguments(of head: Regex<Substring>, in code: String) -> [Substring] {
    code.ranges(of: head).compactMap { range in
        var depth = 1
        var at = range.upperBound
        while at < code.endIndex, depth > 0 {
            if code[at] == "(" { depth += 1 }
            if code[at] == ")" { depth -= 1 }
            at = code.index(after: at)
        }
        return depth == 0 ? code[range.upperBound..<code.index(before: at)] : nil
    }
}

@Suite("rules that every source follows")
struct SourceRulesTests {
    /// `Int(x)` of a floating-point `x` ends the program where `x` is 1e20 or NaN, and files hold such numbers.
    @Test("floating-point numbers become integers by the checked conversions of Numbers alone")
    func conversions() throws {
        let head = try Regex<Substring>("\\bU?Int(?:8|16|32|64)?\\(")
        let isFloating = /\.rounded\(|\.squareRoot\(|\b(?:Double|Float)\(|\b\d+\.\d|\bpow\(|\bfloor\(|\bceil\(/
        let isChecked = /^\s*(?:rounding|exactly|clamping|truncatingIfNeeded|bitPattern|bigEndian|littleEndian):/
        for source in try sources(["swift"]) where source.room != "Numbers" {
            for argument in arguments(of: head, in: source.code) where argument.firstMatch(of: isChecked) == nil {
                #expect(argument.firstMatch(of: isFloating) == nil, "\(source.path): Int(\(argument))")
            }
        }
    }

    @Test("nothing writes by FileHandle, which ends the program on a closed pipe")
    func writing() throws {
        let write = /FileHandle\.standard(?:Output|Error)|\bfileHandle\w*\.write\(|\bhandle\.write\(/.ignoresCase()
        for source in try sources(["swift"]) {
            #expect(source.code.firstMatch(of: write) == nil, "\(source.path)")
        }
    }

    @Test("rooms below the program print nothing, and nobody ends the process but the program itself")
    func printing() throws {
        let calls = /(?:^|[^\w.])(?:print|debugPrint|dump|exit|abort|_exit|quick_exit)\(/
        for source in try sources(["swift"]) where source.room != "hspsam" && source.room != "Processes" {
            #expect(source.code.firstMatch(of: calls) == nil, "\(source.path)")
        }
    }

    /// `docs/changes.md` tells how it was.
    @Test("every code that the program says stands in docs/, itself or in a family (`FILE-…`) of docs/messages.md")
    func codes() throws {
        let docs = root.appending(path: "docs")
        let pages = try FileManager.default.contentsOfDirectory(at: docs, includingPropertiesForKeys: nil)
            .filter { $0.pathExtension == "md" && $0.lastPathComponent != "changes.md" }
        let texts = try pages.map { try String(contentsOf: $0, encoding: .utf8) }
        let words = Set(texts.flatMap { $0.matches(of: /[A-Z][A-Z0-9]+(?:-[A-Z0-9]+)*/).map(\.output) })
        let messages = try String(contentsOf: docs.appending(path: "messages.md"), encoding: .utf8)
        let families = Set(messages.matches(of: /([A-Z]+)-…/).map(\.output.1))
        let literal = /"([A-Z][A-Z0-9]+(?:-[A-Z0-9]+)+)"|code: "([A-Z]{2,})"/
        var found = 0
        for source in try sources(["swift"]) {
            for line in source.lines where !line.drop(while: { $0 == " " }).hasPrefix("//") {
                for match in line.matches(of: literal) {
                    guard let code = match.output.1 ?? match.output.2 else { continue }
                    found += 1
                    let isTold = words.contains(code) || families.contains(code.prefix { $0 != "-" })
                    #expect(isTold, "\(source.path) says \(code), and no page of docs/ says what that means")
                }
            }
        }
        #expect(found > 300)
    }

    @Test("forced unwrapping and forced tries are rules of the formatting that every test run checks")
    func unwrapping() throws {
        let data = try Data(contentsOf: root.appending(path: ".swift-format"))
        let settings = try JSONSerialization.jsonObject(with: data) as? [String: Any]
        let rules = settings?["rules"] as? [String: Bool] ?? [:]
        for rule in ["NeverForceUnwrap", "NeverUseForceTry", "NeverUseImplicitlyUnwrappedOptionals"] {
            #expect(rules[rule] == true, "\(rule)")
        }
        let makefile = try String(contentsOf: root.appending(path: "Makefile"), encoding: .utf8)
        #expect(makefile.contains(/\ntest: lint\b/) && makefile.contains("swift format lint --strict"))
        for source in try sources(["swift"]) {
            #expect(!source.lines.contains { $0.contains("swift-format-ignore") }, "\(source.path)")
        }
    }

    @Test("whoever says @unchecked Sendable proves it in a comment above")
    func sendable() throws {
        for source in try sources(["swift"]) {
            for (number, line) in source.lines.enumerated() where line.contains("@unchecked Sendable") {
                let above = source.lines[max(0, number - 12)..<number]
                #expect(above.contains { $0.drop { $0 == " " }.hasPrefix("//") }, "\(source.path):\(number + 1)")
            }
        }
    }

    @Test("C and C++ use no function that cannot be told the size of its target, and never end the process")
    func unboundedC() throws {
        let calls =
            /\b(?:strcpy|strcat|sprintf|vsprintf|gets|alloca|scanf|sscanf|abort|exit|system|popen|mktemp|tmpnam)\s*\(/
        for source in try sources(["c", "cpp", "h", "hpp", "inc"]) {
            #expect(source.code.firstMatch(of: calls) == nil, "\(source.path)")
        }
    }

    @Test("a page that a source names stands in docs/: nobody is sent to one that they do not have")
    func pages() throws {
        // An option's example, and a page of nnU-Net.
        let foreign = ["tables.md", "documentation/dataset_format.md"]
        for source in try sources(["swift", "c", "cpp", "h", "hpp", "inc"]) {
            for line in source.lines {
                let names = line.matches(of: /[\w\/-]+\.md\b/).map { String($0.output) }
                for name in names where !foreign.contains(name) {
                    let isThere = FileManager.default.fileExists(atPath: root.appending(path: name).path)
                    #expect(name.hasPrefix("docs/") && isThere, "\(source.path): \(name)")
                }
            }
        }
    }

    @Test("no source is unfinished: no TODO, no FIXME")
    func unfinished() throws {
        for source in try sources(["swift", "c", "cpp", "h", "hpp", "inc"]) {
            #expect(!source.lines.contains { $0.contains(/\b(?:TODO|FIXME|XXX)\b/) }, "\(source.path)")
        }
    }
}
