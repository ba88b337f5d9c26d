import Storage

/// The folder of one study while it is written: it gets its name only when it is whole.
///
/// *Source*: `docs/formats.md`, "What a run writes".
struct RunFolder {
    /// The output folder.
    let parent: String
    /// The study's name: the folder's name when it is whole.
    let name: String
    /// Where files are written until then.
    let path: String

    init(in parent: String, name: String) throws {
        self.parent = parent
        self.name = name
        path = Folder.join(parent, OutputFolder.partialPrefix + name)
        if FileStatus.exists(path) { try Folder.remove(path) }
        // What a crash in the middle of an exchange has left: the older folder, without its name perhaps.
        let (aside, target) = (path + ".aside", Folder.join(parent, name))
        if FileStatus.exists(aside) {
            if FileStatus.exists(target) { try Folder.remove(aside) } else { try Folder.rename(aside, to: target) }
        }
        try Folder.make(path)
    }

    /// Makes the study visible: every file synced, then one rename; an older folder of the study is exchanged and removed.
    func commit() throws {
        try Folder.syncTree(path)
        let target = Folder.join(parent, name)
        if FileStatus.exists(target) {
            try Folder.exchange(path, with: target)
            try Folder.sync(parent)
            try Folder.remove(path)
        } else {
            try Folder.rename(path, to: target)
        }
        try Folder.sync(parent)
    }

    /// What has been written so far.
    func names() throws(StorageFailure) -> Set<String> { Set(try Folder.list(path).map(\.name)) }

    /// Removes what was written since: nothing of a volume that failed stands beside the results of others.
    func remove(allBut names: Set<String>) throws(StorageFailure) {
        for entry in try Folder.list(path) where !names.contains(entry.name) {
            try Folder.remove(Folder.join(path, entry.name))
        }
    }

    /// Leaves nothing behind of a study that gives no folder.
    func discard() {
        try? Folder.remove(path)
    }
}
