import Daemon
import Failures
import Foundation
import GRDB
import Logging
import Processes
import Records
import Storage
import Testing

/// Faults that come from outside: each is waited out, or told to a person; none loses a study.
@Suite("faults: waited out, or told")
struct FaultTests {
    @Test("a ledger that another process holds for a while is waited for, and the service goes on by itself")
    func ledgerLocked() async throws {
        let site = try Site()
        site.settings.ledgerWait = .milliseconds(50)
        let stop = StopRequest()
        let settings = site.settings
        let log = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
        let running = Task { try await Service.watch(settings, log: log, stop: stop) { settings } }
        try site.drop("one", "ok")
        try await eventually { try site.results().count == 1 }
        var configuration = GRDB.Configuration()
        configuration.allowsUnsafeTransactions = true
        configuration.busyMode = .timeout(600)
        let queue = try DatabaseQueue(path: site.root + "/state/ledger.sqlite", configuration: configuration)
        try await queue.writeWithoutTransaction { try $0.execute(sql: "BEGIN IMMEDIATE") }
        try site.drop("two", "ok")
        try await eventually { try site.notes().contains("SERVICE-WAITS") }
        try await queue.writeWithoutTransaction { try $0.execute(sql: "ROLLBACK") }
        try await eventually { try site.results().count == 2 }
        try await eventually { try !site.notes().contains("SERVICE-WAITS") }
        stop.ask()
        try await running.value
        #expect(try StatusReport(site.settings).status == .done)
    }

    @Test("a job that the service died with again and again is put aside; the others are done")
    func poison() async throws {
        let site = try Site()
        try site.drop("bad", "hang")
        try await site.withService { _ = try await $0.takeAllNow() }
        let job = try #require(try Folder.list(site.root + "/work").first?.name)
        for death in 1...5 {
            let ledger = try Ledger(path: site.root + "/state/ledger.sqlite")
            let found = try #require(try await ledger.job(job))
            #expect(found.lost == death - 1 && found.state == .queued)
            _ = try await ledger.start(found, host: "h")
            try await ledger.close()
            try await site.withService { _ in }
        }
        #expect(try site.quarantined().map(\.code) == ["POISON"])
        try site.drop("good", "ok")
        #expect(try await site.batch().results == 1)
    }

    @Test("power cuts are no fault of the job that ran")
    func powerCuts() async throws {
        let site = try Site()
        try site.drop("good", "ok")
        try await site.withService { _ = try await $0.takeAllNow() }
        let job = try #require(try Folder.list(site.root + "/work").first?.name)
        for cut in 1...6 {
            let ledger = try Ledger(path: site.root + "/state/ledger.sqlite")
            let found = try #require(try await ledger.job(job))
            #expect(found.lost == 0 && found.state == .queued)
            _ = try await ledger.start(found, host: "h")
            _ = try await ledger.noteBoot(bootedAt: Int64(cut) * 60_000)
            try await ledger.close()
            try await site.withService { _ in }
        }
        #expect(try await site.batch().results == 1)
    }

    @Test("what the receiver could not move to the inbox is dropped there after a while")
    func receivedAndLeft() async throws {
        let site = try Site()
        try Folder.make(site.root + "/receive/in")
        try DurableFile.write("pixels", to: site.root + "/receive/in/CT.1.part")
        site.settings.receiveWait = .seconds(3600)
        try await site.batch()
        #expect(FileStatus.exists(site.root + "/receive/in/CT.1.part"))
        site.settings.receiveWait = .zero
        // The round at its end drops it; the next batch takes it.
        try await site.batch()
        #expect(FileStatus.exists(site.root + "/inbox/received-late/CT.1.dcm"))
        // It is taken like any other; this worker finds nothing in it that it knows.
        #expect(try await site.batch().quarantined == 1)
        #expect(try Folder.walk(site.root + "/quarantine").contains { $0.name.hasSuffix("input/CT.1.dcm") })
    }

    @Test("an input that is changed while it is worked on gives no result, and costs no attempt")
    func changedWhileRead() async throws {
        let site = try Site()
        try site.drop("one", "meddled")
        let first = try await site.batch()
        #expect(first.results == 0 && first.waiting == 1, "\(first.json)")
        #expect(try site.results().isEmpty)
        try DurableFile.write("", to: site.root + "/calm")
        let second = try await site.batch()
        #expect(second.results == 1 && second.status == .done, "\(second.json)")
    }

    @Test("what is done from time to time and fails is told until it is done, and ends nothing else")
    func maintenanceFails() async throws {
        let site = try Site()
        site.settings.retention.kept = .zero
        site.settings.metrics = "/proc/hspsam.prom"
        let backups = site.root + "/state/backups"
        try Folder.make(site.root + "/state")
        // Nobody may write there.
        symlink("/proc", backups)
        try Folder.make(site.root + "/kept/2001-01-01/old")
        // Nor a page of the night.
        try Folder.make(site.root + "/outbox")
        try DurableFile.write("somebody's", to: site.root + "/outbox/batches")
        try site.drop("a", "ok")
        let outcome = try await site.batch()
        #expect(outcome.results == 1 && outcome.notes.contains("MAINTENANCE"), "\(outcome.json)")
        #expect(outcome.status == .refusedOrFailed && !FileStatus.exists(site.root + "/kept/2001-01-01"))
        let status = try StatusReport(site.settings)
        #expect(status.text.contains("MAINTENANCE backups/: ") && status.text.contains("(LEDGER-BACKUP)"))
        #expect(status.text.contains("MAINTENANCE outbox/batches/: "))
        #expect(status.text.contains("MAINTENANCE metrics.textfile: ") && status.status == .refusedOrFailed)
        try await site.withService { service in
            let answer = try await service.perform(ControlRequest(.backup))
            #expect(!answer.isDone && answer.code == "LEDGER-BACKUP")
        }
        try Folder.remove(backups)
        try Folder.remove(site.root + "/outbox/batches")
        site.settings.metrics = nil
        #expect(try await site.batch().status == .done)
        #expect(try StatusReport(site.settings).status == .done && Folder.list(backups).count == 1)
    }

    @Test("a copy of the ledger that is put in its place while the service runs is what the service goes on with")
    func ledgerReplaced() async throws {
        let site = try Site()
        let (settings, stop) = (site.settings, StopRequest())
        let log = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
        let running = Task { try await Service.watch(settings, log: log, stop: stop) { settings } }
        try site.drop("one", "ok")
        try await eventually { try site.results().count == 1 && Folder.list(site.root + "/work").isEmpty }
        #expect(try await Control.ask(ControlRequest(.backup), settings, log: log).isDone)
        let state = site.root + "/state/"
        let copy = try #require(try Folder.list(state + "backups").first?.name)
        try DurableFile.write(DurableFile.read("\(state)backups/\(copy)", limit: .max), to: state + "copy")
        for ending in ["", "-wal", "-shm"] { try Folder.remove("\(state)ledger.sqlite\(ending)") }
        try Folder.rename(state + "copy", to: state + "ledger.sqlite")
        try site.drop("two", "ok")
        try await eventually { try LedgerView.jobs(path: state + "ledger.sqlite")?.count == 2 }
        stop.ask()
        try await running.value
        #expect(try await site.batch().waiting == 0)
        #expect(try site.results().count == 2)
    }

    @Test("a batch whose originals cannot be moved to where they stay has not ended well")
    func unkept() async throws {
        let site = try Site()
        try site.drop("a", "ok")
        #expect(try await site.batch().status == .done)
        let day = "\(site.root)/kept/\(try #require(try Folder.list(site.root + "/kept").first?.name))"
        try Folder.rename(day, to: site.root + "/aside")
        try DurableFile.write("somebody's", to: day)
        try site.drop("b", "ok")
        let outcome = try await site.batch()
        #expect(outcome.results == 1 && outcome.waiting == 1 && outcome.status == .refusedOrFailed, "\(outcome.json)")
        try Folder.remove(day)
        #expect(try await site.batch().status == .done)
    }
}
