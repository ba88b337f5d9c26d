// Folders on which something is to be mounted, as systemd and the automounter are told.

extension MountTable {
    /// Of the units that an administrator has written, or enabled, in `folder`; those of packages say what may be mounted, not what is to be.
    ///
    /// *Source*: systemd.mount(5), systemd.automount(5): a unit is named for its folder.
    static func folders(ofUnits folder: String) -> [FilePath] {
        let wanted = names(in: folder).filter { $0.hasSuffix(".wants") || $0.hasSuffix(".requires") }
        return ([folder] + wanted.map { Folder.join(folder, $0) }).flatMap { folder in
            names(in: folder).compactMap { name in
                guard let ending = [".mount", ".automount"].first(where: name.hasSuffix),
                    // One that is masked leads to /dev/null or is empty.
                    let text = text(Folder.join(folder, name)), !text.isEmpty
                else { return nil }
                let options = lines(text).filter { $0.hasPrefix("Options") }.flatMap {
                    $0.split(separator: "=").dropFirst()
                }
                guard !options.contains(where: { isBind(String($0)) }) else { return nil }
                return FilePath(bytes: unescaped(unit: name.dropLast(ending.count).utf8))
            }
        }
    }

    /// `-` parts folders, and `\x2d` is a byte.
    private static func unescaped(unit name: Substring.UTF8View) -> [UInt8] {
        var bytes = [UInt8(ascii: "/")]
        var rest = name[...]
        while let first = rest.popFirst() {
            let code = rest.prefix(3)
            if first == UInt8(ascii: "\\"), code.count == 3, code.first == UInt8(ascii: "x"),
                let byte = UInt8(String(decoding: code.dropFirst(), as: UTF8.self), radix: 16)
            {
                bytes.append(byte)
                rest = rest.dropFirst(3)
            } else {
                bytes.append(first == UInt8(ascii: "-") ? UInt8(ascii: "/") : first)
            }
        }
        return bytes
    }

    /// Of the automounter's master map: folders that it stands on itself, and those that its direct maps name.
    ///
    /// *Source*: auto.master(5), autofs(5).
    static func folders(ofAutomounter etc: String) -> [FilePath] {
        let parts = Folder.join(etc, "auto.master.d")
        let maps =
            [Folder.join(etc, "auto.master")]
            + names(in: parts).filter { $0.hasSuffix(".autofs") }.map { Folder.join(parts, $0) }
        return maps.compactMap(text).flatMap(lines).flatMap { line -> [FilePath] in
            let words = line.split { " \t".contains($0) }
            guard words.count >= 2, words[0].hasPrefix("/"), words[1] != "-null" else { return [] }
            guard words[0] == "/-" else { return [FilePath(String(words[0]))] }
            // A map's type and format may stand before its name: file,sun:/etc/auto.direct
            guard let map = words[1].split(separator: ":").last.map(String.init),
                let text = text(map.hasPrefix("/") ? map : Folder.join(etc, map))
            else { return [] }
            return lines(text).compactMap { entry in
                let words = entry.split { " \t".contains($0) }
                guard words.count >= 2, words[0].hasPrefix("/"), let place = words.last,
                    // A folder of this machine, shown once more.
                    !isBind(entry), !place.hasPrefix(":/") || place.hasPrefix(":/dev/")
                else { return nil }
                return FilePath(String(words[0]))
            }
        }
    }

    private static func names(in folder: String) -> [String] { ((try? Folder.list(folder)) ?? []).map(\.name) }

    private static func text(_ path: String) -> String? {
        (try? DurableFile.read(path, limit: largest)).map { String(decoding: $0, as: UTF8.self) }
    }

    /// Without comments and blanks at their ends.
    private static func lines(_ text: String) -> [String] {
        text.split(whereSeparator: \.isNewline).compactMap { line in
            let line = line.drop { " \t".contains($0) }
            guard let first = line.first, !"#;".contains(first) else { return nil }
            return String(line)
        }
    }
}
