import DICOM
import Storage

/// A DICOMDIR: which files of its medium it lists, and which of them are not there.
///
/// *Source*: PS3.3 F.3.2.2; PS3.10 8.2, 8.6.
enum MediaDirectory {
    /// The SOP class, as text: what the head of such a file holds.
    static func isLikely(_ head: [UInt8]) -> Bool {
        guard head.count >= 132, head[128..<132].elementsEqual("DICM".utf8) else { return false }
        let mark = Array(SOPClass.mediaStorageDirectoryStorage.uid.utf8)
        return (0...max(0, head.count - mark.count)).contains { head[$0...].starts(with: mark) }
    }

    /// PS3.10 8.6.1: the name that the directory of a medium has.
    static func isName(_ name: FilePath) -> Bool { name.text.uppercased() == "DICOMDIR" }

    /// Whether a file seems to be one: it stands for its folder then.
    static func isLikely(at path: FilePath) -> Bool {
        guard let file = try? InputFile(path), let head = try? file.read(0..<min(file.size, 1024)) else { return false }
        return isLikely(head)
    }

    /// Why the files of a medium are not all there; nil when they are, and for files that are no DICOMDIR.
    ///
    /// - Parameter folder: the DICOMDIR's, below which its files lie; case does not count in their names.
    static func incompleteness(_ file: DICOMFile, in folder: FilePath) -> InputFailure? {
        guard file.meta.uid(.mediaStorageSOPClassUID) == SOPClass.mediaStorageDirectoryStorage.uid else { return nil }
        let listed = file.dataSet.items(.directoryRecordSequence).map { $0.strings(.referencedFileID) }.filter {
            !$0.isEmpty
        }
        let names = names(in: folder)
        let missing = listed.count { !names.contains(key($0)) }
        return missing == 0 ? nil : .medium(missing: missing, of: listed.count)
    }

    /// Names below a folder, lower case, without the version that CDs append (`;1`).
    private static func names(in folder: FilePath) -> Set<String> {
        guard let entries = try? Folder.walk(folder, limit: 1_000_000) else { return [] }
        return Set(entries.map { key($0.path.text.split(separator: "/").map(String.init)) })
    }

    private static func key(_ components: [String]) -> String {
        components.map { component in
            var text = component.lowercased()
            if text.hasSuffix(";1") { text.removeLast(2) }
            if text.hasSuffix(".") { text.removeLast() }
            return text
        }.joined(separator: "/")
    }
}
