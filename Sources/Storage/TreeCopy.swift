internal import CSystem
internal import Failures

/// Copies of a file or of a folder with all that is in it, under the same names, whatever bytes those are.
///
/// Only regular files and folders are copied, never through a link; everything new belongs to this process's user alone.
package enum TreeCopy {
    /// Copies the folder `source` to `target`, which must not exist: each file by sharing its bytes where the file system can (reflink),
    /// otherwise by reading, with the copy read back and compared. All of it is synced. `each` is called after each piece.
    ///
    /// *Throws* `.notAFile` for a link, a device, a FIFO or a socket, before anything is written; `.changed` when a file changed
    /// meanwhile; `.system`. What was written until then stays.
    /// *Cost*: nothing but names with reflinks; otherwise one pass of writing and two of reading, the second from memory.
    package static func copy(
        _ source: FilePath, to target: String, each: () -> Void = {}
    ) throws(StorageFailure) {
        let entries = try Folder.walk(source)
        for entry in entries where entry.status.kind != .directory && entry.status.kind != .regular {
            throw .notAFile(path: source.text, kind: entry.status.kind)
        }
        let folder = try InputFolder(source)
        try make(FilePath(target))
        for entry in entries {
            let new = FilePath(target).appending(entry.path)
            if entry.status.kind == .directory {
                try make(new)
            } else {
                try copy(file: folder.open(entry.path), to: new, each)
            }
        }
        for entry in entries where entry.status.kind == .directory {
            try Folder.sync(FilePath(target).appending(entry.path))
        }
        try Folder.sync(target)
    }

    /// The same for one file.
    package static func copy(file source: FilePath, to target: FilePath, each: () -> Void = {}) throws(StorageFailure) {
        let kind = try FileStatus(of: source).kind
        guard kind == .regular else { throw .notAFile(path: source.text, kind: kind) }
        try copy(file: InputFolder(source.folder).open(source.name), to: target, each)
    }

    /// Whether every file of `source` stands under the same name in `other` with the same bytes; `source` may be a file.
    ///
    /// *Throws* `.system` when that cannot be known. *Cost*: one pass over both; `each` is called after each piece.
    package static func isContained(
        _ source: FilePath, in other: FilePath, each: () -> Void = {}
    ) throws(StorageFailure) -> Bool {
        guard try FileStatus(of: source).kind == .directory else {
            return try haveSameBytes(
                InputFolder(source.folder), source.name, InputFolder(other.folder), other.name, each)
        }
        let (here, there) = (try InputFolder(source), try InputFolder(other))
        for entry in try Folder.walk(source) where entry.status.kind != .directory {
            guard try haveSameBytes(here, entry.path, there, entry.path, each) else { return false }
        }
        return true
    }

    private static func haveSameBytes(
        _ folder: InputFolder, _ name: FilePath, _ otherFolder: InputFolder, _ otherName: FilePath,
        _ each: () -> Void
    ) throws(StorageFailure) -> Bool {
        do throws(StorageFailure) {
            let (one, other) = (try folder.open(name), try otherFolder.open(otherName))
            guard one.size == other.size else { return false }
            return try FileDigest(of: one, each: each) == FileDigest(of: other, each: each)
        } catch {
            if error.systemError == .notFound || error.kind == .refused { return false }
            throw error
        }
    }

    private static func make(_ folder: FilePath) throws(StorageFailure) {
        try check(folder.withCString { unsafe cs_make_directory($0, 0o750) }, "make the folder", folder.text)
    }

    /// Bytes that are synced at once at most.
    private static let syncedPiece = 1 << 28

    private static func copy(
        file source: InputFile, to target: FilePath, _ each: () -> Void
    ) throws(StorageFailure) {
        let told = target.text
        let new = try check(target.withCString { unsafe cs_open_new($0, 0o640) }, "write it", told)
        defer { cs_close(new) }
        if try !source.clone(into: new) {
            var sum = FileDigest.Accumulator()
            var buffer = [UInt8](repeating: 0, count: 1 << 18)
            var at = 0
            while at < source.size {
                let count = min(buffer.count, source.size - at)
                try source.read(at: at, into: &buffer, count: count)
                let piece = buffer.span.bytes.extracting(0..<count)
                sum.add(piece)
                try check(piece.withUnsafeBytes { unsafe cs_write(new, $0.baseAddress, $0.count) }, "write it", told)
                at += count
                // What is left for the end would take minutes of a slow disk in one call.
                if at.isMultiple(of: syncedPiece) { try check(cs_sync(new), "sync it", told) }
                each()
            }
            let back = try FileDigest(of: InputFolder(target.folder).open(target.name), each: each)
            guard back == sum.finish() else {
                throw .system(operation: "copy it: the copy reads back differently", path: told, errno: 5)
            }
        }
        try source.checkUnchanged()
        try check(cs_sync(new), "sync it", told)
        each()
    }
}
