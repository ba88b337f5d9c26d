internal import CSystem

/// A folder that one process works in at a time. Its lock is a file there, which goes when the lock does.
package final class FolderLock: Sendable {
    /// The lock, or what its holder wrote.
    package enum Outcome {
        case taken(FolderLock)
        case held(by: String)
    }

    /// Of the file in the folder.
    package static let name = ".hspsam-lock"
    private static let tries = 20
    /// Whoever looks at a lock holds it for an instant.
    private static let pauseMilliseconds: UInt32 = 50

    private let lock: FileLock

    private init(_ lock: FileLock) { self.lock = lock }

    // While the lock is held: who takes it next makes a file of its own.
    deinit { try? Folder.remove(lock.path) }

    /// Takes the lock of a folder that is there. What then stands in its file tells whose it is.
    ///
    /// *Throws* `.system` when the file cannot be made. *Cost*: a second at most, while others look at the lock.
    package static func take(_ folder: String) throws(StorageFailure) -> Outcome {
        let file = Folder.join(folder, name)
        let owner = LockOwner.thisProcess()
        for _ in 0..<tries {
            guard let lock = try FileLock(file, owner: owner) else {
                if let other = try FileLock.owner(file), !other.isEmpty { return .held(by: other) }
                cs_pause(pauseMilliseconds)
                continue
            }
            // Whoever held it before removes the file at its end: a lock on a removed file keeps nobody out.
            if let text = try? DurableFile.read(file, limit: 4096), text == Array(owner.utf8) {
                return .taken(FolderLock(lock))
            }
        }
        return .held(by: "its lock changes hands")
    }
}
