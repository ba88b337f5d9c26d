import Foundation
import Storage

/// A `.zip` that was given as an input: its files in a folder of their own, which is gone with this object.
///
/// The archive is copied first, so that nobody can cut it while it is mapped. An archive inside the archive is not opened.
/// *Source*: `docs/formats.md`, "Archives and media".
final class ZipInput: Sendable {
    /// What is unpacked at most.
    private enum Limits {
        static let entries = 100_000
        /// Of one entry, which is in memory while it is unpacked.
        static let entryBytes = 2 << 30
        static let totalBytes = 64 << 30
        /// Unpacked bytes for each of the archive's, once `ratioFrom` bytes are reached.
        static let ratio = 200
        static let ratioFrom = 1 << 30
    }

    /// Where the entries lie, under their own names.
    let folder: String

    /// Whether a file begins as a zip archive, an empty one included.
    static func isZip(_ head: [UInt8]) -> Bool {
        head.starts(with: [0x50, 0x4B, 3, 4]) || head.starts(with: [0x50, 0x4B, 5, 6])
    }

    /// *Throws* `InputFailure.zipLimit`, `.zipPath` for what exceeds a limit or leaves its folder, `ZipFailure`, `StorageFailure`.
    init(_ archive: FilePath) throws {
        folder = Folder.join(FileManager.default.temporaryDirectory.path, "hspsam-zip-\(UUID().uuidString)")
        try Folder.make(folder, mode: 0o700)
        do {
            let copy = FilePath(folder).appending("archive")
            try TreeCopy.copy(file: archive, to: copy)
            try Self.unpack(copy.text, into: Folder.join(folder, "files"))
            try Folder.remove(copy)
        } catch {
            try? Folder.remove(folder)
            throw error
        }
    }

    deinit { try? Folder.remove(folder) }

    /// The folder of the entries.
    var files: FilePath { FilePath(folder).appending("files") }

    private static func unpack(_ path: String, into folder: String) throws {
        let file = try MappedFile(path)
        let archive = try ZipArchive(file)
        let entries = archive.entries.filter { !$0.name.hasSuffix("/") }
        guard entries.count <= Limits.entries else {
            throw InputFailure.zipLimit("holds \(entries.count) files, more than \(Limits.entries)")
        }
        var total = 0
        for entry in entries {
            let (sum, overflow) = total.addingReportingOverflow(entry.size)
            total = sum
            guard entry.size >= 0, !overflow, total <= Limits.totalBytes, entry.size <= Limits.entryBytes else {
                throw InputFailure.zipLimit(
                    "holds more than is unpacked: \(Limits.totalBytes >> 30) GiB in all, \(Limits.entryBytes >> 30) in a file"
                )
            }
            guard total < Limits.ratioFrom || total / max(file.count, 1) <= Limits.ratio else {
                throw InputFailure.zipLimit("unpacks to more than \(Limits.ratio) times its size")
            }
        }
        try Folder.make(folder, mode: 0o700)
        guard try Folder.freeBytes(folder) > total else {
            throw InputFailure.zipLimit(
                "unpacks to \(total >> 20) MiB, more than is free in the system's temporary folder")
        }
        for entry in entries {
            let parts = entry.name.split(whereSeparator: { $0 == "/" || $0 == "\\" }).map(String.init).filter {
                $0 != "."
            }
            guard let last = parts.last, parts.allSatisfy({ $0 != ".." && !$0.contains("\0") && $0.utf8.count <= 255 })
            else {
                throw InputFailure.zipPath
            }
            // What systems add to archives is no file of the person's.
            if parts[0] == "__MACOSX" || last == ".DS_Store" || last == "Thumbs.db" { continue }
            let place = Folder.join(folder, parts.dropLast().joined(separator: "/"))
            try Folder.make(place, mode: 0o700)
            // Two names that are one path: the second would take the first one's place.
            guard !FileStatus.exists(Folder.join(place, last)) else {
                throw ZipFailure.broken(path: path, reason: "two of its entries have one name")
            }
            try DurableFile.write(
                try archive.bytes(of: entry, limit: Limits.entryBytes), to: Folder.join(place, last), mode: 0o600)
        }
    }
}
