internal import Foundation

/// Whom the system takes this process for.
package enum ProcessUser {
    /// Where root runs this: becomes the owner of the folder at `path`, with that user's groups, for good. What root makes in a folder of
    /// a service, that service can neither read nor remove.
    ///
    /// Gives false where the system refuses. Nothing happens where somebody else runs this, root owns the folder, or there is none.
    package static func becomeOwner(of path: String) -> Bool {
        var folder = stat()
        guard geteuid() == 0, unsafe stat(path, &folder) == 0, folder.st_uid != 0 else { return true }
        guard let known = unsafe getpwuid(folder.st_uid) else {
            return setgroups(0, nil) == 0 && setgid(folder.st_gid) == 0 && setuid(folder.st_uid) == 0
        }
        let group = unsafe known.pointee.pw_gid
        return unsafe initgroups(known.pointee.pw_name, group) == 0 && setgid(group) == 0
            && setuid(folder.st_uid) == 0
    }
}
