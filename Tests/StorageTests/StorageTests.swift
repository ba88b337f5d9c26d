import Failures
import Foundation
import Storage
import Testing

@Suite("files: whole or not at all")
final class StorageTests {
    let root: String

    init() throws {
        root = FileManager.default.temporaryDirectory.appendingPathComponent("storage-\(UUID().uuidString)").path
        try Folder.make(root + "/a/b")
    }

    deinit { try? FileManager.default.removeItem(atPath: root) }

    @Test("a folder has one owner at a time, whose process and beginning the next one is told")
    func folderLock() throws {
        let first = try FolderLock.take(root)
        guard case .taken = first, case .held(let owner) = try FolderLock.take(root) else {
            Issue.record("one lock for two")
            return
        }
        #expect(owner.hasPrefix("process \(getpid()) on "))
        let since = try #require(owner.split(separator: " ").last)
        #expect(throws: Never.self) { try Date.ISO8601FormatStyle().parse(String(since)) }
        #expect(try FileLock.owner(Folder.join(root, FolderLock.name)) == owner)
        withExtendedLifetime(first) {}
    }

    @Test("the lock of a folder goes with its owner, and leaves no file")
    func folderLockGoes() throws {
        for _ in 0..<2 {
            do {
                let lock = try FolderLock.take(root)
                guard case .taken = lock else {
                    Issue.record("it is held")
                    return
                }
                #expect(FileStatus.exists(Folder.join(root, FolderLock.name)))
                withExtendedLifetime(lock) {}
            }
            #expect(!FileStatus.exists(Folder.join(root, FolderLock.name)))
        }
    }

    @Test("a digest is the published one, of bytes, of a file and piece by piece")
    func digests() throws {
        let abc = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
        #expect(FileDigest(of: "abc").hex == abc)
        try DurableFile.write("abc", to: root + "/abc")
        #expect(try FileDigest(ofFile: root + "/abc").hex == abc)
        var sum = FileDigest.Accumulator()
        for letter in "abc".utf8 { sum.add([letter]) }
        #expect(sum.finish().hex == abc)
        #expect(FileDigest(hex: abc) == FileDigest(of: "abc"))
        #expect(FileDigest(hex: abc + "0") == nil)
        #expect(FileDigest(of: [UInt8]()).hex.hasPrefix("e3b0c442"))
    }

    @Test("a folder on which something is to be mounted, and nothing is, is known by the table that says so")
    func mounts() throws {
        try Folder.make(root + "/two words/deep")
        #expect(symlink(root + "/a", root + "/link") == 0)
        func isAway(_ line: String, _ path: String) throws -> Bool {
            try MountTable(Array("# a comment /a\nproc /proc proc\n\(line)\n".utf8)).isAway(path)
        }
        let share = "nas:/x \(root)/a nfs4 noauto,rw 0 0"
        for path in ["a", "a/", "a/b", "a/b/not/there", "link", "link/b", "two words/../a"] {
            #expect(try isAway(share, "\(root)/\(path)"), "\(path)")
        }
        for path in ["", "two words", "two words/deep", "other/a"] {
            #expect(try !isAway(share, "\(root)/\(path)"), "\(path)")
        }
        #expect(try isAway("//nas/x\t\(root)/two\\040words\tcifs", root + "/two words/deep"))
        for line in [
            "\(root)/a \(root)/a none bind 0 0", "nas:/x none swap sw", "nas:/x / nfs", "x \(root)/none nfs", "",
        ] {
            #expect(try !isAway(line, root + "/a/b"), "\(line)")
        }
        // Something is mounted there.
        let mounted = try #require(["/dev/shm", "/dev", "/proc"].first { (try? Folder.depthInFileSystem($0)) == 0 })
        #expect(try !isAway("x \(mounted) tmpfs", mounted))
        #expect(try !MountTable(path: root + "/no-table").isAway(root))
    }

    /// In `etc` of the test's folder, beside a table that names nothing.
    private func isAway(_ files: [String: String], _ path: String) throws -> Bool {
        let etc = root + "/etc"
        for (name, text) in files {
            try Folder.make(Folder.split("\(etc)/\(name)").folder)
            try DurableFile.write(text, to: "\(etc)/\(name)")
        }
        defer { try? Folder.remove(etc) }
        return try MountTable(path: etc + "/fstab").isAway(path)
    }

    /// The name of a unit for a folder, as `systemd-escape --path` gives it.
    private func unit(_ path: String, _ ending: String) -> String {
        let name = path.utf8.dropFirst().map { byte in
            switch UInt8(byte) {
            case UInt8(ascii: "/"): "-"
            case UInt8(ascii: "-"), UInt8(ascii: " "): "\\x" + String(byte, radix: 16)
            default: String(UnicodeScalar(byte))
            }
        }
        return name.joined() + ending
    }

    @Test("so it is by units of systemd that somebody has written or enabled, also of an automount")
    func mountUnits() throws {
        let share = root + "/a share-x"
        try Folder.make(share + "/b")
        let text = "[Mount]\nWhat=nas:/export\nWhere=\(share)\nType=nfs\n"
        for ending in [".mount", ".automount"] {
            let name = unit(share, ending)
            for place in ["", "multi-user.target.wants/", "remote-fs.target.requires/"] {
                #expect(try isAway(["systemd/system/\(place)\(name)": text], share + "/b"), "\(place)")
                #expect(try !isAway(["systemd/system/\(place)\(name)": text], root), "\(place)")
            }
            // Masked; of another folder; no unit; a folder that is shown once more.
            #expect(try !isAway(["systemd/system/\(name)": ""], share))
            #expect(try !isAway(["systemd/system/\(unit(share + "/c", ending))": text], share))
            #expect(try !isAway(["systemd/system/\(name).d/options.conf": text], share))
            let bind = "[Mount]\nWhat=/srv/x\nType=none\nOptions=nofail,bind\n"
            #expect(try !isAway(["systemd/system/\(name)": bind], share))
        }
        // Something is mounted there.
        let mounted = try #require(["/dev/shm", "/dev", "/proc"].first { (try? Folder.depthInFileSystem($0)) == 0 })
        #expect(try !isAway(["systemd/system/\(unit(mounted, ".mount"))": text], mounted))
    }

    @Test("so it is by the automounter's maps, direct ones and others")
    func automounter() throws {
        let share = root + "/shares"
        try Folder.make(share + "/nas")
        func isAway(_ master: String, _ path: String, map: String = "") throws -> Bool {
            try self.isAway(["auto.master": master, "auto.direct": map], path)
        }
        #expect(try isAway("# shares\n\(share)\t/etc/auto.nas --timeout=60\n", share + "/nas"))
        #expect(try self.isAway(["auto.master.d/nas.autofs": "\(share) auto.nas"], share + "/nas"))
        #expect(try !isAway("\(share) -null\n#\(share) auto.nas\n+auto.master\n", share + "/nas"))
        for map in ["auto.direct", "file:auto.direct", "file,sun:\(root)/etc/auto.direct"] {
            let line = "\(share)/nas -fstype=nfs4,rw nas:/export"
            #expect(try isAway("/- \(map)", share + "/nas", map: line), "\(map)")
            #expect(try !isAway("/- \(map)", share, map: line), "\(map)")
        }
        let shown = ["-fstype=bind :/srv/x", ":/srv/x"].map { "\(share)/nas \($0)" }
        for line in shown + ["# \(share)/nas nas:/x", "nas nas:/x"] {
            #expect(try !isAway("/- auto.direct", share + "/nas", map: line), "\(line)")
        }
        #expect(try isAway("/- auto.direct", share + "/nas", map: "\(share)/nas -fstype=ext4 :/dev/sdb1"))
    }

    @Test("whoever waits for a long pass over a file hears of it all the while")
    func pieces() throws {
        let bytes = [UInt8](repeating: 7, count: 3 << 20)
        try DurableFile.write(bytes, to: root + "/a/large")
        func count(_ body: (() -> Void) throws -> Void) rethrows -> Int {
            var pieces = 0
            try body { pieces += 1 }
            return pieces
        }
        let (source, target) = (FilePath(root + "/a"), root + "/copy")
        #expect(try count { _ = try FileDigest(of: InputFile(root + "/a/large"), each: $0) } >= 12)
        #expect(try count { _ = try FileDigest(ofTree: root + "/a", each: $0) } >= 12)
        _ = try count { try TreeCopy.copy(source, to: target, each: $0) }
        #expect(try count { _ = try TreeCopy.isContained(source, in: FilePath(target), each: $0) } >= 24)
        #expect(try DurableFile.read(target + "/large", limit: .max) == bytes)
        let appended = try count {
            var file = try DurableFile(root + "/appended")
            try file.append([1])
            try file.append(InputFile(root + "/a/large"), each: $0)
            try file.append([2])
            try file.commit()
        }
        #expect(appended >= 12)
        #expect(try DurableFile.read(root + "/appended", limit: .max) == [1] + bytes + [2])
    }

    @Test("a durable file replaces the old one only by commit and leaves no temporary behind")
    func durable() throws {
        let path = root + "/file"
        try DurableFile.write("old", to: path)
        do {
            var file = try DurableFile(path)
            try file.append([1, 2, 3])
        }
        #expect(try DurableFile.read(path, limit: 10) == Array("old".utf8))
        try DurableFile.write("new", to: path)
        #expect(try DurableFile.read(path, limit: 10) == Array("new".utf8))
        #expect(try Folder.list(root).map(\.name) == ["a", "file"])
    }

    @Test("a whole folder is there when it was filled, new or empty before; of one that failed nothing is left")
    func wholeFolder() throws {
        struct Full: Error {}
        try Folder.make(root + "/empty")
        for path in [root + "/empty", root + "/new/whole", root + "/" + String(repeating: "n", count: 250)] {
            #expect(throws: Full.self) {
                try WholeFolder.make(path) {
                    try DurableFile.write("half", to: Folder.join($0, "file"))
                    throw Full()
                }
            }
            #expect(try path.hasSuffix("empty") ? Folder.list(path).isEmpty : !FileStatus.exists(path))
            try WholeFolder.make(path) { try DurableFile.write("whole", to: Folder.join($0, "file")) }
            #expect(try DurableFile.read(path + "/file", limit: 10) == Array("whole".utf8))
            #expect(throws: StorageFailure.self) { try WholeFolder.make(path) { _ in } }
        }
        #expect(try Folder.list(root + "/new").map(\.name) == ["whole"])
        #expect(try Folder.list(root).allSatisfy { !$0.name.hasPrefix(".") })
    }

    @Test("where a file can be written is known before it is; nowhere without a name")
    func writable() throws {
        try DurableFile.confirmWritable(root + "/new")
        #expect(!FileStatus.exists(root + "/new"))
        for path in ["", root + "/no/file", root + "/a"] {
            #expect(throws: StorageFailure.self) { try DurableFile.confirmWritable(path) }
        }
    }

    @Test("a folder that is missing is told with path and cure")
    func missing() {
        #expect {
            try DurableFile.write("x", to: root + "/no/file")
        } throws: { error in
            let failure = error as? StorageFailure
            return failure?.code == "FILE-NOT-FOUND" && failure?.text.contains("no/file") == true
                && failure?.systemError == .notFound
        }
    }

    @Test("a folder that stands where a file is to be is told with its cure, and stays")
    func folderInTheWay() {
        #expect {
            try DurableFile.write("x", to: root + "/a")
        } throws: { error in
            let failure = error as? StorageFailure
            return failure?.code == "FILE-KIND" && failure?.text.contains("remove it") == true
        }
        #expect((try? FileStatus(of: root + "/a"))?.kind == .directory)
    }

    @Test("a mapped file shows its bytes; an empty one too; a folder, a FIFO and one above the limit are refused")
    func mapped() throws {
        try DurableFile.write([UInt8](0..<200), to: root + "/file")
        let map = try MappedFile(root + "/file", limit: 200)
        #expect(map.withBytes { $0.byteCount } == 200)
        #expect(map.copy(offset: 198, count: 2) == [198, 199])
        #expect(map.copy(offset: 199, count: 2) == nil)
        #expect(map.copy(offset: .max, count: .max) == nil)
        try DurableFile.write("", to: root + "/empty")
        #expect(try MappedFile(root + "/empty").withBytes { $0.byteCount } == 0)
        #expect(throws: StorageFailure.tooLarge(path: root + "/file", bytes: 200, limit: 199)) {
            try MappedFile(root + "/file", limit: 199)
        }
        #expect(throws: StorageFailure.notAFile(path: root, kind: .directory)) { try MappedFile(root) }
        mkfifo(root + "/fifo", 0o600)
        #expect(throws: StorageFailure.notAFile(path: root + "/fifo", kind: .other)) {
            try FileDigest(ofFile: root + "/fifo")
        }
    }

    @Test("a file in a folder that a link leads to is written there")
    func throughLink() throws {
        symlink(root + "/a", root + "/link")
        try DurableFile.write("one", to: root + "/link/file")
        #expect(try DurableFile.read(root + "/a/file", limit: 10) == Array("one".utf8))
    }

    @Test("a rename never replaces, an exchange swaps, a removal takes all and follows no link")
    func folders() throws {
        try DurableFile.write("1", to: root + "/a/b/one")
        try DurableFile.write("2", to: root + "/two")
        symlink(root + "/two", root + "/a/link")
        #expect {
            try Folder.rename(root + "/two", to: root + "/a/b/one")
        } throws: {
            ($0 as? StorageFailure)?.systemError == .exists
        }
        try Folder.exchange(root + "/two", with: root + "/a/b/one")
        #expect(try DurableFile.read(root + "/two", limit: 1) == Array("1".utf8))
        #expect(try Folder.walk(root).map(\.name) == ["a", "a/b", "a/b/one", "a/link", "two"])
        #expect(try Folder.walk(root).first { $0.name == "a/link" }?.status.kind == .symlink)
        try Folder.syncTree(root)
        try Folder.remove(root + "/a")
        try Folder.remove(root + "/a")
        #expect(try Folder.list(root).map(\.name) == ["two"])
    }

    @Test("names are bytes: what is not UTF-8 is listed, walked, synced, renamed and removed like anything else")
    func strangeName() throws {
        let strange = FilePath(root).appending(FilePath(bytes: [97, 0xFF]))
        let inner = FilePath(bytes: [0xFC])
        #expect(strange.withCString { mkdir($0, 0o700) } == 0)
        strange.appending(inner).withCString { _ = close(open($0, O_CREAT | O_WRONLY, 0o600)) }
        #expect(try Folder.list(root).map(\.status.kind) == [.directory, .directory])
        #expect(
            try Folder.walk(root).map(\.path) == [
                FilePath("a"), FilePath("a/b"), FilePath(bytes: [97, 0xFF]), FilePath(bytes: [97, 0xFF, 47, 0xFC]),
            ])
        try Folder.syncTree(root)
        try Folder.rename(strange, to: FilePath(root + "/plain"))
        #expect(try FileStatus(of: FilePath(root + "/plain").appending(inner)).kind == .regular)
        try Folder.remove(root + "/plain")
    }

    @Test("a file whose name is as long as the file system allows is written whole")
    func longName() throws {
        let path = "\(root)/\(String(repeating: "n", count: 255))"
        try DurableFile.write("x", to: path)
        #expect(try DurableFile.read(path, limit: 1) == [0x78])
    }

    @Test("a copy holds every byte under every name, and links and odd files are refused before anything is written")
    func treeCopy() throws {
        let source = FilePath(root).appending("source")
        let strange = source.appending(FilePath(bytes: [0xE4, 0xF6]))
        try Folder.make(root + "/source/deep")
        #expect(strange.withCString { mkdir($0, 0o700) } == 0)
        let long = String(repeating: "x", count: 255)
        try DurableFile.write([UInt8](repeating: 7, count: 700_000), to: root + "/source/deep/" + long)
        strange.appending(FilePath(bytes: [0xFC])).withCString { _ = close(open($0, O_CREAT | O_WRONLY, 0o600)) }
        var pieces = 0
        try TreeCopy.copy(source, to: root + "/copy") { pieces += 1 }
        #expect(pieces >= 2)
        #expect(try Folder.walk(root + "/copy").map(\.path) == Folder.walk(source).map(\.path))
        #expect(try TreeCopy.isContained(source, in: FilePath(root + "/copy")))
        #expect(
            try DurableFile.read("\(root)/copy/deep/\(long)", limit: 700_000) == [UInt8](repeating: 7, count: 700_000))
        try DurableFile.write("other", to: "\(root)/copy/deep/\(long)")
        #expect(try !TreeCopy.isContained(source, in: FilePath(root + "/copy")))
        symlink("/etc/passwd", root + "/source/link")
        #expect {
            try TreeCopy.copy(source, to: root + "/second")
        } throws: {
            ($0 as? StorageFailure)?.code == "FILE-KIND"
        }
        #expect(!FileStatus.exists(root + "/second"))
    }

    @Test("paths split and join as people write them")
    func paths() {
        #expect(Folder.split("/a/b/") == ("/a", "b"))
        #expect(Folder.split("/a") == ("/", "a"))
        #expect(Folder.split("a") == (".", "a"))
        #expect(Folder.join("/", "a") == "/a")
    }

    @Test("a stream is unpacked up to its limit, and damage, cuts and bombs are told apart")
    func inflate() throws {
        // One final stored block of 5 bytes.
        let stored: [UInt8] = [0x01, 5, 0, 0xFA, 0xFF, 104, 101, 108, 108, 111]
        #expect(try Inflate.bytes(of: stored, limit: 5) == Array("hello".utf8))
        #expect(try Inflate.bytes(of: stored + [9, 9], limit: 500, expected: 5) == Array("hello".utf8))
        #expect(throws: StorageFailure.compressedTooLarge(limit: 4)) { try Inflate.bytes(of: stored, limit: 4) }
        #expect(throws: StorageFailure.compressedShort) {
            try Inflate.bytes(of: Array(stored.dropLast()), limit: 99)
        }
        #expect(throws: StorageFailure.compressedBroken) { try Inflate.bytes(of: [0x07, 1, 2], limit: 99) }
        // 100,000 zeros by Python's zlib.compress(bytes(100000), 9), without its header and checksum: a ratio above 800.
        let zeros = try #require(Data(base64Encoded: Self.zeros)).dropFirst(2).dropLast(4)
        #expect(try Inflate.bytes(of: [UInt8](zeros), limit: 100_000) == [UInt8](repeating: 0, count: 100_000))
        #expect(throws: StorageFailure.compressedTooLarge(limit: 99_999)) {
            try Inflate.bytes(of: [UInt8](zeros), limit: 99_999)
        }
        #expect(Inflate.crc32(Array("123456789".utf8).span.bytes) == 0xCBF4_3926)
    }

    static let zeros =
        "eNrtwTEBAAAAwqD1T20ND6AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAACAVwOGrwAB"
}
