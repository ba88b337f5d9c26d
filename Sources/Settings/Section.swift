internal import Failures

/// A section of a settings file, read key by key. What nobody read is an unknown key.
///
///     struct Settle {
///         let quiet: Duration
///         init(_ section: Section) throws { quiet = try section.duration("quiet", default: .seconds(60)) }
///     }
///     let settle = try Section.read(bytes, file: "site.yaml") { try Settle($0.section("settle")) }
///
/// Each reader has three forms: `int("a")` must be there, `int("a", default: 1)`, and `optionalInt("a")`; an empty value
/// (`~`, `null`) counts as not there. All throw `SettingsFailure` with file and line.
package final class Section {
    let file: String
    let path: String
    let line: Int
    let pairs: [Node.Pair]
    private var asked: [String] = []
    private var children: [Section] = []

    init(file: String, path: String, line: Int, pairs: [Node.Pair]) {
        self.file = file
        self.path = path
        self.line = line
        self.pairs = pairs
    }

    /// Reads a whole file: `body` takes what it knows out of the root section, then every key that it did not ask for
    /// is refused, in all sections below too.
    ///
    /// *Throws* `SettingsFailure`, and what `body` throws.
    package static func read<Value>(_ bytes: [UInt8], file: String, _ body: (Section) throws -> Value) throws -> Value {
        let root = try NodeReader(file: file).read(bytes)
        guard case .section(let pairs) = root.content else {
            throw SettingsFailure.syntax(
                place: .init(file: file, line: root.line),
                reason: "the file does not hold keys with values.", cure: "Write `key: value`.")
        }
        let section = Section(file: file, path: "", line: root.line, pairs: pairs)
        let value = try body(section)
        try section.finish()
        return value
    }

    // MARK: keys

    /// All keys in the file's order; counts as asking for each. For sections whose keys are free names.
    package var keys: [String] {
        asked += pairs.map(\.key)
        return pairs.map(\.key)
    }

    /// Whether the key stands here with a value; it does not count as asked for.
    package func has(_ key: String) -> Bool {
        pairs.contains {
            if case .null = $0.value.content { false } else { $0.key == key }
        }
    }

    /// Whether a section stands under the key; it does not count as asked for.
    package func holdsSection(_ key: String) -> Bool {
        pairs.contains {
            if case .section = $0.value.content { $0.key == key } else { false }
        }
    }

    /// Whether a list stands under the key; it does not count as asked for.
    package func holdsList(_ key: String) -> Bool {
        pairs.contains {
            if case .list = $0.value.content { $0.key == key } else { false }
        }
    }

    /// Where the key stands (the section itself when it does not), for messages.
    package func place(of key: String) -> SettingsFailure.Place {
        .init(file: file, line: pairs.first { $0.key == key }?.line ?? line)
    }

    /// A failure of a rule that the caller has found broken, with its own code. Where the key is not there and stands misspelt, that is
    /// what is said.
    ///
    /// `found` is what the file says; only there may stand what somebody typed.
    package func failure(
        _ code: String, at key: String, found: String? = nil, _ problem: String, cure: String
    ) -> SettingsFailure {
        misspelt(key) ?? .rule(code: code, place: place(of: key), found: found, problem: problem, cure: cure)
    }

    // MARK: sections

    /// The section under `key`; an empty one when it is not there, so that its defaults hold.
    package func section(_ key: String) throws(SettingsFailure) -> Section {
        if let found = try optionalSection(key) { return found }
        return try child(key, Node(line: line, content: .null))
    }

    package func optionalSection(_ key: String) throws(SettingsFailure) -> Section? {
        guard let node = node(key) else { return nil }
        return try child(key, node)
    }

    /// The sections of a list; empty when the key is not there.
    package func sections(_ key: String) throws(SettingsFailure) -> [Section] {
        guard let items = try items(key) else { return [] }
        var found: [Section] = []
        for (index, item) in items.enumerated() { found.append(try child("\(key)[\(index)]", item)) }
        return found
    }

    private func child(_ key: String, _ node: Node) throws(SettingsFailure) -> Section {
        let section: Section
        switch node.content {
        case .section(let pairs): section = Section(file: file, path: name(key), line: node.line, pairs: pairs)
        case .null: section = Section(file: file, path: name(key), line: node.line, pairs: [])
        default:
            throw .wrongType(
                place: .init(file: file, line: node.line), key: name(key), found: node.shown,
                wanted: "a section: {key: value}")
        }
        children.append(section)
        return section
    }

    // MARK: for the readers of values

    /// The value under `key`, nil when it is absent or empty; the key counts as known.
    func node(_ key: String) -> Node? {
        asked.append(key)
        guard let pair = pairs.first(where: { $0.key == key }) else { return nil }
        if case .null = pair.value.content { return nil }
        return pair.value
    }

    func items(_ key: String) throws(SettingsFailure) -> [Node]? {
        guard let node = node(key) else { return nil }
        guard case .list(let items) = node.content else {
            throw .wrongType(
                place: .init(file: file, line: node.line), key: name(key), found: node.shown,
                wanted: "a list: [one, two]")
        }
        return items
    }

    /// The key with the sections above it: `settle.quiet`.
    func name(_ key: String) -> String { path.isEmpty ? key : "\(path).\(key)" }

    /// A missing key is most often a misspelt one: then that is what is said.
    func missing(_ key: String) -> SettingsFailure {
        misspelt(key) ?? .missing(place: .init(file: file, line: line), key: name(key))
    }

    /// A key that nobody asked for, and that is a slip away from one that is not there; nil where there is none.
    private func misspelt(_ key: String) -> SettingsFailure? {
        guard !pairs.contains(where: { $0.key == key }) else { return nil }
        let strangers = pairs.filter { !asked.contains($0.key) }
        guard let stranger = strangers.first(where: { nearest(to: $0.key, among: [key]) != nil }) else { return nil }
        return .unknownKey(
            place: .init(file: file, line: stranger.line), key: name(stranger.key), nearest: key, known: [])
    }

    /// Refuses keys that nobody asked for, here and in the sections that were read.
    private func finish() throws(SettingsFailure) {
        var known: [String] = []
        for key in asked where !known.contains(key) { known.append(key) }
        if let stranger = pairs.first(where: { !known.contains($0.key) }) {
            throw .unknownKey(
                place: .init(file: file, line: stranger.line), key: name(stranger.key),
                nearest: nearest(to: stranger.key, among: known), known: known)
        }
        for child in children { try child.finish() }
    }
}

/// The one of `names` that a typing slip away from `word`: at most two edits, and half of its letters.
func nearest(to word: String, among names: [String]) -> String? {
    let scored = names.map { (name: $0, edits: edits(Array(word.utf8.prefix(64)), Array($0.utf8.prefix(64)))) }
    guard let best = scored.min(by: { $0.edits < $1.edits }) else { return nil }
    return best.edits <= 2 && best.edits * 2 <= best.name.utf8.count ? best.name : nil
}

/// Levenshtein's distance.
private func edits(_ a: [UInt8], _ b: [UInt8]) -> Int {
    var row = Array(0...b.count)
    for (i, letter) in a.enumerated() {
        var diagonal = row[0]
        row[0] = i + 1
        for (j, other) in b.enumerated() {
            let next = letter == other ? diagonal : 1 + min(diagonal, row[j], row[j + 1])
            diagonal = row[j + 1]
            row[j + 1] = next
        }
    }
    return row[b.count]
}
