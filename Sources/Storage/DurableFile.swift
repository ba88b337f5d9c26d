internal import CSystem
internal import Failures

/// A file that appears whole under its name or not at all, also when the power fails.
///
/// Written under a temporary name in the same folder, synced, renamed over what stood there, the folder synced.
/// Dropped without `commit`, the temporary file is removed. After a crash it stays as `.NAME.tmp-…`.
package struct DurableFile: ~Copyable {
    package let path: String
    private let temporary: String
    private let file: Int32

    /// *Throws* `.system` when the folder is missing or not writable.
    package init(_ path: String, mode: UInt32 = 0o644) throws(StorageFailure) {
        let (folder, name) = Folder.split(path)
        var generator = SystemRandomNumberGenerator()
        // A name may be as long as the file system allows, the temporary one is longer: it is cut then.
        let begin = FilePath(name).bytes.prefix(200)
        let temporary = Folder.join(
            folder,
            ".\(String(validating: begin, as: UTF8.self) ?? "file")\(Self.mark)\(String(generator.next(), radix: 36))")
        let opened = unsafe cs_open_new(temporary, mode)
        // The reader knows the name that was asked for, not the temporary one.
        if opened < 0 { throw .system(operation: "write it", path: path, errno: -opened) }
        self.path = path
        self.temporary = temporary
        file = opened
    }

    deinit {
        cs_close(file)
        unsafe _ = cs_remove_file(temporary)
    }

    /// What tells a temporary file from the one that it becomes.
    private static let mark = ".tmp-"

    /// Removes what writers that have died left in `folder`. Nobody may be writing there. A folder that is not there holds nothing.
    package static func removeTemporaries(in folder: String) throws(StorageFailure) {
        let entries: [Folder.Entry]
        do throws(StorageFailure) { entries = try Folder.list(folder) } catch {
            guard error.systemError == .notFound else { throw error }
            return
        }
        for entry in entries
        where entry.status.kind == .regular && entry.name.hasPrefix(".") && entry.name.contains(mark) {
            try Folder.remove(Folder.join(folder, entry.name))
        }
    }

    /// Appends all of `bytes`.
    package mutating func append(_ bytes: RawSpan) throws(StorageFailure) {
        let result = unsafe bytes.withUnsafeBytes { unsafe cs_write(file, $0.baseAddress, $0.count) }
        try check(result, "write it", path)
    }

    package mutating func append(_ bytes: [UInt8]) throws(StorageFailure) { try append(bytes.span.bytes) }

    /// Appends all of another file, which need not fit into memory; `each` is called after each piece.
    package mutating func append(_ source: InputFile, each: () -> Void = {}) throws(StorageFailure) {
        var buffer = [UInt8](repeating: 0, count: 1 << 18)
        var at = 0
        while at < source.size {
            let count = min(buffer.count, source.size - at)
            try source.read(at: at, into: &buffer, count: count)
            try append(buffer.span.bytes.extracting(0..<count))
            at += count
            each()
        }
    }

    /// Gives the file its name; what stood there is replaced.
    package consuming func commit() throws(StorageFailure) {
        try check(cs_sync(file), "sync it", path)
        // After the rename the temporary name is gone, and the removal in `deinit` finds nothing.
        try check(unsafe cs_rename_replace(temporary, path), "rename it", path)
        try Folder.sync(folderOf: path)
    }

    /// *Throws* what would keep a file from being written at `path` now: before the work that makes it.
    package static func confirmWritable(_ path: String) throws(StorageFailure) {
        // Of an empty path, which the system knows nothing at, the temporary file could be made and would never get its name.
        if path.isEmpty || FileStatus.exists(path) {
            let kind = try FileStatus(of: path, followingLinks: true).kind
            guard kind == .regular else { throw .notAFile(path: path, kind: kind) }
        }
        _ = try DurableFile(path)
    }

    /// Writes `bytes` as the whole file.
    package static func write(_ bytes: [UInt8], to path: String, mode: UInt32 = 0o644) throws(StorageFailure) {
        var file = try DurableFile(path, mode: mode)
        try file.append(bytes)
        try file.commit()
    }

    /// Writes `text` in UTF-8 as the whole file.
    package static func write(_ text: String, to path: String, mode: UInt32 = 0o644) throws(StorageFailure) {
        try write(Array(text.utf8), to: path, mode: mode)
    }

    /// All bytes of a regular file of at most `limit`.
    ///
    /// *Throws* `.notAFile`, `.tooLarge`, `.system`; `.changed` when it became shorter meanwhile.
    package static func read(_ path: String, limit: Int) throws(StorageFailure) -> [UInt8] {
        let (file, status) = try openRegular(path, limit: limit, followingLinks: true)
        defer { cs_close(file) }
        let size = status.size
        var bytes = [UInt8](repeating: 0, count: size)
        let got = unsafe bytes.withUnsafeMutableBytes { unsafe cs_read_at(file, $0.baseAddress, size, 0) }
        if got < 0 { throw .system(operation: "read it", path: path, errno: Int32(-got)) }
        guard got == size else { throw .changed(path: path) }
        return bytes
    }
}
