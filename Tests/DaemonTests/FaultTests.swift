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
    private static let id = "01JCK3000000000000000000AA"

    /// What `hspsam status` says.
    private func notes(_ site: Site) throws -> String { try StatusReport(site.settings).json }

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
        try await eventually { try notes(site).contains("SERVICE-WAITS") }
        try await queue.writeWithoutTransaction { try $0.execute(sql: "ROLLBACK") }
        try await eventually { try site.results().count == 2 }
        try await eventually { try !notes(site).contains("SERVICE-WAITS") }
        stop.ask()
        try await running.value
        #expect(try StatusReport(site.settings).status == .done)
    }

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

    @Test("a batch that leaves a drop taken and not in the ledger does not end well; the next works on it")
    func takenByHalf() async throws {
        let site = try Site()
        let stranded = site.root + "/work/01JCK300000000000000000000/input"
        try await site.withService { service in
            // As a disk that fails behind the rename leaves it.
            try Folder.make(stranded)
            try DurableFile.write(Plan(how: "ok", study: "one").text(), to: stranded + "/plan")
            let outcome = try await service.batch()
            #expect(outcome.waiting == 1 && outcome.results == 0, "\(outcome.json)")
            #expect(outcome.status == .refusedOrFailed)
        }
        let outcome = try await site.batch()
        #expect(outcome.results == 1 && outcome.status == .done, "\(outcome.json)")
        #expect(!FileStatus.exists(stranded))
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

    @Test("a batch that was cut off is told at once, by status and doctor, until another one ends")
    func batchCut() async throws {
        let site = try Site()
        func told() throws -> [Bool] {
            let (report, doctor) = (try StatusReport(site.settings), Doctor(site.settings, first: []))
            let says = [report.json, doctor.text].map { $0.contains("SERVICE-DOWN") }
            #expect((report.status == .refusedOrFailed) == says[0] && (doctor.status == .refusedOrFailed) == says[1])
            return says
        }
        try await site.batch()
        #expect(try told() == [false, false])
        try await site.withService { service in
            try await service.ledger.remember("mode", "batch")
            _ = try await service.ledger.beginBatch("cut")
            // It runs.
            #expect(try !StatusReport(site.settings).json.contains("SERVICE-DOWN"))
        }
        #expect(try told() == [true, true])
        try await site.batch()
        #expect(try told() == [false, false])
    }

    @Test("drops in the spool's inbox are told where inbox.path is another folder, not where a link makes it the same")
    func strayDrops() async throws {
        let site = try Site()
        func told() throws -> [Bool] {
            let (report, doctor) = (try StatusReport(site.settings), Doctor(site.settings, first: []))
            #expect((report.status == .refusedOrFailed) == report.json.contains("PLACE-STRANGE"), "\(report.json)")
            return [report.json, doctor.text].map { $0.contains("PLACE-STRANGE") }
        }
        site.settings.inbox = site.root + "/elsewhere"
        try Folder.make(site.settings.inbox)
        #expect(try told() == [false, false])
        try site.drop("one", "ok")
        // Without a ledger, and with one.
        #expect(try told() == [true, true])
        #expect(try await site.batch().results == 0)
        #expect(try told() == [true, true])
        try Folder.remove(site.settings.inbox)
        try FileManager.default.createSymbolicLink(
            atPath: site.settings.inbox, withDestinationPath: site.root + "/inbox")
        #expect(try await site.batch().results == 1)
        #expect(try told() == [false, false])
    }

    @Test("a service that gives no sign of life is not said to be well")
    func hanging() async throws {
        let site = try Site()
        let service = try await site.service()
        try Folder.make(site.root + "/state")
        try Data(#"{"at": 1, "silent": 0}"#.utf8).write(to: URL(fileURLWithPath: site.root + "/state/heartbeat"))
        let report = try StatusReport(site.settings)
        #expect(report.status == .refusedOrFailed && report.json.contains("SERVICE-HANGS"), "\(report.json)")
        _ = service
    }

    @Test("what waits while no service runs asks for a person, unless the night's batch is still to come")
    func notRunning() async throws {
        let site = try Site()
        #expect(try StatusReport(site.settings).status == .nothingProcessed)
        try site.drop("early", "ok")
        #expect(try StatusReport(site.settings).json.contains("LEDGER-NONE"))
        try await site.batch()
        try site.drop("one", "ok")
        #expect(try StatusReport(site.settings).status == .done)
        let queue = try DatabaseQueue(path: site.root + "/state/ledger.sqlite")
        try await queue.write {
            try $0.execute(sql: "UPDATE batch SET started_at = started_at - 100000000, ended_at = ended_at - 100000000")
        }
        #expect(try notes(site).contains("SERVICE-DOWN"))
        try await queue.write { try $0.execute(sql: "UPDATE meta SET value = 'watch' WHERE key = 'mode'") }
        #expect(try StatusReport(site.settings).status == .refusedOrFailed)
    }

    @Test("status counts what stands on the disk: unbooked, unmoved, strange, unlistable")
    func statusReconciles() async throws {
        let site = try Site()
        try await site.batch()
        #expect(try StatusReport(site.settings).status == .done)
        try Folder.make("\(site.root)/work/\(Self.id)/input")
        #expect(try notes(site).contains("WORK-UNBOOKED"))
        try Folder.remove("\(site.root)/work/\(Self.id)")
        try Folder.make("\(site.root)/quarantine/somebody's")
        #expect(try notes(site).contains("PLACE-STRANGE"))
        try Folder.remove("\(site.root)/quarantine")
        try DurableFile.write("x", to: "\(site.root)/quarantine")
        #expect(try notes(site).contains("PLACE-UNREADABLE"))
        #expect(try StatusReport(site.settings).status == .refusedOrFailed)
    }

    @Test("a finished job whose original was not moved is told, and moved by the next round")
    func unmoved() async throws {
        let site = try Site()
        try site.drop("one", "ok")
        try await site.batch()
        let kept = try #require(try Folder.walk(site.root + "/kept").first { $0.name.utf8.count == 37 }?.name)
        let job = Folder.split(kept).name
        try Folder.make("\(site.root)/work/\(job)")
        try Folder.rename("\(site.root)/kept/\(kept)", to: "\(site.root)/work/\(job)/input")
        let queue = try DatabaseQueue(path: site.root + "/state/ledger.sqlite")
        try await queue.write { try $0.execute(sql: "UPDATE job SET changed_at = changed_at - 100000") }
        #expect(try notes(site).contains("WORK-UNMOVED"))
        try await site.batch()
        #expect(try Folder.list(site.root + "/work").isEmpty)
        #expect(try Folder.walk(site.root + "/kept").contains { $0.name == kept })
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

    @Test("what was half written when the service died is gone after its next start, and nothing else is")
    func halfWritten() async throws {
        let site = try Site()
        let plan = Plan(how: "ok", study: "one")
        try site.drop("a", plan)
        try site.drop("b", "refuse")
        try await site.batch()
        let job = try #require(try Folder.list(site.root + "/quarantine").first?.name)
        let folders = ["outbox", "outbox/batches", "state", "deliver/new", "quarantine/\(job)", "control/done"]
        for folder in folders {
            try DurableFile.write("half", to: "\(site.root)/\(folder)/.page.html.tmp-1a2b")
            try DurableFile.write("whole", to: "\(site.root)/\(folder)/.note-of-somebody")
        }
        try await site.withService { _ in }
        for folder in folders {
            #expect(!FileStatus.exists("\(site.root)/\(folder)/.page.html.tmp-1a2b"), "\(folder)")
            #expect(FileStatus.exists("\(site.root)/\(folder)/.note-of-somebody"), "\(folder)")
        }
        #expect(FileStatus.exists("\(site.root)/outbox/\(plan.path)/report.json"))
    }

    @Test(
        "an input that a power failure left in work/ and in its last place is one again; two that differ both stay",
        arguments: [("ok", "kept"), ("refuse", "quarantine")], [true, false])
    func renamedByHalf(ending: (how: String, place: String), isSame: Bool) async throws {
        let site = try Site()
        try site.drop("one", ending.how)
        try await site.batch()
        let walked = try Folder.walk("\(site.root)/\(ending.place)").map(\.name)
        let plan = try #require(walked.first { $0.hasSuffix("/plan") })
        let kept = "\(site.root)/\(ending.place)/\(Folder.split(plan).folder)"
        let id = try #require(kept.split(separator: "/").map(String.init).last { $0.utf8.count == 26 })
        try Folder.make("\(site.root)/work/\(id)/input")
        let bytes = try DurableFile.read(kept + "/plan", limit: 1 << 20)
        try DurableFile.write(isSame ? bytes : bytes + [10], to: "\(site.root)/work/\(id)/input/plan")
        try await site.batch()
        #expect(FileStatus.exists(kept + "/plan"))
        #expect(FileStatus.exists("\(site.root)/work/\(id)") == !isSame)
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

    @Test("jobs that wait in a ledger that was put back: what was finished before is known to be, what is gone is told")
    func ledgerPutBack() async throws {
        let site = try Site()
        try site.drop("one", "ok")
        try site.drop("two", "ok")
        try await site.withService { service in
            _ = try await service.takeAllNow()
            _ = try await service.perform(ControlRequest(.backup))
        }
        let copy = try #require(try Folder.list(site.root + "/state/backups").first?.name)
        let jobs = try Folder.list(site.root + "/work").map(\.name)
        #expect(jobs.count == 2)
        #expect(try await site.batch().results == 2)
        // One was finished, of the other somebody has taken the input away.
        for entry in try Folder.walk(site.root + "/kept") where entry.name.hasSuffix("/" + jobs[1]) {
            try Folder.remove("\(site.root)/kept/\(entry.name)")
        }
        for suffix in ["", "-wal", "-shm"] { try Folder.remove("\(site.root)/state/ledger.sqlite\(suffix)") }
        try Folder.rename("\(site.root)/state/backups/\(copy)", to: site.root + "/state/ledger.sqlite")
        let outcome = try await site.batch()
        #expect(outcome.waiting == 0 && outcome.quarantined == 1 && outcome.done == 1, "\(outcome.json)")
        #expect(try site.quarantined().map(\.code) == ["INPUT-GONE"])
        #expect(try site.results().count == 2)
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

    @Test("status says how many it does not list")
    func manyTroubles() async throws {
        let site = try Site()
        for index in 1...22 { try site.drop("\(index)", "refuse") }
        #expect(try await site.batch().quarantined == 22)
        let lines = try StatusReport(site.settings).text.split(separator: "\n").filter { $0.contains("needs you: ") }
        #expect(lines.count == 21 && lines.last?.contains("needs you: 2 more") == true, "\(lines)")
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
        try site.drop("a", "ok")
        let outcome = try await site.batch()
        #expect(outcome.results == 1 && outcome.notes.contains("MAINTENANCE"), "\(outcome.json)")
        #expect(outcome.status == .refusedOrFailed && !FileStatus.exists(site.root + "/kept/2001-01-01"))
        let status = try StatusReport(site.settings)
        #expect(status.text.contains("MAINTENANCE backups/: ") && status.text.contains("(LEDGER-BACKUP)"))
        #expect(status.text.contains("MAINTENANCE metrics.textfile: ") && status.status == .refusedOrFailed)
        try await site.withService { service in
            let answer = try await service.perform(ControlRequest(.backup))
            #expect(!answer.isDone && answer.code == "LEDGER-BACKUP")
        }
        try Folder.remove(backups)
        site.settings.metrics = nil
        #expect(try await site.batch().status == .done)
        #expect(try StatusReport(site.settings).status == .done && Folder.list(backups).count == 1)
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

    @Test("recovery removes nothing that it cannot read, and nothing that is not proven to be a copy")
    func recoveryKeeps() async throws {
        let site = try Site()
        // Deeper than a path can say.
        let folder = "\(site.root)/work/\(Self.id)"
        try Folder.make(folder + "/input")
        let deep = Process()
        deep.executableURL = URL(fileURLWithPath: "/bin/sh")
        deep.currentDirectoryURL = URL(fileURLWithPath: folder + "/input")
        let name = String(repeating: "d", count: 200)
        deep.arguments = [
            "-c",
            "for i in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21 22 23 24 25; do mkdir \(name); cd \(name); done; echo pixels > slice",
        ]
        try deep.run()
        deep.waitUntilExit()
        let other = "\(site.root)/work/01JCK3000000000000000000BB"
        try Folder.make(other + "/.partial-input")
        try DurableFile.write("somebody's", to: other + "/note")
        try await site.batch()
        #expect(FileStatus.exists(folder + "/input/" + name) && FileStatus.exists(other + "/note"))
        #expect(try StatusReport(site.settings).status == .refusedOrFailed)
        // FileManager cannot remove so deep a folder.
        try Folder.remove(folder)
    }

    @Test(
        "what was passed over of a drop makes its study incomplete; a drop of nothing else is put aside",
        arguments: [
            ("a/IM0001.dcm", "IN-EMPTY"), ("a/IM0001", "IN-NOTIMAGE"), ("a/1.2.3.4", "IN-NOTIMAGE"),
            ("a/study.zip", "IN-NOTIMAGE"), ("a/link", "IN-LINK"), ("a/slice.TIF", "IN-NOTIMAGE"),
            ("a/slide.svs", "IN-NOTIMAGE"), ("a/x.jp2", "IN-NOTIMAGE"), ("a/volume.nii.gz", "IN-NOTIMAGE"),
            ("a/photo.png", "IN-NOTIMAGE"),
        ])
    func passedOver(path: String, code: String) async throws {
        let site = try Site()
        var plan = Plan(how: "ok", study: "one")
        plan.passed = (path, code)
        try site.drop("a", plan)
        let outcome = try await site.batch()
        #expect(outcome.results == 1 && outcome.partial == 1 && outcome.status == .refusedOrFailed, "\(outcome.json)")
        #expect(try StatusReport(site.settings).json.contains(code))
        plan = Plan(how: "skip", study: "two")
        plan.passed = (path, code)
        try site.drop("b", plan)
        #expect(try await site.batch().quarantined == 1)
    }

    @Test(
        "a letter, a viewer and a system's own files beside the images are no reason to call anybody",
        arguments: ["a/letter.txt", "a/viewer.exe", "a/.DS_Store", "a/skin.bmp", "a/autorun.inf"])
    func harmless(path: String) async throws {
        let site = try Site()
        var plan = Plan(how: "ok", study: "one")
        plan.passed = (path, "IN-NOTIMAGE")
        try site.drop("a", plan)
        #expect(try await site.batch().status == .done)
    }

    @Test(
        "a volume with missing slices is published as incomplete in a batch, and held back for late ones by the service",
        arguments: [["VOL-GAP"], ["VOL-PARTS"], ["QC-MINSIZE", "VOL-PARTS"]])
    func gap(findings: [String]) async throws {
        let site = try Site()
        var plan = Plan(how: "ok", study: "one", instances: [1, 3])
        plan.findings = findings
        try site.drop("a", plan)
        let outcome = try await site.batch()
        #expect(outcome.results == 1 && outcome.partial == 1, "\(outcome.json)")
        site.settings.gapWait = .seconds(86_400)
        site.settings.lateWindow = .seconds(86_400)
        plan.study = "two"
        try site.drop("b", plan)
        let late = Plan(how: "ok", study: "two", instances: [2])
        let whole = Plan(how: "ok", study: "two", instances: [1, 2, 3])
        let stop = StopRequest()
        try await site.withService(stop) { service in
            let running = Task { try await service.watch() }
            try await eventually { try site.runs() == 2 }
            // The missing one comes: the two are worked on as one.
            try site.drop("c", late, joined: whole)
            try await eventually { try site.results().contains("\(whole.path)/report.json") }
            stop.ask()
            try await running.value
        }
        #expect(try !site.results().contains("\(late.path)/report.json"))
        #expect(try !site.results().contains("\(plan.path)/report.json"))
        // The held one is covered by now.
        let queue = try DatabaseQueue(path: site.root + "/state/ledger.sqlite")
        try await queue.write { try $0.execute(sql: "UPDATE job SET not_before = 1") }
        let rest = try await site.batch()
        #expect(rest.waiting == 0 && rest.results == 0, "\(rest.json)")
    }

    /// A slide, or the parts of a concatenation, that come in two drops, neither of which is one image alone.
    private static func parted(_ code: String) -> (first: Plan, rest: Plan, whole: Plan) {
        func part(_ images: [Int]) -> Plan {
            var plan = Plan(how: "refuse", study: "slide", instances: images)
            plan.code = code
            return plan
        }
        return (part([1, 3]), part([2]), Plan(how: "ok", study: "slide", instances: [1, 2, 3]))
    }

    @Test(
        "an image of which parts are missing waits for them, and both drops become one result",
        arguments: ["GEO-SLIDE", "VOL-PARTS"])
    func slideParts(_ code: String) async throws {
        let site = try Site()
        site.settings.gapWait = .seconds(86_400)
        site.settings.lateWindow = .seconds(86_400)
        let slide = Self.parted(code)
        try site.drop("a", slide.first, joined: slide.whole)
        let stop = StopRequest()
        try await site.withService(stop) { service in
            let running = Task { try await service.watch() }
            try await eventually { try site.runs() == 1 }
            try site.drop("b", slide.rest, joined: slide.whole)
            try await eventually { try site.results() == ["\(slide.whole.path)/report.json"] }
            stop.ask()
            try await running.value
        }
        #expect(try site.quarantined().isEmpty)
        // The one that waits is known by now.
        let queue = try DatabaseQueue(path: site.root + "/state/ledger.sqlite")
        try await queue.write { try $0.execute(sql: "UPDATE job SET not_before = 1") }
        let rest = try await site.batch()
        #expect(rest.waiting == 0 && rest.results == 0 && rest.status == .done, "\(rest.json)")
        #expect(try StatusReport(site.settings).status == .done)
    }

    @Test("a batch asks for a person when the service itself needs one, though all of its drops ended well")
    func batchNotes() async throws {
        let site = try Site()
        try Folder.make(site.root + "/work/somebody's")
        try site.drop("a", "ok")
        let outcome = try await site.batch()
        #expect(outcome.results == 1 && outcome.notes == ["PLACE-STRANGE"] && outcome.status == .refusedOrFailed)
        #expect(outcome.summary.contains("needs you (hspsam status): PLACE-STRANGE"))
        try Folder.remove(site.root + "/work/somebody's")
        #expect(try await site.batch().status == .done)
    }

    @Test(
        "an image that was put aside because parts were missing is settled by the drop that brings them",
        arguments: ["GEO-SLIDE", "VOL-PARTS"])
    func slidePartsInBatches(_ code: String) async throws {
        let site = try Site()
        site.settings.lateWindow = .seconds(86_400)
        let slide = Self.parted(code)
        try site.drop("a", slide.first, joined: slide.whole)
        #expect(try await site.batch().quarantined == 1)
        #expect(try site.quarantined().map(\.code) == [code])
        // A slide of another series of the study has nothing to do with it.
        let other = Plan(how: "ok", study: "slide", instances: [9], series: "other")
        try site.drop("other", other)
        let alone = try await site.batch()
        #expect(alone.results == 1 && alone.status == .done, "\(alone.json)")
        try site.drop("b", slide.rest, joined: slide.whole)
        let outcome = try await site.batch()
        #expect(outcome.results == 1 && outcome.quarantined == 0 && outcome.status == .done, "\(outcome.json)")
        #expect(try site.quarantined().isEmpty)
        #expect(try site.results().contains("\(slide.whole.path)/report.json"))
    }

    @Test(
        "an image whose parts do not come is put aside after the wait, and only then",
        arguments: ["GEO-SLIDE", "VOL-PARTS"])
    func slidePartsMissing(_ code: String) async throws {
        let site = try Site()
        site.settings.gapWait = .milliseconds(100)
        site.settings.lateWindow = .seconds(86_400)
        try site.drop("a", Self.parted(code).first)
        let stop = StopRequest()
        try await site.withService(stop) { service in
            let running = Task { try await service.watch() }
            try await eventually { (try? site.quarantined().count) == 1 }
            stop.ask()
            try await running.value
        }
        let reason = try #require(try site.quarantined().first)
        #expect(reason.code == code && reason.kind == "refused" && reason.attempts == 2)
    }

    @Test("a result that lacks something which no late image brings is published at once")
    func notHeld() async throws {
        let site = try Site()
        site.settings.gapWait = .seconds(86_400)
        var plan = Plan(how: "ok", study: "one")
        plan.findings = ["QC-SEPARATE"]
        try site.drop("a", plan)
        let stop = StopRequest()
        try await site.withService(stop) { service in
            let running = Task { try await service.watch() }
            try await eventually { try site.results() == ["\(plan.path)/report.json"] }
            stop.ask()
            try await running.value
        }
    }

    @Test("images that come late are worked on together with those that came before; the older result is superseded")
    func late() async throws {
        let site = try Site()
        site.settings.lateWindow = .seconds(86_400)
        let early = Plan(how: "ok", study: "one", instances: [1, 2])
        try site.drop("a", early)
        try await site.batch()
        let whole = Plan(how: "ok", study: "one", instances: [1, 2, 3])
        try site.drop("b", Plan(how: "ok", study: "one", instances: [3]), joined: whole)
        let outcome = try await site.batch()
        #expect(outcome.results == 1 && outcome.status == .done, "\(outcome.json)")
        #expect(try site.report(early).supersededBy == whole.key)
        #expect(try site.results().count == 2)
    }

    /// With how many others each job was worked on together.
    private func joined(_ site: Site) throws -> [Int] {
        let ledger = site.root + "/state/ledger.sqlite"
        return try (LedgerView.jobs(path: ledger) ?? []).compactMap {
            try LedgerView.job(path: ledger, $0.job)?.joined.count
        }
    }

    @Test("a study that comes in more drops than twenty is worked on as a whole")
    func lateMany() async throws {
        let site = try Site()
        for image in 1...24 { try site.drop("\(image)", Plan(how: "ok", study: "one", instances: [image])) }
        #expect(try await site.batch().results == 24)
        site.settings.lateWindow = .seconds(86_400)
        let whole = Plan(how: "ok", study: "one", instances: Array(1...25))
        try site.drop("last", Plan(how: "ok", study: "one", instances: [25]), joined: whole)
        #expect(try await site.batch().results == 1)
        #expect(try joined(site).max() == 24)
    }

    @Test(
        "slices that nobody wanted alone are worked on together once the rest of their series comes; other series are not"
    )
    func lateUnwanted() async throws {
        let site = try Site()
        site.settings.lateWindow = .seconds(86_400)
        let scout = Plan(how: "skip", study: "one", instances: [9], series: "scout")
        try site.drop("scout", scout)
        try site.drop("a", Plan(how: "skip", study: "one", instances: [1, 2]))
        var outcome = try await site.batch()
        #expect(outcome.results == 0 && outcome.status == .done, "\(outcome.json)")
        let whole = Plan(how: "ok", study: "one", instances: [1, 2, 3])
        try site.drop("b", Plan(how: "skip", study: "one", instances: [3]), joined: whole)
        outcome = try await site.batch()
        #expect(outcome.results == 1 && outcome.status == .done, "\(outcome.json)")
        #expect(try site.results() == ["\(whole.path)/report.json"])
        #expect(try joined(site).sorted() == [0, 0, 1])
        // Other images of the scout's series, and nothing of the volume's.
        try site.drop("scouts", Plan(how: "skip", study: "one", instances: [9, 10], series: "scout"))
        #expect(try await site.batch().results == 0)
    }
}

extension Site {
    /// A service for a while; afterwards its ledger is closed and its locks are free.
    func withService(_ stop: StopRequest = StopRequest(), _ body: (WatchService) async throws -> Void) async throws {
        let service = try await service(stop)
        try await body(service)
        try await service.close()
    }
}
