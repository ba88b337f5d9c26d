import Daemon
import Failures
import Foundation
import GRDB
import Logging
import Processes
import Records
import Storage
import Testing

/// What was left by half is finished; nothing is removed that is not proven to be a copy.
@Suite("what an earlier service left")
struct RecoveryTests {
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
        #expect(try site.notes().contains("WORK-UNMOVED"))
        try await site.batch()
        #expect(try Folder.list(site.root + "/work").isEmpty)
        #expect(try Folder.walk(site.root + "/kept").contains { $0.name == kept })
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

    @Test(
        "results that a ledger which was put back, or lost, knows nothing of are told, until a rebuild knows and sends them",
        arguments: ["put back", "lost"])
    func unknownResults(how: String) async throws {
        let site = try Site()
        try Folder.make(site.root + "/share")
        let share = Destination(
            name: "here", kind: .folder(path: site.root + "/share"), parts: [.seg], firstWait: .zero,
            longestWait: .zero, giveUp: .seconds(86_400))
        if how == "put back" { site.settings.destinations = [share] }
        try await site.withService { service in
            try await service.deliver()
            _ = try await service.perform(ControlRequest(.backup))
        }
        let plans = ["ok", "partial"].map { Plan(how: $0, study: $0) }
        for plan in plans { try site.drop(plan.how, plan) }
        #expect(try await site.batch().results == 2)
        #expect(try !StatusReport(site.settings).text.contains("RESULTS-UNKNOWN"))
        // Somebody's own folder is no result.
        try Folder.make(site.root + "/outbox/notes/12345678")
        let copy = try #require(try Folder.list(site.root + "/state/backups").first?.name)
        for suffix in ["", "-wal", "-shm"] { try Folder.remove("\(site.root)/state/ledger.sqlite\(suffix)") }
        if how == "put back" {
            let bytes = try DurableFile.read("\(site.root)/state/backups/\(copy)", limit: .max)
            try DurableFile.write(bytes, to: site.root + "/state/ledger.sqlite")
        }
        let outcome = try await site.batch()
        #expect(outcome.status == .refusedOrFailed && outcome.notes.contains("RESULTS-UNKNOWN"), "\(outcome.json)")
        #expect(try StatusReport(site.settings).text.contains("RESULTS-UNKNOWN 2 results"))
        site.settings.destinations = [share]
        let log = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
        #expect(try await LedgerRebuild.run(site.settings, log: log).results == 2)
        let text = try StatusReport(site.settings).text
        #expect(!text.contains("RESULTS-UNKNOWN") && text.contains(" REBUILT "), "\(text)")
        try await site.withService { try await $0.deliver() }
        try await Sender(site.settings, log: log) { _ in nil }.run(StopRequest(), once: true)
        for plan in plans { #expect(FileStatus.exists("\(site.root)/share/\(plan.path)/a.seg.dcm")) }
    }

    @Test(
        "an older copy of the outbox, or an emptied one, is told until its results stand there again or are let go",
        arguments: ["put back", "emptied", "let go", "removed by hand"])
    func outboxPutBack(how: String) async throws {
        let site = try Site()
        let plans = ["one", "two", "three"].map { Plan(how: "ok", study: $0) }
        let (outbox, copy) = (site.root + "/outbox", site.root + "/copy")
        for plan in plans.prefix(2) {
            try site.drop(plan.study, plan)
            try await site.batch()
            if plan.study == "one", how != "emptied" { try FileManager.default.copyItem(atPath: outbox, toPath: copy) }
        }
        let newer = site.root + "/newer"
        if how == "removed by hand" {
            try Folder.remove("\(outbox)/\(plans[1].name)")
        } else {
            try Folder.rename(outbox, to: newer)
            if how != "emptied" { try Folder.rename(copy, to: outbox) }
        }
        let outcome = try await site.batch()
        guard how != "removed by hand" else { return #expect(outcome.status == .done, "\(outcome.json)") }
        let count = how == "emptied" ? 2 : 1
        #expect(try StatusReport(site.settings).text.contains("OUTBOX-OLDER"))
        #expect(try StatusReport(site.settings).text.contains("\(count) results that were published since"))
        #expect(outcome.notes == ["OUTBOX-OLDER"] && outcome.status == .refusedOrFailed, "\(outcome.json)")
        // What is published meanwhile makes it no newer.
        try site.drop("three", plans[2])
        #expect(try await site.batch().notes == ["OUTBOX-OLDER"])
        switch how {
        case "let go":
            try await site.withService { service in
                for isAsked in [true, false] {
                    let answer = try await service.perform(ControlRequest(.settleOutbox))
                    #expect(answer.isDone == isAsked, "\(answer.text)")
                }
            }
        default:
            for plan in plans.prefix(2) {
                try site.drop(plan.study, plan)
                try await site.batch()
            }
            #expect(try site.results().count == 3)
        }
        let after = try await site.batch()
        #expect(after.status == .done, "\(after.json)")
    }

    @Test("what was left undone of a job stays so where its input is gone before another one is worked on with it")
    func joinedGone() async throws {
        let site = try Site()
        try site.drop("first", "partial")
        #expect(try await site.batch().partial == 1)
        let kept = try #require(try Folder.walk(site.root + "/kept").first { $0.name.utf8.count == 37 }?.name)
        try Folder.remove("\(site.root)/kept/\(kept)")
        try site.drop("second", "ok")
        try await site.withService { _ = try await $0.takeAllNow() }
        let queue = try DatabaseQueue(path: site.root + "/state/ledger.sqlite")
        let first = Folder.split(kept).name
        try await queue.write {
            try $0.execute(sql: "UPDATE job SET joined = ? WHERE state = 'queued'", arguments: [first])
        }
        try queue.close()
        #expect(try await site.batch().results == 1)
        let report = try StatusReport(site.settings)
        #expect(report.status == .refusedOrFailed && report.text.contains("hspsam settle \(first)"), "\(report.text)")
    }

    @Test("the list of known results may be removed while the service runs: it is made anew")
    func knownRemoved() async throws {
        let site = try Site()
        let plan = Plan(how: "ok", study: "one")
        try site.drop("a", plan)
        try await site.batch()
        try await site.withService { service in
            try Folder.remove(site.root + "/state/known-results")
            try site.drop("b", plan)
            let outcome = try await service.batch()
            #expect(outcome.status == .done && outcome.results == 0, "\(outcome.json)")
        }
        #expect(try site.runs() == 1)
    }

    @Test("recovery removes nothing that it cannot read, and nothing that is not proven to be a copy")
    func recoveryKeeps() async throws {
        let site = try Site()
        // Deeper than a path can say.
        let folder = "\(site.root)/work/\(Site.job)"
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
}
