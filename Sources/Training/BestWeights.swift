import Numbers
import SegmentAnything
import Storage
import Tensors

/// The weights with the highest validation Dice of a stage: they are written when the run ends.
///
/// Their figures stand in the checkpoint; `best.safetensors` beside it holds the weights. A run that was killed between the two writes
/// the file anew when it comes to the same validation again.
struct BestWeights: Sendable, Equatable {
    let dice: Double
    /// From 1.
    let epoch: Int
    /// Validations since.
    var since: Int

    static func path(in folder: String) -> String { Folder.join(folder, "best.safetensors") }

    /// The best after one more validation; `since` is 0 when it is that one.
    static func after(_ dice: Double, epoch: Int, _ best: BestWeights?) -> BestWeights {
        if var best, dice <= best.dice {
            best.since += 1
            return best
        }
        return BestWeights(dice: dice, epoch: epoch, since: 0)
    }

    func write(_ weights: [String: Tensor], to folder: String) throws {
        try SafeTensors.write(
            weights, to: Self.path(in: folder), metadata: ["dice": "\(dice)", "epoch": "\(epoch)"])
    }

    static func read(from folder: String) throws -> [String: Tensor] {
        try SafeTensors(path: path(in: folder)).tensors()
    }

    /// For the checkpoint, and back.
    var text: String { "\(dice) \(epoch) \(since)" }

    init(dice: Double, epoch: Int, since: Int) { (self.dice, self.epoch, self.since) = (dice, epoch, since) }

    init?(text: String) {
        let parts = text.split(separator: " ")
        guard parts.count == 3, let dice = Double(parts[0]), let epoch = Int(parts[1]), let since = Int(parts[2]) else {
            return nil
        }
        self.init(dice: dice, epoch: epoch, since: since)
    }
}
