import Failures
import Foundation
import Storage

/// Files that options of a command name and that it writes when its work is done.
struct OutputFiles {
    /// Each with the option that names it, without those that were not given.
    private let files: [(option: String, path: String)]

    init(_ files: [(option: String, path: String?)]) {
        self.files = files.compactMap { file in file.path.map { (file.option, $0) } }
    }

    /// Before the work that makes them: that each can be written, and that none replaces another or something that the command reads.
    ///
    /// - Parameter inputs: the files and folders that it reads. In a folder only new files are written.
    /// *Throws* `USE-OUT`, `StorageFailure`.
    func confirm(apartFrom inputs: [String]) throws {
        let inputs = inputs.map(Place.init)
        var before: [(option: String, place: Place)] = []
        for (option, path) in files {
            guard !path.isEmpty else {
                throw Self.failure("the name is empty.", "Name a file.", "\(option) \"\"")
            }
            let place = Place(path)
            if let other = before.first(where: { $0.place.isSame(as: place) }) {
                throw Self.failure(
                    "\(other.option) and \(option) name one file: only the second would be left.",
                    "Name a file for each.", "\(option) \(path)")
            }
            guard !inputs.contains(where: { $0.isSame(as: place) || place.status != nil && place.lies(in: $0) }) else {
                throw Self.failure(
                    "it is an input, or stands in a folder of inputs: it would be replaced.",
                    "Name another file, or one that is not there yet.", "\(option) \(path)")
            }
            try DurableFile.confirmWritable(path)
            before.append((option, place))
        }
    }

    /// That nothing stands where a command makes folders: whatever is there is somebody's work, and would be mixed with the command's.
    ///
    /// - Parameter out: what `--out` says.
    /// *Throws* `USE-OUT` for a place that is there and no empty folder.
    static func confirmNew(_ folders: [String], out: String) throws(FailureRecord) {
        for folder in folders where FileStatus.exists(folder) {
            if let entries = try? Folder.list(folder), entries.isEmpty { continue }
            throw failure(
                "\(folder) is not empty, and nothing is written among or over what is there.",
                "Name a new folder, or empty this one.", "--out \(out)")
        }
    }

    private static func failure(_ explanation: String, _ cure: String, _ subject: String) -> FailureRecord {
        FailureRecord(
            kind: .usage, code: "USE-OUT", message: FailureMessage(explanation, cure: cure, subject: subject))
    }

    /// Where a path leads, whatever it is called.
    private struct Place {
        /// Absolute, links followed.
        let path: String
        /// Of what stands there; nil: nothing.
        let status: FileStatus?

        init(_ path: String) {
            let absolute =
                path.hasPrefix("/") ? path : FileManager.default.currentDirectoryPath + "/" + path
            self.path = SitePlaces.followed(absolute)
            status = try? FileStatus(of: path, followingLinks: true)
        }

        func isSame(as other: Place) -> Bool {
            if path == other.path { return true }
            guard let status, let there = other.status else { return false }
            return status.inode == there.inode && status.device == there.device
        }

        func lies(in folder: Place) -> Bool {
            folder.status?.kind == .directory && path.hasPrefix(folder.path == "/" ? "/" : folder.path + "/")
        }
    }
}
