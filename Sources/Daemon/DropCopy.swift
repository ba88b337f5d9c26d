internal import Storage

/// Takes a drop by copy: from another disk, or of another user, who could go on changing files of their own after a rename.
enum DropCopy {
    /// A whole, synced copy of `drop` as `folder/name`, or none: it gets its name last. A single file becomes
    /// `folder/name/fileName`.
    ///
    /// - Parameter print: the drop's fingerprint when it was claimed; what changed since is not taken.
    /// *Throws* `StorageFailure`: before anything is written when the disk has no room for it, or when there is a link, a device or
    /// a FIFO in it; `.changed` when the drop changed meanwhile. Nothing of a copy that failed stays.
    static func copy(
        _ drop: FilePath, _ print: Fingerprint, into folder: String, as name: String, fileName: FilePath,
        each: () -> Void
    ) throws(StorageFailure) {
        if let odd = print.odd { throw .notAFile(path: drop.text, kind: odd) }
        let room = try Folder.freeRoom(folder)
        guard print.bytes < room.bytes, print.files < room.files else {
            throw .system(operation: "copy it", path: drop.text, errno: 28)
        }
        let partial = Folder.join(folder, ".partial-\(name)")
        try Folder.remove(partial)
        do throws(StorageFailure) {
            if try FileStatus(of: drop).kind == .directory {
                try TreeCopy.copy(drop, to: partial, each: each)
            } else {
                try Folder.make(partial, mode: 0o750)
                try TreeCopy.copy(file: drop, to: FilePath(partial).appending(fileName), each: each)
                try Folder.sync(partial)
            }
            guard try Fingerprint(of: drop) == print else { throw .changed(path: drop.text) }
            try Folder.rename(partial, to: Folder.join(folder, name))
        } catch {
            // It would take the room that the next one needs.
            try? Folder.remove(partial)
            throw error
        }
    }
}
