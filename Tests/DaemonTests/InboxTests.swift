import Daemon
import Failures
import Foundation
import Storage
import Testing

@Suite("the inbox")
struct InboxTests {
    @Test("a drop is settled when nothing of it changed for the quiet time, over two looks at least")
    func settling() async throws {
        let site = try Site()
        site.settings.quiet = .seconds(60)
        try site.drop("study", "ok")
        let inbox = Inbox(paths: ServicePaths(site.settings), quiet: site.settings.quiet)
        let start = ContinuousClock.now
        #expect(try await inbox.scan(now: start).settled.isEmpty)
        #expect(try await inbox.scan(now: start + .seconds(59)).settling == 1)
        try DurableFile.write("one more", to: site.root + "/inbox/study/late")
        #expect(try await inbox.scan(now: start + .seconds(61)).settled.isEmpty)
        #expect(try await inbox.scan(now: start + .seconds(120)).settled.isEmpty)
        #expect(try await inbox.scan(now: start + .seconds(121)).settled == ["study"])
    }

    @Test("one look is never enough, however short the quiet time")
    func twoLooks() async throws {
        let site = try Site()
        try site.drop("study", "ok")
        let inbox = Inbox(paths: ServicePaths(site.settings), quiet: .zero)
        #expect(try await inbox.scan().settled.isEmpty)
        #expect(try await inbox.scan().settled == ["study"])
    }

    @Test("a drop that changes between the look and the claim is not taken, and settles again under its hidden name")
    func changedAtClaim() async throws {
        let site = try Site()
        try site.drop("study", "ok")
        let paths = ServicePaths(site.settings)
        try paths.prepare()
        let inbox = Inbox(paths: paths, quiet: .zero)
        _ = try await inbox.scan()
        #expect(try await inbox.scan().settled == ["study"])
        try DurableFile.write("late", to: site.root + "/inbox/study/late")
        #expect(try await inbox.take("study") == .changed)
        _ = try await inbox.scan()
        let hidden = try #require(try await inbox.scan().settled.first)
        #expect(hidden.hasPrefix(".hspsam-"))
        guard case .taken(let drop) = try await inbox.take(hidden) else {
            Issue.record("not taken")
            return
        }
        #expect(drop.files == 2 && FileStatus.exists(paths.input(drop.id) + "/late"))
    }

    @Test(
        "names of unfinished transfers are no drops",
        arguments: [
            ".x", "x.tmp", "x.part", "x.PARTIAL", "x.filepart", "x.crdownload", "x~", "lost+found", ".hspsam-lock",
        ])
    func names(name: String) {
        #expect(!Inbox.isDrop(name))
        #expect(Inbox.isDrop(name.filter(\.isLetter)))
    }

    private func takenAfterTwoLooks(_ inbox: Inbox, known: String? = nil) async throws -> Inbox.Taking {
        _ = try await inbox.scan()
        return try await inbox.take(try #require(try await inbox.scan().settled.first), knownFingerprint: known)
    }

    @Test(
        "a drop under the name of a job that exists is another drop, unless it is proven to be the same: nothing is deleted unread"
    )
    func namedLikeAJob() async throws {
        let site = try Site()
        let paths = ServicePaths(site.settings)
        try paths.prepare()
        let id = "01JCK3000000000000000000AA"
        try Folder.make(paths.input(id))
        try DurableFile.write("one", to: paths.input(id) + "/a")
        // The original of a copy: the same bytes.
        try Folder.make(paths.inbox + "/.hspsam-\(id)")
        try DurableFile.write("one", to: paths.inbox + "/.hspsam-\(id)/a")
        let inbox = Inbox(paths: paths, quiet: .zero)
        #expect(try await takenAfterTwoLooks(inbox) == .leftover)
        #expect(!FileStatus.exists(paths.inbox + "/.hspsam-\(id)"))
        // Other bytes under the same name.
        try Folder.make(paths.inbox + "/.hspsam-\(id)")
        try DurableFile.write("two", to: paths.inbox + "/.hspsam-\(id)/a")
        guard case .taken(let drop) = try await takenAfterTwoLooks(inbox) else {
            Issue.record("not taken")
            return
        }
        #expect(drop.id != id)
        #expect(try DurableFile.read(paths.input(drop.id) + "/a", limit: 9) == Array("two".utf8))
        #expect(try DurableFile.read(paths.input(id) + "/a", limit: 9) == Array("one".utf8))
    }

    @Test(
        "a drop that cannot be copied whole from another disk stays where it is, and no half copy remains",
        .enabled(if: FileManager.default.isWritableFile(atPath: "/dev/shm")), arguments: ["link", "FIFO", "name"])
    func notCopied(what: String) async throws {
        let site = try Site()
        site.settings.inbox = "/dev/shm/hspsam-\(UUID().uuidString)"
        defer { try? FileManager.default.removeItem(atPath: site.settings.inbox) }
        let drop = site.settings.inbox + "/study"
        try Folder.make(drop)
        try DurableFile.write("pixels", to: drop + "/slice")
        switch what {
        case "link": symlink("/etc/passwd", drop + "/odd")
        case "FIFO": mkfifo(drop + "/odd", 0o600)
        default:
            // A name in Latin-1.
            let name = Array(drop.utf8CString.dropLast()) + [0x2F, CChar(bitPattern: 0xFC), 0]
            close(creat(name, 0o600))
        }
        let paths = ServicePaths(site.settings)
        try paths.prepare()
        let inbox = Inbox(paths: paths, quiet: .zero)
        await #expect(throws: StorageFailure.self) { _ = try await takenAfterTwoLooks(inbox) }
        #expect(try Folder.list(paths.work).isEmpty)
        let hidden = try #require(try Folder.list(site.settings.inbox).first { $0.name.hasPrefix(".hspsam-0") })
        #expect(try Folder.list(site.settings.inbox + "/" + hidden.name).count == 2)
        let outcome = try await site.batch()
        #expect(outcome.status == .refusedOrFailed && outcome.unsettled == 1, "\(outcome.json)")
        #expect(try StatusReport(site.settings).status == .refusedOrFailed)
    }
}
