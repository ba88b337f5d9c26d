internal import CSystem
internal import Failures

/// Folders: making, listing, renaming, syncing, removing. No function here follows a symbolic link inside a folder.
package enum Folder {
    /// One thing in a folder.
    package struct Entry: Sendable, Hashable {
        /// Relative to the folder that was listed, with `/` between levels; bytes, whatever they mean as text.
        package let path: FilePath
        package let status: FileStatus

        package init(path: FilePath, status: FileStatus) {
            self.path = path
            self.status = status
        }

        /// The path for people, and for opening where the name is known to be UTF-8, as in folders of our own.
        package var name: String { path.text }
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
    package static func list(_ path: FilePath) throws(StorageFailure) -> [Entry] {
        let told = path.text
        var folder: OpaquePointer?
        try check(path.withCString { unsafe cs_folder_open($0, &folder) }, "list it", told)
        guard let folder = unsafe folder else { return [] }
        defer { unsafe cs_folder_close(folder) }
        var entries: [Entry] = []
        while let (raw, _) = try unsafe next(folder, told) {
            guard let status = try unsafe status(raw, folder, told) else { continue }
            entries.append(Entry(path: FilePath(bytes: unsafe bytes(raw)), status: status))
        }
        return entries.sorted { $0.path < $1.path }
    }

    package static func list(_ path: String) throws(StorageFailure) -> [Entry] { try list(FilePath(path)) }

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
    package static func walk(_ path: FilePath, limit: Int = .max) throws(StorageFailure) -> [Entry] {
        var found: [Entry] = []
        // A stack, not recursion: depth comes from outside. Reversed, so that the first name is walked first.
        var waiting = try list(path).reversed() as [Entry]
        while let next = waiting.popLast() {
            found.append(next)
            if found.count > limit { throw .tooLarge(path: path.text, bytes: found.count, limit: limit) }
            guard next.status.kind == .directory else { continue }
            waiting += try list(path.appending(next.path)).reversed().map {
                Entry(path: next.path.appending($0.path), status: $0.status)
            }
        }
        return found
    }

    package static func walk(_ path: String, limit: Int = .max) throws(StorageFailure) -> [Entry] {
        try walk(FilePath(path), limit: limit)
    }

    /// Makes the names in a folder (or the content of one file) survive a power failure.
    package static func sync(_ path: FilePath) throws(StorageFailure) {
        try check(path.withCString { unsafe cs_sync_path($0) }, "sync it", path.text)
    }

    package static func sync(_ path: String) throws(StorageFailure) { try sync(FilePath(path)) }

    /// Syncs the folder that `path` stands in. Whoever made a file there has followed a link to the folder, so this does.
    package static func sync(folderOf path: String) throws(StorageFailure) { try sync(join(split(path).folder, ".")) }

    /// Syncs every file and folder below `path`, and `path` itself; calls `each` after each of them.
    package static func syncTree(_ path: String, each: () -> Void = {}) throws(StorageFailure) {
        let root = FilePath(path)
        for entry in try walk(root) where entry.status.kind == .regular || entry.status.kind == .directory {
            try sync(root.appending(entry.path))
            each()
        }
        try sync(path)
    }

    /// Renames within one file system; something that stands at `to` is an error (`systemError == .exists`).
    package static func rename(_ from: FilePath, to: FilePath) throws(StorageFailure) {
        let result = from.withCString { from in to.withCString { unsafe cs_rename_new(from, $0) } }
        if result < 0 { throw .system(operation: "rename it", path: "\(from) -> \(to)", errno: -result) }
    }

    package static func rename(_ from: String, to: String) throws(StorageFailure) {
        try rename(FilePath(from), to: FilePath(to))
    }

    /// Exchanges two names of one file system, in one step where it can: on NFS a crash may leave `other` as `one.aside`.
    package static func exchange(_ one: String, with other: String) throws(StorageFailure) {
        let result = unsafe cs_rename_exchange(one, other)
        if result < 0 { throw .system(operation: "exchange them", path: "\(one) <-> \(other)", errno: -result) }
    }

    /// Removes a file, a link, or a folder with all that is in it. Nothing there is fine; what cannot be looked at is not.
    package static func remove(_ path: FilePath) throws(StorageFailure) {
        let kind: FileStatus.Kind
        do throws(StorageFailure) {
            kind = try FileStatus(of: path).kind
        } catch {
            if error.systemError == .notFound { return }
            throw error
        }
        let result = path.withCString { unsafe kind == .directory ? cs_remove_tree($0) : cs_remove_file($0) }
        try check(result, "remove it", path.text)
    }

    package static func remove(_ path: String) throws(StorageFailure) { try remove(FilePath(path)) }

    /// Bytes that may still be written, and files that may still be made, on the file system of `path`.
    package static func freeRoom(_ path: String) throws(StorageFailure) -> (bytes: Int, files: Int) {
        var bytes: UInt64 = 0
        var files: UInt64 = 0
        try check(unsafe cs_free_room(path, &bytes, &files), "look at its disk", path)
        return (Int(clamping: bytes), Int(clamping: files))
    }

    package static func freeBytes(_ path: String) throws(StorageFailure) -> Int { try freeRoom(path).bytes }

    /// How many folders `path` lies below the top of its file system, links followed: 0 where something is mounted there. More than it was
    /// once, and what was mounted is away.
    package static func depthInFileSystem(_ path: String) throws(StorageFailure) -> Int {
        var place = join(path, ".")
        var status = try FileStatus(of: place, followingLinks: true)
        var depth = 0
        while true {
            place += "/.."
            let above = try FileStatus(of: place, followingLinks: true)
            // The top of all is above itself.
            if above.device != status.device || above.inode == status.inode { return depth }
            (status, depth) = (above, depth + 1)
        }
    }

    /// Whether this process may make and remove names in a folder, on a file system that can be written.
    package static func isWritable(_ path: String) -> Bool { unsafe cs_may_write(path) == 1 }

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
