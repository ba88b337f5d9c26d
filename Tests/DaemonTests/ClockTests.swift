import Daemon
import Failures
import Foundation
import GRDB
import Logging
import Processes
import Storage
import Testing

/// A clock that is wrong, or is set, removes nothing, gives nothing up, and hides nothing.
@Suite("a clock that is wrong")
struct ClockTests {
    private static let day: Int64 = 86_400_000
    private static let nowhere = Destination(
        name: "here", kind: .folder(path: "/nowhere"), parts: [.seg], firstWait: .zero, longestWait: .zero,
        giveUp: .seconds(86_400))

    /// Has the ledger remember a time so long ago.
    private func remember(_ site: Site, _ fact: String, _ ago: Int64) async throws {
        try await site.withService { try await $0.ledger.remember(fact, "\(Moment.now - ago)") }
    }

    private func change(_ site: Site, _ sql: String) async throws {
        let queue = try DatabaseQueue(path: site.root + "/state/ledger.sqlite")
        try await queue.write { try $0.execute(sql: sql) }
        try queue.close()
    }

    @Test("a clock that was set far ahead removes nothing at once: a person is asked, and a look three days later")
    func clockInDoubt() async throws {
        let site = try Site()
        let old = site.root + "/kept/2020-01-01"
        try await site.batch()
        try Folder.make(old)
        try await remember(site, "maintained", 10 * Self.day)
        for _ in 0..<2 {
            #expect(try await site.batch().notes == ["CLOCK-DOUBT"])
            #expect(FileStatus.exists(old))
        }
        // Set right again: in doubt it is no more.
        try await remember(site, "clock in doubt", -10 * Self.day)
        #expect(try await site.batch().status == .done)
        #expect(!FileStatus.exists(old))
        // It was right.
        try Folder.make(old)
        try await remember(site, "maintained", 10 * Self.day)
        try await site.batch()
        #expect(FileStatus.exists(old))
        try await remember(site, "clock in doubt", 3 * Self.day)
        #expect(try await site.batch().status == .done)
        #expect(!FileStatus.exists(old))
    }

    @Test("after a clock that was set back, or was wrong for long, everything stays for its whole time from then")
    func setBack() async throws {
        let site = try Site()
        let old = site.root + "/kept/2020-01-01"
        try await site.batch()
        try Folder.make(old)
        try await remember(site, "maintained", -10 * Self.day)
        #expect(try await site.batch().notes == ["CLOCK-DOUBT"])
        // Three days later it is believed; what is in kept/ may be as new as that all the same.
        try await remember(site, "clock in doubt", 3 * Self.day)
        try await remember(site, "clock set", 3 * Self.day)
        #expect(try await site.batch().status == .done)
        #expect(FileStatus.exists(old))
        try await remember(site, "clock set", 15 * Self.day)
        #expect(try await site.batch().status == .done)
        #expect(!FileStatus.exists(old))
    }

    @Test("what waits for a destination is not given up by a clock that is in doubt")
    func givenUp() async throws {
        let site = try Site()
        let log = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
        site.settings.destinations = [Self.nowhere]
        try await site.withService { try await $0.deliver() }
        try site.drop("a", "ok")
        try await site.batch()
        try await change(site, "UPDATE delivery SET created_at = created_at - 864000000")
        try await remember(site, "maintained", 10 * Self.day)
        func round() async throws -> [Int] {
            try await site.withService { try await $0.deliver() }
            try await Sender(site.settings, log: log) { _ in nil }.run(StopRequest(), once: true)
            var counts: [DeliveryCounts] = []
            try await site.withService { service in
                try await service.deliver()
                counts = try await service.ledger.deliveryCounts(["here"])
            }
            return counts.flatMap { [$0.waiting, $0.expired] }
        }
        #expect(try await round() == [1, 0])
        try await remember(site, "clock in doubt", 3 * Self.day)
        #expect(try await round() == [0, 1])
    }

    @Test("what waits for a destination is as old as it was when the clock is set")
    func waitsShifted() async throws {
        let site = try Site()
        site.settings.destinations = [Self.nowhere]
        try await site.withService { try await $0.deliver() }
        try site.drop("a", "ok")
        try await site.batch()
        var before: DeliveryCounts?
        var after: DeliveryCounts?
        try await site.withService { service in
            before = try await service.ledger.deliveryCounts(["here"]).first
            try await service.ledger.shiftWaits(by: 10 * Self.day)
            after = try await service.ledger.deliveryCounts(["here"]).first
        }
        let times = try (#require(before?.silentSince), #require(after?.silentSince))
        #expect(times.1 - times.0 == 10 * Self.day)
    }

    @Test("a night of a clock that was far ahead hides neither the nights after it nor that none came")
    func nights() async throws {
        let site = try Site()
        try site.drop("a", "ok")
        try await site.batch()
        func pages() throws -> Set<String> {
            Set(try Folder.list(site.root + "/outbox/batches").map(\.name).filter { $0.hasSuffix(".html") })
        }
        let first = try pages()
        try await change(site, "UPDATE batch SET started_at = started_at + 864000000, ended_at = ended_at + 864000000")
        try await change(site, "UPDATE result SET published_at = published_at + 864000000")
        try site.drop("b", "ok")
        #expect(try StatusReport(site.settings).text.contains("SERVICE-DOWN"))
        try await site.batch()
        let second = try pages().subtracting(first)
        #expect(first.count == 1 && second.count == 1)
        // Set back while it ran: its studies are told all the same.
        let night = try Folder.list(site.root + "/outbox/batches").map(\.name)
            .first { $0.hasSuffix(".json") && $0.prefix(26) == second.first?.prefix(26) }
        let name = Plan(how: "ok", study: "b").name
        let text = String(
            decoding: try DurableFile.read("\(site.root)/outbox/batches/\(#require(night))", limit: 1 << 20),
            as: UTF8.self)
        #expect(text.contains(name))
    }

    @Test("the newest copy of the ledger is the one that was made last, whatever the clock said")
    func copies() async throws {
        let site = try Site()
        try await site.batch()
        let backups = site.root + "/state/backups"
        func names() throws -> [String] { try Folder.list(backups).map(\.name).sorted() }
        let today = try #require(try names().first)
        // Of a clock that was far ahead for a while.
        for day in ["2998-01-01", "2998-01-02"] {
            try DurableFile.write(
                DurableFile.read("\(backups)/\(today)", limit: .max), to: "\(backups)/ledger-\(day).sqlite")
        }
        try DurableFile.write("older", to: "\(backups)/\(today)")
        site.settings.backups = 3
        for _ in 0..<2 {
            try await site.batch()
            #expect(try names().last == today && names().count == 3)
            #expect(try DurableFile.read("\(backups)/\(today)", limit: .max).count > 5)
        }
        site.settings.backups = 2
        try await site.withService { _ = try await $0.perform(ControlRequest(.backup)) }
        #expect(try names().count == 2 && names().last == today)
    }
}
