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
        if try isFolder(path) { return }
        let parent = split(path).folder
        if parent != path, !parent.isEmpty { try make(parent, mode: mode) }
        let result = unsafe cs_make_directory(path, mode)
        if result < 0 {
            // Somebody else may have made it meanwhile.
            if SystemError(-result) == .exists, try isFolder(path) { return }
            throw .system(operation: "make the folder", path: path, errno: -result)
        }
    }

    /// False when nothing is there. *Throws* `.system`, also when something else than a folder stands there.
    private static func isFolder(_ path: String) throws(StorageFailure) -> Bool {
        do throws(StorageFailure) {
            guard try FileStatus(of: path, followingLinks: true).kind == .directory else {
                throw .system(operation: "make the folder", path: path, errno: 17)
            }
            return true
        } catch {
            if error.systemError == .notFound { return false }
            throw error
        }
    }

    /// What stands in `path`, sorted by the bytes of the names.
    ///
    /// An entry whose name is not UTF-8 comes with an escaped name (`FilePath.text`) and kind `.unnameable`: it can be told,
    /// not opened; `InputFolder` opens such ones.
    package static func list(_ path: String) throws(StorageFailure) -> [Entry] {
        var folder: OpaquePointer?
        try check(unsafe cs_folder_open(path, &folder), "list it", path)
        guard let folder = unsafe folder else { return [] }
        defer { unsafe cs_folder_close(folder) }
        var entries: [Entry] = []
        while let (raw, _) = try unsafe next(folder, path) {
            guard let status = try unsafe status(raw, folder, path) else { continue }
            let name = unsafe String(validatingCString: raw)
            entries.append(
                Entry(
                    name: name ?? FilePath(bytes: unsafe Self.bytes(raw)).text,
                    status: name == nil ? status.unnameable : status))
        }
        return entries.sorted { $0.name.utf8.lexicographicallyPrecedes($1.name.utf8) }
    }

    /// Names and kinds in an open folder, sorted by bytes. `descriptor` is closed.
    static func entries(
        of descriptor: Int32, path: String
    ) throws(StorageFailure) -> [(name: FilePath, kind: FileStatus.Kind)] {
        var folder: OpaquePointer?
        try check(unsafe cs_folder_of(descriptor, &folder), "list it", path)
        guard let folder = unsafe folder else { return [] }
        defer { unsafe cs_folder_close(folder) }
        var entries: [(name: FilePath, kind: FileStatus.Kind)] = []
        while let (raw, kind) = try unsafe next(folder, path) {
            // Most file systems tell the kind with the name; for the others each entry is looked at.
            var found = kind
            if found == nil { found = try unsafe status(raw, folder, path)?.kind }
            if let found { entries.append((FilePath(bytes: unsafe bytes(raw)), found)) }
        }
        return entries.sorted { $0.name < $1.name }
    }

    /// The next name, valid until the following call, and its kind where the file system tells it; nil at the end.
    private static func next(
        _ folder: OpaquePointer, _ path: String
    ) throws(StorageFailure) -> (name: UnsafePointer<CChar>, kind: FileStatus.Kind?)? {
        var raw: UnsafePointer<CChar>?
        var kind = Int32(CS_UNKNOWN)
        let result = try check(unsafe cs_folder_next(folder, &raw, &kind), "list it", path)
        guard result == 1, let raw = unsafe raw else { return nil }
        return unsafe (raw, kind == CS_UNKNOWN ? nil : FileStatus.Kind(kind))
    }

    /// Nil when the entry has gone since it was listed: it was not there.
    private static func status(
        _ name: UnsafePointer<CChar>, _ folder: OpaquePointer, _ path: String
    ) throws(StorageFailure) -> FileStatus? {
        var status = cs_status()
        let result = unsafe cs_folder_status(folder, name, &status)
        if result < 0, SystemError(-result) == .notFound { return nil }
        try check(result, "look at what is in it", path)
        return FileStatus(status)
    }

    private static func bytes(_ name: UnsafePointer<CChar>) -> [UInt8] {
        var bytes: [UInt8] = []
        while unsafe name[bytes.count] != 0 { bytes.append(UInt8(bitPattern: unsafe name[bytes.count])) }
        return bytes
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
        if result < 0 { throw .system(operation: "rename it", path: "\(from) -> \(to)", errno: -result) }
    }

    /// Exchanges two names of one file system in one step.
    package static func exchange(_ one: String, with other: String) throws(StorageFailure) {
        let result = unsafe cs_rename_exchange(one, other)
        if result < 0 { throw .system(operation: "exchange them", path: "\(one) <-> \(other)", errno: -result) }
    }

    /// Removes a file, a link, or a folder with all that is in it. Nothing there is fine; what cannot be looked at is not.
    package static func remove(_ path: String) throws(StorageFailure) {
        let kind: FileStatus.Kind
        do throws(StorageFailure) {
            kind = try FileStatus(of: path).kind
        } catch {
            if error.systemError == .notFound { return }
            throw error
        }
        try check(unsafe kind == .directory ? cs_remove_tree(path) : cs_remove_file(path), "remove it", path)
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
