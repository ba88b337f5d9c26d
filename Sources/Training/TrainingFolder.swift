import SegmentAnything
import Storage

/// The folder that a training writes to: one run works in it at a time.
package struct TrainingFolder {
    let path: String

    /// *Throws* `TrainingFailure.busy` when another run works there now.
    func confirmFree() throws {
        if let owner = try FileLock.owner(Folder.join(path, FolderLock.name)), !owner.isEmpty {
            throw TrainingFailure.busy(path: path, owner: owner)
        }
    }

    /// For as long as the run lasts. *Throws* `TrainingFailure.busy`; Storage's failures.
    func lock() throws -> FolderLock {
        switch try FolderLock.take(path) {
        case .taken(let lock): return lock
        case .held(let owner): throw TrainingFailure.busy(path: path, owner: owner)
        }
    }

    static let planName = "train.yaml"
    static let listName = "data.csv"
    /// What stands there from the first moment of a run to its first checkpoint, and perhaps more of it.
    private static let early = [
        planName, listName, MetricsLog.name, TrainingPage.name, BestWeights.name, BestWeights.waitingName,
    ]
    private static let late = [ModelDirectory.configurationName, ModelDirectory.weightsName]

    /// Whether a run stands there that is gone on with; false: nothing that a run writes is there yet.
    ///
    /// - Parameters:
    ///   - plan: as the run writes it.
    ///   - list: the run's images; asked for where a list stands there.
    /// *Throws* `TrainingFailure.finished` for a folder with a run or a model that is not gone on with, `.occupied` for one with files that
    /// the run would write over and that are not its own.
    @discardableResult
    func confirm(resume: Bool, plan: [UInt8], list: () throws -> String) throws -> Bool {
        let hasCheckpoint = holds(Checkpoint.name)
        let isWhole = holds(ModelDirectory.sumsName)
        if isWhole && !(resume && hasCheckpoint) || hasCheckpoint && !resume {
            throw TrainingFailure.finished(path: path, isWhole: isWhole)
        }
        if hasCheckpoint { return true }
        // A run writes its plan and its list before anything else, so both tell whose the rest is.
        let ownPlan = holds(Self.planName) && content(Self.planName, is: plan)
        let ownList = try holds(Self.listName) && content(Self.listName, is: Array(list().utf8))
        let isBegun = ownPlan && ownList
        let strangers =
            Self.late.filter(holds)
            + Self.early.filter { name in
                guard holds(name) else { return false }
                return switch name {
                case Self.planName: !ownPlan
                case Self.listName: !ownList
                default: !isBegun
                }
            }
        guard strangers.isEmpty else { throw TrainingFailure.occupied(path: path, names: strangers.sorted()) }
        let hasMore = Self.early.dropFirst(2).contains(where: holds)
        if hasMore, !resume { throw TrainingFailure.finished(path: path, isWhole: false) }
        return isBegun
    }

    private func holds(_ name: String) -> Bool { FileStatus.exists(Folder.join(path, name)) }

    private func content(_ name: String, is bytes: [UInt8]) -> Bool {
        (try? DurableFile.read(Folder.join(path, name), limit: bytes.count)) == bytes
    }
}
