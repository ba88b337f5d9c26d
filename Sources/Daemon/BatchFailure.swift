internal import Storage

/// That the last batch did not begin, or was ended by a failure: it stands beside the ledger, which may be what failed.
enum BatchFailure {
    /// In the spool where the state's disk takes nothing at all.
    private static func places(_ paths: ServicePaths) -> [String] { [paths.batchFailed, paths.batchFailedElsewhere] }

    static func note(_ code: String, _ paths: ServicePaths) {
        for place in places(paths) {
            // An empty file has room on most disks that are full.
            for text in [code, ""] where (try? DurableFile.write(text, to: place, mode: 0o640)) != nil { return }
        }
    }

    /// A batch, or a service, has begun since.
    static func forget(_ paths: ServicePaths) { for place in places(paths) { try? Folder.remove(place) } }

    /// The code of why, empty where there was no room for it; nil where there was no failure.
    static func code(_ paths: ServicePaths) -> String? {
        places(paths).filter { FileStatus.exists($0) }.map { place in
            (try? DurableFile.read(place, limit: 99)).map { String(decoding: $0, as: UTF8.self) } ?? ""
        }.first
    }
}
