/// What is to be mounted on this machine, as `/etc/fstab`, units of systemd and maps of the automounter say it: it tells a share that is
/// away also where nobody has seen it mounted.
package struct MountTable: Sendable {
    package static let path = "/etc/fstab"
    /// Larger is none.
    static let largest = 1 << 20

    /// Folders on which another file system is to stand.
    private let folders: [FilePath]

    private init(folders: [FilePath]) { self.folders = folders }

    /// *Source*: fstab(5).
    package init(_ bytes: [UInt8]) { self.init(folders: Self.folders(inTable: bytes)) }

    private static func folders(inTable bytes: [UInt8]) -> [FilePath] {
        bytes.split(separator: UInt8(ascii: "\n")).compactMap { line in
            let fields = line.split { $0 == UInt8(ascii: " ") || $0 == UInt8(ascii: "\t") }
            guard fields.count >= 3, fields[0].first != UInt8(ascii: "#"), fields[1].first == UInt8(ascii: "/") else {
                return nil
            }
            if fields.count > 3, isBind(String(decoding: fields[3], as: UTF8.self)) { return nil }
            return FilePath(bytes: Self.unescaped(fields[1]))
        }
    }

    /// Of the file at `path`, and of the units and maps that stand in its folder; nothing where there is none.
    package init(path: String) {
        let etc = Folder.split(path).folder
        self.init(
            folders: Self.folders(inTable: (try? DurableFile.read(path, limit: Self.largest)) ?? [])
                + Self.folders(ofUnits: Folder.join(etc, "systemd/system")) + Self.folders(ofAutomounter: etc))
    }

    /// Whether options ask for another folder of a file system that is mounted already: it cannot be told from what lies below it.
    static func isBind(_ options: String) -> Bool {
        options.split { ", \t=".contains($0) }.contains { ["bind", "rbind", "-bind"].contains($0) }
    }

    /// Blanks and tabs stand as `\040` and `\011`.
    private static func unescaped(_ field: ArraySlice<UInt8>) -> [UInt8] {
        var bytes: [UInt8] = []
        var rest = field
        while let first = rest.popFirst() {
            let digits = rest.prefix(3)
            if first == UInt8(ascii: "\\"), digits.count == 3,
                let byte = UInt8(String(decoding: digits, as: UTF8.self), radix: 8)
            {
                bytes.append(byte)
                rest = rest.dropFirst(3)
            } else {
                bytes.append(first)
            }
        }
        return bytes
    }

    /// Whether `path`, or the folder above it that is there, is or lies in a folder on which something is to be mounted and nothing is;
    /// links are followed.
    package func isAway(_ path: String) throws(StorageFailure) -> Bool {
        guard !folders.isEmpty else { return false }
        var place = path
        while !FileStatus.exists(Folder.join(place, ".")), place != "/", place != "." {
            place = Folder.split(place).folder
        }
        let empty = folders.compactMap(Self.empty)
        place = Folder.join(place, ".")
        var status = try FileStatus(of: place, followingLinks: true)
        while true {
            if empty.contains(where: { $0.device == status.device && $0.inode == status.inode }) { return true }
            place += "/.."
            let above = try FileStatus(of: place, followingLinks: true)
            // The top of all is above itself.
            if above.device == status.device, above.inode == status.inode { return false }
            status = above
        }
    }

    /// The folder itself where nothing is mounted on it.
    private static func empty(_ folder: FilePath) -> FileStatus? {
        guard let own = try? FileStatus(of: folder.appending("."), followingLinks: true),
            let above = try? FileStatus(of: folder.appending(".."), followingLinks: true),
            own.device == above.device, own.inode != above.inode
        else { return nil }
        return own
    }
}
