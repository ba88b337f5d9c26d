import Storage

/// The names in folders of data sets: they name cases in lists and tables, one a line, and are opened as they read there.
/// One that is no text of one line is refused; a run, which names files by their bytes, takes them.
enum CaseNames {
    /// What stands in a folder; a link is what it leads to, as data sets are often put together of links.
    ///
    /// *Throws* `TrainingFailure.layout` for a folder, or a file that ends as a picture does, of such a name; Storage's
    /// failures.
    static func list(_ folder: String) throws -> [Folder.Entry] {
        let entries = try Folder.list(folder).map { entry in
            guard entry.status.kind == .symlink,
                let status = try? FileStatus(of: FilePath(folder).appending(entry.path), followingLinks: true)
            else { return entry }
            return Folder.Entry(path: entry.path, status: status)
        }
        for entry in entries where !entry.name.hasPrefix(".") {
            guard entry.status.kind == .directory || ImageFolder.stem(of: entry.name) != nil else { continue }
            try confirm(entry.path, in: folder)
        }
        return entries
    }

    /// *Throws* `TrainingFailure.layout`.
    static func confirm(_ name: FilePath, in folder: String) throws(TrainingFailure) {
        guard !isText(name) else { return }
        throw .layout(
            path: Folder.join(folder, name.text),
            reason: "the name has control characters, or bytes that are not UTF-8, which no list can hold: rename it")
    }

    static func isText(_ name: FilePath) -> Bool { FilePath(name.text) == name }
}
