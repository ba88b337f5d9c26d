/// Folders that are there whole or not at all.
package enum WholeFolder {
    /// Makes the folder `path` and lets `fill` write into it.
    ///
    /// Where nothing stands it is filled beside its place and renamed; a folder that is there already, which must be
    /// empty, is filled where it is: it may be a link, or another disk. When `fill` fails, nothing of it is left. After a
    /// crash, `.NAME.tmp-…` is.
    /// *Throws* `.system` (`.exists` for a folder that is not empty), and what `fill` throws.
    package static func make(_ path: String, _ fill: (_ folder: String) throws -> Void) throws {
        if FileStatus.exists(path) {
            guard try Folder.list(path).isEmpty else {
                throw StorageFailure.system(operation: "make the folder", path: path, errno: 17)
            }
            do {
                try fill(path)
            } catch {
                for entry in (try? Folder.list(path)) ?? [] {
                    try? Folder.remove(FilePath(path).appending(entry.path))
                }
                throw error
            }
            return
        }
        let (parent, name) = Folder.split(path)
        try Folder.make(parent)
        // A name may be as long as the file system allows, the temporary one is longer: it is cut then.
        let begin = String(validating: FilePath(name).bytes.prefix(200), as: UTF8.self) ?? "folder"
        let temporary = Folder.join(parent, ".\(begin).tmp-\(String(UInt64.random(in: .min ... .max), radix: 36))")
        do {
            try Folder.make(temporary)
            try fill(temporary)
            try Folder.sync(temporary)
            try Folder.rename(temporary, to: path)
            try Folder.sync(parent)
        } catch {
            try? Folder.remove(temporary)
            throw error
        }
    }
}
