import Failures
import Foundation
import Records
import Storage

/// The folder that a run writes to; one run works in it at a time.
final class OutputFolder {
    let path: String
    private let lock: FileLock

    private static let lockName = ".hspsam-lock"
    static let partialPrefix = ".partial-"

    /// Makes the folder where it is missing, takes its lock, and removes what a run that died left half made.
    ///
    /// *Throws* `InputFailure.output` when it cannot be made or written, `.busy` when another run works there.
    init(_ path: String) throws {
        self.path = path
        do {
            try Folder.make(path)
            lock = try Self.lock(path)
            for entry in try Folder.list(path)
            where entry.name.hasPrefix(Self.partialPrefix) && entry.status.kind == .directory {
                try Folder.remove(Folder.join(path, entry.name))
            }
        } catch let failure as InputFailure {
            throw failure
        } catch {
            throw InputFailure.output(path: path, what: FailureRecord(error).message)
        }
    }

    private static func lock(_ path: String) throws -> FileLock {
        let file = Folder.join(path, lockName)
        let host = ProcessInfo.processInfo.hostName
        // The owner's text is never the same twice, so that what stands in the file tells whose lock it is.
        let owner = "process \(ProcessInfo.processInfo.processIdentifier) on \(host) since \(RecordTime.now())"
        for _ in 0..<20 {
            guard let lock = try FileLock(file, owner: owner) else {
                if let other = try FileLock.owner(file), !other.isEmpty {
                    throw InputFailure.busy(path: path, owner: other)
                }
                Thread.sleep(forTimeInterval: 0.05)
                continue
            }
            // Whoever held it before removes the file at its end: a lock on a removed file keeps nobody out.
            if let text = try? DurableFile.read(file, limit: 4096), text == Array(owner.utf8) { return lock }
        }
        throw InputFailure.busy(path: path, owner: "its lock changes hands")
    }

    deinit { try? Folder.remove(lock.path) }
}
