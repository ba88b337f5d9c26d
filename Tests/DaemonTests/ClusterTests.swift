import Daemon
import Failures
import Foundation
import Logging
import Processes
import Records
import Storage
import Testing

@Suite("a cluster under Slurm")
struct ClusterTests {
    private func attempts(_ site: Site) throws -> [LedgerView.Attempt] {
        let ledger = site.root + "/state/ledger.sqlite"
        let jobs = try LedgerView.jobs(path: ledger) ?? []
        return try jobs.compactMap { try LedgerView.job(path: ledger, $0.job) }.flatMap(\.attempts)
    }

    /// Nothing of an attempt or an array stays.
    private func isTidy(_ site: Site) throws -> Bool {
        try Folder.list(site.root + "/work").isEmpty && Folder.list(site.root + "/cluster/arrays").isEmpty
    }

    /// A batch that is stopped while its one drop is under way.
    private func left(_ site: Site, _ slurm: FakeSlurm) async throws -> (
        array: String, index: Int
    ) {
        try site.drop("a", "ok")
        let stop = StopRequest()
        let batch = try await site.beginBatch(stop)
        let task = try await slurm.nextTask()
        stop.ask()
        _ = try await batch.value
        return task
    }

    @Test("jobs go out as tasks, come back as ends, and are judged as on one machine")
    func thereAndBack() async throws {
        let site = try Site()
        let slurm = try FakeSlurm(site)
        for name in ["a", "b", "c"] { try site.drop(name, "ok") }
        try site.drop("cut", "refuse")
        try site.drop("crash", "crash-once")
        let outcome = try await slurm.serving { try await site.batch() }
        #expect(outcome.results == 4 && outcome.quarantined == 1)
        #expect(try site.results().count == 4 && site.quarantined().map(\.code) == ["CODE"])
        #expect(try attempts(site).map(\.host) == Array(repeating: "n1", count: 6))
        #expect(try isTidy(site))
        let call = try #require(try slurm.calls("sbatch").first)
        #expect(
            call.contains(" --array=0-") && call.contains(" --requeue --export=NIL ")
                && call.contains("--exclusive --mem=0"))
        #expect(call.hasSuffix("/task.sh \(site.settings.program) array-task \(call.split(separator: " ").last ?? "")"))
    }

    @Test("a task without the whole node asks for its cores and memory, in the partition, held to an instruction set")
    func options() async throws {
        let site = try Site()
        let slurm = try FakeSlurm(site)
        site.settings.threads = 4
        site.settings.cluster?.memory = 3 << 30
        site.settings.cluster?.partition = "night"
        site.settings.cluster?.isa = "avx2"
        try site.drop("a", "ok")
        let outcome = try await site.beginBatch()
        let task = try await slurm.nextTask()
        let script = try DurableFile.read("\(site.root)/cluster/arrays/\(task.array)/task.sh", limit: 1 << 16)
        #expect(String(decoding: script, as: UTF8.self).contains("HSPSAM_ISA=avx2\nexport HSPSAM_ISA\n"))
        try await slurm.run(task)
        #expect(try await outcome.value.results == 1)
        let call = try #require(try slurm.calls("sbatch").first)
        #expect(call.contains("--cpus-per-task=4 --mem=3072M --partition=night"))
    }

    @Test("a coordinator that died finds what is under way, and nothing is made twice")
    func adopted() async throws {
        let site = try Site()
        let slurm = try FakeSlurm(site)
        let task = try await left(site, slurm)
        // It ends while nobody coordinates.
        try await slurm.run(task)
        let outcome = try await site.batch()
        #expect(outcome.results == 1 && outcome.status == .done)
        #expect(try attempts(site).map(\.n) == [1] && site.runs() == 1)
        #expect(try isTidy(site))
    }

    @Test("an attempt whose task died while it ran is made again; the fifth time in a row its job is put aside")
    func lost() async throws {
        let site = try Site()
        let slurm = try FakeSlurm(site)
        try site.drop("a", "ok")
        let batch = try await site.beginBatch()
        for n in 1...5 {
            let task = try await slurm.nextTask()
            let job = try #require(try Folder.list(site.root + "/work").first { $0.name.count == 26 }).name
            try Folder.make("\(site.root)/work/\(job)/out.\(n).AAAA")
            try DurableFile.write("oom-kill", to: "\(site.root)/cluster/arrays/\(task.array)/\(task.index).log")
            try slurm.remove(task)
        }
        let outcome = try await batch.value
        #expect(outcome.quarantined == 1)
        let reason = try #require(try site.quarantined().first)
        #expect(reason.code == "POISON" && reason.text.hasPrefix("its task on the cluster ended 5 times in a row"))
        let log = try DurableFile.read("\(site.root)/quarantine/\(reason.job)/worker.log", limit: 1 << 16)
        #expect(String(decoding: log, as: UTF8.self) == "oom-kill")
    }

    @Test(
        "tasks that end before they begin are nobody's fault: nothing is counted, the queue rests and says why",
        .timeLimit(.minutes(20)),
        arguments: [
            // One after the other, and the first waits again before the second is known to be gone.
            (tasks: 1, pause: Duration.milliseconds(100)),
            // Together; what is gone is not submitted again meanwhile.
            (tasks: 2, pause: Duration.seconds(60)),
        ])
    func neverBegun(_ tasks: Int, _ pause: Duration) async throws {
        let site = try Site()
        let slurm = try FakeSlurm(site)
        site.settings.cluster?.tasks = tasks
        site.settings.pause = pause
        for name in ["a", "b"] { try site.drop(name, "ok") }
        try await site.withService { _ = try await $0.takeAllNow() }
        let outcome = try await slurm.serving(begins: false) { try await site.batch() }
        #expect(outcome.paused?.hasPrefix("CLUSTER-LOST") == true && outcome.waiting == 2)
        #expect(try site.quarantined().isEmpty && jobs(site).map(\.attempts) == [0, 0])
        // Then a node is mended.
        let second = try await slurm.serving { try await site.batch() }
        #expect(second.results == 2 && second.paused == nil)
    }

    @Test("a task that Slurm does not tell of once, a long time after it did, is not taken for gone")
    func untoldOnce() async throws {
        let site = try Site()
        let slurm = try FakeSlurm(site)
        site.settings.cluster?.poll = .milliseconds(600)
        try site.drop("a", "ok")
        let batch = try await site.beginBatch()
        let task = try await slurm.nextTask()
        try await eventually { try !slurm.calls("squeue").isEmpty }
        try slurm.set("empty-once")
        try await eventually { !FileStatus.exists("\(slurm.folder)/empty-once") }
        try await slurm.run(task)
        #expect(try await batch.value.results == 1)
        #expect(try attempts(site).count == 1 && site.runs() == 1)
    }

    @Test(
        "what waited for its turn in a task that died goes back to the queue, and only what was under way counts as lost"
    )
    func diedInTheMiddle() async throws {
        let site = try Site()
        let slurm = try FakeSlurm(site)
        site.settings.cluster?.tasks = 1
        for name in ["a", "b", "c"] { try site.drop(name, "ok") }
        // Nothing is submitted before all three are there.
        try await site.withService { _ = try await $0.takeAllNow() }
        let batch = try await site.beginBatch()
        let task = try await slurm.nextTask()
        let jobs = try Folder.list(site.root + "/work").map(\.name)
        #expect(jobs.count == 3)
        try Folder.make("\(site.root)/work/\(jobs[0])/out.1.AAAA")
        try slurm.remove(task)
        let outcome = try await slurm.serving { try await batch.value }
        #expect(outcome.results == 3 && outcome.paused == nil)
        let outcomes = try attempts(site).compactMap(\.outcome).sorted()
        #expect(outcomes == ["lost", "processed", "processed", "processed", "stopped", "stopped"])
    }

    @Test("a result that is whole is taken though its node died before it said so")
    func wholeWithoutEnd() async throws {
        let site = try Site()
        let slurm = try FakeSlurm(site)
        let task = try await left(site, slurm)
        try await slurm.run(task)
        let ends = "\(site.root)/cluster/arrays/\(task.array)/ends"
        for entry in try Folder.list(ends) { try Folder.remove(Folder.join(ends, entry.name)) }
        #expect(try await site.batch().results == 1)
        #expect(try site.runs() == 1 && attempts(site).count == 1)
    }

    @Test(
        "a task that Slurm starts again does not begin a study anew: the coordinator decides, and the first end counts")
    func startedAgain() async throws {
        let site = try Site()
        let slurm = try FakeSlurm(site)
        try site.drop("a", "slow")
        let batch = try await site.beginBatch()
        let task = try await slurm.nextTask()
        // A node that comes back from the dead, too late.
        let first = Task { try? await slurm.run(task) }
        try await eventually { try Folder.walk(site.root + "/work").contains { $0.name.contains("/out.1.") } }
        try await slurm.run(task)
        let outcome = try await slurm.serving { try await batch.value }
        _ = await first.value
        #expect(try outcome.results == 1 && site.results().count == 1)
        #expect(try attempts(site).compactMap(\.outcome) == ["lost", "processed"])
        #expect(try isTidy(site))
    }

    @Test("what waits in a task that Slurm ends goes back to the queue, uncounted")
    func endedBySlurm() async throws {
        let site = try Site()
        let slurm = try FakeSlurm(site)
        let task = try await left(site, slurm)
        let stop = StopRequest()
        stop.ask()
        try await slurm.run(task, stop)
        let outcome = try await slurm.serving { try await site.batch() }
        #expect(outcome.results == 1)
        #expect(try attempts(site).compactMap(\.outcome) == ["stopped", "processed"] && job(site).attempts == 1)
    }

    @Test("a cancelled job ends on its node, and a task with nothing left is ended by Slurm")
    func cancelled() async throws {
        let site = try Site()
        let slurm = try FakeSlurm(site)
        try site.drop("a", "hang")
        let stop = StopRequest()
        let service = try await site.service(stop)
        let watch = Task { try await service.watch() }
        let task = try await slurm.nextTask()
        let node = Task { try await slurm.run(task, staysInQueue: true) }
        try await eventually { try Folder.walk(site.root + "/work").contains { $0.name.contains("/out.1.") } }
        let job = try #require(try await service.ledger.jobs(.running).first).id
        #expect(try await service.perform(ControlRequest(.cancel, job: job)).isDone)
        try await eventually { try await service.ledger.job(job)?.state == .cancelled }
        try await eventually { try slurm.calls("scancel") == ["7_\(task.index)"] }
        // The node sees that the attempt has an end, and ends the worker; or finds the whole array gone.
        _ = await node.result
        stop.ask()
        try await watch.value
        #expect(try Folder.list(site.root + "/kept").count == 1)
    }

    @Test(
        "what keeps a node from working waits for a person, whatever job it was",
        arguments: ["version", "input", "pipelines"])
    func obstacles(_ what: String) async throws {
        let site = try Site()
        let slurm = try FakeSlurm(site)
        site.settings.pause = .seconds(30)
        try site.drop("a", "ok")
        let stop = StopRequest()
        let service = try await site.service(stop)
        let watch = Task { try await service.watch() }
        let task = try await slurm.nextTask()
        if what == "input" {
            let job = try #require(try await service.ledger.jobs(.running).first).id
            try DurableFile.write("x", to: "\(site.root)/work/\(job)/input/more")
        }
        if what == "pipelines" { try DurableFile.write("x", to: site.root + "/pipelines/other.yaml") }
        try await slurm.run(task, version: what == "version" ? "9.9.9" : "0.0.0")
        try await eventually { try await service.ledger.jobs(.queued).first?.reason != nil }
        let reason = try #require(try await service.ledger.jobs(.queued).first?.reason)
        #expect(reason.code == "CLUSTER-\(what.uppercased())" && reason.text.hasPrefix("node n1 "))
        stop.ask()
        try await watch.value
    }

    @Test("what sbatch refuses goes back to the queue; what it may have taken is looked for")
    func submission() async throws {
        let site = try Site()
        let slurm = try FakeSlurm(site)
        try slurm.set("refuse")
        try site.drop("a", "ok")
        let outcome = try await site.batch()
        #expect(
            outcome.waiting == 1
                && outcome.paused == "CLUSTER-SUBMIT: Slurm takes no task: sbatch: error: Invalid account")
        let refused = try slurm.calls("sbatch").count
        #expect(try Folder.list(site.root + "/cluster/arrays").isEmpty)
        try slurm.set("refuse", false)
        try slurm.set("lose-answer")
        let second = try await slurm.serving { try await site.batch() }
        #expect(second.results == 1 && second.paused == nil)
        #expect(try slurm.calls("sbatch").count == refused + 1)
    }

    @Test("a controller that is silent is told as trouble, loses nothing, and a batch does not wait for it for ever")
    func silence() async throws {
        let site = try Site()
        let slurm = try FakeSlurm(site)
        site.settings.metrics = site.root + "/hspsam.prom"
        let task = try await left(site, slurm)
        try slurm.set("silent")
        let outcome = try await site.batch()
        #expect(outcome.paused?.contains("does not answer") == true && outcome.status == .refusedOrFailed)
        let metrics = String(decoding: try DurableFile.read(site.root + "/hspsam.prom", limit: 1 << 20), as: UTF8.self)
        #expect(metrics.contains("\nhspsam_cluster_up 0\n") && metrics.contains("\nhspsam_cluster_jobs 1\n"))
        #expect(try StatusReport(site.settings).text.contains("cluster: 0 tasks running, 0 waiting, 1 job in them"))
        try slurm.set("silent", false)
        let last = try await site.beginBatch()
        try await slurm.run(task)
        #expect(try await last.value.results == 1)
        #expect(try attempts(site).count == 1)
    }

    private func jobs(_ site: Site) throws -> [LedgerView.Line] {
        try #require(try LedgerView.jobs(path: site.root + "/state/ledger.sqlite"))
    }

    private func job(_ site: Site) throws -> LedgerView.Line { try #require(try jobs(site).first) }

    @Test("a worker that cannot start leaves no output: the only job waits, and the batch ends and says why")
    func noStart() async throws {
        let site = try Site()
        let slurm = try FakeSlurm(site)
        try site.drop("a", "nostart")
        let outcome = try await slurm.serving { try await site.batch() }
        #expect(outcome.waiting == 1 && outcome.paused?.hasPrefix("WORKER-SETUP") == true)
        #expect(try job(site).attempts == 0)
    }

    @Test("a job that is cancelled while no service runs has ended when the next one looks")
    func cancelledBetween() async throws {
        let site = try Site()
        let slurm = try FakeSlurm(site)
        let task = try await left(site, slurm)
        let log = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
        let request = ControlRequest(.cancel, job: try job(site).job)
        #expect(try await Control.ask(request, site.settings, log: log).isDone)
        #expect(try await !Control.ask(request, site.settings, log: log).isDone)
        // The node comes too late.
        try await slurm.run(task)
        #expect(try await site.batch().results == 0)
        #expect(try job(site).state == "cancelled" && site.runs() == 0)
    }

    @Test("an end that cannot be read is another version's, and stops nothing")
    func strangeEnd() async throws {
        let site = try Site()
        let slurm = try FakeSlurm(site)
        site.settings.pause = .seconds(30)
        let task = try await left(site, slurm)
        let end = "\(site.root)/cluster/arrays/\(task.array)/ends/\(try job(site).job).1.json"
        try DurableFile.write("{\"new\": 1}", to: end)
        try slurm.remove(task)
        #expect(try await site.batch().paused?.hasPrefix("CLUSTER-VERSION") == true)
    }

    @Test("a job whose folder is gone while it is under way ends, and is told")
    func folderGone() async throws {
        let site = try Site()
        let slurm = try FakeSlurm(site)
        let task = try await left(site, slurm)
        try Folder.remove("\(site.root)/work/\(try job(site).job)")
        try slurm.remove(task)
        let outcome = try await slurm.serving { try await site.batch() }
        #expect(outcome.quarantined == 1)
        #expect(try job(site).code == "INPUT-GONE")
    }

    @Test("without the cluster its jobs are this machine's again")
    func switchedOff() async throws {
        let site = try Site()
        let slurm = try FakeSlurm(site)
        _ = try await left(site, slurm)
        site.settings.cluster = nil
        #expect(try await site.batch().results == 1)
        #expect(try !StatusReport(site.settings).text.contains("cluster:"))
    }
}

@Suite("jobs packed into tasks")
struct PackingTests {
    private func packs(
        _ files: [Int], tasks: Int = 4, pack: Duration = .seconds(600), room: Int = 8, perFile: Double = 1
    ) -> [[Int]] {
        var cluster = ClusterSettings()
        cluster.tasks = tasks
        cluster.pack = pack
        return Packing(cluster, secondsPerFile: perFile).divided(files, room: room) { $0 }
    }

    @Test("few jobs are spread over the tasks that can run at a time, many fill tasks up to the time of a pack")
    func sizes() {
        #expect(packs([9, 9, 9, 9]).map(\.count) == [1, 1, 1, 1])
        #expect(packs(Array(repeating: 9, count: 40)).map(\.count) == [10, 10, 10, 10])
        // A hundred seconds a task: ten jobs of ten.
        #expect(
            packs(Array(repeating: 9, count: 100), pack: .seconds(100)).map(\.count) == Array(repeating: 10, count: 8))
    }

    @Test("a job longer than a pack has a task of its own; what finds no room waits on")
    func edges() {
        #expect(packs([1000, 1, 1, 1000], pack: .seconds(100)) == [[1000], [1, 1], [1000]])
        #expect(packs([9, 9, 9], tasks: 1, pack: .seconds(1), room: 2) == [[9], [9]])
        #expect(packs([]).isEmpty)
        #expect(packs([0]) == [[0]])
    }
}
