internal import Failures
internal import Storage

/// A folder that results are copied to, such as a share.
///
/// It is never made: where there is none, or one on the disk below though something was mounted there before or is to be by
/// `MountTable`, its share is away, and what is written there nobody ever sees.
struct FolderDestination {
    /// The destination's own folder.
    let root: String
    /// Of one result, within that.
    let folder: String
    /// A file that tells how deep in its file system the destination lies, for the next time.
    let memory: String
    /// What is to be mounted on this machine.
    let mounts: MountTable

    static let away = "DESTINATION-AWAY"

    private var path: String { Folder.join(root, folder) }

    /// Each file whole under its name or not at all, and beside them `SHA256SUMS` of those that are there.
    ///
    /// - Parameter digests: what the files have to be, by name, where that is known.
    /// *Cost*: a pass of reading and one of writing, and one of reading what was written.
    func copy(_ names: [String], _ digests: [String: FileDigest], from source: String) -> [DeliveryReceipt.File] {
        func all(_ code: String) -> [DeliveryReceipt.File] { names.map { .init($0, .failed, code: code) } }
        do throws(StorageFailure) {
            guard try isThere() else { return all(Self.away) }
            // The watchdog of the sender's unit waits for no slow share.
            let each = SignOfLife.give()
            let files = names.map { copy($0, digests[$0], from: source, each: each) }
            // Without their digests nobody can check them: all again, which costs nothing where they are the same.
            try writeSums(digests, from: source)
            // It may have gone meanwhile.
            return try isThere() ? files : all(Self.away)
        } catch {
            return all(error.code)
        }
    }

    /// Whether the destination is the folder that it was. A share that has come to stand there since is what was meant.
    private func isThere() throws(StorageFailure) -> Bool {
        guard let depth = try? Folder.depthInFileSystem(root), try !mounts.isAway(root) else { return false }
        var known: Int?
        if FileStatus.exists(memory) {
            known = Int(String(decoding: try DurableFile.read(memory, limit: 99), as: UTF8.self))
        }
        if let known, depth > known { return false }
        if depth != known {
            try Folder.make(Folder.split(memory).folder, mode: 0o750)
            try DurableFile.write("\(depth)", to: memory, mode: 0o640)
        }
        return true
    }

    /// What stands there already with the same bytes is what was to be sent.
    private func copy(
        _ name: String, _ published: FileDigest?, from source: String, each: () -> Void
    ) -> DeliveryReceipt.File {
        do throws(StorageFailure) {
            let (source, target) = (Folder.join(source, name), Folder.join(path, name))
            try Folder.make(Folder.split(target).folder, mode: 0o755)
            let file = try InputFile(source)
            let digest = if let published { published } else { try FileDigest(of: file, each: each) }
            if FileStatus.exists(target), try FileDigest(of: InputFile(target), each: each) == digest {
                return .init(name, .confirmed, code: "SAME")
            }
            var copy = try DurableFile(target)
            try copy.append(file, each: each)
            try copy.commit()
            let isSame = try FileDigest(of: InputFile(target), each: each) == digest
            return .init(name, isSame ? .confirmed : .failed, code: isSame ? "COPIED" : "FILE-IO")
        } catch {
            return .init(name, .failed, code: error.code)
        }
    }

    /// The result's digests, of the files that stand here: some destinations get only part of a result. What was copied now has the one
    /// that it was compared by: the report may have been marked since.
    private func writeSums(_ digests: [String: FileDigest], from source: String) throws(StorageFailure) {
        guard FileStatus.exists(path) else { return }
        var lines: [String] = []
        for (line, name) in try OutboxResult.sums(in: source) where FileStatus.exists(Folder.join(path, name)) {
            let line = digests[name].map { OutboxResult.line($0, name) } ?? "\(line)\n"
            // A report that is being marked has two.
            if !lines.contains(line) { lines.append(line) }
        }
        try DurableFile.write(lines.joined(), to: Folder.join(path, OutboxResult.sumsName))
    }
}
