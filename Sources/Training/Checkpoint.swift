import SegmentAnything
import Storage
import Tensors

/// A run's state between two steps: enough to go on with the same bits.
///
/// Random numbers are drawn from seed, stage, epoch and sample, so the position says where they stand.
struct Checkpoint {
    /// What changes the result; a checkpoint of another plan is refused.
    let plan: String
    let stage: Int
    /// Steps taken in this stage.
    let step: Int
    let seconds: Double
    let weights: [String: Tensor]
    let optimiser: [String: Tensor]
    /// The weights' moving average and the steps that went into it; nil when the plan asks for none.
    let average: (tensors: [String: Tensor], updates: Int)?
    let best: BestWeights?
    /// Lines of `metrics.jsonl`.
    let lines: Int
    /// An epoch has ended, and its validation was not waited for.
    let isPending: Bool

    static let name = "checkpoint.safetensors"
    /// In the header: SHA-256 of the file as it would be without this line.
    private static let digestKey = "sha256"

    static func path(in folder: String) -> String { Folder.join(folder, name) }

    func write(to folder: String) throws {
        var tensors = optimiser
        for (name, tensor) in weights { tensors["weight." + name] = tensor }
        for (name, tensor) in average?.tensors ?? [:] { tensors["average." + name] = tensor }
        var metadata = ["plan": plan, "stage": "\(stage)", "step": "\(step)", "seconds": "\(seconds)"]
        metadata["lines"] = "\(lines)"
        metadata["pending"] = isPending ? "yes" : nil
        metadata["best"] = best?.text
        metadata["updates"] = average.map { "\($0.updates)" }
        metadata["instruction_set"] = InstructionSet.current
        metadata[Self.digestKey] = Self.digest(tensors, metadata).hex
        try SafeTensors.write(tensors, to: Self.path(in: folder), metadata: metadata)
    }

    /// *Cost*: one pass over the tensors.
    private static func digest(_ tensors: [String: Tensor], _ metadata: [String: String]) -> FileDigest {
        var digest = FileDigest.Accumulator()
        SafeTensors.encode(tensors, metadata: metadata) { digest.add($0) }
        return digest.finish()
    }

    /// *Throws* `TrainingFailure.checkpoint` when it is damaged, or belongs to another plan or instruction set.
    static func read(from folder: String, plan: String) throws -> Checkpoint {
        let path = path(in: folder)
        let file = try SafeTensors(path: path)
        let tensors = try file.tensors()
        var metadata = file.metadata
        guard let digest = metadata.removeValue(forKey: digestKey) else {
            throw TrainingFailure.checkpoint(
                path: path, reason: "another version of hspsam wrote it, without a digest of what it holds",
                cure: "Go on with that version, or begin anew with another --out.")
        }
        guard Self.digest(tensors, metadata).hex == digest else {
            throw TrainingFailure.checkpoint(
                path: path, reason: "what it holds is not what was written: the file is damaged",
                cure: "Put back a copy of the folder, or begin anew with another --out.")
        }
        guard let stage = file.metadata["stage"].flatMap({ Int($0) }),
            let step = file.metadata["step"].flatMap({ Int($0) }),
            let seconds = file.metadata["seconds"].flatMap({ Double($0) })
        else {
            throw TrainingFailure.checkpoint(
                path: path, reason: "it does not say where the run stood", cure: "Begin anew with another --out.")
        }
        guard file.metadata["plan"] == plan else {
            throw TrainingFailure.checkpoint(
                path: path, reason: "it was made with another train.yaml or other images",
                cure: "Restore the train.yaml and the images it was made with, or begin anew with another --out.")
        }
        let best = file.metadata["best"].flatMap { BestWeights(text: $0) }
        guard best != nil || file.metadata["best"] == nil else {
            throw TrainingFailure.checkpoint(
                path: path, reason: "another version of hspsam wrote it, and says otherwise which weights are the best",
                cure: "Go on with that version, or begin anew with another --out.")
        }
        // The last bits of a product differ between instruction sets, and with them all weights that follow.
        guard let instructions = file.metadata["instruction_set"], instructions == InstructionSet.current else {
            let name = file.metadata["instruction_set"] ?? "unknown"
            throw TrainingFailure.checkpoint(
                path: path,
                reason:
                    "it was made with the instruction set \(name), and here it is \(InstructionSet.current), whose last bits may be others",
                cure: InstructionSet.available.contains(name)
                    ? "Set HSPSAM_ISA=\(name) to go on as if nothing had happened."
                    : "Go on with it on a machine that has \(name), or begin anew with another --out.")
        }
        var (weights, optimiser, average): ([String: Tensor], [String: Tensor], [String: Tensor]) = ([:], [:], [:])
        for (name, tensor) in tensors {
            if name.hasPrefix("weight.") {
                weights[String(name.dropFirst(7))] = tensor
            } else if name.hasPrefix("average.") {
                average[String(name.dropFirst(8))] = tensor
            } else {
                optimiser[name] = tensor
            }
        }
        return Checkpoint(
            plan: plan, stage: stage, step: step, seconds: seconds, weights: weights, optimiser: optimiser,
            average: file.metadata["updates"].flatMap { Int($0) }.map { (average, $0) },
            best: best, lines: file.metadata["lines"].flatMap { Int($0) } ?? 0,
            isPending: file.metadata["pending"] != nil)
    }
}
