import Numbers
import SegmentAnything
import Storage
import Tensors

/// The weights with the highest validation Dice of a stage: they are written when the run ends.
///
/// Their figures and the digest of their file stand in the checkpoint; `best.safetensors` beside it holds the weights. They wait under
/// another name until there is a checkpoint that tells of them: at no moment a kill leaves a checkpoint without its best weights.
struct BestWeights: Sendable, Equatable {
    let found: ValidationResult
    var dice: Double { found.dice }
    /// From 1.
    let epoch: Int
    /// Validations since.
    var since: Int
    /// SHA-256 of their file; nil until it is written, and at processes that do not write.
    private(set) var digest: FileDigest?

    static let name = "best.safetensors"
    static let waitingName = "best-next.safetensors"

    private static func path(in folder: String) -> String { Folder.join(folder, name) }
    private static func waiting(in folder: String) -> String { Folder.join(folder, waitingName) }

    /// The best after one more validation; `since` is 0 when it is that one.
    static func after(_ found: ValidationResult, epoch: Int, _ best: BestWeights?) -> BestWeights {
        if var best, !found.isBetter(than: best.found) {
            best.since += 1
            return best
        }
        return BestWeights(found: found, epoch: epoch, since: 0)
    }

    /// Under the name of those that wait.
    mutating func write(_ weights: [String: Tensor], to folder: String) throws {
        let path = Self.waiting(in: folder)
        try SafeTensors.write(weights, to: path, metadata: ["dice": "\(dice)", "epoch": "\(epoch)"])
        digest = try FileDigest(ofFile: path)
    }

    /// Gives the waiting weights, if there are any, their name: the checkpoint tells of them now.
    static func accept(in folder: String) throws(StorageFailure) {
        guard FileStatus.exists(waiting(in: folder)) else { return }
        // A kill between the two leaves them waiting, and `restore` finds them there.
        if FileStatus.exists(path(in: folder)) { try Folder.remove(path(in: folder)) }
        try Folder.rename(waiting(in: folder), to: path(in: folder))
        try Folder.sync(folder)
    }

    /// Makes the folder's files those that a checkpoint tells of, whatever moment the run was killed in.
    ///
    /// - Parameter best: the checkpoint's.
    /// *Throws* `TrainingFailure.checkpoint` when its weights are missing, damaged or another run's.
    static func restore(_ best: BestWeights?, in folder: String) throws {
        let (path, waiting) = (path(in: folder), waiting(in: folder))
        if let best, try !best.isDigest(of: path) {
            guard try best.isDigest(of: waiting) else { throw missing(path) }
            return try accept(in: folder)
        }
        // Of a validation that the run comes to again.
        if FileStatus.exists(waiting) { try Folder.remove(waiting) }
    }

    private func isDigest(of path: String) throws(StorageFailure) -> Bool {
        guard FileStatus.exists(path) else { return false }
        return try FileDigest(ofFile: path) == digest
    }

    private static func missing(_ path: String) -> TrainingFailure {
        .checkpoint(
            path: path,
            reason: FileStatus.exists(path)
                ? "the file is not the one with the best weights of which the checkpoint tells"
                : "the file with the best weights, of which the checkpoint tells, is not there",
            cure: "Put back the file that this run wrote, or begin anew with another --out.")
    }

    /// *Throws* `TrainingFailure.checkpoint` when the file is not the one that was written.
    func read(from folder: String) throws -> [String: Tensor] {
        let path = Self.path(in: folder)
        guard FileStatus.exists(path) else { throw Self.missing(path) }
        let file = try SafeTensors(path: path)
        guard try file.digest() == digest else { throw Self.missing(path) }
        return try file.tensors()
    }

    /// For the checkpoint, and back.
    var text: String { "\(dice) \(epoch) \(since) \(digest?.hex ?? "") \(found.findsNothing) \(found.missed)" }

    init(found: ValidationResult, epoch: Int, since: Int) {
        (self.found, self.epoch, self.since) = (found, epoch, since)
    }

    init?(text: String) {
        let parts = text.split(separator: " ", maxSplits: 5)
        guard parts.count == 6, let dice = Double(parts[0]), let epoch = Int(parts[1]), let since = Int(parts[2]),
            let digest = FileDigest(hex: String(parts[3])), let findsNothing = Bool(String(parts[4]))
        else { return nil }
        let missed = parts[5].split { !$0.isNumber }.compactMap { Int($0) }
        self.init(
            found: ValidationResult(dice: dice, findsNothing: findsNothing, missed: missed), epoch: epoch, since: since)
        self.digest = digest
    }
}
