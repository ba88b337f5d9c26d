internal import Failures
internal import Yams

/// A YAML value and the line it begins on.
struct Node: Sendable {
    enum Content: Sendable {
        case null
        /// `plain`: written without quotation marks, so it may be a number or a truth value.
        case scalar(String, plain: Bool)
        case list([Node])
        case section([Pair])
    }

    struct Pair: Sendable {
        let key: String
        let line: Int
        let value: Node
    }

    let line: Int
    let content: Content

    /// How a message names the value.
    var shown: String {
        switch content {
        case .null: "empty"
        case .scalar(let text, _): quoted(text)
        case .list: "a list"
        case .section: "a section"
        }
    }
}

/// Reads the strict part of YAML that we allow: one document of sections, lists and scalars, no anchors, aliases or tags.
struct NodeReader {
    static let largestFile = 1 << 20
    /// Levels of sections and lists. Yams reads recursively, so depth is limited before it starts.
    static let deepest = 64

    let file: String

    func read(_ bytes: [UInt8]) throws(SettingsFailure) -> Node {
        guard bytes.count <= Self.largestFile else {
            throw .notReadable(
                place: place(1), reason: "the file has \(bytes.count) bytes, more than 1 MiB. Make it smaller.")
        }
        guard let text = String(validating: bytes, as: UTF8.self) else {
            throw .notReadable(place: place(1), reason: "the file is not UTF-8 text. Save it as UTF-8.")
        }
        try checkDepth(bytes)
        do {
            // Nodes hold their anchors weakly: they are seen only while the parser lives.
            let parser = try Yams.Parser(yaml: text, resolver: .basic)
            defer { withExtendedLifetime(parser) {} }
            guard let root = try parser.singleRoot() else { return Node(line: 1, content: .section([])) }
            return try node(root)
        } catch let failure as SettingsFailure {
            throw failure
        } catch let error as YamlError {
            throw .syntax(place: place(Self.line(of: error)), reason: Self.reason(of: error))
        } catch {
            throw .syntax(place: place(1), reason: "this is not YAML. Check the indentation.")
        }
    }

    /// Flow brackets open at once, and block levels begun on one line, are counted by bytes: an overestimate that
    /// no real settings file comes near.
    private func checkDepth(_ bytes: [UInt8]) throws(SettingsFailure) {
        var open = 0
        var leading = 0
        var atStart = true
        var line = 1
        for byte in bytes {
            switch byte {
            case UInt8(ascii: "\n"):
                (line, leading, atStart) = (line + 1, 0, true)
            case UInt8(ascii: "["), UInt8(ascii: "{"):
                open += 1
                atStart = false
            case UInt8(ascii: "]"), UInt8(ascii: "}"):
                open = max(0, open - 1)
                atStart = false
            case UInt8(ascii: " "), UInt8(ascii: "-"), UInt8(ascii: "?"), UInt8(ascii: ":"), UInt8(ascii: "\t"):
                if atStart { leading += 1 }
            default:
                atStart = false
            }
            if open > Self.deepest || leading > 2 * Self.deepest {
                throw .syntax(place: place(line), reason: "nested deeper than \(Self.deepest) levels. Flatten it.")
            }
        }
    }

    private func node(_ found: Yams.Node) throws(SettingsFailure) -> Node {
        let line = found.mark?.line ?? 1
        switch found {
        case .alias:
            throw forbidden("an alias (*name)", line)
        case .scalar(let scalar):
            if scalar.anchor != nil { throw forbidden("an anchor (&name)", line) }
            let plain = scalar.style == .plain || scalar.style == .any
            if plain, ["", "~", "null"].contains(scalar.string) { return Node(line: line, content: .null) }
            return Node(line: line, content: .scalar(scalar.string, plain: plain))
        case .sequence(let sequence):
            if sequence.anchor != nil { throw forbidden("an anchor (&name)", line) }
            var items: [Node] = []
            for item in sequence { items.append(try node(item)) }
            return Node(line: line, content: .list(items))
        case .mapping(let mapping):
            if mapping.anchor != nil { throw forbidden("an anchor (&name)", line) }
            var pairs: [Node.Pair] = []
            var seen: Set<String> = []
            for (key, value) in mapping {
                let keyLine = key.mark?.line ?? line
                guard case .scalar(let name) = key else {
                    throw .syntax(place: place(keyLine), reason: "a key is a list or a section. Write a name as key.")
                }
                if name.anchor != nil { throw forbidden("an anchor (&name)", keyLine) }
                guard seen.insert(name.string).inserted else {
                    throw .syntax(
                        place: place(keyLine),
                        reason: "the key \(quoted(name.string)) stands here a second time. Keep one.")
                }
                pairs.append(Node.Pair(key: name.string, line: keyLine, value: try node(value)))
            }
            return Node(line: line, content: .section(pairs))
        }
    }

    private func place(_ line: Int) -> SettingsFailure.Place { .init(file: file, line: line) }

    private func forbidden(_ what: String, _ line: Int) -> SettingsFailure {
        .syntax(place: place(line), reason: "\(what) is not allowed in our files. Write the value out.")
    }

    private static func line(of error: YamlError) -> Int {
        switch error {
        case .scanner(_, _, let mark, _), .parser(_, _, let mark, _), .composer(_, _, let mark, _): mark.line
        case .duplicatedKeysInMapping(_, let context): context.mark.line
        default: 1
        }
    }

    private static func reason(of error: YamlError) -> String {
        switch error {
        case .scanner(_, let problem, _, _), .parser(_, let problem, _, _), .composer(_, let problem, _, _):
            "this is not YAML: \(problem). Check the indentation, the quotation marks and the colons."
        case .duplicatedKeysInMapping(let keys, _):
            "the key \(quoted(keys.first ?? "?")) stands here a second time. Keep one."
        default: "this is not YAML. Check the indentation, the quotation marks and the colons."
        }
    }
}
