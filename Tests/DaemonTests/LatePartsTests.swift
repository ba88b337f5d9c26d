import Daemon
import Failures
import GRDB
import Processes
import Records
import Storage
import Testing

/// What was passed over or is missing makes a result incomplete; what comes late is worked on together with what came before.
@Suite("what is missing of a drop, and what comes late")
struct LatePartsTests {
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
        // What it lacked has come; what the first one lacks has not.
        #expect(try StatusReport(site.settings).text.split(separator: "\n").count { $0.contains("hspsam settle") } == 1)
    }

    @Test(
        "what was incomplete asks for nobody any more once it was worked on together with the rest",
        arguments: ["ok", "partial"])
    func completed(how: String) async throws {
        let site = try Site()
        site.settings.lateWindow = .seconds(86_400)
        var early = Plan(how: "ok", study: "one", instances: [1, 3])
        early.findings = ["VOL-GAP"]
        try site.drop("a", early)
        #expect(try await site.batch().partial == 1)
        #expect(try StatusReport(site.settings).text.contains("VOL-GAP"))
        let whole = Plan(how: how, study: "one", instances: [1, 2, 3])
        try site.drop("b", Plan(how: "ok", study: "one", instances: [2]), joined: whole)
        #expect(try await site.batch().results == 1)
        let report = try StatusReport(site.settings)
        #expect(!report.text.contains("VOL-GAP") && report.status == (how == "ok" ? .done : .refusedOrFailed))
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

    @Test("files that somebody took from an earlier drop's originals are told with the result of what came late")
    func earlierFewer() async throws {
        let site = try Site()
        site.settings.lateWindow = .seconds(86_400)
        let (few, late) = (Plan(how: "ok", study: "one"), Plan(how: "ok", study: "one", instances: [2]))
        try site.drop("a", few)
        try DurableFile.write("pixels", to: site.root + "/inbox/a/slice")
        #expect(try await site.batch().status == .done)
        let slice = try #require(try Folder.walk(site.root + "/kept").map(\.name).first { $0.hasSuffix("/slice") })
        try Folder.remove("\(site.root)/kept/\(slice)")
        try site.drop("b", late, joined: Plan(how: "ok", study: "one", instances: [1, 2]))
        let outcome = try await site.batch()
        #expect(outcome.results == 1 && outcome.partial == 1, "\(outcome.json)")
        #expect(try StatusReport(site.settings).text.contains("INPUT-FEWER 1 of the 4 files"))
    }
}
