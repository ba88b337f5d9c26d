import Daemon
import Failures
import Foundation
import Records
import Storage
import Testing

@Suite("results of one study: known, partial, complete, superseded")
struct SupersedingTests {
    private let few = Plan(how: "ok", study: "one", instances: [1, 2])
    private let all = Plan(how: "ok", study: "one", instances: [1, 2, 3])

    @Test("a result of more images takes the place of the older one, which stays and says so everywhere")
    func moreImages() async throws {
        let site = try Site()
        try site.drop("a", few)
        #expect(try await site.batch().results == 1)
        #expect(try site.report(few).supersededBy == nil)
        try site.drop("b", all)
        let outcome = try await site.batch()
        #expect(outcome.results == 1 && outcome.status == .done, "\(outcome.json)")
        #expect(try site.results().count == 2)
        #expect(try site.report(few).supersededBy == all.key)
        #expect(try site.report(all).supersededBy == nil)
        let page = try site.page()
        #expect(page.contains("superseded by <a href=\"\(all.path)/report.html\">"))
        let newer = try #require(page.range(of: "<a href=\"\(all.path)/report.html\">\(all.name)"))
        let older = try #require(page.range(of: "<a href=\"\(few.path)/report.html\">\(few.name)"))
        #expect(newer.lowerBound < older.lowerBound)
    }

    @Test("a partial result and the complete one that follows")
    func partialThenComplete() async throws {
        let site = try Site()
        let partial = Plan(how: "partial", study: "one", instances: [1, 2])
        try site.drop("a", partial)
        let first = try await site.batch()
        #expect(first.partial == 1 && first.status == .refusedOrFailed, "\(first.json)")
        // The same images, and now nothing is missing.
        try site.drop("b", few)
        let second = try await site.batch()
        #expect(second.results == 1 && second.status == .done, "\(second.json)")
        #expect(try site.report(partial).supersededBy == few.key)
        // The partial one again says nothing new.
        try site.drop("c", partial)
        let third = try await site.batch()
        #expect(third.results == 0 && third.partial == 1 && third.status == .refusedOrFailed, "\(third.json)")
        #expect(try site.results().count == 2)
    }

    @Test("a result of fewer images than one that stands is not published, and its job says which covers it")
    func fewerImages() async throws {
        let site = try Site()
        try site.drop("a", all)
        try await site.batch()
        try site.drop("b", few)
        let outcome = try await site.batch()
        #expect(outcome.results == 0 && outcome.done == 1 && outcome.status == .done, "\(outcome.json)")
        #expect(try site.results().count == 1)
        #expect(try site.page().contains("COVERED: a result of more images of the study stands: outbox/\(all.path)"))
    }

    @Test("results that share only some images, and those of other pipelines, stand side by side")
    func sideBySide() async throws {
        let site = try Site()
        let plans = [
            few, Plan(how: "ok", study: "one", instances: [2, 3]),
            Plan(how: "ok", study: "one", instances: [1, 2, 3], pipelines: "pipelines 2"),
        ]
        for (index, plan) in plans.enumerated() {
            try site.drop("\(index)", plan)
            #expect(try await site.batch().results == 1)
        }
        for plan in plans { #expect(try site.report(plan).supersededBy == nil) }
    }

    @Test(
        "slices that come too late to be worked on with the others of their series ask for a person until all come",
        arguments: [2.5, nil])
    func tooLate(sliceMM: Double?) async throws {
        let site = try Site()
        func drop(_ name: String, _ images: [Int], patient: String = "A") async throws -> BatchOutcome {
            var plan = Plan(how: "ok", study: "one", instances: images)
            (plan.sliceMM, plan.patient) = (sliceMM, patient)
            try site.drop(name, plan)
            return try await site.batch()
        }
        #expect(try await drop("a", [1, 2]).status == .done)
        let late = try await drop("b", [3, 4])
        #expect(late.results == 1 && late.partial == (sliceMM == nil ? 0 : 1), "\(late.json)")
        let status = try StatusReport(site.settings).text
        #expect(status.contains("LATE-PARTS its slices are of a series") == (sliceMM != nil), "\(status)")
        // Some of the first are among them, and none of the second.
        #expect(try await drop("c", [2, 5]).partial == (sliceMM == nil ? 0 : 1))
        let all = try await drop("d", [1, 2, 3, 4, 5])
        #expect(all.results == 1 && all.status == .done, "\(all.json)")
        #expect(try await drop("e", [6], patient: "B").partial == 1)
        #expect(try StatusReport(site.settings).text.contains("GRP-IDENTITY"))
    }

    @Test(
        "results of one series that share slices, and each have some that the other lacks, ask for a person",
        arguments: [(["s"], 1, true), (["s", "other"], 1, false), (["s", "other"], 2, true)])
    func overlapping(series: [String], frames: Int, asks: Bool) async throws {
        let site = try Site()
        for (name, images, count) in [("a", [1, 2, 3], 1), ("b", [2, 3, 4], frames)] {
            var plan = Plan(how: "ok", study: "one", instances: images)
            (plan.sliceMM, plan.frames, plan.alsoOf) = (1, count, Array(series.dropFirst()))
            try site.drop(name, plan)
            let outcome = try await site.batch()
            #expect(outcome.partial == (asks && name == "b" ? 1 : 0), "\(outcome.json)")
        }
    }

    @Test(
        "a corrected study with the same UIDs is published, and a person is asked which of both results is right",
        arguments: [Duration.zero, .seconds(86_400)])
    func corrected(window: Duration) async throws {
        let site = try Site()
        site.settings.lateWindow = window
        try site.drop("a", few)
        try await site.batch()
        var plan = few
        plan.edition = 2
        try site.drop("b", plan)
        let outcome = try await site.batch()
        #expect(outcome.results == 1 && outcome.partial == 1 && outcome.status == .refusedOrFailed, "\(outcome.json)")
        for report in [try site.report(few), try site.report(plan)] { #expect(report.supersededBy == nil) }
        #expect(try StatusReport(site.settings).status == .refusedOrFailed)
        let report = try StatusReport(site.settings).json
        #expect(report.contains("DUP-CONFLICT") && report.contains("outbox/\(few.path)"), "\(report)")
        #expect(try site.page().contains("DUP-CONFLICT"))
        // Another study, and more images of the corrected one, contradict nothing further.
        try site.drop("c", Plan(how: "ok", study: "two", instances: [1, 2]))
        #expect(try await site.batch().status == .done)
    }

    @Test("a corrected study that comes in two drops becomes one result, beside the one that it contradicts")
    func correctedInParts() async throws {
        let site = try Site()
        site.settings.lateWindow = .seconds(86_400)
        try site.drop("a", all)
        try await site.batch()
        var (first, rest, whole) = (few, all, all)
        rest.instances = [3]
        (first.edition, rest.edition, whole.edition) = (2, 2, 2)
        try site.drop("b", first)
        #expect(try await site.batch().status == .refusedOrFailed)
        try site.drop("c", rest, joined: whole)
        let outcome = try await site.batch()
        #expect(outcome.results == 1 && outcome.status == .refusedOrFailed, "\(outcome.json)")
        #expect(try site.report(first).supersededBy == whole.key)
        #expect(try site.report(all).supersededBy == nil && site.report(whole).supersededBy == nil)
        #expect(try StatusReport(site.settings).json.contains("DUP-CONFLICT"))
    }

    @Test(
        "corrected images that no pipeline wants alone are put aside, those that were only sent again are not",
        arguments: [Duration.zero, .seconds(86_400)])
    func correctedUnwanted(window: Duration) async throws {
        let site = try Site()
        site.settings.lateWindow = window
        try site.drop("a", all)
        try await site.batch()
        var plan = Plan(how: "skip", study: "one", instances: [1])
        plan.sending = 2
        // Too few of them alone: those that came before may be the rest.
        try site.drop("b", plan, joined: window == .zero ? nil : all)
        #expect(try await site.batch().status == .done)
        plan.edition = 2
        try site.drop("c", plan)
        #expect(try await site.batch().quarantined == 1)
        let reason = try #require(try site.quarantined().first)
        #expect(reason.code == "DUP-CONFLICT" && reason.text.contains("outbox/\(all.path)"), "\(reason)")
    }

    @Test(
        "images that were sent again with other attributes which reach no result are known, and nobody is asked",
        arguments: [Duration.zero, .seconds(86_400)])
    func sentAgain(window: Duration) async throws {
        let site = try Site()
        site.settings.lateWindow = window
        try site.drop("a", all)
        try await site.batch()
        for (name, images) in [("b", [1, 2, 3]), ("c", [1, 2])] {
            var (plan, together) = (all, all)
            (plan.sending, together.sending) = (2, 2)
            plan.instances = images
            try site.drop(name, plan, joined: window == .zero ? nil : together)
            let outcome = try await site.batch()
            #expect(outcome.results == 0 && outcome.done == 1 && outcome.status == .done, "\(name) \(outcome.json)")
        }
        #expect(try site.results() == ["\(all.path)/report.json"])
        let page = try site.page()
        #expect(page.contains("DUPLICATE: published before"), "\(page)")
        #expect(page.contains("COVERED") == (window == .zero), "\(page)")
        // One image more: it takes the place of the older result as if all had been the same files.
        var more = all
        (more.instances, more.sending) = ([1, 2, 3, 4], 3)
        try site.drop("d", more)
        #expect(try await site.batch().status == .done)
        #expect(try site.report(all).supersededBy == more.key)
    }

    @Test(
        "a report of an older version, which does not tell what reaches a result, is compared by all bytes of its images"
    )
    func olderReport() async throws {
        let site = try Site()
        var old = all
        old.tellsImages = false
        try site.drop("a", old)
        try await site.batch()
        var plan = all
        plan.sending = 2
        try site.drop("b", plan)
        let outcome = try await site.batch()
        #expect(outcome.results == 1 && outcome.partial == 1, "\(outcome.json)")
        #expect(try StatusReport(site.settings).json.contains("DUP-CONFLICT"))
    }

    @Test(
        "images that contradict those which came before are worked on alone, and a person is told",
        arguments: ["DUP-CONFLICT", "GRP-IDENTITY"])
    func separate(code: String) async throws {
        let site = try Site()
        site.settings.lateWindow = .seconds(86_400)
        try site.drop("a", few)
        try await site.batch()
        let late = Plan(how: "ok", study: "one", instances: [3])
        var together = Plan(how: "refuse", study: "one", instances: [1, 2, 3])
        together.code = code
        try site.drop("b", late, joined: together)
        let outcome = try await site.batch()
        #expect(outcome.results == 1 && outcome.partial == 1 && outcome.status == .refusedOrFailed, "\(outcome.json)")
        #expect(try site.quarantined().isEmpty)
        #expect(try site.report(few).supersededBy == nil && site.report(late).supersededBy == nil)
        #expect(try StatusReport(site.settings).json.contains(code))
    }

    @Test(
        "images of another patient under a Study Instance UID that is known are worked on alone, and a person is told",
        arguments: [Duration.zero, .seconds(86_400)])
    func otherPatient(window: Duration) async throws {
        let site = try Site()
        site.settings.lateWindow = window
        func plan(_ patient: String, _ instances: [Int]) -> Plan {
            var plan = Plan(how: "ok", study: "one", instances: instances)
            plan.patient = patient
            return plan
        }
        let first = plan("1", [1, 2])
        try site.drop("a", first)
        #expect(try await site.batch().status == .done)
        // Together with the others it has no plan, and would never end well.
        let other = plan("2", [3])
        try site.drop("b", other)
        let outcome = try await site.batch()
        #expect(outcome.results == 1 && outcome.partial == 1 && outcome.status == .refusedOrFailed, "\(outcome.json)")
        #expect(try site.quarantined().isEmpty)
        #expect(try site.report(first).supersededBy == nil && site.report(other).supersededBy == nil)
        let status = try StatusReport(site.settings).json
        #expect(status.contains("GRP-IDENTITY") && status.contains("outbox/\(first.path)"), "\(status)")
        #expect(status.contains("another PatientID than"), "\(status)")
        // Sent again both are known, and a study of its own concerns nobody else.
        try site.drop("c", first)
        try site.drop("d", Plan(how: "ok", study: "two"))
        #expect(try await site.batch().results == 1)
        #expect(try site.results().count == 3)
    }

    @Test("more images of a patient are joined with that patient's alone, where another's stand under the same study")
    func otherPatientBetween() async throws {
        let site = try Site()
        site.settings.lateWindow = .seconds(86_400)
        func plan(_ patient: String, _ instances: [Int]) -> Plan {
            var plan = Plan(how: "ok", study: "one", instances: instances)
            plan.patient = patient
            return plan
        }
        let (first, other, whole) = (plan("1", [1, 2]), plan("2", [3]), plan("1", [1, 2, 4]))
        try site.drop("a", first)
        try await site.batch()
        try site.drop("b", other)
        try await site.batch()
        try site.drop("c", plan("1", [4]), joined: whole)
        let outcome = try await site.batch()
        #expect(outcome.results == 1 && outcome.partial == 1, "\(outcome.json)")
        #expect(try site.report(first).supersededBy == whole.key)
        #expect(try site.report(other).supersededBy == nil && site.report(whole).supersededBy == nil)
    }

    @Test("a study whose complete result stands is not worked on again; an incomplete one is")
    func known() async throws {
        let site = try Site()
        try site.drop("a", all)
        try site.drop("b", "partial", study: "two")
        try await site.batch()
        #expect(try site.runs() == 2)
        try site.drop("c", all)
        try site.drop("d", "partial", study: "two")
        let outcome = try await site.batch()
        #expect(outcome.results == 0 && outcome.done == 2, "\(outcome.json)")
        #expect(try site.runs() == 3)
        // Known within one run of the service, too.
        let service = try await site.service()
        try site.drop("e", Plan(how: "ok", study: "three"))
        _ = try await service.batch()
        try site.drop("f", Plan(how: "ok", study: "three"))
        _ = try await service.batch()
        #expect(try site.runs() == 4)
    }

    @Test(
        "a refused or failed file of a drop whose study is known asks for a person",
        arguments: [Outcome.refused, .failed])
    func refusedBesideKnown(outcome: Outcome) async throws {
        let site = try Site()
        try site.drop("a", all)
        #expect(try await site.batch().status == .done)
        var plan = all
        plan.other = outcome
        try site.drop("b", plan)
        let batch = try await site.batch()
        #expect(batch.partial == 1 && batch.results == 0 && batch.status == .refusedOrFailed, "\(batch.json)")
        #expect(try StatusReport(site.settings).json.contains("IN-CORRUPT"))
        #expect(try site.page().contains("IN-CORRUPT"))
        #expect(try site.runs() == 1)
    }

    @Test(
        "a result with a file removed or changed is published again, and what stood there stays beside it",
        arguments: ["removed", "changed", "gone"], [true, false])
    func damaged(how: String, ledgerIsLost: Bool) async throws {
        let site = try Site()
        try site.drop("a", all)
        try await site.batch()
        let folder = "\(site.root)/outbox/\(all.path)"
        switch how {
        case "removed": try Folder.remove(folder + "/a.seg.dcm")
        case "changed": try DurableFile.write("edited", to: folder + "/a.seg.dcm")
        default: try Folder.remove(folder)
        }
        if ledgerIsLost { try Folder.remove(site.root + "/state") }
        try site.drop("b", all)
        let outcome = try await site.batch()
        #expect(outcome.results == 1 && outcome.status == .done, "\(outcome.json)")
        #expect(try DurableFile.read(folder + "/a.seg.dcm", limit: 99) == Array((all.key + "\n").utf8))
        let beside = try Folder.list("\(site.root)/outbox/\(all.name)").map(\.name).filter { $0.contains(".replaced-") }
        #expect(beside.count == (how == "gone" ? 0 : 1))
        // From now on it is known again.
        let runs = try site.runs()
        try site.drop("c", all)
        #expect(try await site.batch().results == 0)
        #expect(try site.runs() == runs)
    }

    @Test("without its ledger the service adopts what stands whole in the outbox")
    func adopted() async throws {
        let site = try Site()
        try site.drop("a", all)
        try await site.batch()
        try Folder.remove(site.root + "/state")
        try site.drop("b", all)
        let outcome = try await site.batch()
        #expect(outcome.status == .done && outcome.done == 1, "\(outcome.json)")
        #expect(try site.results().count == 1)
    }

    @Test(
        "a crash at each point between finished work and the ledger's line is picked up: one complete result, one superseded",
        arguments: ["before", "sums", "renamed", "marked"])
    func crashes(point: String) async throws {
        let site = try Site()
        try site.drop("a", few)
        try await site.batch()
        // The service as it was when it died: the attempt has ended, its job is publishing.
        let ledger = try Ledger(path: site.root + "/state/ledger.sqlite")
        let id = "01JCK3000000000000000000AA"
        let input = "\(site.root)/work/\(id)/input", output = "\(site.root)/work/\(id)/out.1"
        try Folder.make(input)
        try DurableFile.write(all.text(), to: input + "/plan")
        try await ledger.enqueue(
            TakenDrop(id: id, kind: .directory, firstSeen: 1, files: 1, bytes: 1, fingerprint: "f"))
        let job = try #require(try await ledger.job(id))
        let n = try await ledger.start(job, host: "h")
        let child = Process()
        child.executableURL = URL(fileURLWithPath: site.root + "/program")
        child.arguments = [
            "run", input, "--out", output, "--pipelines", "x", "--known", site.root + "/state/known-results", "--json",
        ]
        try child.run()
        child.waitUntilExit()
        try await ledger.end(id, attempt: n, nil, .init("processed", to: .publishing, nil))
        try await ledger.close()
        let target = "\(site.root)/outbox/\(all.path)"
        if point != "before" {
            try DurableFile.write(
                "\(FileDigest(ofFile: "\(output)/\(all.name)/a.seg.dcm").hex)  a.seg.dcm\n",
                to: "\(output)/\(all.name)/SHA256SUMS")
        }
        if point == "renamed" || point == "marked" { try Folder.rename("\(output)/\(all.name)", to: target) }
        if point == "marked" {
            var report = try site.report(few)
            report.supersededBy = all.key
            try DurableFile.write(report.json(), to: "\(site.root)/outbox/\(few.path)/report.json")
        }

        let outcome = try await site.batch()
        #expect(outcome.status == .done, "\(outcome.json)")
        #expect(try site.report(few).supersededBy == all.key)
        #expect(try site.report(all).supersededBy == nil)
        #expect(try site.page().contains("superseded by"))
        #expect(try Folder.list(site.root + "/work").isEmpty)
        #expect(FileStatus.exists(target + "/SHA256SUMS"))
    }

    @Test("what says where a result stands can be checked with sha256sum")
    func sums() async throws {
        let site = try Site()
        try site.drop("a", all)
        try await site.batch()
        let check = Process()
        check.executableURL = URL(fileURLWithPath: "/usr/bin/sha256sum")
        check.arguments = ["--check", "--strict", "--quiet", "SHA256SUMS"]
        check.currentDirectoryURL = URL(fileURLWithPath: "\(site.root)/outbox/\(all.path)")
        try check.run()
        check.waitUntilExit()
        #expect(check.terminationStatus == 0)
    }
}
