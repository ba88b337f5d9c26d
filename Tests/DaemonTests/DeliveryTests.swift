import Daemon
import Failures
import Foundation
import Logging
import Processes
import Storage
import Testing

@Suite("delivery: each object arrives, whatever the destination does")
struct DeliveryTests {
    private let log = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }

    private func destination(_ name: String, _ kind: Destination.Kind, _ parts: [Destination.Part]) -> Destination {
        Destination(
            name: name, kind: kind, parts: parts, firstWait: .zero, longestWait: .zero, giveUp: .seconds(86_400))
    }

    /// A site whose service knows its destinations, so that what is published from now on goes there.
    private func site(_ destinations: [Destination]) async throws -> Site {
        let site = try Site()
        site.settings.destinations = destinations
        try await site.withService { try await $0.deliver() }
        return site
    }

    /// Service, sender, service: tickets out, files sent, receipts booked.
    private func round(_ site: Site) async throws {
        try await site.withService { try await $0.deliver() }
        try await Sender(site.settings, log: log) { _ in nil }.run(StopRequest(), once: true)
        try await site.withService { try await $0.deliver() }
    }

    private func counts(_ site: Site) async throws -> [DeliveryCounts] {
        var counts: [DeliveryCounts] = []
        try await site.withService {
            counts = try await $0.ledger.deliveryCounts(site.settings.destinations.map(\.name))
        }
        return counts
    }

    @Test("a folder gets what it takes, whole; one that is away is waited for and holds up no other")
    func folders() async throws {
        let parent = FileManager.default.temporaryDirectory.appendingPathComponent("share-\(UUID().uuidString)").path
        defer { try? Folder.remove(parent) }
        // A file stands where one of the shares should be.
        try Folder.make(parent)
        try DurableFile.write("x", to: parent + "/away")
        let site = try await site([
            destination("here", .folder(path: parent + "/here"), [.seg, .report]),
            destination("away", .folder(path: parent + "/away"), [.seg]),
        ])
        let plan = Plan(how: "ok", study: "one")
        try site.drop("a", plan)
        try await site.batch()
        try await round(site)
        #expect(FileStatus.exists("\(parent)/here/\(plan.path)/a.seg.dcm"))
        #expect(FileStatus.exists("\(parent)/here/\(plan.path)/report.json"))
        var counts = try await counts(site)
        #expect(counts.first { $0.destination == "here" }?.waiting == 0)
        let away = counts.first { $0.destination == "away" }
        #expect(away?.waiting == 1 && away?.trouble != nil)
        try Folder.remove(parent + "/away")
        try await round(site)
        counts = try await self.counts(site)
        #expect(counts.allSatisfy { $0.waiting == 0 && $0.trouble == nil })
        #expect(
            try FileDigest(ofFile: "\(parent)/away/\(plan.path)/a.seg.dcm")
                == FileDigest(ofFile: "\(site.root)/outbox/\(plan.path)/a.seg.dcm"))
        // Nothing is sent twice.
        try await site.withService { try await $0.deliver() }
        #expect(
            try Folder.list(site.root + "/deliver/new").isEmpty && Folder.list(site.root + "/deliver/receipts").isEmpty)
    }

    @Test("a ticket whose sender died, and a service that died before it booked a receipt, cost nothing")
    func crashes() async throws {
        let parent = FileManager.default.temporaryDirectory.appendingPathComponent("share-\(UUID().uuidString)").path
        defer { try? Folder.remove(parent) }
        let site = try await site([destination("here", .folder(path: parent), [.seg])])
        try site.drop("a", "ok")
        try await site.batch()
        try await site.withService { try await $0.deliver() }
        // The ticket is lost with its disk.
        for entry in try Folder.list(site.root + "/deliver/new") {
            try Folder.remove("\(site.root)/deliver/new/\(entry.name)")
        }
        try await site.withService { try await $0.deliver() }
        #expect(try Folder.list(site.root + "/deliver/new").count == 1)
        try await Sender(site.settings, log: log) { _ in nil }.run(StopRequest(), once: true)
        // Sent, answered, and asked again.
        try await Sender(site.settings, log: log) { _ in nil }.run(StopRequest(), once: true)
        try await site.withService { try await $0.deliver() }
        #expect(try await counts(site).first?.waiting == 0)
    }

    @Test("results from before a destination was known stay where they are; a superseded one is not sent")
    func onlyNew() async throws {
        let site = try Site()
        try site.drop("a", "ok")
        try await site.batch()
        site.settings.destinations = [destination("here", .folder(path: site.root + "/share"), [.seg])]
        try await site.batch()
        try await round(site)
        #expect(!FileStatus.exists(site.root + "/share"))
    }

    @Test(
        "what dcmsend reports of each instance decides, whatever its exit status says",
        arguments: [
            ("0x0000 (Success)", DeliveryReceipt.Outcome.sent), ("0xb000 (Warning)", .sent),
            ("0xa700 (Refused)", .failed),
            ("0xa900 (Error)", .refused), ("0xc000 (Error)", .refused), ("0x0122 (Refused)", .refused), ("", .failed),
        ])
    func report(status: String, outcome: DeliveryReceipt.Outcome) {
        let text = """
            Number        : 1
            Filename      : /out/a: b.seg.dcm
            Pres. Context : 1
            DIMSE Status  : \(status)
            """
        let found = DCMSendReport.statuses(text)["/out/a: b.seg.dcm"]
        #expect(found?.outcome == outcome)
    }
}
