import CSystem
import Failures
import Foundation
import Storage
import Testing

@Suite("a user's files are opened once, and what was opened is what is read")
final class InputFileTests {
    let root: String

    init() throws {
        root = FileManager.default.temporaryDirectory.appendingPathComponent("input-\(UUID().uuidString)").path
        try Folder.make(root + "/in/sub")
    }

    deinit { try? FileManager.default.removeItem(atPath: root) }

    private func write(_ name: String, _ text: String) throws { try DurableFile.write(text, to: root + "/" + name) }

    private func folder(_ pool: DescriptorPool = .shared) throws -> InputFolder {
        try InputFolder(FilePath(root + "/in"), pool: pool)
    }

    private func code(_ body: () throws -> Void) -> String {
        do {
            try body()
            return "none"
        } catch let failure as StorageFailure {
            return failure.code
        } catch {
            return "\(error)"
        }
    }

    private func bytes(_ file: InputFile) throws -> String {
        String(decoding: try file.read(0..<file.size), as: UTF8.self)
    }

    @Test("a walk meets files, links and odd things sorted by their bytes, and goes through no link")
    func walk() throws {
        try write("in/b", "2")
        try write("in/sub/deep", "1")
        try write("outside", "secret")
        symlink(root + "/outside", root + "/in/link")
        symlink(root, root + "/in/all")
        mkfifo(root + "/in/fifo", 0o600)
        var met: [String] = []
        try folder().walk { entry in
            switch entry.kind {
            case .success(let kind): met.append("\(entry.name): \(kind.rawValue)")
            case .failure(let failure): met.append("\(entry.name): \(failure.code)")
            }
        }
        #expect(
            met == [
                "all: symbolic link", "b: regular file", "fifo: device, FIFO or socket", "link: symbolic link",
                "sub/deep: regular file",
            ])
    }

    @Test("names that are left out go with everything below them, and only where they were named")
    func excluded() throws {
        for name in ["in/own", "in/sub/own"] { try Folder.make(root + "/" + name) }
        for name in ["own/file", "sub/own/file", "sub/file", "sub/other"] { try write("in/" + name, "1") }
        var met: [String] = []
        try folder().walk(excluding: [FilePath("sub/own"), FilePath("sub/file")]) { met.append($0.name.text) }
        #expect(met == ["own/file", "sub/other"])
    }

    @Test("a folder that cannot be listed is met itself, with the reason")
    func unlistable() throws {
        // The name becomes longer than the system takes.
        let name = String(repeating: "n", count: 250)
        var path = root + "/in"
        var descriptor = open(path, O_RDONLY | O_DIRECTORY)
        for _ in 0..<18 {
            mkdirat(descriptor, name, 0o700)
            let inner = openat(descriptor, name, O_RDONLY | O_DIRECTORY)
            close(descriptor)
            descriptor = inner
            path += "/" + name
        }
        close(descriptor)
        var codes: [String] = []
        try folder().walk { if case .failure(let failure) = $0.kind { codes.append(failure.code) } }
        #expect(codes == ["FILE-IO"])
        try Folder.remove(root + "/in")
        #expect(!FileStatus.exists(root + "/in"))
    }

    @Test(
        "no link leads to a file: not as its name, not above it, not out by dots, with openat2 and without",
        arguments: [true, false])
    func beneath(_ hasCall: Bool) throws {
        try write("in/sub/file", "1")
        try write("outside", "secret")
        symlink(root + "/outside", root + "/in/link")
        symlink(root, root + "/in/up")
        symlink("sub", root + "/in/inner")
        let descriptor = cs_open_folder(root + "/in")
        defer { cs_close(descriptor) }
        func result(_ path: String, folder: Bool = false) -> Int32 {
            let open = hasCall ? cs_open_beneath : cs_open_beneath_by_steps
            let result = open(descriptor, path, folder ? 1 : 0)
            if result >= 0 { cs_close(result) }
            return min(result, 0)
        }
        #expect(result("sub/file") == 0)
        #expect(result("sub", folder: true) == 0)
        #expect(result(".", folder: true) == 0)
        #expect(result("sub/none") == -ENOENT)
        #expect(result("link") == -ELOOP)
        #expect(result("up/outside") == -ELOOP)
        #expect(result("inner/file") == -ELOOP)
        #expect(result("inner", folder: true) == -ELOOP)
        #expect(result("../outside") == -EXDEV)
        #expect(result("sub/../../outside") == -EXDEV)
        #expect(result("sub/file/more") == -ENOTDIR)
        #expect(result(String(repeating: "n", count: 300)) == -ENAMETOOLONG)
        #expect(result(root + "/outside") < 0)
    }

    @Test("a link is refused by kind, a FIFO, a folder and a file too large are told, and nothing of them is read")
    func refused() throws {
        try write("in/file", "12345")
        symlink("file", root + "/in/link")
        mkfifo(root + "/in/fifo", 0o600)
        let folder = try folder()
        let failure = #expect(throws: StorageFailure.self) { try folder.open(FilePath("link")) }
        #expect(failure?.code == "FILE-LINK" && failure?.kind == .refused)
        #expect(code { _ = try folder.open(FilePath("fifo")) } == "FILE-KIND")
        #expect(code { _ = try folder.open(FilePath("sub")) } == "FILE-KIND")
        #expect(code { _ = try folder.open(FilePath("file"), limit: 4) } == "FILE-LARGE")
        // What a person typed is followed.
        #expect(try bytes(InputFile(root + "/in/link")) == "12345")
    }

    @Test("a file that became a link between listing and opening is not opened")
    func swapped() throws {
        try write("in/file", "1")
        try write("outside", "secret")
        let folder = try folder()
        var codes: [String] = []
        folder.walk { entry in
            unlink(root + "/in/file")
            symlink(root + "/outside", root + "/in/file")
            codes.append(code { _ = try folder.open(entry.name) })
        }
        #expect(codes == ["FILE-LINK"])
    }

    @Test("a file that another thread cuts while it is read is a refusal, no signal")
    func truncated() throws {
        let path = root + "/in/file"
        try DurableFile.write([UInt8](repeating: 7, count: 8 << 20), to: path)
        let file = try folder().open(FilePath("file"))
        let start = DispatchSemaphore(value: 0)
        let cutter = Thread {
            start.wait()
            truncate(path, 4096)
        }
        cutter.start()
        let code = code {
            for round in 0..<2000 {
                if round == 3 { start.signal() }
                _ = try FileDigest(of: file)
            }
        }
        #expect(code == "IN-CHANGED")
        #expect(self.code { try file.checkUnchanged() } == "IN-CHANGED")
    }

    @Test("a file that grew, was written over in place, or was replaced by rename is told when it is asked")
    func changed() throws {
        let folder = try folder()
        for change in ["grown", "written", "renamed", "removed"] {
            try write("in/" + change, "12345")
            let file = try folder.open(FilePath(change))
            #expect(code { try file.checkUnchanged() } == "none")
            let path = root + "/in/" + change
            // The clock of a file system may move in steps of some milliseconds.
            usleep(20_000)
            switch change {
            case "renamed": try write("in/" + change, "54321")
            case "removed": unlink(path)
            default:
                let handle = open(path, O_WRONLY | (change == "grown" ? O_APPEND : 0))
                Glibc.write(handle, "67890", 5)
                close(handle)
            }
            // What was opened is still what is read, never the other file.
            #expect(try bytes(file) == (change == "written" ? "67890" : "12345"))
            #expect(code { try file.checkUnchanged() } == "IN-CHANGED", "\(change)")
        }
    }

    @Test("a name that is not UTF-8 is opened and read, and told by an escaped name")
    func latin1() throws {
        let name = FilePath(bytes: Array("M".utf8) + [0xFC] + Array("ller\n.dcm".utf8))
        let path = Array((root + "/in/").utf8) + name.bytes
        let handle = open(path.map { CChar(bitPattern: $0) } + [0], O_CREAT | O_WRONLY, 0o600)
        Glibc.write(handle, "CT", 2)
        close(handle)
        var met: [FilePath] = []
        let folder = try folder()
        folder.walk { met.append($0.name) }
        #expect(met == [name])
        let file = try folder.open(try #require(met.first))
        #expect(try bytes(file) == "CT")
        #expect(file.path.text == root + "/in/M\\xFCller\\x0A.dcm")
        #expect(FilePath("Müller.dcm").text == "Müller.dcm")
        #expect(FilePath(bytes: Array("é".utf8) + [0xC3, 0x41]).text == "é\\xC3A")
    }

    @Test("what lies beside a file is found with the same care")
    func siblings() throws {
        try write("in/sub/a.tif", "1")
        try write("in/sub/a.tif.yaml", "2")
        symlink("a.tif.yaml", root + "/in/sub/b.tif.yaml")
        for file in [try folder().open(FilePath("sub/a.tif")), try InputFile(root + "/in/sub/a.tif")] {
            #expect(try file.sibling(file.path.name.extended(".yaml")).map(bytes) == "2")
            #expect(try file.sibling(FilePath("a.tif.json")) == nil)
            #expect(code { _ = try file.sibling(FilePath("b.tif.yaml")) } == "FILE-LINK")
        }
        #expect(
            FilePath("a/b").folder.text == "a" && FilePath("/a").folder.text == "/" && FilePath("a").folder.text == "")
    }

    @Test("3,000 files are read again and again with 64 descriptors, from four threads")
    func manyFiles() throws {
        let pool = DescriptorPool(capacity: 64)
        let folder = try folder(pool)
        let count = 3000
        for index in 0..<count {
            let handle = open("\(root)/in/\(index)", O_CREAT | O_WRONLY, 0o600)
            Glibc.write(handle, "file \(index)", 5 + String(index).utf8.count)
            close(handle)
        }
        var files: [InputFile] = []
        for index in 0..<count { files.append(try folder.open(FilePath("\(index)"))) }
        #expect(pool.openCount == 64)
        let opened = files
        DispatchQueue.concurrentPerform(iterations: 4) { thread in
            for step in 0..<count {
                let index = (step * 7 + thread * 750) % count
                let file = opened[index]
                #expect(throws: Never.self) {
                    #expect(try file.read(0..<file.size) == Array("file \(index)".utf8))
                    if step % 5 == 0 { try file.checkUnchanged() }
                }
            }
        }
        #expect(pool.openCount <= 64)
        files = []
        #expect(pool.openCount <= 64)
    }

    @Test("a file that was closed for room and replaced meanwhile is not read, whatever stands there now")
    func reopened() throws {
        let pool = DescriptorPool(capacity: 1)
        let folder = try folder(pool)
        try write("in/a", "11111")
        try write("in/b", "22222")
        for change in ["replaced", "removed", "link", "untouched"] {
            try write("in/a", "11111")
            let file = try folder.open(FilePath("a"))
            let other = try folder.open(FilePath("b"))
            #expect(try bytes(other) == "22222")
            switch change {
            case "replaced": try write("in/a", "33333")
            case "removed": unlink(root + "/in/a")
            case "link":
                unlink(root + "/in/a")
                symlink("b", root + "/in/a")
            default: break
            }
            #expect(code { _ = try bytes(file) } == (change == "untouched" ? "none" : "IN-CHANGED"), "\(change)")
            unlink(root + "/in/a")
        }
    }

    @Test("a process takes as many descriptors as it may have")
    func limit() {
        var limit = rlimit()
        _ = DescriptorPool.shared.capacity
        getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
        #expect(limit.rlim_cur == limit.rlim_max || limit.rlim_max > 1 << 30)
        #expect(DescriptorPool.shared.capacity <= max(64, Int(clamping: limit.rlim_cur) / 4 * 3))
    }
}
