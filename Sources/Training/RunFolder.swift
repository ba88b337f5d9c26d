import Foundation
import SegmentAnything
import Storage

/// The folder that a training writes to: one run works in it at a time.
struct RunFolder {
    let path: String

    /// *Throws* `TrainingFailure.busy` when another run works there now.
    func confirmFree() throws {
        if let owner = try FileLock.owner(Folder.join(path, FolderLock.name)), !owner.isEmpty {
            throw TrainingFailure.busy(path: path, owner: owner)
        }
    }

    /// For as long as the run lasts. *Throws* `TrainingFailure.busy`; Storage's failures.
    func lock() throws -> FolderLock {
        let process = ProcessInfo.processInfo
        let since = Date().formatted(.iso8601)
        let owner = "process \(process.processIdentifier) on \(process.hostName) since \(since)"
        switch try FolderLock.take(path, owner: owner, pause: { Thread.sleep(forTimeInterval: 0.05) }) {
        case .taken(let lock): return lock
        case .held(let owner): throw TrainingFailure.busy(path: path, owner: owner)
        }
    }

    /// *Throws* `TrainingFailure.finished` for a folder with a run or a model that is not gone on with.
    func confirm(resume: Bool) throws(TrainingFailure) {
        let hasCheckpoint = FileStatus.exists(Checkpoint.path(in: path))
        let isWhole = FileStatus.exists(Folder.join(path, ModelDirectory.sumsName))
        if isWhole && !(resume && hasCheckpoint) || hasCheckpoint && !resume {
            throw .finished(path: path, isWhole: isWhole)
        }
    }
}
