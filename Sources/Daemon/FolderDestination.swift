internal import Failures
internal import Storage

/// A folder that results are copied to, such as a share.
struct FolderDestination {
    /// Of one result.
    let path: String

    /// Each file whole under its name or not at all, and beside them `SHA256SUMS` of those that are there.
    func copy(_ names: [String], from folder: String) -> [DeliveryReceipt.File] {
        let files = names.map { copy($0, from: folder) }
        do throws(StorageFailure) { try writeSums(from: folder) } catch {
            // Without their digests nobody can check them: all again, which costs nothing where they are the same.
            let code = error.code
            return files.map { .init($0.name, .failed, code: code) }
        }
        return files
    }

    /// What stands there already with the same bytes is what was to be sent.
    private func copy(_ name: String, from folder: String) -> DeliveryReceipt.File {
        do throws(StorageFailure) {
            let (source, target) = (Folder.join(folder, name), Folder.join(path, name))
            try Folder.make(Folder.split(target).folder, mode: 0o755)
            let digest = try FileDigest(ofFile: source)
            if FileStatus.exists(target), try FileDigest(ofFile: target) == digest {
                return .init(name, .confirmed, code: "SAME")
            }
            try DurableFile.write(DurableFile.read(source, limit: .max), to: target)
            let isSame = try FileDigest(ofFile: target) == digest
            return .init(name, isSame ? .confirmed : .failed, code: isSame ? "COPIED" : "FILE-IO")
        } catch {
            return .init(name, .failed, code: error.code)
        }
    }

    /// The result's digests, of the files that stand here: some destinations get only part of a result.
    private func writeSums(from folder: String) throws(StorageFailure) {
        guard FileStatus.exists(path) else { return }
        let standing = try OutboxResult.sums(in: folder).filter { FileStatus.exists(Folder.join(path, $0.name)) }
        try DurableFile.write(
            standing.map { "\($0.line)\n" }.joined(), to: Folder.join(path, OutboxResult.sumsName))
    }
}
