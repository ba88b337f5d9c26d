extension Windowing {
    /// Why the frames of a volume do not have what `Mode.dicom` takes of them. Frames are numbered from 0.
    package enum Lack: Sendable, Equatable {
        /// So many of the frames have none; the first of them.
        case missing(frame: Int, count: Int)
        /// Two windows of the name that is asked for, with different numbers, in one frame.
        case twice(frame: Int)
        /// Another window than in the frames before: other numbers under another explanation, another function or table.
        case unlike(frame: Int)
    }

    /// Whether a pipeline that does not get it asked for something else than the first window.
    package var isParticular: Bool {
        guard case .dicom(let index, let name, let usesTable) = mode else { return false }
        return index != 0 || name != nil || usesTable
    }

    /// What is missing in `vois`, one a frame; nil when every frame has what the mode takes, all of one kind.
    ///
    /// Windows at one place of the list are of one kind when they have one explanation, whatever their numbers: scanners of MR and PET
    /// adapt them to each slice. Those with one centre and width are one window, whatever it is called.
    package func lack(in vois: [VOI]) -> Lack? {
        guard case .dicom(let index, let name, let usesTable) = mode else { return nil }
        if usesTable { return Self.lack(vois.map(\.table)) { scope == .frame || $0 == $1 } }
        if let name {
            let frame = vois.firstIndex { voi in
                let named = Self.windows(of: voi, named: name)
                return named.contains { !Self.haveOneRange($0, named[0]) }
            }
            if let frame { return .twice(frame: frame) }
        }
        let shown = vois.map { voi in
            Self.window(of: voi, index: index, name: name).map { (window: $0, function: voi.function) }
        }
        return Self.lack(shown) { one, other in
            (scope == .frame || one.function == other.function)
                && (Self.haveOneRange(one.window, other.window)
                    || Self.trimmed(one.window.explanation) == Self.trimmed(other.window.explanation))
        }
    }

    private static func lack<Shown>(_ shown: [Shown?], areAlike: (Shown, Shown) -> Bool) -> Lack? {
        if let frame = shown.firstIndex(where: { $0 == nil }) {
            return .missing(frame: frame, count: shown.count { $0 == nil })
        }
        guard let first = shown.first.flatMap(\.self) else { return nil }
        return shown.firstIndex { $0.map { !areAlike(first, $0) } ?? true }.map { .unlike(frame: $0) }
    }

    /// The window that the rule picks among a frame's own; nil when there is none that can be used.
    static func window(of voi: VOI, index: Int, name: String?) -> VOI.Window? {
        if let name { return windows(of: voi, named: name).first }
        guard voi.windows.indices.contains(index), voi.windows[index].isUsable else { return nil }
        return voi.windows[index]
    }

    private static func windows(of voi: VOI, named name: String) -> [VOI.Window] {
        voi.windows.filter { $0.isUsable && trimmed($0.explanation) == trimmed(name) }
    }

    private static func haveOneRange(_ one: VOI.Window, _ other: VOI.Window) -> Bool {
        one.center == other.center && one.width == other.width
    }

    /// Spaces at either end of an LO mean nothing.
    private static func trimmed(_ text: String) -> Substring {
        var text = text[...]
        while text.first == " " { text.removeFirst() }
        while text.last == " " { text.removeLast() }
        return text
    }
}
