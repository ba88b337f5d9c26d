internal import Storage

/// What only one service may hold: the locks of the ledger, of the spool and of the inbox. Another ledger's service would take what the
/// first works on for its own.
package final class ServiceLocks: Sendable {
    private let locks: [FileLock]

    /// Tried for a second: `status` holds the lock for an instant when it looks.
    ///
    /// *Throws* `DaemonFailure.locked` with who holds it; `StorageFailure`.
    package init(_ paths: ServicePaths) async throws {
        _ = try FileStatus(of: paths.inbox, followingLinks: true)
        var locks: [FileLock] = []
        for path in [paths.lock, paths.spoolLock, paths.inboxLock] { locks.append(try await Self.lock(path)) }
        self.locks = locks
    }

    /// Takes one lock. *Throws* `DaemonFailure.locked`, `StorageFailure`.
    static func lock(_ path: String) async throws -> FileLock {
        let owner = LockOwner.thisProcess()
        for _ in 0..<10 {
            if let lock = try FileLock(path, owner: owner) { return lock }
            try await Task.sleep(for: .milliseconds(100))
        }
        throw DaemonFailure.locked(path: path, owner: (try? FileLock.owner(path)) ?? "unknown")
    }
}
