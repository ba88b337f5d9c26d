import Daemon
import Failures
import Foundation
import GRDB
import Logging
import Processes
import Storage
import Testing

/// `status` compares the ledger with what stands on the disk, and says when the service does not run.
@Suite("what status says")
struct StatusTests {
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

    @Test("a batch that cannot begin is told at once, by status and doctor, until another one begins")
    func batchFailed() async throws {
        let site = try Site()
        let log = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
        func told() throws -> [Bool] {
            let (report, doctor) = (try StatusReport(site.settings), Doctor(site.settings, first: []))
            #expect((report.status == .refusedOrFailed) == report.json.contains("SERVICE-DOWN"), "\(report.json)")
            return [report.json, doctor.text].map { $0.contains("(PIPE-FOLDER)") }
        }
        try await site.batch()
        try Folder.remove(site.settings.pipelines)
        await #expect(throws: DaemonFailure.self) {
            _ = try await Service.batch(site.settings, log: log, stop: StopRequest())
        }
        #expect(try told() == [true, true])
        // A person's command is no batch.
        _ = try await Control.ask(ControlRequest(.settleAll), site.settings, log: log)
        #expect(try told() == [true, true])
        try Folder.make(site.settings.pipelines)
        #expect(try await Service.batch(site.settings, log: log, stop: StopRequest()).status == .done)
        #expect(try told() == [false, false])
        // Beside another service there is nothing to be told.
        try await site.withService { _ in
            await #expect(throws: DaemonFailure.self) {
                _ = try await Service.batch(site.settings, log: log, stop: StopRequest())
            }
        }
        #expect(try told() == [false, false])
        // As on a disk that has no room for a word.
        try DurableFile.write("", to: site.root + "/state/batch-failed")
        #expect(try StatusReport(site.settings).text.contains("ended by a failure. →"))
    }

    @Test("received drops that wait for an archive's word are told where nobody asks it")
    func nobodyAsks() async throws {
        let site = try Site()
        try await site.batch()
        try DurableFile.write("{}", to: site.root + "/deliver/questions/\(Site.job).json")
        let report = try StatusReport(site.settings)
        #expect(report.status == .refusedOrFailed)
        #expect(report.text.contains("SENDER-DOWN") && report.text.contains("and 1 received drops wait"))
    }

    @Test("doctor says what systemd does not start after a reboot, and what stops each other")
    func units() throws {
        let site = try Site()
        let folder = site.root + "/units"
        func lines() -> [Substring] {
            Doctor(site.settings, first: [], units: [folder]).text.split(separator: "\n").filter {
                $0.contains("units: ")
            }
        }
        #expect(lines().isEmpty)
        for target in ["timers", "multi-user"] { try Folder.make("\(folder)/\(target).target.wants") }
        try DurableFile.write("", to: folder + "/hspsam.service")
        #expect(lines().count == 1 && lines().allSatisfy { $0.contains("neither") })
        try DurableFile.write("", to: folder + "/timers.target.wants/hspsam-batch.timer")
        #expect(lines().isEmpty)
        site.settings.destinations = [
            Destination(
                name: "here", kind: .folder(path: "/nowhere"), parts: [.seg], firstWait: .zero, longestWait: .zero,
                giveUp: .zero)
        ]
        #expect(lines().count == 1 && lines().allSatisfy { $0.contains("nobody sends") })
        try DurableFile.write("", to: folder + "/multi-user.target.wants/hspsam-deliver.service")
        try DurableFile.write("", to: folder + "/multi-user.target.wants/hspsam.service")
        #expect(lines().count == 1 && lines().allSatisfy { $0.contains("stops the other") })
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

    @Test("a receiver that ended by itself a moment ago asks for a person, until it has stayed for two minutes")
    func receiverEnded() async throws {
        let site = try Site()
        try await site.batch()
        let file = site.root + "/receive/ended"
        try DurableFile.write("", to: file)
        for (age, isTold) in [(0.0, true), (100, true), (-100, true), (200, false), (-200_000, false)] {
            try FileManager.default.setAttributes(
                [.modificationDate: Date(timeIntervalSinceNow: -age)], ofItemAtPath: file)
            let report = try StatusReport(site.settings)
            #expect(report.json.contains("RECEIVER-DOWN") == isTold && (report.status == .refusedOrFailed) == isTold)
        }
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

    @Test("a batch of which nothing was heard for a quarter of an hour is not said to be well")
    func hangingBatch() async throws {
        let site = try Site()
        let service = try await site.service()
        try await service.ledger.remember("mode", "batch")
        try Data(#"{"at": 1, "silent": 0}"#.utf8).write(to: URL(fileURLWithPath: site.root + "/state/heartbeat"))
        // Its start may read for long.
        #expect(try !StatusReport(site.settings).json.contains("SERVICE-HANGS"))
        try await service.ledger.remember("started", "\(Moment.now - 1_000_000)")
        let report = try StatusReport(site.settings)
        #expect(report.status == .refusedOrFailed && report.text.contains("restart hspsam-batch"), "\(report.text)")
        Heartbeat(path: site.root + "/state/heartbeat").beat(.queue)
        #expect(try !StatusReport(site.settings).json.contains("SERVICE-HANGS"))
        _ = service
    }

    @Test("what waits while no service runs asks for a person, unless the night's batch is still to come")
    func notRunning() async throws {
        let site = try Site()
        #expect(try StatusReport(site.settings).status == .nothingProcessed)
        try site.drop("early", "ok")
        #expect(try StatusReport(site.settings).json.contains("LEDGER-NONE"))
        try await site.batch()
        // A ledger that is lost does not make it a place where nothing was ever dropped.
        let state = site.root + "/state"
        try FileManager.default.moveItem(atPath: state, toPath: state + "-away")
        let lost = try StatusReport(site.settings)
        #expect(lost.status == .refusedOrFailed && lost.json.contains("LEDGER-NONE"), "\(lost.json)")
        try? FileManager.default.removeItem(atPath: state)
        try FileManager.default.moveItem(atPath: state + "-away", toPath: state)
        try site.drop("one", "ok")
        #expect(try StatusReport(site.settings).status == .done)
        let queue = try DatabaseQueue(path: site.root + "/state/ledger.sqlite")
        try await queue.write {
            try $0.execute(sql: "UPDATE batch SET started_at = started_at - 100000000, ended_at = ended_at - 100000000")
        }
        #expect(try site.notes().contains("SERVICE-DOWN"))
        try await queue.write { try $0.execute(sql: "UPDATE meta SET value = 'watch' WHERE key = 'mode'") }
        #expect(try StatusReport(site.settings).status == .refusedOrFailed)
    }

    @Test("status counts what stands on the disk: unbooked, unmoved, strange, unlistable")
    func statusReconciles() async throws {
        let site = try Site()
        try await site.batch()
        #expect(try StatusReport(site.settings).status == .done)
        try Folder.make("\(site.root)/work/\(Site.job)/input")
        #expect(try site.notes().contains("WORK-UNBOOKED"))
        try Folder.remove("\(site.root)/work/\(Site.job)")
        try Folder.make("\(site.root)/quarantine/somebody's")
        #expect(try site.notes().contains("PLACE-STRANGE"))
        try Folder.remove("\(site.root)/quarantine")
        try DurableFile.write("x", to: "\(site.root)/quarantine")
        #expect(try site.notes().contains("PLACE-UNREADABLE"))
        #expect(try StatusReport(site.settings).status == .refusedOrFailed)
    }

    @Test("status says how many it does not list")
    func manyTroubles() async throws {
        let site = try Site()
        for index in 1...22 { try site.drop("\(index)", "refuse") }
        #expect(try await site.batch().quarantined == 22)
        let lines = try StatusReport(site.settings).text.split(separator: "\n").filter { $0.contains("needs you: ") }
        #expect(lines.count == 21 && lines.last?.contains("needs you: 2 more") == true, "\(lines)")
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
}
