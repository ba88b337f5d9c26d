import Daemon
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
        let inbox = Inbox(places: Places(site.settings), quiet: site.settings.quiet)
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
        let inbox = Inbox(places: Places(site.settings), quiet: .zero)
        #expect(try await inbox.scan().settled.isEmpty)
        #expect(try await inbox.scan().settled == ["study"])
    }

    @Test("a drop that changes between the look and the claim is not taken, and settles again under its hidden name")
    func changedAtClaim() async throws {
        let site = try Site()
        try site.drop("study", "ok")
        let places = Places(site.settings)
        try places.prepare()
        let inbox = Inbox(places: places, quiet: .zero)
        _ = try await inbox.scan()
        #expect(try await inbox.scan().settled == ["study"])
        try DurableFile.write("late", to: site.root + "/inbox/study/late")
        #expect(try await inbox.take("study") == nil)
        _ = try await inbox.scan()
        let hidden = try #require(try await inbox.scan().settled.first)
        #expect(hidden.hasPrefix(".hspsam-"))
        let drop = try #require(try await inbox.take(hidden))
        #expect(drop.files == 2 && FileStatus.exists(places.input(drop.id) + "/late"))
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
}
