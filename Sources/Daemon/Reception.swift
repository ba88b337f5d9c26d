internal import Failures
internal import Foundation
package import Storage

/// Brings a file that a receiver has written whole into the inbox: one drop a study, so that quiet time counts from its last image.
package enum Reception {
    /// Moves `file` to `inbox/dicom-STUDY/`, synced; on another disk by copy.
    ///
    /// - Parameter study: the study's digest name; nil for a file that cannot be read, which is a drop of its own.
    /// *Throws* `StorageFailure`; the file is then still where it was, and the service drops it later.
    package static func accept(_ file: FilePath, study: String?, inbox: String) throws(StorageFailure) {
        try Folder.sync(file)
        let name = ReceivedDrop.fileName(file.name)
        let drop = FilePath(inbox).appending(study.map(ReceivedDrop.name) ?? "dicom-unreadable")
        var tries = 1
        while true {
            do throws(StorageFailure) {
                try Folder.make(drop.text, mode: 0o750)
                return try move(file, to: drop.appending(name))
            } catch {
                // The service may have taken the folder in this moment: then the rest is a new drop.
                guard error.systemError == .notFound, FileStatus.exists(file), tries < 5 else { throw error }
                tries += 1
            }
        }
    }

    private static func move(_ file: FilePath, to target: FilePath) throws(StorageFailure) {
        do throws(StorageFailure) { try Folder.rename(file, to: target) } catch {
            guard error.systemError == .otherFileSystem else { throw error }
            let hidden = target.folder.folder.appending(".receiving-").extended(target.name.text)
            try TreeCopy.copy(file: file, to: hidden)
            try Folder.rename(hidden, to: target)
            try Folder.remove(file)
        }
        try Folder.sync(target.folder)
    }
}

extension ReceivedDrop {
    /// A received file's name in the inbox: unique as the receiver made it, without the ending of what is unfinished.
    static func fileName(_ name: FilePath) -> FilePath {
        let ending = Array(".part".utf8)
        let bytes =
            name.bytes.suffix(ending.count) == ending[...] ? Array(name.bytes.dropLast(ending.count)) : name.bytes
        return FilePath(bytes: bytes).extended(".dcm")
    }
}
