internal import Storage

/// Copies a drop from another disk, or of another user.
enum DropCopy {
    /// A whole, synced copy of `drop` as `folder/name`, or none: it gets its name last. Digests are compared by reading the copy
    /// back. A single file becomes `folder/name/fileName`.
    ///
    /// *Throws* `StorageFailure`: before anything is written when the disk has no room for it, or when something in it cannot be
    /// copied (a link, a device, a name that is not UTF-8): a copy without that would lose it.
    static func copy(
        _ drop: String, into folder: String, as name: String, fileName: String
    ) throws(StorageFailure) {
        let top = try FileStatus(of: drop)
        let entries = top.kind == .directory ? try Folder.walk(drop) : [Folder.Entry(name: "", status: top)]
        for entry in entries {
            switch entry.status.kind {
            case .directory, .regular: continue
            case .symlink, .other, .unnameable: throw .notAFile(path: drop, kind: entry.status.kind)
            }
        }
        let bytes = entries.reduce(0) { $0.addingReportingOverflow($1.status.size).partialValue }
        guard try bytes < Folder.freeBytes(folder) else { throw .system(operation: "copy it", path: drop, errno: 28) }
        let partial = Folder.join(folder, ".partial-\(name)")
        try Folder.remove(partial)
        try Folder.make(partial, mode: 0o750)
        for entry in entries {
            let source = entry.name.isEmpty ? drop : Folder.join(drop, entry.name)
            let target = Folder.join(partial, entry.name.isEmpty ? fileName : entry.name)
            if entry.status.kind == .directory {
                try Folder.make(target, mode: 0o750)
            } else {
                let written = try DurableFile.copy(source, to: target)
                guard try FileDigest(ofFile: target) == written else {
                    throw .system(operation: "copy it: the copy reads back differently", path: target, errno: 5)
                }
            }
        }
        try Folder.syncTree(partial)
        try Folder.rename(partial, to: Folder.join(folder, name))
    }

    static func haveSameBytes(_ one: String, _ other: String) throws(StorageFailure) -> Bool {
        let (first, second) = (try FileStatus(of: one), try FileStatus(of: other))
        guard first.kind == .regular, second.kind == .regular, first.size == second.size else { return false }
        return try FileDigest(ofFile: one) == FileDigest(ofFile: other)
    }
}
