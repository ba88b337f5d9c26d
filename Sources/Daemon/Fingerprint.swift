internal import Failures
package import Storage

/// Everything that changes when somebody still writes to a drop: path, inode, size and time of change of all that is in it.
package struct Fingerprint: Sendable, Equatable {
    package let digest: String
    package let files: Int
    package let bytes: Int
    /// The first thing in it that is never worked on: a link, a device, a FIFO, a socket.
    package let odd: FileStatus.Kind?

    /// Of the drop at `path`, a file or a folder of any depth.
    ///
    /// *Throws* `StorageFailure` when something in it cannot be listed. *Cost*: one `lstat` an entry, no file is read.
    package init(of path: String, limit: Int = 200_000) throws(StorageFailure) {
        let top = try FileStatus(of: path)
        var entries = [Folder.Entry(name: "", status: top)]
        if top.kind == .directory { entries += try Folder.walk(path, limit: limit) }
        var sum = FileDigest.Accumulator()
        var files = 0
        var bytes = 0
        var odd: FileStatus.Kind?
        for entry in entries {
            let status = entry.status
            switch status.kind {
            // A folder's own time changes when it is renamed on some file systems; its name and content tell enough.
            case .directory: sum.add("\(entry.name)\0directory\0")
            case .regular, .unnameable:
                files += 1
                bytes = bytes.addingReportingOverflow(status.size).partialValue
                sum.add("\(entry.name)\0\(status.inode) \(status.size) \(status.modifiedNS)\0")
            case .symlink, .other:
                odd = odd ?? status.kind
                files += 1
                sum.add("\(entry.name)\0\(status.kind.rawValue) \(status.modifiedNS)\0")
            }
        }
        digest = sum.finish().hex
        self.files = files
        self.bytes = bytes
        self.odd = odd
    }
}
