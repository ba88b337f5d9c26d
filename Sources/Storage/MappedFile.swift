internal import CSystem
internal import Failures

/// A whole file of ours in memory, read-only and shared with other processes that map it: weights, checkpoints.
///
/// *Cost*: no copy; pages are read when touched. A file that another process cuts shorter meanwhile ends this process
/// (SIGBUS), so a user's file is never mapped: `InputFile` reads those.
package final class MappedFile: @unchecked Sendable {
    // Sendable: the map is read-only and lives until `deinit`; nothing here changes after `init`.
    package let path: String
    /// Bytes.
    package let count: Int
    private let address: UnsafeMutableRawPointer?
    /// Of the file that is mapped, whatever the path names meanwhile.
    private let descriptor: Int32
    /// What it was when it was mapped.
    private let status: FileStatus

    /// Maps `path`, which must be a regular file of at most `limit` bytes.
    ///
    /// *Throws* `.notAFile`, `.tooLarge`, `.system`.
    package init(_ path: String, limit: Int = .max) throws(StorageFailure) {
        let (file, status) = try openRegular(path, limit: limit, followingLinks: true)
        let size = status.size
        var mapped: UnsafeMutableRawPointer?
        do throws(StorageFailure) {
            if size > 0 { try check(unsafe cs_map(file, size, &mapped), "map it", path) }
        } catch {
            cs_close(file)
            throw error
        }
        self.path = path
        count = size
        descriptor = file
        self.status = status
        unsafe address = mapped
    }

    deinit {
        if let address = unsafe address { unsafe cs_unmap(address, count) }
        cs_close(descriptor)
    }

    /// SHA-256 of the whole file, read through its descriptor: what cannot be read, or was cut, is a failure and no signal.
    ///
    /// *Throws* `.system`, `.changed`. *Cost*: one pass over the file.
    package func digest() throws(StorageFailure) -> FileDigest {
        var sum = FileDigest.Accumulator()
        var buffer = [UInt8](repeating: 0, count: 1 << 18)
        var at = 0
        while at < count {
            let got = unsafe buffer.withUnsafeMutableBytes {
                unsafe cs_read_at(descriptor, $0.baseAddress, min($0.count, count - at), UInt64(at))
            }
            if got < 0 { throw .system(operation: "read it", path: path, errno: Int32(-got)) }
            if got == 0 { throw .changed(path: path) }
            sum.add(buffer.span.bytes.extracting(0..<Int(got)))
            at += Int(got)
        }
        return sum.finish()
    }

    /// Whether nobody has written to it since it was mapped. Another name or other permissions change no byte.
    ///
    /// - Parameter digest: its digest.
    /// *Throws* as `digest`. *Cost*: a look at its times; one pass where these do not tell.
    package func isUnwritten(_ digest: FileDigest) throws(StorageFailure) -> Bool {
        let now = try FileStatus(descriptor: descriptor, path: path)
        guard now.size == status.size, now.modifiedNS == status.modifiedNS else { return false }
        // The time of writing can be set back.
        if now.changedNS == status.changedNS { return true }
        return try self.digest() == digest
    }

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

    /// Lets the memory of a part go that will hardly be looked at again; it is read from the file when it is.
    package func letGo(offset: Int, count part: Int) {
        guard let address = unsafe address, offset >= 0, part >= 0, offset <= count, part <= count - offset else {
            return
        }
        unsafe cs_unmap_pages(address, offset, part)
    }

    /// A copy of a part; nil when it is not inside the file.
    package func copy(offset: Int, count wanted: Int) -> [UInt8]? {
        guard offset >= 0, wanted >= 0, offset <= count, wanted <= count - offset else { return nil }
        return unsafe [UInt8](UnsafeRawBufferPointer(start: address, count: count)[offset..<offset + wanted])
    }
}

/// An open descriptor of a regular file, and what it was then.
func openRegular(
    _ path: String, limit: Int, followingLinks: Bool
) throws(StorageFailure) -> (file: Int32, status: FileStatus) {
    let file = try check(unsafe cs_open_read(path, followingLinks ? 1 : 0), "open it", path)
    do throws(StorageFailure) {
        let status = try FileStatus(descriptor: file, path: path)
        guard status.kind == .regular else { throw .notAFile(path: path, kind: status.kind) }
        guard status.size <= limit else { throw .tooLarge(path: path, bytes: status.size, limit: limit) }
        return (file, status)
    } catch {
        cs_close(file)
        throw error
    }
}
