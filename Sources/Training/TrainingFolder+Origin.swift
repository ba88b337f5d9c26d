import Failures
import Settings
import Storage

/// What a training left in the directory of its model tells where it comes from. A directory without it (of an import, for example) tells
/// nothing; what stands there and cannot be understood is refused, as it would count as nothing too.
extension TrainingFolder {
    /// The files by their names.
    static func origin(of model: String) throws(StorageFailure) -> [String: [UInt8]] {
        var files: [String: [UInt8]] = [:]
        for name in [planName, listName] { files[name] = try bytes(name, of: model) }
        return files
    }

    /// SHA-256, in hexadecimal digits, of the images that a model learned from; nil where no list of them stands in its directory.
    ///
    /// *Throws* `TrainingFailure.origin` for a list that is not as `TrainingData.list` writes it; `StorageFailure`.
    package static func learned(by model: String) throws -> Set<String>? {
        guard let bytes = try bytes(listName, of: model) else { return nil }
        func failure(_ reason: String) -> TrainingFailure {
            .origin(path: Folder.join(model, listName), reason: reason, tells: "which images the model learned from")
        }
        // Spreadsheets write a byte-order mark in front, and line ends of their own.
        let text = String(decoding: bytes.starts(with: [0xEF, 0xBB, 0xBF]) ? bytes[3...] : bytes[...], as: UTF8.self)
        var lines = text.split(omittingEmptySubsequences: false) { $0 == "\n" || $0 == "\r\n" }
        guard lines.removeFirst() == "name,split,sha256" else {
            throw failure("its first line is not name,split,sha256")
        }
        guard lines.popLast()?.isEmpty == true else { throw failure("its last line is cut off") }
        var learned: Set<String> = []
        for (index, line) in lines.enumerated() {
            let fields = line.split(separator: ",", omittingEmptySubsequences: false)
            guard fields.count > 2, let digest = fields.last.flatMap({ FileDigest(hex: String($0)) }) else {
                throw failure("line \(index + 2) is not a name, a split and a SHA-256")
            }
            let split = fields[fields.count - 2].filter { $0 != "\"" }
            if ["train", "unlabelled"].contains(split) { learned.insert(digest.hex) }
        }
        return learned
    }

    /// What the plan of a training said of its masks, an entry each that said something; none where no plan stands in the model's directory.
    ///
    /// *Throws* `TrainingFailure.origin` for a file that is no plan; `StorageFailure`.
    package static func maskRules(of model: String) throws -> [MaskRule] {
        guard let bytes = try bytes(planName, of: model) else { return [] }
        let path = Folder.join(model, planName)
        do {
            return try Section.read(bytes, file: path) { try TrainingPlan($0) { $0 } }.data.compactMap(\.rule)
        } catch {
            throw TrainingFailure.origin(
                path: path,
                reason: "it is no plan that this program reads (\(FailureRecord(error).message.explanation))",
                tells: "how the training read its masks")
        }
    }

    private static func bytes(_ name: String, of model: String) throws(StorageFailure) -> [UInt8]? {
        let path = Folder.join(model, name)
        return FileStatus.exists(path) ? try DurableFile.read(path, limit: 1 << 28) : nil
    }
}
