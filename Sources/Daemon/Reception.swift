internal import Failures
internal import Foundation
package import Storage

/// Brings a file that a receiver has written whole into the inbox: one drop a study, so that quiet time counts from its last image.
package enum Reception {
    /// Moves `file` to `inbox/dicom-STUDY/`, synced; on another disk by copy.
    ///
    /// - Parameter study: the study's digest name; nil for a file that cannot be read, which is a drop of its own.
    /// *Throws* `StorageFailure`, also when the inbox is not there or `file` is no regular file; the file is then still where it was,
    /// and the service drops it later.
    package static func accept(_ file: FilePath, study: String?, inbox: String) throws(StorageFailure) {
        let kind = try FileStatus(of: file).kind
        guard kind == .regular else { throw .notAFile(path: file.text, kind: kind) }
        try Folder.sync(file)
        try move(file, drop: ReceivedDrop.name(study: study), inbox: inbox)
    }

    /// Moves `file`, as it is, to the drop of this name.
    static func move(_ file: FilePath, drop: String, inbox: String) throws(StorageFailure) {
        // An inbox that is not there is named wrongly, or its disk is not mounted: nobody would look into one made here.
        _ = try FileStatus(of: inbox, followingLinks: true)
        let name = ReceivedDrop.fileName(file.name)
        let drop = FilePath(inbox).appending(drop)
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

/// The name of a drop that came by C-STORE: the images of one study.
enum ReceivedDrop {
    private static let prefix = "dicom-"
    /// Of what the receiver could not bring into the inbox itself.
    static let late = "received-late"
    private static let unreadable = "unreadable"

    /// Whether a drop came from the receiver.
    static func isOne(_ name: FilePath) -> Bool {
        study(name) != nil || [late, Self.name(study: nil)].contains { name == FilePath($0) }
    }

    /// - Parameter study: the study's digest name; nil for a file that cannot be read.
    static func name(study: String?) -> String { prefix + (study ?? unreadable) }

    /// The study in a drop's name, of which it holds images; nil for other drops.
    static func study(_ name: FilePath) -> String? {
        guard let text = String(validating: name.bytes, as: UTF8.self), text.hasPrefix(prefix) else { return nil }
        let study = text.dropFirst(prefix.count)
        return study.utf8.count == 12 && study.utf8.allSatisfy { "0123456789abcdef".utf8.contains($0) }
            ? String(study) : nil
    }

    /// A received file's name in the inbox: unique as the receiver made it, without the ending of what is unfinished.
    static func fileName(_ name: FilePath) -> FilePath {
        let ending = Array(".part".utf8)
        let bytes =
            name.bytes.suffix(ending.count) == ending[...] ? Array(name.bytes.dropLast(ending.count)) : name.bytes
        return FilePath(bytes: bytes).extended(".dcm")
    }
}
