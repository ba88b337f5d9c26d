internal import Storage

/// What only one service may hold: the ledger's lock and the inbox's.
package final class ServiceLocks: Sendable {
    private let locks: [FileLock]

    /// Tried for a second: `status` holds the lock for an instant when it looks.
    ///
    /// *Throws* `DaemonFailure.locked` with who holds it; `StorageFailure`.
    package init(_ paths: ServicePaths) async throws {
        locks = [try await Self.lock(paths.lock), try await Self.lock(paths.inboxLock)]
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
