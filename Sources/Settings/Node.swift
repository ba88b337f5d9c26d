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
                place: place(1), reason: "the file has \(bytes.count) bytes, more than 1 MiB.", cure: "Make it smaller."
            )
        }
        // Editors write a byte-order mark in front.
        let content = bytes.starts(with: [0xEF, 0xBB, 0xBF]) ? bytes[3...] : bytes[...]
        guard let text = String(validating: content, as: UTF8.self) else {
            throw .notReadable(place: place(1), reason: "the file is not UTF-8 text.", cure: "Save it as UTF-8.")
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
            throw failure(error)
        } catch {
            throw .syntax(place: place(1), reason: "this is not YAML.", cure: "Check the indentation.")
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
                throw .syntax(
                    place: place(line), reason: "nested deeper than \(Self.deepest) levels.", cure: "Flatten it.")
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
            // What stands in quotation marks, or in a block, is text without a tag too.
            try checkTag(scalar.tag, plain ? [""] : ["", Self.textTag], line)
            if plain, ["", "~", "null"].contains(scalar.string) { return Node(line: line, content: .null) }
            return Node(line: line, content: .scalar(scalar.string, plain: plain))
        case .sequence(let sequence):
            try checkTag(sequence.tag, [""], line)
            if sequence.anchor != nil { throw forbidden("an anchor (&name)", line) }
            var items: [Node] = []
            for item in sequence { items.append(try node(item)) }
            return Node(line: line, content: .list(items))
        case .mapping(let mapping):
            try checkTag(mapping.tag, [""], line)
            if mapping.anchor != nil { throw forbidden("an anchor (&name)", line) }
            var pairs: [Node.Pair] = []
            var seen: Set<String> = []
            for (key, value) in mapping {
                let keyLine = key.mark?.line ?? line
                guard case .scalar(let name) = key else {
                    throw .syntax(
                        place: place(keyLine), reason: "a key is a list or a section.", cure: "Write a name as key.")
                }
                if name.anchor != nil { throw forbidden("an anchor (&name)", keyLine) }
                // The parser has compared the keys, as texts.
                try checkTag(name.tag, ["", Self.textTag], keyLine)
                guard seen.insert(name.string).inserted else {
                    throw .repeatedKey(place: place(keyLine), key: name.string)
                }
                pairs.append(Node.Pair(key: name.string, line: keyLine, value: try node(value)))
            }
            return Node(line: line, content: .section(pairs))
        }
    }

    private static let textTag = "tag:yaml.org,2002:str"

    /// *Throws* for a tag, which would make another value of what is written.
    private func checkTag(_ tag: Yams.Tag, _ implied: [String], _ line: Int) throws(SettingsFailure) {
        if !implied.contains(tag.rawValue) { throw forbidden("a tag (!name)", line) }
    }

    private func place(_ line: Int) -> SettingsFailure.Place { .init(file: file, line: line) }

    private func forbidden(_ what: String, _ line: Int) -> SettingsFailure {
        .syntax(place: place(line), reason: "\(what) is not allowed in our files.", cure: "Write the value out.")
    }

    private func failure(_ error: YamlError) -> SettingsFailure {
        switch error {
        case .scanner(_, let problem, let mark, _), .parser(_, let problem, let mark, _),
            .composer(_, let problem, let mark, _):
            .syntax(
                place: place(mark.line), reason: "this is not YAML: \(problem).",
                cure: "Check the indentation, the quotation marks and the colons.")
        case .duplicatedKeysInMapping(let keys, let context):
            .repeatedKey(place: place(context.mark.line), key: keys.first ?? "?")
        default:
            .syntax(
                place: place(1), reason: "this is not YAML.",
                cure: "Check the indentation, the quotation marks and the colons.")
        }
    }
}
