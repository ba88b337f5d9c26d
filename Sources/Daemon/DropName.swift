internal import Records
package import Storage

/// What the name of something in the inbox says.
package enum DropName {
    private static let claimPrefix = ".hspsam-"
    private static let unfinished = RunRecord.transferEndings.map { "." + $0 } + ["~"]
    /// Of the marker beside a drop that says that it is complete.
    package static let readyEnding = ".ready"

    /// Whether a top-level entry is a drop: not hidden, not of an unfinished transfer, not a marker. A folder is never a marker.
    package static func isDrop(_ name: FilePath, isFolder: Bool) -> Bool {
        if starts(name, claimPrefix) { return claimedIdentifier(name) != nil }
        // What is not UTF-8 compares by its bytes all the same: the endings are ASCII.
        let lower = String(decoding: name.bytes, as: UTF8.self).lowercased()
        return !starts(name, ".") && name != found && (isFolder || !lower.hasSuffix(readyEnding))
            && !isUnfinished(name)
    }

    /// Whether a name is that of an unfinished transfer.
    static func isUnfinished(_ name: FilePath) -> Bool {
        let lower = String(decoding: name.bytes, as: UTF8.self).lowercased()
        return !starts(name, ".") && unfinished.contains { lower.hasSuffix($0) }
    }

    /// Whether a name is hidden by whoever made it, or holds what a check of the disk has found; not ours, and not that of what systems keep
    /// of things that were removed, changed or shown.
    static func isHidden(_ name: FilePath) -> Bool {
        let lower = String(decoding: name.bytes, as: UTF8.self).lowercased()
        return name == found || starts(name, ".") && !starts(name, claimPrefix) && !kept.contains { lower.contains($0) }
    }
    private static let found = FilePath("lost+found")
    private static let kept = ["trash", "recycle", "snapshot", "version", "zfs", "thumb", "cache", "appledouble"]

    /// The name of the drop that a marker beside it says to be complete; nil for what is no such marker.
    static func marked(by entry: Folder.Entry) -> FilePath? {
        let bytes = entry.path.bytes
        guard entry.status.kind == .regular, !starts(entry.path, "."), bytes.count > readyEnding.utf8.count,
            String(decoding: bytes, as: UTF8.self).lowercased().hasSuffix(readyEnding)
        else { return nil }
        return FilePath(bytes: Array(bytes.dropLast(readyEnding.utf8.count)))
    }

    package static func isDrop(_ entry: Folder.Entry) -> Bool {
        isDrop(entry.path, isFolder: entry.status.kind == .directory)
    }

    /// The ULID in the name of a drop that is claimed already.
    package static func claimedIdentifier(_ name: FilePath) -> String? {
        guard starts(name, claimPrefix) else { return nil }
        let id = String(decoding: name.bytes.dropFirst(claimPrefix.utf8.count), as: UTF8.self)
        return Identifier.isOne(id) ? id : nil
    }

    /// The name of a drop that a person gave back from the quarantine.
    static func released(_ id: String) -> String { releasePrefix + id }
    private static let releasePrefix = "released-"

    static func isReleased(_ name: FilePath) -> Bool {
        starts(name, releasePrefix)
            && Identifier.isOne(String(decoding: name.bytes.dropFirst(releasePrefix.utf8.count), as: UTF8.self))
    }

    /// The name of a claimed drop.
    package static func claimed(_ id: String) -> FilePath { FilePath(claimPrefix + id) }

    private static func starts(_ name: FilePath, _ text: String) -> Bool { name.bytes.starts(with: text.utf8) }
}
