package import Storage
internal import Synchronization

/// Digests of files that were read before: each is read once for all destinations and tries, as long as nothing of it changes.
package final class ReadDigests: Sendable {
    private let known = Mutex<[String: (status: FileStatus, digest: FileDigest)]>([:])
    /// Nanoseconds: within so many two changes may have one time.
    private static let tick: Int64 = 50_000_000
    /// Afterwards it begins anew: some results have a hundred files.
    private static let most = 10_000

    package init() {}

    /// The digest of the file at `path`; `each` is called after each piece that is read.
    ///
    /// No program can set back the time at which an inode was changed: where that and its size are the same, so are its bytes.
    /// *Throws* `StorageFailure`. *Cost*: reads it once, and again after it was changed.
    package func digest(of path: String, each: () -> Void) throws(StorageFailure) -> FileDigest {
        // Before it is read: what is written meanwhile is read again the next time.
        let status = try FileStatus(of: path)
        if let before = known.withLock({ $0[path] }), before.status == status { return before.digest }
        let digest = try FileDigest(of: InputFile(path), each: each)
        guard Moment.now * 1_000_000 - status.changedNS > Self.tick else { return digest }
        known.withLock { known in
            if known.count >= Self.most { known = [:] }
            known[path] = (status, digest)
        }
        return digest
    }
}
