internal import CSystem
internal import Failures

/// Folders: making, listing, renaming, syncing, removing. No function here follows a symbolic link inside a folder.
package enum Folder {
    /// One thing in a folder.
    package struct Entry: Sendable, Hashable {
        /// Relative to the folder that was listed, with `/` between levels.
        package let name: String
        package let status: FileStatus

        package init(name: String, status: FileStatus) {
            self.name = name
            self.status = status
        }
    }

    /// Makes `path` and every missing folder above it.
    package static func make(_ path: String, mode: UInt32 = 0o755) throws(StorageFailure) {
        if let status = try? FileStatus(of: path, followingLinks: true) {
            guard status.kind == .directory else { throw .system(operation: "make the folder", path: path, errno: 17) }
            return
        }
        let parent = split(path).folder
        if parent != path, !parent.isEmpty { try make(parent, mode: mode) }
        let result = unsafe cs_make_directory(path, mode)
        // Somebody else may have made it meanwhile.
        if result < 0, !((try? FileStatus(of: path, followingLinks: true))?.kind == .directory) {
            throw .system(operation: "make the folder", path: path, errno: -result)
        }
    }

    /// What stands in `path`, sorted by the bytes of the names.
    ///
    /// An entry whose name is not UTF-8 comes with a repaired name and kind `.unnameable`: it can be told, not opened.
    package static func list(_ path: String) throws(StorageFailure) -> [Entry] {
        var folder: OpaquePointer?
        try check(unsafe cs_folder_open(path, &folder), "list it", path)
        guard let folder = unsafe folder else { return [] }
        defer { unsafe cs_folder_close(folder) }
        var entries: [Entry] = []
        while true {
            var raw: UnsafePointer<CChar>?
            let result = try check(unsafe cs_folder_next(folder, &raw), "list it", path)
            guard result == 1, let raw = unsafe raw else { break }
            guard let name = unsafe String(validatingCString: raw) else {
                entries.append(Entry(name: unsafe String(cString: raw), status: .unnameable))
                continue
            }
            // Gone between listing and looking: it was not there.
            guard let status = try? FileStatus(of: join(path, name)) else { continue }
            entries.append(Entry(name: name, status: status))
        }
        return entries.sorted { $0.name.utf8.lexicographicallyPrecedes($1.name.utf8) }
    }

    /// Everything below `path`, folders included, parents before children, sorted within each folder.
    ///
    /// *Throws* `.tooLarge` when there are more than `limit` entries.
    package static func walk(_ path: String, limit: Int = .max) throws(StorageFailure) -> [Entry] {
        var found: [Entry] = []
        // A stack, not recursion: depth comes from outside. Reversed, so that the first name is walked first.
        var waiting = try list(path).reversed() as [Entry]
        while let next = waiting.popLast() {
            found.append(next)
            if found.count > limit { throw .tooLarge(path: path, bytes: found.count, limit: limit) }
            guard next.status.kind == .directory else { continue }
            waiting += try list(join(path, next.name)).reversed().map {
                Entry(name: join(next.name, $0.name), status: $0.status)
            }
        }
        return found
    }

    /// Makes the names in a folder (or the content of one file) survive a power failure.
    package static func sync(_ path: String) throws(StorageFailure) {
        try check(unsafe cs_sync_path(path), "sync it", path)
    }

    /// Syncs every file and folder below `path`, and `path` itself.
    package static func syncTree(_ path: String) throws(StorageFailure) {
        for entry in try walk(path) where entry.status.kind == .regular || entry.status.kind == .directory {
            try sync(join(path, entry.name))
        }
        try sync(path)
    }

    /// Renames within one file system; something that stands at `to` is an error (`systemError == .exists`).
    package static func rename(_ from: String, to: String) throws(StorageFailure) {
        let result = unsafe cs_rename_new(from, to)
        if result < 0 { throw .system(operation: "rename it to \(to)", path: from, errno: -result) }
    }

    /// Exchanges two names of one file system in one step.
    package static func exchange(_ one: String, with other: String) throws(StorageFailure) {
        let result = unsafe cs_rename_exchange(one, other)
        if result < 0 { throw .system(operation: "exchange it with \(other)", path: one, errno: -result) }
    }

    /// Removes a file, a link, or a folder with all that is in it. Nothing there is fine.
    package static func remove(_ path: String) throws(StorageFailure) {
        guard let status = try? FileStatus(of: path) else { return }
        guard status.kind == .directory else {
            try check(unsafe cs_remove_file(path), "remove it", path)
            return
        }
        for entry in try walk(path).reversed() {
            let inner = join(path, entry.name)
            let result = unsafe entry.status.kind == .directory ? cs_remove_directory(inner) : cs_remove_file(inner)
            try check(result, "remove it", inner)
        }
        try check(unsafe cs_remove_directory(path), "remove it", path)
    }

    /// Bytes that may still be written on the file system of `path`.
    package static func freeBytes(_ path: String) throws(StorageFailure) -> Int {
        var free: UInt64 = 0
        try check(unsafe cs_free_bytes(path, &free), "look at its disk", path)
        return Int(clamping: free)
    }

    /// `a/b`, with one slash between them.
    package static func join(_ folder: String, _ name: String) -> String {
        if folder.isEmpty { return name }
        return folder.utf8.last == UInt8(ascii: "/") ? folder + name : "\(folder)/\(name)"
    }

    /// The folder a path stands in (`.` when it names none) and its last name.
    package static func split(_ path: String) -> (folder: String, name: String) {
        var bytes = Array(path.utf8)
        while bytes.count > 1, bytes.last == UInt8(ascii: "/") { bytes.removeLast() }
        guard let slash = bytes.lastIndex(of: UInt8(ascii: "/")) else {
            return (".", String(decoding: bytes, as: UTF8.self))
        }
        let folder = slash == 0 ? "/" : String(decoding: bytes[..<slash], as: UTF8.self)
        return (folder, String(decoding: bytes[(slash + 1)...], as: UTF8.self))
    }
}
