import Daemon
import Failures
import Foundation
import Logging
import Processes
import Storage
import Testing

/// What is not there, or not where it was, is waited for and never taken for empty.
@Suite("the service's folders: away, moved, linked, of another disk")
struct PlaceTests {
    @Test("folders that go away for a while are waited for", arguments: ["quarantine", "work", "inbox", "outbox"])
    func folderAway(place: String) async throws {
        let site = try Site()
        let stop = StopRequest()
        let settings = site.settings
        let log = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
        let running = Task { try await Service.watch(settings, log: log, stop: stop) { settings } }
        try site.drop("one", "ok")
        try site.drop("bad", "refuse")
        try await eventually { try site.results().count == 1 && site.quarantined().count == 1 }
        try Folder.rename("\(site.root)/\(place)", to: "\(site.root)/\(place)-away")
        try DurableFile.write("x", to: "\(site.root)/\(place)")
        if place != "inbox" { try site.drop("two", "ok") }
        try await Task.sleep(for: .milliseconds(300))
        try Folder.remove("\(site.root)/\(place)")
        try Folder.rename("\(site.root)/\(place)-away", to: "\(site.root)/\(place)")
        if place == "inbox" { try site.drop("two", "ok") }
        try await eventually { try site.results().count == 2 }
        stop.ask()
        try await running.value
        #expect(try await site.batch().waiting == 0)
    }

    @Test("folders of the spool that are links lose nothing and are worked in")
    func linkedPlaces() async throws {
        let site = try Site()
        for place in ["inbox", "work", "outbox", "quarantine", "kept"] {
            try Folder.remove("\(site.root)/\(place)")
            try Folder.make("\(site.root)/disk/\(place)")
            try FileManager.default.createSymbolicLink(
                atPath: "\(site.root)/\(place)", withDestinationPath: "\(site.root)/disk/\(place)")
        }
        try site.drop("one", "ok")
        try site.drop("bad", "refuse")
        let outcome = try await site.batch()
        #expect(outcome.results == 1 && outcome.quarantined == 1 && outcome.waiting == 0, "\(outcome.json)")
        #expect(try Folder.list(site.root + "/disk/work").isEmpty)
        #expect(try Folder.walk(site.root + "/disk/kept").contains { $0.name.hasSuffix("/plan") })
        #expect(try site.results().count == 1 && site.quarantined().count == 1)
    }

    @Test("an empty folder where the spool's disk should be is not taken for the spool")
    func otherSpool() async throws {
        let site = try Site()
        try site.drop("one", "ok")
        try await site.batch()
        try Folder.remove(site.root + "/.hspsam-spool")
        await #expect(throws: DaemonFailure.otherSpool(path: site.root + "/.hspsam-spool")) {
            _ = try await site.service()
        }
        let report = try StatusReport(site.settings)
        #expect(report.status == .refusedOrFailed && report.text.contains("SPOOL-OTHER"), "\(report.text)")
        #expect(Doctor(site.settings, first: []).status == .refusedOrFailed)
    }

    @Test(
        "an inbox whose share is not mounted is taken for away, not for empty, and one that has gone is not made anew")
    func inboxAway() async throws {
        let site = try Site()
        #expect(try await site.batch().status == .done)
        // As it was known while the share was there.
        try await site.withService { service in
            try await service.ledger.remember("inbox", "0 \(FileDigest(of: site.settings.inbox).hex)")
        }
        let outcome = try await site.batch()
        #expect(
            outcome.status == .refusedOrFailed && outcome.paused?.contains("not mounted") == true, "\(outcome.json)")
        // What came by C-STORE meanwhile is worked on, and says nothing of the share.
        try site.drop("dicom-0123456789ab", "ok", study: "received")
        let received = try await site.batch()
        #expect(received.results == 1 && received.status == .refusedOrFailed, "\(received.json)")
        #expect(received.paused?.contains("not mounted") == true, "\(received.json)")
        // Moved on purpose: drops come all the same.
        try site.drop("a", "ok")
        let moved = try await site.batch()
        #expect(moved.results == 1 && moved.status == .done, "\(moved.json)")
        site.settings.inbox = site.root + "/share"
        try Folder.make(site.settings.inbox)
        #expect(try await site.batch().status == .done)
        try Folder.remove(site.settings.inbox)
        await #expect(throws: StorageFailure.self) { _ = try await site.service() }
        #expect(!FileStatus.exists(site.settings.inbox))
        let report = try StatusReport(site.settings)
        #expect(report.status == .refusedOrFailed && report.text.contains("PLACE-MISSING share/"), "\(report.text)")
    }

    @Test("an inbox whose share is to be mounted, and never was, is neither made nor taken for empty")
    func inboxNeverMounted() async throws {
        let site = try Site()
        site.settings.mountTable = site.root + "/fstab"
        site.settings.inbox = site.root + "/share/inbox"
        try Folder.make(site.root + "/share")
        try DurableFile.write("nas:/export \(site.root)/share nfs noauto 0 0\n", to: site.settings.mountTable)
        await #expect(throws: StorageFailure.self) { _ = try await site.service() }
        #expect(!FileStatus.exists(site.settings.inbox))
        try Folder.make(site.settings.inbox)
        let outcome = try await site.batch()
        #expect(
            outcome.status == .refusedOrFailed && outcome.paused?.contains("not mounted") == true, "\(outcome.json)")
        try DurableFile.write("", to: site.settings.mountTable)
        #expect(try await site.batch().status == .done)
    }
}
