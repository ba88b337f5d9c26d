import Daemon
import Failures
import Foundation
import GRDB
import Logging
import Processes
import Records
import Storage
import Testing

@Suite("what people ask of the service")
struct ControlTests {
    private let log = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }

    private func ask(_ site: Site, _ command: ControlRequest.Command, _ job: String? = nil) async throws
        -> ControlAnswer
    {
        try await Control.ask(ControlRequest(command, job: job), site.settings, log: log)
    }

    @Test("a quarantined job is tried again, given back to the inbox, or settled; its input is never lost")
    func quarantine() async throws {
        let site = try Site()
        for name in ["a", "b", "c"] { try site.drop(name, "refuse") }
        #expect(try await site.batch().quarantined == 3)
        let jobs = try Folder.list(site.root + "/quarantine").map(\.name)
        #expect(try await ask(site, .retry, jobs[0]).isDone)
        #expect(FileStatus.exists("\(site.root)/work/\(jobs[0])/input/plan"))
        #expect(try await ask(site, .release, jobs[1]).isDone)
        #expect(FileStatus.exists("\(site.root)/inbox/released-\(jobs[1])/plan"))
        #expect(try await ask(site, .drop, jobs[2]).isDone)
        #expect(try Folder.walk(site.root + "/kept").contains { $0.name.hasSuffix("\(jobs[2])/plan") })
        #expect(try Folder.list(site.root + "/quarantine").isEmpty)
        // What has ended so cannot be asked for twice, and unknown jobs are told.
        #expect(try await !ask(site, .drop, jobs[2]).isDone)
        #expect(try await ask(site, .retry, "01JCK3000000000000000000AA").code == "JOB-UNKNOWN")
        try DurableFile.write(Plan(how: "ok", study: "a").text(), to: "\(site.root)/work/\(jobs[0])/input/plan")
        let next = try await site.batch()
        #expect(next.results == 1 && next.quarantined == 1, "\(next.json)")
    }

    @Test(
        "a quarantined input is given back also to an inbox on another disk",
        .enabled(if: FileManager.default.isWritableFile(atPath: "/dev/shm")))
    func releaseElsewhere() async throws {
        let site = try Site()
        site.settings.inbox = "/dev/shm/hspsam-\(UUID().uuidString)"
        defer { try? FileManager.default.removeItem(atPath: site.settings.inbox) }
        try Folder.make(site.settings.inbox + "/a")
        try DurableFile.write(Plan(how: "refuse", study: "a").text(), to: site.settings.inbox + "/a/plan")
        #expect(try await site.batch().quarantined == 1)
        let job = try #require(try Folder.list(site.root + "/quarantine").first?.name)
        #expect(try await ask(site, .release, job).isDone)
        #expect(FileStatus.exists("\(site.settings.inbox)/released-\(job)/plan"))
        #expect(try Folder.list(site.root + "/quarantine").isEmpty)
        let names = try Folder.list(site.settings.inbox).map(\.name)
        #expect(names == [".hspsam-lock", "released-\(job)"], "\(names)")
    }

    @Test(
        "what was left undone of a result asks for a person until one says that it is dealt with",
        arguments: [false, true])
    func settle(all: Bool) async throws {
        let site = try Site()
        for name in ["a", "b"] { try site.drop(name, "partial") }
        try site.drop("c", "ok")
        #expect(try await site.batch().partial == 2)
        let queue = try DatabaseQueue(path: site.root + "/state/ledger.sqlite")
        try await queue.write { try $0.execute(sql: "UPDATE job SET changed_at = changed_at - 3600000 * 24 * 400") }
        try queue.close()
        let partial = try (LedgerView.jobs(path: site.root + "/state/ledger.sqlite") ?? [])
            .filter { $0.code == "PIX-TRUNCATED" }.map(\.job)
        let report = try StatusReport(site.settings)
        #expect(report.status == .refusedOrFailed && partial.count == 2)
        for job in partial { #expect(report.text.contains("→ hspsam settle \(job)")) }
        if all {
            #expect(try await ask(site, .settleAll).jobs.sorted() == partial.sorted())
        } else {
            #expect(try await ask(site, .settle, partial[0]).isDone)
            #expect(try StatusReport(site.settings).status == .refusedOrFailed)
            #expect(try await ask(site, .settle, partial[1]).isDone)
            #expect(try await ask(site, .settle, partial[0]).code == "JOB-STATE")
        }
        #expect(try StatusReport(site.settings).status == .done)
        #expect(try await ask(site, .settleAll).jobs.isEmpty)
        // Why it was incomplete is still to be read.
        let settled = try LedgerView.job(path: site.root + "/state/ledger.sqlite", partial[0])
        #expect(settled?.line.code == "PIX-TRUNCATED")
    }

    @Test("files that somebody took from a waiting job's input are told with its result; a retry means what is there")
    func fewerFiles() async throws {
        let site = try Site()
        for (name, how) in [("a", "ok"), ("b", "refuse")] {
            try site.drop(name, how)
            try DurableFile.write("pixels", to: "\(site.root)/inbox/\(name)/slice")
        }
        try await site.withService { service in
            _ = try await service.takeAllNow()
            for job in try Folder.list(site.root + "/work").map(\.name) {
                try Folder.remove("\(site.root)/work/\(job)/input/slice")
            }
            let outcome = try await service.batch()
            #expect(outcome.partial == 1 && outcome.quarantined == 1 && outcome.results == 1, "\(outcome.json)")
        }
        #expect(try StatusReport(site.settings).text.contains("INPUT-FEWER 1 of the 2 files"))
        let job = try #require(try Folder.list(site.root + "/quarantine").first?.name)
        try DurableFile.write(Plan(how: "ok", study: "b").text(), to: "\(site.root)/quarantine/\(job)/input/plan")
        #expect(try await ask(site, .retry, job).isDone)
        let outcome = try await site.batch()
        #expect(outcome.results == 1 && outcome.partial == 0, "\(outcome.json)")
    }

    @Test("all that should have worked is tried again at once, what was refused is not")
    func retryAll() async throws {
        let site = try Site()
        site.settings.attempts = 1
        try site.drop("a", "refuse")
        try site.drop("b", "crash")
        #expect(try await site.batch().quarantined == 2)
        let answer = try await ask(site, .retryAllTransient)
        #expect(answer.jobs.count == 1)
        #expect(try site.quarantined().map(\.code) == ["CODE"])
    }

    @Test("all are tried again but those whose input is gone, and these are told")
    func retryAllGone() async throws {
        let site = try Site()
        site.settings.attempts = 1
        for name in ["a", "b"] { try site.drop(name, "crash") }
        #expect(try await site.batch().quarantined == 2)
        let jobs = try Folder.list(site.root + "/quarantine").map(\.name)
        try Folder.remove("\(site.root)/quarantine/\(jobs[0])/input")
        let answer = try await ask(site, .retryAllTransient)
        #expect(answer.jobs == [jobs[1]] && !answer.isDone && answer.text.contains("1 cannot"), "\(answer)")
    }

    @Test("a batch answers requests while it works: a job that waits for its back-off is tried at once")
    func duringBatch() async throws {
        let site = try Site()
        site.settings.backoff = [.seconds(3600)]
        try site.drop("one", "crash-once")
        let service = try await site.service()
        let batch = Task { try await service.batch() }
        let ledger = ServicePaths(site.settings).ledger
        var waiting: String?
        try await eventually {
            waiting = try LedgerView.jobs(path: ledger, states: [.retry])?.first?.job
            return waiting != nil
        }
        #expect(
            try await Control.ask(.init(.retry, job: waiting), site.settings, log: log, patience: .seconds(900)).isDone)
        #expect(try await batch.value.results == 1)
    }

    @Test("a held queue works on nothing until it is resumed; a running service answers requests")
    func pause() async throws {
        let site = try Site()
        let stop = StopRequest()
        let service = try await site.service(stop)
        let running = Task { try await service.watch() }
        #expect(try await Control.ask(.init(.pause), site.settings, log: log, patience: .seconds(900)).isDone)
        try site.drop("one", "ok")
        try await eventually { try !Folder.list(site.root + "/work").isEmpty }
        #expect(try StatusReport(site.settings).json.contains("QUEUE-HELD"))
        #expect(try site.results().isEmpty)
        #expect(try await Control.ask(.init(.resume), site.settings, log: log, patience: .seconds(900)).isDone)
        try await eventually { try site.results().count == 1 }
        stop.ask()
        try await running.value
    }

    @Test("a waiting job and a running one are cancelled; their inputs are kept", arguments: ["waiting", "running"])
    func cancel(state: String) async throws {
        let site = try Site()
        try site.drop("one", "hang")
        let stop = StopRequest()
        let service = try await site.service(stop)
        let running = Task { try await service.watch() }
        if state == "waiting" {
            // Behind the first.
            try await eventually { try Folder.walk(site.root + "/work").contains { $0.name.hasSuffix("out.1") } }
            try site.drop("two", "ok")
            try await eventually { try Folder.list(site.root + "/work").count == 2 }
        } else {
            try await eventually { try Folder.walk(site.root + "/work").contains { $0.name.hasSuffix("out.1") } }
        }
        let job = try #require(try Folder.list(site.root + "/work").last?.name)
        #expect(
            try await Control.ask(.init(.cancel, job: job), site.settings, log: log, patience: .seconds(900)).isDone)
        try await eventually { try Folder.walk(site.root + "/kept").contains { $0.name.hasSuffix("\(job)/plan") } }
        stop.ask()
        try await running.value
    }

    @Test("what is older than it must stay is removed, and nothing else")
    func retention() async throws {
        let site = try Site()
        try site.drop("one", "ok")
        try site.drop("two", "refuse")
        let asking = Plan(how: "partial", study: "asking")
        try site.drop("asking", asking)
        try await site.batch()
        try Folder.make(site.root + "/kept/2020-01-01/01JCK3000000000000000000AA")
        try Folder.make(site.root + "/kept/somebody's")
        try await site.batch()
        #expect(try Folder.list(site.root + "/kept").count == 2)
        #expect(FileStatus.exists(site.root + "/kept/somebody's"))
        #expect(try Folder.list(site.root + "/state/backups").count == 1)
        // What a person has put beside a result, and what stood in the place of one before, goes with the study.
        let study = try #require(try Folder.list(site.root + "/outbox").first { $0.name.utf8.count == 12 }?.name)
        let result = try #require(try Folder.list("\(site.root)/outbox/\(study)").first?.name)
        try Folder.make("\(site.root)/outbox/\(study)/\(result).replaced-\(Site.job)")
        site.settings.retention.kept = .seconds(-200_000)
        site.settings.retention.outbox = .seconds(-200_000)
        site.settings.retention.quarantine = .seconds(-200_000)
        try await site.batch()
        #expect(try Folder.list(site.root + "/kept").map(\.name) == ["somebody's"])
        #expect(try site.results() == ["\(asking.path)/report.json"] && site.quarantined().isEmpty)
        #expect(try await ask(site, .settleAll).jobs.count == 1)
        try await site.batch()
        #expect(try site.results().isEmpty)
        let left = try Folder.list(site.root + "/outbox").map(\.name).sorted()
        #expect(left == ["batches", "index.html", "newest-result"])
        // What is gone is worked on again when it comes again.
        site.settings.retention = ServiceSettings.Retention()
        try site.drop("three", "ok", study: "one")
        #expect(try await site.batch().results == 1)
    }
}
