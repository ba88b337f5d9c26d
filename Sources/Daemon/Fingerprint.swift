internal import Failures
package import Storage

/// Everything that changes when somebody still writes to a drop: path, inode, size and time of change of all that is in it.
package struct Fingerprint: Sendable, Equatable {
    package let digest: String
    package let files: Int
    package let bytes: Int
    /// The first thing in it that is never worked on: a link, a device, a FIFO, a socket.
    package let odd: FileStatus.Kind?
    /// Whether somebody else owns anything of it, and so can change it wherever it is moved to.
    package let isForeign: Bool

    /// Most entries that are looked at in one drop.
    package static let mostEntries = 200_000

    /// Of the drop at `path`, a file or a folder of any depth.
    ///
    /// - Parameter changeTimes: whether the inodes' times of change count too, which no program can set back. They also change by
    ///   a rename, so only what stays where it is can be compared by them.
    /// *Throws* `StorageFailure` when something in it cannot be listed. *Cost*: one `lstat` an entry, no file is read.
    package init(of path: FilePath, changeTimes: Bool = false) throws(StorageFailure) {
        let top = try FileStatus(of: path)
        var entries = [Folder.Entry(path: FilePath(""), status: top)]
        if top.kind == .directory { entries += try Folder.walk(path, limit: Self.mostEntries) }
        var sum = FileDigest.Accumulator()
        var files = 0
        var bytes = 0
        var odd: FileStatus.Kind?
        var isForeign = false
        for entry in entries {
            let status = entry.status
            isForeign = isForeign || status.owner != FileStatus.currentUser
            sum.add(entry.path.bytes)
            switch status.kind {
            // A folder's own time changes when it is renamed on some file systems; its name and content tell enough.
            case .directory: sum.add("\0directory\0")
            case .regular:
                files += 1
                bytes = bytes.addingReportingOverflow(status.size).partialValue
                sum.add("\0\(status.inode) \(status.size) \(status.modifiedNS)")
                sum.add(changeTimes ? " \(status.changedNS)\0" : "\0")
            case .symlink, .other:
                odd = odd ?? status.kind
                files += 1
                sum.add("\0\(status.kind.rawValue) \(status.modifiedNS)\0")
            }
        }
        digest = sum.finish().hex
        self.files = files
        self.bytes = bytes
        self.odd = odd
        self.isForeign = isForeign
    }

    package init(of path: String, changeTimes: Bool = false) throws(StorageFailure) {
        try self.init(of: FilePath(path), changeTimes: changeTimes)
    }
}
