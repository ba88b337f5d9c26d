internal import CSystem

/// A folder that a person gave as input, walked and read by descriptors: nothing below it is reached through a symbolic link
/// or out of it, even when someone exchanges a folder for a link meanwhile.
///
/// *Source*: openat2(2), `RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS`; step by step with `O_NOFOLLOW` where the kernel lacks it.
package final class InputFolder: Sendable {
    /// As it was given.
    package let path: FilePath
    let pool: DescriptorPool
    private let root: Int32

    /// Opens the folder at a path that a person gave; a link is followed there, but not below.
    ///
    /// *Throws* `.system`.
    package init(_ path: FilePath, pool: DescriptorPool = .shared) throws(StorageFailure) {
        root = try pool.makingRoom { () throws(StorageFailure) in
            try check(path.withCString { unsafe cs_open_folder($0) }, "open it", path.text)
        }
        self.path = path
        self.pool = pool
    }

    deinit { cs_close(root) }

    /// Opens the file `name` (relative, `/` between levels).
    ///
    /// *Throws* `.notAFile`, `.tooLarge`, `.system` (a link included: `systemError == .isLink`).
    package func open(_ name: FilePath, limit: Int = .max) throws(StorageFailure) -> InputFile {
        try InputFile(name, in: self, limit: limit)
    }

    /// What a walk meets: everything below but folders, and folders that cannot be listed.
    package struct Entry: Sendable {
        /// Relative to the input folder, with `/` between levels; empty for the input folder itself.
        package let name: FilePath
        /// What stands there, or why the folder could not be listed.
        package let kind: Result<FileStatus.Kind, StorageFailure>
    }

    /// Visits everything below, folder by folder, sorted by the bytes of the names. Links are met, not followed.
    ///
    /// - Parameter excluding: names that are left out with everything below them, relative to the input folder.
    package func walk<Failure: Error>(
        excluding: Set<FilePath> = [], _ visit: (Entry) throws(Failure) -> Void
    ) throws(Failure) {
        // A stack, not recursion: depth comes from outside. The last is visited first.
        var waiting = [Entry(name: FilePath(""), kind: .success(.directory))]
        while let next = waiting.popLast() {
            guard case .success(.directory) = next.kind else {
                try visit(next)
                continue
            }
            do throws(StorageFailure) {
                waiting += try list(next.name).filter { !excluding.contains($0.name) }.reversed()
            } catch {
                // Gone between listing and looking: it was not there.
                if error.systemError == .notFound, !next.name.bytes.isEmpty { continue }
                try visit(Entry(name: next.name, kind: .failure(error)))
            }
        }
    }

    private func list(_ name: FilePath) throws(StorageFailure) -> [Entry] {
        let told = path.appending(name).text
        let descriptor = try pool.makingRoom { () throws(StorageFailure) in
            try self.descriptor(of: name.bytes.isEmpty ? FilePath(".") : name, isFolder: true)
        }
        return try Folder.entries(of: descriptor, path: told).map { entry in
            Entry(name: name.appending(entry.name), kind: .success(entry.kind))
        }
    }

    /// A descriptor of what stands at `name` below this folder.
    func descriptor(of name: FilePath, isFolder: Bool) throws(StorageFailure) -> Int32 {
        let result = name.withCString { unsafe cs_open_beneath(root, $0, isFolder ? 1 : 0) }
        if result < 0 {
            throw .system(operation: isFolder ? "list it" : "open it", path: path.appending(name).text, errno: -result)
        }
        return result
    }
}
