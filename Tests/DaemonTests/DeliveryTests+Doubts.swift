import Daemon
import Failures
import Foundation
import GRDB
import Logging
import Processes
import Records
import Storage
import Testing

// Results that ask for a person, were changed after they were published, or that a destination changes.

extension DeliveryTests {
    @Test("a result that asks for a person goes to a destination that holds such only once one has dealt with it")
    func doubtful() async throws {
        let site = try Site()
        for name in ["all", "sure"] { try Folder.make("\(site.root)/\(name)") }
        site.settings.destinations = ["all", "sure"].map { name in
            Destination(
                name: name, kind: .folder(path: "\(site.root)/\(name)"), parts: [.seg], firstWait: .zero,
                longestWait: .zero, giveUp: .seconds(86_400), holdsDoubtful: name == "sure")
        }
        try await site.withService { try await $0.deliver() }
        let plans = ["ok", "partial"].map { Plan(how: $0, study: $0) }
        for plan in plans { try site.drop(plan.how, plan) }
        #expect(try await site.batch().notes.sorted() == ["DELIVERY-HELD", "SENDER-DOWN"])
        func sent() async throws -> [Bool] {
            try await round(site)
            return plans.flatMap { plan in
                ["all", "sure"].map { FileStatus.exists("\(site.root)/\($0)/\(plan.path)/a.seg.dcm") }
            }
        }
        #expect(try await sent() == [true, true, true, false])
        #expect(try StatusReport(site.settings).text.contains("DELIVERY-HELD 1 results"))
        // A new night forgets nothing of it.
        #expect(try await site.batch().notes == ["DELIVERY-HELD"])
        try await site.withService { service in
            let answer = try await service.perform(ControlRequest(.settleAll))
            #expect(answer.jobs.count == 1)
        }
        #expect(try await sent() == [true, true, true, true])
        #expect(try StatusReport(site.settings).status == .done)
    }

    @Test(
        "what waits for a person before it goes to a destination is told where that has another name, until it is back",
        arguments: [true, false])
    func heldForUnnamed(isBack: Bool) async throws {
        let site = try Site()
        try Folder.make("\(site.root)/share")
        func name(_ name: String) {
            site.settings.destinations = [
                Destination(
                    name: name, kind: .folder(path: "\(site.root)/share"), parts: [.seg], firstWait: .zero,
                    longestWait: .zero, giveUp: .seconds(86_400), holdsDoubtful: true)
            ]
        }
        name("old")
        try await site.withService { try await $0.deliver() }
        let plan = Plan(how: "partial", study: "one")
        try site.drop("a", plan)
        try await site.batch()
        name("new")
        try await site.withService { _ = try await $0.perform(ControlRequest(.settleAll)) }
        try await round(site)
        let report = try StatusReport(site.settings)
        #expect(report.status == .refusedOrFailed && report.text.contains("DELIVERY old"), "\(report.text)")
        if isBack {
            name("old")
        } else {
            try await site.withService { _ = try await $0.perform(ControlRequest(.redeliver)) }
        }
        try await round(site)
        #expect(FileStatus.exists("\(site.root)/share/\(plan.path)/a.seg.dcm") == isBack)
        #expect(try StatusReport(site.settings).status == .done)
    }

    @Test("what waits of a result is not sent any more once another has taken its place")
    func superseded() async throws {
        let site = try await site([destination("here", .folder(path: "/nowhere"), [.seg, .report])])
        let few = Plan(how: "ok", study: "one", instances: [1])
        let all = Plan(how: "ok", study: "one", instances: [1, 2])
        try site.drop("a", few)
        try await site.batch()
        // Away: it waits.
        try await round(site)
        #expect(try await counts(site).first?.waiting == 2)
        try site.drop("a", all)
        try await site.batch()
        site.settings.destinations = [try share(site, [.seg, .report])]
        try await round(site)
        #expect(FileStatus.exists("\(site.root)/share/\(all.path)/a.seg.dcm"))
        #expect(!FileStatus.exists("\(site.root)/share/\(few.path)"))
        let counts = try await counts(site)
        #expect(counts.allSatisfy { $0.waiting == 0 && $0.refused == 0 && $0.expired == 0 }, "\(counts)")
    }

    @Test(
        "a result whose report is damaged or gone before it is sent asks for a person, and keeps no other from being sent",
        arguments: ["damaged", "report removed", "removed"])
    func untold(how: String) async throws {
        let site = try await site([destination("here", .folder(path: "/nowhere"), [.seg])])
        site.settings.destinations = []
        let plans = ["one", "two"].map { Plan(how: "ok", study: $0) }
        for plan in plans {
            try site.drop(plan.study, plan)
            try await site.batch()
        }
        let folder = "\(site.root)/outbox/\(plans[0].path)"
        let report = try DurableFile.read("\(folder)/report.json", limit: 1 << 20)
        switch how {
        case "damaged": try DurableFile.write(Array(report.dropLast(9)), to: "\(folder)/report.json")
        case "report removed": try Folder.remove("\(folder)/report.json")
        default: try Folder.remove(folder)
        }
        site.settings.destinations = [try share(site)]
        for _ in 0..<2 {
            try await round(site)
            #expect(FileStatus.exists("\(site.root)/share/\(plans[1].path)/a.seg.dcm"))
            #expect(try await counts(site).map(\.refused) == [1])
            let code = how == "removed" ? "DELIVERY" : "RESULT-DAMAGED"
            #expect(try StatusReport(site.settings).text.contains(code))
        }
        #expect(try await site.batch().status == .refusedOrFailed)
        // A person asks again: nothing has changed, or the whole of it is let go.
        let isGone = how == "removed"
        try await site.withService { service in
            let count = try await service.redeliver()
            #expect(count == (isGone ? 1 : 0))
        }
        #expect(try await counts(site).map(\.refused) == [isGone ? 0 : 1])
        guard !isGone else { return }
        // It is put back.
        try DurableFile.write(report, to: "\(folder)/report.json")
        try await site.withService { _ = try await $0.redeliver() }
        try await round(site)
        #expect(FileStatus.exists("\(site.root)/share/\(plans[0].path)/a.seg.dcm"))
        #expect(try await site.batch().status == .done)
    }

    @Test("a result whose report was damaged before it was sent is sent once it has been made anew")
    func untoldMadeAnew() async throws {
        let site = try await site([destination("here", .folder(path: "/nowhere"), [.seg])])
        site.settings.destinations = []
        let plan = Plan(how: "ok", study: "one")
        try site.drop("a", plan)
        try await site.batch()
        try DurableFile.write("{", to: "\(site.root)/outbox/\(plan.path)/report.json")
        site.settings.destinations = [try share(site)]
        try await round(site)
        #expect(try await counts(site).map(\.refused) == [1])
        try Folder.remove("\(site.root)/outbox/\(plan.path)")
        try site.drop("b", plan)
        site.settings.destinations = []
        try await site.batch()
        site.settings.destinations = [try share(site)]
        try await round(site)
        #expect(try await counts(site).map { $0.refused + $0.waiting } == [0])
        #expect(FileStatus.exists("\(site.root)/share/\(plan.path)/a.seg.dcm"))
    }

    @Test(
        "a file that was changed, cut or removed after publication goes nowhere, and a person is asked",
        arguments: ["changed", "cut", "removed", "sums", "report"])
    func damaged(how: String) async throws {
        let site = try await site([])
        let share = try share(site, [.seg, .report])
        site.settings.destinations = [share]
        try await site.withService { try await $0.deliver() }
        let plan = Plan(how: "ok", study: "one")
        try site.drop("a", plan)
        try await site.batch()
        let folder = "\(site.root)/outbox/\(plan.path)"
        let whole = try DurableFile.read(folder + "/a.seg.dcm", limit: 1 << 20)
        let report = try DurableFile.read(folder + "/report.json", limit: 1 << 20)
        switch how {
        case "report":
            var changed = try site.report(plan)
            changed.identity.patientID = "another"
            try DurableFile.write(changed.json(), to: folder + "/report.json")
        case "changed": try DurableFile.write([whole[0] ^ 1] + whole.dropFirst(), to: folder + "/a.seg.dcm")
        case "cut": try DurableFile.write(Array(whole.dropLast()), to: folder + "/a.seg.dcm")
        case "removed": try Folder.remove(folder + "/a.seg.dcm")
        default: try Folder.remove(folder + "/SHA256SUMS")
        }
        try await round(site)
        // Without digests nobody can tell the report's from others. Of a report that was changed nobody knows what is what.
        let unfit = ["sums", "report"].contains(how) ? 2 : 1
        #expect(try await counts(site).map { [$0.refused, $0.waiting] } == [[unfit, 0]])
        #expect(!FileStatus.exists("\(site.root)/share/\(plan.path)/a.seg.dcm"))
        let status = try StatusReport(site.settings)
        #expect(
            status.status == .refusedOrFailed && status.text.contains("RESULT-DAMAGED \(unfit) files"), "\(status.text)"
        )
        #expect(try await site.batch().notes == ["RESULT-DAMAGED"])
        // Put back, and asked for.
        try DurableFile.write(whole, to: folder + "/a.seg.dcm")
        try DurableFile.write(report, to: folder + "/report.json")
        try site.sum(plan)
        try await site.withService { _ = try await $0.perform(ControlRequest(.redeliver)) }
        try await round(site)
        #expect(try DurableFile.read("\(site.root)/share/\(plan.path)/a.seg.dcm", limit: 1 << 20) == whole)
        #expect(try StatusReport(site.settings).status == .done)
    }

    @Test("a report that is changed while its files wait to be sent goes nowhere; one that the service marks does")
    func changedReport() async throws {
        let site = try await site([destination("here", .folder(path: "/nowhere"), [.report])])
        let plans = [Plan(how: "ok", study: "one"), Plan(how: "ok", study: "two", findings: ["VOL-PLACE"])]
        for plan in plans {
            try site.drop(plan.study, plan)
            try await site.batch()
        }
        try await round(site)
        var changed = try site.report(plans[0])
        changed.identity.patientID = "another"
        try DurableFile.write(changed.json(), to: "\(site.root)/outbox/\(plans[0].path)/report.json")
        site.settings.destinations = [try share(site, [.report])]
        for _ in 0..<3 { try await round(site) }
        #expect(!FileStatus.exists("\(site.root)/share/\(plans[0].path)/report.json"))
        #expect(FileStatus.exists("\(site.root)/share/\(plans[1].path)/report.json"))
        #expect(try StatusReport(site.settings).text.contains("RESULT-DAMAGED 1 files"))
        #expect(try site.report(plans[1]).needsPerson == "VOL-PLACE")
        // A mark does not make what somebody has changed the service's own.
        site.settings.destinations = []
        try site.drop("all", Plan(how: "ok", study: "one", instances: [1, 2]))
        try await site.batch()
        #expect(try site.report(plans[0]).supersededBy != nil)
        let sums = try DurableFile.read("\(site.root)/outbox/\(plans[0].path)/SHA256SUMS", limit: 1 << 20)
        let digest = try FileDigest(ofFile: "\(site.root)/outbox/\(plans[0].path)/report.json").hex
        #expect(!String(decoding: sums, as: UTF8.self).contains(digest))
    }

    @Test("a service that dies while it marks a report leaves a result that is whole, and is sent")
    func diedMarking() async throws {
        let site = try await site([destination("here", .folder(path: "/nowhere"), [.report])])
        let plan = Plan(how: "ok", study: "one")
        try site.drop("a", plan)
        try await site.batch()
        // The digests of before and of after, and the report of before.
        let path = "\(site.root)/outbox/\(plan.path)/SHA256SUMS"
        func lines(_ path: String) throws -> [Substring] {
            String(decoding: try DurableFile.read(path, limit: 1 << 20), as: UTF8.self).split(separator: "\n")
        }
        let other = "\(FileDigest(of: Array("the next report".utf8)).hex)  report.json"
        try DurableFile.write((try lines(path) + [Substring(other)]).map { "\($0)\n" }.joined(), to: path)
        site.settings.destinations = [try share(site, [.report])]
        try await round(site)
        let sent = "\(site.root)/share/\(plan.path)"
        let digest = try FileDigest(ofFile: sent + "/report.json").hex
        #expect(try lines(sent + "/SHA256SUMS").map(String.init) == ["\(digest)  report.json"])
        #expect(try StatusReport(site.settings).status == .done)
        for ending in ["", "-wal", "-shm"] where FileStatus.exists(ServicePaths(site.settings).ledger + ending) {
            try Folder.remove(ServicePaths(site.settings).ledger + ending)
        }
        try Folder.remove(site.root + "/state/backups")
        let rebuilt = try await LedgerRebuild.run(site.settings, log: log)
        #expect(rebuilt.results == 1 && rebuilt.damaged == 0)
        // Marked at last, the report has one line.
        try site.drop("all", Plan(how: "ok", study: "one", instances: [1, 2]))
        try await site.batch()
        #expect(try site.report(plan).supersededBy != nil)
        let marked = try FileDigest(ofFile: "\(site.root)/outbox/\(plan.path)/report.json").hex
        func reports() throws -> [String] { try lines(path).filter { $0.hasSuffix("  report.json") }.map(String.init) }
        #expect(try reports() == ["\(marked)  report.json"])
        // Where it died after the report was written the next one that takes its place ends it.
        try DurableFile.write((try lines(path) + [Substring(other)]).map { "\($0)\n" }.joined(), to: path)
        try site.drop("more", Plan(how: "ok", study: "one", instances: [1, 2, 3]))
        try await site.batch()
        #expect(try reports() == ["\(marked)  report.json"])
    }

    @Test("a result that is removed while it waits to be sent is told as that, and not as a destination that is down")
    func removedWhileWaiting() async throws {
        let site = try await site([destination("here", .folder(path: "/nowhere"), [.seg])])
        let plans = ["one", "two"].map { Plan(how: "ok", study: $0) }
        for plan in plans {
            try site.drop(plan.study, plan)
            try await site.batch()
        }
        try await round(site)
        #expect(try await counts(site).map(\.waiting) == [2])
        let folder = "\(site.root)/outbox/\(plans[0].path)"
        try Folder.rename(folder, to: site.root + "/aside")
        site.settings.destinations = [try share(site)]
        // A destination that was away is asked by one ticket at a time.
        for _ in 0..<3 { try await round(site) }
        #expect(FileStatus.exists("\(site.root)/share/\(plans[1].path)/a.seg.dcm"))
        #expect(try await counts(site).map { [$0.waiting, $0.refused] } == [[0, 1]])
        let text = try StatusReport(site.settings).text
        #expect(text.contains("DELIVERY here did not take 1 files") && !text.contains("DESTINATION-DOWN"), "\(text)")
        // Its study comes again.
        try site.drop("again", plans[0])
        try await site.batch()
        try await round(site)
        #expect(FileStatus.exists("\(site.root)/share/\(plans[0].path)/a.seg.dcm"))
        #expect(try StatusReport(site.settings).status == .done)
        // Where nothing is left the outbox's disk may be away: it is waited for.
        try site.drop("three", "ok")
        try await site.batch()
        for entry in try Folder.list(site.root + "/outbox") where entry.name.utf8.count == 12 {
            try Folder.remove("\(site.root)/outbox/\(entry.name)")
        }
        try await Sender(site.settings, log: log) { _ in nil }.run(StopRequest(), once: true)
        try await site.withService { try await $0.deliver() }
        #expect(try await counts(site).map { [$0.waiting, $0.refused] } == [[1, 0]])
    }

    @Test("a file is read once for all destinations and tries, and again once it was changed, whatever its times say")
    func readOnce() async throws {
        let site = try Site()
        let path = site.root + "/a.seg.dcm"
        try DurableFile.write("pixels", to: path)
        let read = ReadDigests()
        func reads(_ text: String) async throws -> Int {
            // What was changed a moment ago may be changed once more at the same time by the clock.
            try await Task.sleep(for: .milliseconds(200))
            var pieces = 0
            #expect(try read.digest(of: path) { pieces += 1 } == FileDigest(of: text))
            return pieces
        }
        #expect(try await [reads("pixels"), reads("pixels")] == [1, 0])
        // In its place and with its size, and its time of change set back.
        let time = try FileManager.default.attributesOfItem(atPath: path)[.modificationDate] as? Date
        let file = try #require(FileHandle(forUpdatingAtPath: path))
        try file.write(contentsOf: Data("PIXELS".utf8))
        try file.close()
        try FileManager.default.setAttributes([.modificationDate: try #require(time)], ofItemAtPath: path)
        #expect(try await [reads("PIXELS"), reads("PIXELS")] == [1, 0])
        try DurableFile.write("others", to: path)
        #expect(try await reads("others") == 1)
        try Folder.remove(path)
        #expect(throws: StorageFailure.self) { _ = try read.digest(of: path) {} }
    }

    @Test("a result whose file was changed before it was sent is sent by itself once it has been made anew")
    func damagedMadeAnew() async throws {
        let site = try await site([])
        site.settings.destinations = [try share(site)]
        try await site.withService { try await $0.deliver() }
        let plan = Plan(how: "ok", study: "one")
        try site.drop("a", plan)
        try await site.batch()
        try DurableFile.write("x", to: "\(site.root)/outbox/\(plan.path)/a.seg.dcm")
        try await round(site)
        #expect(try await counts(site).map(\.refused) == [1])
        try site.drop("b", plan)
        try await site.batch()
        try await round(site)
        #expect(try await counts(site).map { $0.refused + $0.waiting } == [0])
        #expect(
            try DurableFile.read("\(site.root)/share/\(plan.path)/a.seg.dcm", limit: 99) == Array("\(plan.key)\n".utf8))
    }

    @Test(
        "what a destination took with a warning is told until a person knows of it, once for each that it gives and kind of object",
        arguments: ["0xB000", "0xB006", "0xB007"])
    func altered(code: String) async throws {
        let site = try await site([destination("here", .folder(path: "/nowhere"), [.seg, .sr])])
        func take(_ name: String, _ code: String, _ objects: [ObjectRecord] = []) async throws {
            try site.drop(name, Plan(how: "ok", study: name, objects: objects))
            try await site.batch()
            try await site.withService { service in
                try await service.deliver()
                for id in try Folder.list(site.root + "/deliver/new").map(\.name) {
                    let ticket = try JSONDecoder().decode(
                        DeliveryTicket.self,
                        from: Data(DurableFile.read("\(site.root)/deliver/new/\(id)", limit: 1 << 20)))
                    let receipt = DeliveryReceipt(
                        ticket: ticket, files: ticket.files.map { .init($0, .sent, code: code) })
                    try DurableFile.write(
                        Array(JSONEncoder().encode(receipt)), to: "\(site.root)/deliver/receipts/\(id)")
                }
                try await service.deliver()
            }
        }
        try await take("a", code)
        try await take("b", code)
        let report = try StatusReport(site.settings)
        #expect(report.status == .refusedOrFailed, "\(report.text)")
        #expect(report.text.contains("DELIVERY-ALTERED here took 2 objects (binary)") && report.text.contains(code))
        try await site.withService { service in
            let there = try await service.perform(ControlRequest(.settleDestination, job: "there"))
            let here = try await service.perform(ControlRequest(.settleDestination, job: "here"))
            #expect(!there.isDone && here.isDone)
        }
        #expect(try StatusReport(site.settings).status == .done)
        try await take("c", code)
        try await take("d", "0x0000")
        let known = try StatusReport(site.settings)
        // How many there are is to be seen all the same.
        #expect(known.status == .done && known.text.contains("altered as you know 3"), "\(known.text)")
        // Another answer is another matter, and so are other objects, and another archive of that name.
        try await take("e", "0xB123")
        #expect(try StatusReport(site.settings).text.contains("DELIVERY-ALTERED here took 1 objects (binary)"))
        try await site.withService { _ = try await $0.perform(ControlRequest(.settleDestination, job: "here")) }
        #expect(try StatusReport(site.settings).status == .done)
        try await take("f", code, [.init(kind: "binary", file: "a.seg.dcm"), .init(kind: "report", file: "a.sr.dcm")])
        let other = try StatusReport(site.settings).text
        #expect(other.contains("DELIVERY-ALTERED here took 1 objects (sr)") && !other.contains("(binary)"), "\(other)")
        try await site.withService { _ = try await $0.perform(ControlRequest(.settleDestination, job: "here")) }
        site.settings.destinations = [destination("here", .folder(path: "/elsewhere"), [.seg, .sr])]
        try await take("g", code)
        #expect(try StatusReport(site.settings).text.contains("DELIVERY-ALTERED here took 1 objects (binary)"))
    }
}
