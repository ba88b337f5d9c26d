internal import CSystem
internal import Failures

/// A whole file in memory, read-only and shared with other processes that map it.
///
/// *Cost*: no copy; pages are read when touched. A file that another process cuts shorter meanwhile ends this process
/// (SIGBUS), so map only what stands still: claimed inputs, models, our own results.
package final class MappedFile: @unchecked Sendable {
    // Sendable: the map is read-only and lives until `deinit`; nothing here changes after `init`.
    package let path: String
    /// Bytes.
    package let count: Int
    private let address: UnsafeMutableRawPointer?

    /// Maps `path`, which must be a regular file of at most `limit` bytes.
    ///
    /// *Throws* `.notAFile`, `.tooLarge`, `.system`.
    package init(_ path: String, limit: Int = .max, followingLinks: Bool = true) throws(StorageFailure) {
        let (file, size) = try openRegular(path, limit: limit, followingLinks: followingLinks)
        defer { cs_close(file) }
        self.path = path
        count = size
        var mapped: UnsafeMutableRawPointer?
        if size > 0 { try check(unsafe cs_map(file, size, &mapped), "map it", path) }
        unsafe address = mapped
    }

    deinit { if let address = unsafe address { unsafe cs_unmap(address, count) } }

    /// Calls `body` with all bytes; they may not leave it.
    package func withBytes<Result, Error: Swift.Error>(_ body: (RawSpan) throws(Error) -> Result) throws(Error)
        -> Result
    {
        try body(unsafe UnsafeRawBufferPointer(start: address, count: count).bytes)
    }

    /// The same for calls into C.
    package func withUnsafeBytes<Result, Error: Swift.Error>(
        _ body: (UnsafeRawBufferPointer) throws(Error) -> Result
    ) throws(Error) -> Result {
        try unsafe body(UnsafeRawBufferPointer(start: address, count: count))
    }

    /// A copy of a part; nil when it is not inside the file.
    package func copy(offset: Int, count wanted: Int) -> [UInt8]? {
        guard offset >= 0, wanted >= 0, offset <= count, wanted <= count - offset else { return nil }
        return unsafe [UInt8](UnsafeRawBufferPointer(start: address, count: count)[offset..<offset + wanted])
    }
}

/// An open descriptor of a regular file and its size.
func openRegular(_ path: String, limit: Int, followingLinks: Bool) throws(StorageFailure) -> (file: Int32, size: Int) {
    let file = try check(unsafe cs_open_read(path, followingLinks ? 1 : 0), "open it", path)
    do throws(StorageFailure) {
        var raw = cs_status()
        try check(unsafe cs_status_of_file(file, &raw), "look at it", path)
        let status = FileStatus(raw)
        guard status.kind == .regular else { throw .notAFile(path: path, kind: status.kind) }
        guard status.size <= limit else { throw .tooLarge(path: path, bytes: status.size, limit: limit) }
        return (file, status.size)
    } catch {
        cs_close(file)
        throw error
    }
}
