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
    }

    package let kind: Kind
    /// Bytes.
    package let size: Int
    /// Nanoseconds since 1970.
    package let modifiedNS: Int64
    /// When content, name or permissions were changed last; no program can set it back. Nanoseconds since 1970.
    package let changedNS: Int64
    package let inode: UInt64
    package let device: UInt64
    /// The user whose it is.
    package let owner: UInt32

    /// The user that this process acts as.
    package static var currentUser: UInt32 { cs_user() }

    /// The status of `path`; of a symbolic link itself unless `followingLinks`.
    ///
    /// *Throws* `.system`, also when nothing stands there.
    package init(of path: FilePath, followingLinks: Bool = false) throws(StorageFailure) {
        var status = cs_status()
        let result = path.withCString { unsafe cs_status_of($0, followingLinks ? 1 : 0, &status) }
        try check(result, "look at it", path.text)
        self.init(status)
    }

    package init(of path: String, followingLinks: Bool = false) throws(StorageFailure) {
        try self.init(of: FilePath(path), followingLinks: followingLinks)
    }

    /// The status of an open file.
    init(descriptor: Int32, path: String) throws(StorageFailure) {
        var status = cs_status()
        try check(unsafe cs_status_of_file(descriptor, &status), "look at it", path)
        self.init(status)
    }

    /// Whether anything stands at `path`, a dangling link included. What cannot be looked at (no permission, a broken disk)
    /// counts as there: whoever opens it then hears why.
    package static func exists(_ path: String) -> Bool { exists(FilePath(path)) }

    package static func exists(_ path: FilePath) -> Bool {
        do throws(StorageFailure) {
            _ = try FileStatus(of: path)
            return true
        } catch {
            return error.systemError != .notFound
        }
    }

    init(_ status: cs_status) {
        kind = Kind(status.kind)
        size = Int(clamping: status.size)
        modifiedNS = status.modified_ns
        changedNS = status.changed_ns
        inode = status.inode
        device = status.device
        owner = status.owner
    }
}

extension FileStatus.Kind {
    init(_ kind: Int32) {
        self =
            switch Int(kind) {
            case CS_REGULAR: .regular
            case CS_DIRECTORY: .directory
            case CS_SYMLINK: .symlink
            default: .other
            }
    }
}
