import Daemon
import Failures
import Foundation
import GRDB
import Processes
import Records
import Storage
import Testing

@Suite("the service: each drop ends, each study is published once")
struct WatchServiceTests {
    @Test("drops that no pipeline wants are counted apart, and ask for nobody")
    func unwantedCounted() async throws {
        let site = try Site()
        try site.drop("a", "skip")
        try site.drop("b", "ok")
        let outcome = try await site.batch()
        #expect(outcome.done == 2 && outcome.unwanted == 1 && outcome.status == .done, "\(outcome.json)")
        #expect(outcome.summary.contains("1 of these wanted by no pipeline"), "\(outcome.summary)")
        let status = try StatusReport(site.settings)
        #expect(status.status == .done && status.text.contains("wanted by no pipeline in 24 h 1"), "\(status.text)")
    }

    @Test("a pipeline that gave results and is there no more is told until it is back, or was taken out for good")
    func pipelineGone() async throws {
        let site = try Site()
        let (skin, other) = (KnownPipeline(name: "skin", kinds: []), KnownPipeline(name: "other", kinds: []))
        site.settings.lookAtPipelines = { [other, skin] }
        try site.drop("a", "ok")
        #expect(try await site.batch().status == .done)
        site.settings.lookAtPipelines = { [other] }
        try site.drop("b", "skip")
        let outcome = try await site.batch()
        #expect(outcome.status == .refusedOrFailed && outcome.notes == ["PIPELINE-GONE"], "\(outcome.json)")
        #expect(try StatusReport(site.settings).text.contains("PIPELINE-GONE skin has given results"))
        // While one is being changed nothing is known.
        site.settings.lookAtPipelines = { nil }
        #expect(try await site.batch().notes == ["PIPELINE-GONE"])
        site.settings.lookAtPipelines = { [skin, other] }
        #expect(try await site.batch().status == .done)
        site.settings.lookAtPipelines = { [other] }
        try await site.withService { service in
            let answers = [
                try await service.perform(ControlRequest(.settlePipeline, job: "skin")),
                try await service.perform(ControlRequest(.settlePipeline, job: "skin")),
            ]
            #expect(answers.map(\.isDone) == [true, false])
        }
        #expect(try await site.batch().status == .done)
    }

    @Test("a batch publishes what works, keeps the originals and leaves nothing behind")
    func batch() async throws {
        let site = try Site()
        try site.drop("one", "ok")
        try site.drop("two", "flood")
        try DurableFile.write("x", to: site.root + "/inbox/three.part")
        try DurableFile.write("x", to: site.root + "/inbox/.hidden")
        try Folder.make(site.root + "/inbox/nothing yet")
        let outcome = try await site.batch()
        #expect(outcome.status == .done && outcome.results == 2, "\(outcome.json)")
        #expect(try site.results().count == 2)
        #expect(try Folder.walk(site.root + "/kept").filter { $0.name.hasSuffix("/plan") }.count == 2)
        #expect(try Folder.list(site.root + "/work").isEmpty)
        #expect(
            try Folder.list(site.root + "/inbox").map(\.name) == [
                ".hidden", ".hspsam-lock", "nothing yet", "three.part",
            ])
        #expect(try await site.batch().status == .done)
    }

    @Test(
        "a drop that cannot be done goes to quarantine with its reason, after as many attempts as its kind deserves",
        arguments: [
            ("refuse", "CODE", 1), ("fail", "CODE", 3), ("crash", "WORKER-CRASHED", 3), ("silent", "RUN-RECORD", 3),
            ("hang", "WORKER-TIME", 3), ("memory", "MEMORY", 3),
        ])
    func quarantine(plan: String, code: String, attempts: Int) async throws {
        let site = try Site()
        if plan == "hang" {
            site.settings.wallBase = .milliseconds(400)
            site.settings.hang = .milliseconds(400)
            site.settings.wallPerFile = .zero
        }
        try site.drop("bad", plan)
        let outcome = try await site.batch()
        #expect(outcome.status == .refusedOrFailed && outcome.quarantined == 1, "\(outcome.json)")
        let reason = try #require(try site.quarantined().first)
        #expect(reason.code == code && reason.attempts == attempts)
        let job = try #require(try Folder.list(site.root + "/quarantine").first?.name)
        #expect(FileStatus.exists(site.root + "/quarantine/\(job)/input/plan"))
        #expect(try site.results().isEmpty)
        #expect(try Folder.list(site.root + "/work").isEmpty)
        #expect(try StatusReport(site.settings).status == .refusedOrFailed)
        // A person has dealt with it.
        try Folder.remove(site.root + "/quarantine/\(job)")
        #expect(try StatusReport(site.settings).status == .done)
    }

    @Test("what asks for a person for a cause that this version does not know is never done without one")
    func unknownCause() async throws {
        let site = try Site()
        for how in ["ask", "ask-skip"] { try site.drop(how, how) }
        let outcome = try await site.batch()
        #expect(outcome.results == 1 && outcome.partial == 1 && outcome.quarantined == 1, "\(outcome.json)")
        #expect(outcome.status == .refusedOrFailed)
        #expect(try site.quarantined().map(\.code) == ["RUN-STATUS"])
        let report = try StatusReport(site.settings)
        #expect(report.text.split(separator: "\n").count { $0.contains(" RUN-STATUS ") } == 2, "\(report.text)")
        try await site.withService { service in
            for job in try LedgerView.jobs(path: site.root + "/state/ledger.sqlite") ?? [] {
                let isQuarantined = job.state == "quarantined"
                #expect(
                    try await service.perform(ControlRequest(isQuarantined ? .drop : .settle, job: job.job)).isDone)
            }
        }
        #expect(try StatusReport(site.settings).status == .done)
    }

    @Test("a worker of another version than the service costs no attempt; what it leaves is not tried for ever")
    func otherVersion() async throws {
        let site = try Site()
        try site.drop("one", "newer")
        let outcome = try await site.batch()
        #expect(outcome.waiting == 1 && outcome.quarantined == 0, "\(outcome.json)")
        #expect(outcome.paused?.contains("systemctl restart hspsam") == true)
        let job = try #require(try Folder.list(site.root + "/work").first?.name)
        let found = try LedgerView.job(path: site.root + "/state/ledger.sqlite", job)
        #expect(found?.line.attempts == 0 && found?.line.code == "WORKER-VERSION")
        // Its record can be read, its report cannot.
        try DurableFile.write(
            Plan(how: "newer-report", study: "one").text(), to: "\(site.root)/work/\(job)/input/plan")
        let next = try await site.batch()
        #expect(next.quarantined == 1 && next.results == 0, "\(next.json)")
        #expect(try site.quarantined().map(\.code) == ["REC-READ"])
    }

    @Test("a program that is replaced while the service runs is told until the service is started anew")
    func programReplaced() async throws {
        let site = try Site()
        let stop = StopRequest()
        try await site.withService(stop) { service in
            let running = Task { try await service.watch() }
            try await eventually { try await service.ledger.fact("mode") == "watch" }
            #expect(try !StatusReport(site.settings).text.contains("PROGRAM-REPLACED"))
            try writeProgram("#!/bin/sh\nexit 0\n", to: site.settings.program)
            try await eventually { try StatusReport(site.settings).text.contains("PROGRAM-REPLACED") }
            stop.ask()
            try await running.value
        }
        try await site.withService { _ in }
        #expect(try !StatusReport(site.settings).text.contains("PROGRAM-REPLACED"))
    }

    @Test("what finds no memory within a limit of ours is not tried again: the limit is the same the next time")
    func memoryLimit() async throws {
        let site = try Site()
        site.settings.memory = 8 << 30
        try site.drop("large", "memory")
        try site.drop("other", "ok")
        let outcome = try await site.batch()
        #expect(outcome.quarantined == 1 && outcome.results == 1, "\(outcome.json)")
        let reason = try #require(try site.quarantined().first)
        #expect(reason.code == "MEMORY" && reason.attempts == 1 && reason.text.contains("worker.memory"))
    }

    @Test("forty workers leave no open file behind in the service")
    func openFiles() async throws {
        let site = try Site()
        let root = site.root
        for index in 0..<40 { try site.drop("drop-\(index)", "ok") }
        // In a process of its own, where no other test opens files.
        await #expect(processExitsWith: .success) { [root = root as String] in
            func count() throws -> Int { try FileManager.default.contentsOfDirectory(atPath: "/proc/self/fd").count }
            let before = try count()
            try await Site(root).batch()
            try #require(try count() < before + 30)
        }
    }

    @Test("a worker that takes long and tells new progress is left to work")
    func slow() async throws {
        let site = try Site()
        site.settings.wallBase = .milliseconds(700)
        site.settings.hang = .seconds(300)
        site.settings.wallPerFile = .zero
        try site.drop("slow", "slow")
        #expect(try await site.batch().results == 1)
    }

    @Test("one bad drop stops no other, a crash is tried again, what nobody wants is kept")
    func mixture() async throws {
        let site = try Site()
        for (name, plan) in [("a", "refuse"), ("b", "ok"), ("c", "crash-once"), ("d", "skip"), ("e", "partial")] {
            try site.drop(name, plan)
        }
        let outcome = try await site.batch()
        #expect(
            outcome.results == 3 && outcome.quarantined == 1 && outcome.partial == 1 && outcome.done == 4,
            "\(outcome.json)")
        let page = try site.page()
        #expect(page.contains("2 things need you") && page.contains("PIX-TRUNCATED"))
        #expect(page.contains("skin: Lesion &lt;1&gt; 2.5 mm², confidence 0.9"))
    }

    @Test("the same study twice is published once")
    func twice() async throws {
        let site = try Site()
        try site.drop("one", "ok", study: "same")
        try site.drop("two", "ok", study: "same")
        let outcome = try await site.batch()
        #expect(outcome.results == 1 && outcome.done == 2 && outcome.status == .done, "\(outcome.json)")
        try site.drop("three", "ok", study: "same")
        #expect(try await site.batch().results == 0)
        #expect(try site.results().count == 1)
    }

    @Test("a worker that cannot start costs no attempt and stops the batch with its reason")
    func cannotStart() async throws {
        let site = try Site()
        try site.drop("one", "nostart")
        let outcome = try await site.batch()
        #expect(
            outcome.waiting == 1 && outcome.paused?.contains("exit 2") == true && outcome.status == .refusedOrFailed)
        // The next night the model is back.
        let job = try #require(try Folder.list(site.root + "/work").first?.name)
        try DurableFile.write(Plan(how: "ok", study: "one").text(), to: site.root + "/work/\(job)/input/plan")
        let next = try await site.batch()
        #expect(next.results == 1 && next.status == .done, "\(next.json)")
    }

    @Test("another result under a result's name is never written over or moved")
    func conflict() async throws {
        let site = try Site()
        let (other, plan) = (Plan(how: "ok", study: "other"), Plan(how: "ok", study: "one"))
        try site.drop("other", other)
        #expect(try await site.batch().results == 1)
        let path = site.root + "/outbox/" + plan.path
        try Folder.make(Folder.split(path).folder)
        try Folder.rename("\(site.root)/outbox/\(other.path)", to: path)
        let before = try FileDigest(ofTree: path)
        try site.drop("one", plan)
        #expect(try await site.batch().quarantined == 1)
        #expect(try site.quarantined().first?.code == "PUB-CONFLICT")
        #expect(try FileDigest(ofTree: path) == before)
    }

    @Test(
        "a study that is sent again over a damaged report of its own is published again; what stood there stays beside",
        arguments: ["{\"key\": \"other\"}", "{", ""])
    func damagedReport(report: String) async throws {
        let site = try Site()
        let plan = Plan(how: "ok", study: "one")
        try site.drop("one", plan)
        #expect(try await site.batch().results == 1)
        try DurableFile.write(report, to: "\(site.root)/outbox/\(plan.path)/report.json")
        try site.drop("again", plan)
        let outcome = try await site.batch()
        #expect(outcome.results == 1 && outcome.status == .done, "\(outcome.json)")
        #expect(try site.report(plan).key == plan.key)
        let study = Folder.split("\(site.root)/outbox/\(plan.path)").folder
        let aside = try #require(try Folder.list(study).map(\.name).first { $0.contains(".replaced-") })
        #expect(try DurableFile.read("\(study)/\(aside)/report.json", limit: 99) == Array(report.utf8))
    }

    @Test("a drop with a link or a FIFO in it is refused whole and nothing is followed")
    func oddFiles() async throws {
        let site = try Site()
        try Folder.make(site.root + "/inbox/link")
        symlink("/etc/passwd", site.root + "/inbox/link/a.dcm")
        try Folder.make(site.root + "/inbox/pipe/deep")
        mkfifo(site.root + "/inbox/pipe/deep/b", 0o600)
        symlink("/etc", site.root + "/inbox/top")
        #expect(try await site.batch().quarantined == 3)
        #expect(try site.quarantined().allSatisfy { $0.code == "DROP-KIND" })
    }

    @Test("a file as drop keeps its name for the person who looks later")
    func fileDrop() async throws {
        let site = try Site()
        try DurableFile.write(Plan(how: "ok", study: "single").text(), to: site.root + "/inbox/plan")
        #expect(try await site.batch().results == 1)
        #expect(try Folder.walk(site.root + "/kept").contains { $0.name.hasSuffix("/plan") })
    }

    @Test("no name of a drop or of a file in it reaches ledger, page, reason or results")
    func canary() async throws {
        let site = try Site()
        for (name, plan) in [("CANARY^ONE", "ok"), ("CANARY^TWO", "refuse"), ("CANARY^THREE", "fail")] {
            try site.drop(name, plan, study: "s\(plan)")
            try DurableFile.write("x", to: site.root + "/inbox/\(name)/CANARY.dcm")
        }
        try await site.batch()
        var searched = 0
        for folder in ["state", "outbox", "quarantine"] {
            for entry in try Folder.walk(site.root + "/" + folder)
            where entry.status.kind == .regular && !entry.name.contains("/input/") {
                let bytes = try DurableFile.read("\(site.root)/\(folder)/\(entry.name)", limit: 1 << 26)
                #expect(Data(bytes).range(of: Data("CANARY".utf8)) == nil, "\(entry.name)")
                searched += 1
            }
        }
        #expect(searched >= 6)
    }

    @Test("while one service runs, a second one is told who holds the lock and touches nothing")
    func twoServices() async throws {
        let site = try Site()
        let stop = StopRequest()
        let first = try await site.service(stop)
        try site.drop("one", "ok")
        await #expect {
            _ = try await site.service()
        } throws: { error in
            let failure = error as? DaemonFailure
            return failure?.kind == .configuration && failure?.text.contains("process \(getpid())") == true
        }
        #expect(try StatusReport(site.settings).json.contains(#""running" : true"#))
        // With another ledger and another inbox it would take what the first works on for its own.
        let other = try Site(site.root)
        other.settings.inbox += "-2"
        other.settings.state += "-2"
        await #expect { _ = try await other.service() } throws: { ($0 as? DaemonFailure)?.code == "SERVICE-LOCKED" }
        _ = first
    }

    @Test("asked to stop, it gives the study in work back to the queue uncounted and ends soon")
    func stopping() async throws {
        let site = try Site()
        // The friendly signal suffices: the final one would come long after.
        site.settings.killGrace = .seconds(7200)
        try site.drop("long", "hang")
        let stop = StopRequest()
        let service = try await site.service(stop)
        let running = Task { try await service.watch() }
        try await eventually {
            FileManager.default.fileExists(atPath: site.root + "/work")
                && ((try? Folder.walk(site.root + "/work"))?.contains { $0.name.hasSuffix("out.1") } ?? false)
        }
        let begin = ContinuousClock.now
        stop.ask()
        try await running.value
        #expect(ContinuousClock.now - begin < .seconds(3600))
        let job = try #require(try Folder.list(site.root + "/work").first?.name)
        let ledger = try Ledger(path: site.root + "/state/ledger.sqlite")
        let found = try #require(try await ledger.job(job))
        #expect(found.state == .queued && found.attempts == 0 && found.lastAttempt == 1)
    }

    @Test("thirty drops, the service killed five times in the middle: each study has exactly one result")
    func killed() async throws {
        let site = try Site()
        for index in 0..<30 { try site.drop("drop-\(index)", index % 10 == 7 ? "crash-once" : "ok") }
        for round in 0..<5 {
            let root = site.root
            await #expect(processExitsWith: .signal(SIGKILL)) { [root = root as String, round = round as Int] in
                let service = try await Site(root).service()
                Task.detached {
                    try await Task.sleep(for: .milliseconds(120 + 60 * round))
                    kill(getpid(), SIGKILL)
                }
                try await service.watch()
            }
        }
        let done = try site.results().count
        let outcome = try await site.batch()
        #expect(done < 30, "killed too late to prove anything")
        #expect(outcome.status == .done, "\(outcome.json)")
        #expect(try site.results().count == 30)
        #expect(try Folder.walk(site.root + "/kept").filter { $0.name.hasSuffix("/plan") }.count == 30)
        #expect(try Folder.list(site.root + "/work").isEmpty)
        #expect(try Folder.list(site.root + "/inbox").map(\.name) == [".hspsam-lock"])
        #expect(try Folder.list(site.root + "/outbox").filter { $0.name.hasPrefix(".") }.isEmpty)
    }

    @Test("what a crash leaves between two steps is picked up: a claimed drop, a taken one without its job")
    func crashPoints() async throws {
        let site = try Site()
        try site.drop("claimed", "ok")
        try Folder.rename(site.root + "/inbox/claimed", to: site.root + "/inbox/.hspsam-01JCK3000000000000000000AA")
        try site.drop("taken", "ok")
        try Folder.make(site.root + "/work/01JCK3000000000000000000BB")
        try Folder.rename(site.root + "/inbox/taken", to: site.root + "/work/01JCK3000000000000000000BB/input")
        try Folder.make(site.root + "/work/01JCK3000000000000000000CC/.partial-input")
        let outcome = try await site.batch()
        #expect(outcome.results == 2 && outcome.status == .done, "\(outcome.json)")
        #expect(try Folder.list(site.root + "/work").isEmpty)
    }

    @Test(
        "an inbox on another disk is taken by copy",
        .enabled(if: FileManager.default.isWritableFile(atPath: "/dev/shm")))
    func otherDisk() async throws {
        let site = try Site()
        site.settings.inbox = "/dev/shm/hspsam-\(UUID().uuidString)"
        defer { try? Folder.remove(site.settings.inbox) }
        try Folder.make(site.settings.inbox + "/study/deep")
        try DurableFile.write(Plan(how: "ok", study: "study").text(), to: site.settings.inbox + "/study/plan")
        try DurableFile.write("pixels", to: site.settings.inbox + "/study/deep/slice")
        try DurableFile.write(Plan(how: "ok", study: "alone").text(), to: site.settings.inbox + "/plan")
        #expect(try FileStatus(of: site.settings.inbox).device != FileStatus(of: site.root).device)
        #expect(try await site.batch().results == 2)
        #expect(try Folder.list(site.settings.inbox).map(\.name) == [".hspsam-lock"])
        #expect(try Folder.walk(site.root + "/kept").contains { $0.name.hasSuffix("/deep/slice") })
    }

    @Test("below the reserve nothing is claimed, and the status says why")
    func reserve() async throws {
        let site = try Site()
        site.settings.reserve = .max
        try site.drop("one", "ok")
        let stop = StopRequest()
        let service = try await site.service(stop)
        let running = Task { try await service.watch() }
        try await eventually { try StatusReport(site.settings).json.contains("less than the reserve is free") }
        #expect(FileStatus.exists(site.root + "/inbox/one"))
        stop.ask()
        try await running.value
    }

    @Test(
        "a loop that throws ends the whole service, with its worker: no process stays that looks alive and does nothing"
    )
    func deadLoop() async throws {
        let site = try Site()
        site.settings.wallBase = .seconds(600)
        try site.drop("long", "hang")
        let service = try await site.service()
        let running = Task { try await service.watch() }
        try await eventually { try site.attempts() == 1 }
        // The ledger refuses what comes next.
        let queue = try DatabaseQueue(path: site.root + "/state/ledger.sqlite")
        try await queue.write { try $0.execute(sql: "DROP TABLE meta") }
        await #expect(throws: DaemonFailure.self) { try await running.value }
    }

    @Test("one job that can never start does not hold up the others, and asks for a person after a while")
    func starvation() async throws {
        let site = try Site()
        try site.drop("a", "nostart")
        try await eventually { try Folder.list(site.root + "/inbox").contains { $0.name == "a" } }
        let stop = StopRequest()
        let service = try await site.service(stop)
        let running = Task { try await service.watch() }
        try await eventually { try site.attempts() >= 1 }
        for index in 0..<5 { try site.drop("b\(index)", "ok") }
        try await eventually { try site.results().count == 5 }
        try await eventually { try StatusReport(site.settings).json.contains("WORKER-SETUP") }
        #expect(try StatusReport(site.settings).status == .refusedOrFailed)
        stop.ask()
        try await running.value
    }

    @Test("what stands where a study's folder should be holds up that job alone")
    func outboxBlocked() async throws {
        let site = try Site()
        let blocked = Plan(how: "ok", study: "blocked")
        try Folder.make(site.root + "/outbox")
        try DurableFile.write("x", to: site.root + "/outbox/" + blocked.name)
        try site.drop("a", blocked)
        for index in 0..<3 { try site.drop("b\(index)", "ok") }
        let outcome = try await site.batch()
        #expect(outcome.results == 3 && outcome.waiting == 1 && outcome.status == .refusedOrFailed, "\(outcome.json)")
        try Folder.remove(site.root + "/outbox/" + blocked.name)
        let next = try await site.batch()
        #expect(next.waiting == 0 && next.status == .done, "\(next.json)")
        #expect(try site.results().count == 4)
        #expect(try site.runs() == 4)
    }
}

extension Site {
    /// Attempts that the ledger knows.
    func attempts() throws -> Int {
        let path = root + "/state/ledger.sqlite"
        guard FileStatus.exists(path) else { return 0 }
        return try DatabaseQueue(path: path).read { try Int.fetchOne($0, sql: "SELECT COUNT(*) FROM attempt") ?? 0 }
    }
}
