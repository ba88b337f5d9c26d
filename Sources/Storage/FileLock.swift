internal import CSystem
internal import Failures

/// A lock that one process holds until it lets go or dies, however it dies; its file says who holds it.
package final class FileLock: Sendable {
    package let path: String
    private let file: Int32

    /// Takes the lock at once and writes `owner` into the file, or gives nil when another process holds it.
    ///
    /// *Throws* `.system` when the file cannot be made.
    package init?(_ path: String, owner: String) throws(StorageFailure) {
        let file = try check(unsafe cs_open_shared(path, 0o640), "lock it", path)
        let result = cs_lock(file, 0)
        guard result >= 0 else {
            cs_close(file)
            if SystemError(-result) == .wouldBlock { return nil }
            throw .system(operation: "lock it", path: path, errno: -result)
        }
        self.path = path
        self.file = file
        let bytes = Array(owner.utf8)
        let written = unsafe bytes.withUnsafeBytes { unsafe cs_rewrite(file, $0.baseAddress, $0.count) }
        try check(written, "write it", path)
    }

    deinit { cs_close(file) }

    /// What the holder wrote, nil when nobody holds the lock.
    ///
    /// Looks for an instant by a shared lock, so whoever takes the lock tries more than once.
    /// *Throws* `.system` when the file is there and cannot be read: then nobody knows.
    package static func owner(_ path: String) throws(StorageFailure) -> String? {
        let file = unsafe cs_open_read(path, 0)
        if file < 0, SystemError(-file) == .notFound { return nil }
        try check(file, "open it", path)
        defer { cs_close(file) }
        guard cs_lock(file, 1) < 0 else { return nil }
        // The holder may be writing just now, so the length that the file had a moment ago means nothing.
        var bytes = [UInt8](repeating: 0, count: 4096)
        let got = unsafe bytes.withUnsafeMutableBytes { unsafe cs_read_at(file, $0.baseAddress, $0.count, 0) }
        if got < 0 { throw .system(operation: "read it", path: path, errno: Int32(-got)) }
        return String(decoding: bytes.prefix(Int(got)), as: UTF8.self)
    }
}
