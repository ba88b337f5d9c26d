internal import CSystem
internal import Failures

/// What stands at a path: kind, size, time of change, identity.
package struct FileStatus: Sendable, Hashable {
    package enum Kind: String, Sendable {
        case regular = "regular file"
        case directory
        case symlink = "symbolic link"
        /// A device, FIFO or socket.
        case other = "device, FIFO or socket"
        /// Something whose name is not UTF-8; only `Folder.list` gives it.
        case unnameable = "file whose name is not UTF-8"
    }

    package let kind: Kind
    /// Bytes.
    package let size: Int
    /// Nanoseconds since 1970.
    package let modifiedNS: Int64
    package let inode: UInt64
    package let device: UInt64
    /// Names that this file has; above 1 it can be changed through another one.
    package let links: Int

    /// The status of `path`; of a symbolic link itself unless `followingLinks`.
    ///
    /// *Throws* `.system`, also when nothing stands there.
    package init(of path: String, followingLinks: Bool = false) throws(StorageFailure) {
        var status = cs_status()
        try check(unsafe cs_status_of(path, followingLinks ? 1 : 0, &status), "look at it", path)
        self.init(status)
    }

    /// Whether anything stands at `path`, a dangling link included.
    package static func exists(_ path: String) -> Bool { (try? FileStatus(of: path)) != nil }

    static let unnameable = FileStatus(unnameable: ())

    private init(unnameable: Void) {
        kind = .unnameable
        size = 0
        modifiedNS = 0
        inode = 0
        device = 0
        links = 0
    }

    init(_ status: cs_status) {
        kind =
            switch Int(status.kind) {
            case CS_REGULAR: .regular
            case CS_DIRECTORY: .directory
            case CS_SYMLINK: .symlink
            default: .other
            }
        size = Int(clamping: status.size)
        modifiedNS = status.modified_ns
        inode = status.inode
        device = status.device
        links = Int(status.links)
    }
}
