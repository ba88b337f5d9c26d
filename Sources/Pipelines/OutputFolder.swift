import Failures
import Foundation
import Records
import Storage

/// The folder that a run writes to; one run works in it at a time.
final class OutputFolder {
    /// Without symbolic links: what is written there is renamed and synced by names in it.
    let path: String
    private let lock: FolderLock

    static let partialPrefix = ".partial-"

    /// Makes the folder where it is missing, takes its lock, and removes what a run that died left half made.
    ///
    /// *Throws* `InputFailure.output` when it cannot be made or written, `.busy` when another run works there.
    init(_ path: String) throws {
        do {
            try Folder.make(path)
            let path = Self.resolved(path)
            self.path = path
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

    private static func lock(_ path: String) throws -> FolderLock {
        switch try FolderLock.take(path) {
        case .taken(let lock): return lock
        case .held(let owner): throw InputFailure.busy(path: path, owner: owner)
        }
    }

    private static func resolved(_ path: String) -> String {
        URL(fileURLWithPath: path).resolvingSymlinksInPath().path
    }
}

// MARK: Inputs and results in one place

extension OutputFolder {
    static let pageName = "index.html"

    /// *Throws* `InputFailure.output` when an input is the folder itself, whose files could not be told from results, or stands in a folder
    /// of it that a run replaces or removes.
    static func confirm(_ path: String, apartFrom inputs: [String]) throws(InputFailure) {
        // A folder that is not there yet holds no input.
        guard let folder = try? FileStatus(of: path, followingLinks: true) else { return }
        for input in inputs {
            guard let status = try? FileStatus(of: input, followingLinks: true) else { continue }
            var place = resolved(input)
            // A DICOMDIR stands for its folder.
            if status.kind != .directory, MediaDirectory.isLikely(at: FilePath(input)) {
                place = Folder.split(place).folder
            }
            guard !isSame(place, folder) else {
                throw .output(
                    path: path,
                    what: FailureMessage(
                        "it is an input itself: its images and the results would lie in one folder.", cure: ""))
            }
            while place != "/" {
                let (parent, name) = Folder.split(place)
                if isSame(parent, folder) {
                    guard !isPartial(name, at: place), !isStudy(place) else {
                        throw .output(
                            path: path,
                            what: FailureMessage(
                                "an input lies in a study's folder of it, which a run replaces with all that is in it.",
                                cure: ""))
                    }
                    break
                }
                place = parent
            }
        }
    }

    /// *Throws* `InputFailure.output` when the results of another part of the studies stand here: the run's record and page would tell of
    /// the last part alone.
    func confirm(_ shard: Shard) throws(InputFailure) {
        guard let other = record?.shard, other != shard.text else { return }
        throw .output(
            path: path,
            what: FailureMessage(
                "results of part \(other) stand there, and run.json would tell of part \(shard.text) alone.",
                cure: "Give each part a folder of its own."))
    }

    /// What runs have written here, as names relative to a folder that this one lies in; empty where it lies elsewhere. Everything else in
    /// the folder is as good an input as any.
    ///
    /// *Throws* `StorageFailure`.
    func written(below root: FilePath) throws(StorageFailure) -> Set<FilePath> {
        let root = try FileStatus(of: root, followingLinks: true)
        var (place, below): (String, [String]) = (path, [])
        while place != "/" {
            let (parent, name) = Folder.split(place)
            below.insert(name, at: 0)
            place = parent
            guard Self.isSame(place, root) else { continue }
            let hasRecord = record != nil
            let own = try Folder.list(path).filter { entry in
                switch entry.name {
                case FolderLock.name: true
                case RunRecord.fileName, Self.pageName, MeasurementTables.fileName, MeasurementTables.objectsFileName:
                    hasRecord
                default:
                    entry.status.kind == .directory
                        && (entry.name.hasPrefix(Self.partialPrefix) || Self.isStudy(Folder.join(path, entry.name)))
                }
            }
            let folder = FilePath(below.joined(separator: "/"))
            return Set(own.map { folder.appending($0.path) })
        }
        return []
    }

    /// Of the last run that came to its end here; nil for none.
    private var record: RunRecord? {
        try? RunRecord(json: DurableFile.read(Folder.join(path, RunRecord.fileName), limit: 1 << 30))
    }

    /// Whether a run has written the folder of a study of that name.
    func holds(study name: String) -> Bool { Self.isStudy(Folder.join(path, name)) }

    /// Whether a folder is that of a study that was never finished.
    private static func isPartial(_ name: String, at path: String) -> Bool {
        name.hasPrefix(partialPrefix) && (try? FileStatus(of: path))?.kind == .directory
    }

    /// Whether a folder is one that a run has written: it holds the report of the study that it is named after.
    fileprivate static func isStudy(_ path: String) -> Bool {
        let report = Folder.join(path, StudyRecord.fileName)
        guard let record = try? StudyRecord(json: DurableFile.read(report, limit: 1 << 30)) else { return false }
        return record.study == Folder.split(path).name
    }

    private static func isSame(_ path: String, _ other: FileStatus) -> Bool {
        guard let status = try? FileStatus(of: path, followingLinks: true) else { return false }
        return status.inode == other.inode && status.device == other.device
    }
}

extension RunRecord {
    /// Folders of studies in the run's output folder at `path` that an earlier run has made and that may be of files which gave no result in
    /// this one: where something was refused or failed of which no study is known, all of them; else those of studies that failed whole.
    package func outdatedStudies(in path: String) -> [String] {
        let lost = inputs.filter { $0.status == .refused || $0.status == .failed }
        guard !lost.isEmpty, let entries = try? Folder.list(path) else { return [] }
        let made = Set(studies.map(\.study))
        let isUnknown = lost.contains { $0.study == nil }
        let failed = Set(lost.compactMap(\.study))
        return entries.map(\.name).filter { name in
            !made.contains(name) && (isUnknown || failed.contains(name))
                && OutputFolder.isStudy(Folder.join(path, name))
        }
    }
}
