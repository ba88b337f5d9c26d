import Storage

/// The folder of one study while it is written: it gets its name only when it is whole.
///
/// *Source*: architecture.md section 7.
package struct RunFolder {
    /// The output folder.
    package let parent: String
    /// The study's name: the folder's name when it is whole.
    package let name: String
    /// Where files are written until then.
    package let path: String

    private static let prefix = ".partial-"

    /// Removes what an interrupted run left in `parent`; makes `parent` where it is missing.
    package static func prepare(_ parent: String) throws {
        try Folder.make(parent)
        for entry in try Folder.list(parent) where entry.name.hasPrefix(prefix) && entry.status.kind == .directory {
            try Folder.remove(Folder.join(parent, entry.name))
        }
        // A folder that cannot be written to is told now, not after the first study.
        let probe = Folder.join(parent, prefix + "probe")
        try Folder.make(probe)
        try Folder.remove(probe)
    }

    package init(in parent: String, name: String) throws {
        self.parent = parent
        self.name = name
        path = Folder.join(parent, Self.prefix + name)
        if FileStatus.exists(path) { try Folder.remove(path) }
        try Folder.make(path)
    }

    /// Makes the study visible: every file synced, then one rename; an older folder of the study is exchanged and removed.
    package func commit() throws {
        try Folder.syncTree(path)
        let place = Folder.join(parent, name)
        if FileStatus.exists(place) {
            try Folder.exchange(path, with: place)
            try Folder.sync(parent)
            try Folder.remove(path)
        } else {
            try Folder.rename(path, to: place)
        }
        try Folder.sync(parent)
    }

    /// Leaves nothing behind of a study that failed.
    package func discard() {
        try? Folder.remove(path)
    }
}
