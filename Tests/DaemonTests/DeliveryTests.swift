import Daemon
import Failures
import Foundation
import GRDB
import Logging
import Processes
import Records
import Storage
import Testing

@Suite("delivery: each object arrives, whatever the destination does")
struct DeliveryTests {
    let log = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }

    func destination(_ name: String, _ kind: Destination.Kind, _ parts: [Destination.Part]) -> Destination {
        Destination(
            name: name, kind: kind, parts: parts, firstWait: .zero, longestWait: .zero, giveUp: .seconds(86_400))
    }

    /// A folder of the site that is there.
    func share(_ site: Site, _ parts: [Destination.Part] = [.seg]) throws -> Destination {
        try Folder.make(site.root + "/share")
        return destination("here", .folder(path: site.root + "/share"), parts)
    }

    /// A site whose service knows its destinations, so that what is published from now on goes there.
    func site(_ destinations: [Destination]) async throws -> Site {
        let site = try Site()
        site.settings.destinations = destinations
        try await site.withService { try await $0.deliver() }
        return site
    }

    /// Service, sender, service: tickets out, files sent, receipts booked.
    func round(_ site: Site) async throws {
        try await site.withService { try await $0.deliver() }
        try await Sender(site.settings, log: log) { _ in nil }.run(StopRequest(), once: true)
        try await site.withService { try await $0.deliver() }
    }

    func counts(_ site: Site) async throws -> [DeliveryCounts] {
        var counts: [DeliveryCounts] = []
        try await site.withService {
            counts = try await $0.ledger.deliveryCounts(site.settings.destinations.map(\.name))
        }
        return counts
    }

    @Test("sending once tells how many files a destination did not take")
    func untaken() async throws {
        let parent = FileManager.default.temporaryDirectory.appendingPathComponent("share-\(UUID().uuidString)").path
        defer { try? Folder.remove(parent) }
        try Folder.make(parent)
        try DurableFile.write("x", to: parent + "/away")
        try Folder.make(parent + "/here")
        for (name, expected) in [("here", 0), ("away", 1)] {
            let site = try await site([destination(name, .folder(path: "\(parent)/\(name)"), [.seg])])
            try site.drop("a", Plan(how: "ok", study: name))
            try await site.batch()
            try await site.withService { try await $0.deliver() }
            let sender = Sender(site.settings, log: log) { _ in nil }
            #expect(try await sender.sendOnce(StopRequest()) == expected, "\(name)")
        }
    }

    @Test("a folder gets what it takes, whole; one that is away is waited for and holds up no other")
    func folders() async throws {
        let parent = FileManager.default.temporaryDirectory.appendingPathComponent("share-\(UUID().uuidString)").path
        defer { try? Folder.remove(parent) }
        // Nothing stands where one of the shares should be.
        try Folder.make(parent + "/here")
        let site = try await site([
            destination("here", .folder(path: parent + "/here"), [.seg, .report]),
            destination("away", .folder(path: parent + "/away"), [.seg]),
        ])
        let plan = Plan(how: "ok", study: "one")
        try site.drop("a", plan)
        try await site.batch()
        try await round(site)
        #expect(FileStatus.exists("\(parent)/here/\(plan.path)/a.seg.dcm"))
        #expect(FileStatus.exists("\(parent)/here/\(plan.path)/report.json"))
        var counts = try await counts(site)
        #expect(counts.first { $0.destination == "here" }?.waiting == 0)
        let away = counts.first { $0.destination == "away" }
        #expect(away?.waiting == 1 && away?.trouble == "DESTINATION-AWAY")
        #expect(!FileStatus.exists(parent + "/away"))
        try Folder.make(parent + "/away")
        try await round(site)
        counts = try await self.counts(site)
        #expect(counts.allSatisfy { $0.waiting == 0 && $0.trouble == nil })
        #expect(
            try FileDigest(ofFile: "\(parent)/away/\(plan.path)/a.seg.dcm")
                == FileDigest(ofFile: "\(site.root)/outbox/\(plan.path)/a.seg.dcm"))
        // Nothing is sent twice.
        try await site.withService { try await $0.deliver() }
        #expect(
            try Folder.list(site.root + "/deliver/new").isEmpty && Folder.list(site.root + "/deliver/receipts").isEmpty)
    }

    @Test("a site file that the running service does not use is told; one that it has read again is not")
    func settingsOld() async throws {
        let site = try await site([])
        let old = site.settings
        var changed = old
        changed.destinations = [destination("here", .folder(path: "/nowhere"), [.seg])]
        var elsewhere = changed
        elsewhere.destinations = [destination("here", .folder(path: "/somewhere"), [.seg])]
        var narrow = changed
        narrow.destinations = [destination("here", .folder(path: "/nowhere"), [.sr])]
        let started = StopRequest()
        let service = try await site.service(started)
        let running = Task { try await service.watch() }
        try await eventually { try await service.ledger.fact("mode") == "watch" }
        for settings in [changed, elsewhere, narrow] {
            #expect(try StatusReport(settings).text.contains("SETTINGS-OLD"))
        }
        #expect(try !StatusReport(old).text.contains("SETTINGS-OLD"))
        started.ask()
        try await running.value
        try await service.close()
    }

    @Test("parts that somebody asked for and no pipeline writes are told, and not what is sent anyhow")
    func unwrittenParts() async throws {
        func status(_ kinds: Set<String>, _ parts: [Destination.Part], areExpected: Bool) async throws -> StatusReport {
            let site = try Site()
            site.settings.lookAtPipelines = { [KnownPipeline(name: "skin", kinds: kinds)] }
            site.settings.destinations = [
                Destination(
                    name: "here", kind: .folder(path: "/nowhere"), parts: parts, firstWait: .zero, longestWait: .zero,
                    giveUp: .zero, expectsParts: areExpected)
            ]
            try await site.withService { try await $0.deliver() }
            return try StatusReport(site.settings)
        }
        let report = try await status(["binary"], [.seg, .sr, .labelmap], areExpected: true)
        #expect(report.status == .refusedOrFailed, "\(report.text)")
        #expect(report.text.contains("DESTINATION-PARTS no pipeline writes what is to be sent: sr, labelmap to here."))
        #expect(try await status(["binary"], [.seg, .sr], areExpected: false).status == .done)
        #expect(try await status(["binary", "report"], [.seg, .sr, .image], areExpected: true).status == .done)
    }

    @Test("what a destination would not take is let go when nobody asks for it any more", arguments: [true, false])
    func letGo(isNamed: Bool) async throws {
        let site = try await site([destination("here", .folder(path: "/nowhere"), [.seg, .report])])
        try site.drop("a", Plan(how: "ok", study: "one"))
        try await site.batch()
        #expect(try await counts(site).map(\.waiting) == [2])
        site.settings.destinations = isNamed ? [destination("here", .folder(path: "/nowhere"), [.seg])] : []
        try await site.withService { service in
            let count = try await service.redeliver()
            let waiting = try await service.ledger.deliveryCounts(["here"]).map(\.waiting)
            #expect(count == (isNamed ? 1 : 2) && waiting == [isNamed ? 1 : 0])
        }
    }

    @Test("a destination that was moved in the site file gets results where it is now, and the old place gets nothing")
    func moved() async throws {
        let site = try Site()
        func moved(to name: String) throws -> ServiceSettings {
            try Folder.make("\(site.root)/\(name)")
            var settings = site.settings
            settings.destinations = [destination("here", .folder(path: "\(site.root)/\(name)"), [.seg])]
            return settings
        }
        let (old, new) = (try moved(to: "old"), try moved(to: "new"))
        site.settings = new
        try await site.withService { try await $0.deliver() }
        let plan = Plan(how: "ok", study: "one")
        try site.drop("a", plan)
        try await site.batch()
        func hasArrived(_ name: String) -> Bool { FileStatus.exists("\(site.root)/\(name)/\(plan.path)/a.seg.dcm") }
        // A sender that knows the old place alone.
        try await Sender(old, log: log) { _ in nil }.run(StopRequest(), once: true)
        try await site.withService { try await $0.deliver() }
        #expect(try await counts(site).first?.trouble == "DESTINATION-DIFFERS")
        // What went to the old place while the site file was changed does not count.
        site.settings = old
        try await site.withService { try await $0.deliver() }
        try await Sender(old, log: log) { _ in nil }.run(StopRequest(), once: true)
        #expect(hasArrived("old"))
        site.settings = new
        try await site.withService { try await $0.deliver() }
        try Folder.remove(site.root + "/old/" + plan.name)
        // One that reads the site file again.
        let file = site.root + "/site.yaml"
        try DurableFile.write("", to: file)
        let sender = Sender(old, log: log, siteFile: file, reread: { new }, identify: { _ in nil })
        try await sender.run(StopRequest(), once: true)
        #expect(hasArrived("new") && !hasArrived("old"))
        try await site.withService { try await $0.deliver() }
        #expect(try await counts(site).first?.waiting == 0)
    }

    @Test("a share that is not mounted any more is waited for: nothing is written to the disk below")
    func unmounted() async throws {
        let site = try Site()
        // Mounted for as long as somebody has looked.
        let mounted = try #require(["/dev/shm", "/dev", "/proc"].first { (try? Folder.depthInFileSystem($0)) == 0 })
        #expect(try Folder.depthInFileSystem(site.root + "/pipelines") == Folder.depthInFileSystem(site.root) + 1)
        #expect(try Folder.depthInFileSystem("/") == 0 && Folder.depthInFileSystem(mounted + "/.") == 0)
        let target = try share(site)
        site.settings.destinations = [target]
        try await site.withService { try await $0.deliver() }
        let plan = Plan(how: "ok", study: "one")
        try site.drop("a", plan)
        try await site.batch()
        // As it was remembered while the share was there.
        let memory = "\(site.root)/deliver/folders/\(FileDigest(of: site.root + "/share").hex)"
        try Folder.make(Folder.split(memory).folder)
        try DurableFile.write("0", to: memory)
        try await round(site)
        #expect(try await counts(site).first?.trouble == "DESTINATION-AWAY")
        #expect(try Folder.list(site.root + "/share").isEmpty)
        // A share that is mounted where none was is what was meant.
        try DurableFile.write("99", to: memory)
        try await round(site)
        #expect(FileStatus.exists("\(site.root)/share/\(plan.path)/a.seg.dcm"))
        #expect(try Int(String(decoding: DurableFile.read(memory, limit: 9), as: UTF8.self)).map { $0 < 99 } == true)
    }

    @Test("a share that is to be mounted, and was not when it was first seen, is waited for")
    func neverMounted() async throws {
        let site = try Site()
        let target = try share(site)
        site.settings.destinations = [target]
        site.settings.mountTable = site.root + "/fstab"
        try DurableFile.write("nas:/export \(site.root)/share nfs defaults 0 0\n", to: site.settings.mountTable)
        try await site.withService { try await $0.deliver() }
        let plan = Plan(how: "ok", study: "one")
        try site.drop("a", plan)
        try await site.batch()
        try await round(site)
        #expect(try await counts(site).first?.trouble == "DESTINATION-AWAY")
        #expect(try Folder.list(site.root + "/share").isEmpty)
        // It was moved to this disk on purpose.
        try DurableFile.write("# none\n", to: site.settings.mountTable)
        try await round(site)
        #expect(FileStatus.exists("\(site.root)/share/\(plan.path)/a.seg.dcm"))
    }

    @Test("a first batch sends all of its results before it ends, to destinations that it has just got to know")
    func firstBatch() async throws {
        let site = try Site()
        site.settings.senderWait = .seconds(600)
        site.settings.destinations = [try share(site)]
        let plans = (1...9).map { Plan(how: "ok", study: "\($0)") }
        for plan in plans { try site.drop(plan.study, plan) }
        let stop = StopRequest()
        let sender = Sender(site.settings, log: log) { _ in nil }
        let sending = Task { try await sender.run(stop, once: false) }
        let outcome = try await site.batch()
        stop.ask()
        try await sending.value
        #expect(outcome.results == 9 && outcome.unsent == 0 && outcome.status == .done, "\(outcome.json)")
        for plan in plans { #expect(FileStatus.exists("\(site.root)/share/\(plan.path)/a.seg.dcm")) }
    }

    @Test(
        "a batch without anybody who sends says what was not sent, asks for a person, and leaves all of it to whoever sends next"
    )
    func nobodySends() async throws {
        let site = try Site()
        site.settings.destinations = [try share(site)]
        for index in 1...9 { try site.drop("\(index)", "ok") }
        var outcome = try await site.batch()
        #expect(outcome.unsent == 9 && outcome.status == .refusedOrFailed, "\(outcome.json)")
        #expect(outcome.summary.contains("9 files not sent"))
        let status = try StatusReport(site.settings)
        #expect(status.status == .refusedOrFailed && status.json.contains("SENDER-DOWN"))
        try await Sender(site.settings, log: log) { _ in nil }.run(StopRequest(), once: true)
        #expect(try Folder.list(site.root + "/share").count == 9)
        outcome = try await site.batch()
        #expect(outcome.unsent == 0 && outcome.status == .done, "\(outcome.json)")
        #expect(try StatusReport(site.settings).status == .done)
    }

    @Test("a batch whose results a destination will not take asks for a person, and so does the next")
    func untakenByBatch() async throws {
        let site = try Site()
        site.settings.senderWait = .seconds(600)
        site.settings.destinations = [try share(site)]
        try site.drop("a", "ok")
        // A sender whose destination refuses.
        let (tickets, receipts) = (site.root + "/deliver/new", site.root + "/deliver/receipts")
        let refusing = Task {
            let waiting: () throws -> [String] = {
                guard FileStatus.exists(tickets) else { return [] }
                return try Folder.list(tickets).map(\.name).filter { !$0.hasPrefix(".") }
            }
            try await eventually { try !waiting().isEmpty }
            for name in try waiting() {
                let bytes = try DurableFile.read(Folder.join(tickets, name), limit: 1 << 20)
                let ticket = try JSONDecoder().decode(DeliveryTicket.self, from: Data(bytes))
                let files = ticket.files.map { DeliveryReceipt.File($0, .refused, code: "0xA900") }
                let receipt = DeliveryReceipt(ticket: ticket, files: files)
                try DurableFile.write(Array(JSONEncoder().encode(receipt)), to: Folder.join(receipts, name))
            }
        }
        for _ in 0..<2 {
            let outcome = try await site.batch()
            #expect(outcome.unsent == 1 && outcome.status == .refusedOrFailed, "\(outcome.json)")
        }
        try await refusing.value
        #expect(try StatusReport(site.settings).status == .refusedOrFailed)
    }

    @Test("a batch does not wait for a destination that fails, and says what it could not send")
    func failing() async throws {
        let site = try Site()
        site.settings.senderWait = .seconds(600)
        try DurableFile.write("x", to: site.root + "/away")
        site.settings.destinations = [
            Destination(
                name: "away", kind: .folder(path: site.root + "/away"), parts: [.seg], firstWait: .seconds(3600),
                longestWait: .seconds(3600), giveUp: .seconds(86_400))
        ]
        for index in 1...6 { try site.drop("\(index)", "ok") }
        let stop = StopRequest()
        let sender = Sender(site.settings, log: log) { _ in nil }
        let sending = Task { try await sender.run(stop, once: false) }
        let outcome = try await site.batch()
        stop.ask()
        try await sending.value
        #expect(outcome.results == 6 && outcome.unsent == 6 && outcome.status == .refusedOrFailed, "\(outcome.json)")
    }

    @Test("a destination that takes nothing for an hour asks for a person, whoever sends, until it takes something")
    func silent() async throws {
        let site = try await site([destination("here", .folder(path: "/nowhere"), [.seg])])
        try site.drop("a", "ok")
        try await site.batch()
        try await round(site)
        let sender = try FileLock(site.root + "/deliver/lock", owner: "a sender")
        defer { withExtendedLifetime(sender) {} }
        func notes(_ silent: Bool) async throws {
            let paths = ServicePaths(site.settings)
            let overview = try #require(try Overview.read(path: paths.ledger, SpoolView(paths)))
            let note = overview.notes.first { $0.code == "DESTINATION-DOWN" }
            #expect((note != nil) == silent && overview.needsPerson == silent, "\(overview.notes)")
            if silent { #expect(note?.text.contains("DESTINATION-AWAY") == true) }
        }
        try await notes(false)
        func setBack(_ sql: String) async throws {
            let queue = try DatabaseQueue(path: site.root + "/state/ledger.sqlite")
            try await queue.write { try $0.execute(sql: sql) }
            try queue.close()
        }
        try await setBack("UPDATE delivery SET created_at = created_at - 3700000")
        try await notes(true)
        // It takes others: these may only be slow.
        try await setBack("INSERT INTO meta VALUES ('taken here', CAST(unixepoch() * 1000 AS TEXT))")
        try await notes(false)
    }

    @Test("what was to wait for long by a clock that has been set back since is sent all the same")
    func farAhead() async throws {
        let site = try await site([
            Destination(
                name: "here", kind: .folder(path: "/nowhere"), parts: [.seg], firstWait: .seconds(3600),
                longestWait: .seconds(3600), giveUp: .seconds(86_400))
        ])
        try site.drop("a", "ok")
        try await site.batch()
        try await round(site)
        for (time, tickets) in [("not_before", 0), ("4102444800000", 1)] {
            let queue = try DatabaseQueue(path: site.root + "/state/ledger.sqlite")
            try await queue.write { try $0.execute(sql: "UPDATE delivery SET not_before = \(time)") }
            try queue.close()
            try await site.withService { try await $0.deliver() }
            #expect(try Folder.list(site.root + "/deliver/new").count == tickets)
        }
    }

    @Test("while one process sends, a second one is told so and sends nothing")
    func twoSenders() async throws {
        let site = try Site()
        let stop = StopRequest()
        let sender = Sender(site.settings, log: log) { _ in nil }
        let sending = Task { try await sender.run(stop, once: false) }
        try await eventually { try FileLock.owner(site.root + "/deliver/lock") != nil }
        await #expect {
            try await sender.run(StopRequest(), once: true)
        } throws: { ($0 as? DaemonFailure)?.code == "SERVICE-LOCKED" }
        stop.ask()
        try await sending.value
    }

    private static let everything = [
        "a.labelmap.seg.dcm", "a.masks/lesion-0001.png", "a.prob.dcm", "a.seg.dcm", "a.sr.dcm", "a-001.sc.dcm",
        "b.seg.dcm", "measurements.csv", "report.json",
    ]

    @Test(
        "what is sent is chosen by what the report says that an object is, whatever its name",
        arguments: [
            ([Destination.Part.seg], ["a.labelmap.seg.dcm"]), ([.binary], ["b.seg.dcm"]),
            ([.labelmap], ["a.labelmap.seg.dcm"]),
            ([.fractional], ["a.prob.dcm"]), ([.sr], ["a.sr.dcm"]), ([.sc], ["a-001.sc.dcm"]), ([.image], []),
            ([.seg, .binary, .report], ["a.labelmap.seg.dcm", "b.seg.dcm", "report.json"]),
            ([.tables], ["a.masks/lesion-0001.png", "a.seg.dcm", "measurements.csv"]),
            (Destination.Part.allCases, everything),
        ])
    func parts(parts: [Destination.Part], expected: [String]) async throws {
        let site = try await site([destination("here", .folder(path: "/nowhere"), parts)])
        site.settings.destinations = [try share(site, parts)]
        var plan = Plan(how: "ok", study: "one")
        plan.objects = [
            ObjectRecord(kind: "labelmap", file: "a.labelmap.seg.dcm"), ObjectRecord(kind: "binary", file: "b.seg.dcm"),
            ObjectRecord(kind: "fractional", file: "a.prob.dcm"), ObjectRecord(kind: "report", file: "a.sr.dcm"),
            ObjectRecord(kind: "captures", file: "a-001.sc.dcm"),
        ]
        plan.others = ["measurements.csv", "a.masks/lesion-0001.png"]
        try site.drop("a", plan)
        try await site.batch()
        try await round(site)
        let folder = "\(site.root)/share/\(plan.path)"
        let there = FileStatus.exists(folder) ? try Folder.walk(folder).filter { $0.status.kind == .regular } : []
        #expect(Set(there.map(\.name)) == Set(expected + (expected.isEmpty ? [] : ["SHA256SUMS"])))
        guard !expected.isEmpty else { return }
        // Its digests are of what is there, and of nothing else.
        let sums = String(decoding: try DurableFile.read(folder + "/SHA256SUMS", limit: 1 << 20), as: UTF8.self)
        let named = sums.split(separator: "\n").map { String($0.dropFirst(66)) }
        #expect(Set(named) == Set(expected))
    }

    @Test("results that are published while the clock is set back go out all the same")
    func clock() async throws {
        let target = destination("here", .folder(path: "/nowhere"), [.seg])
        let site = try await site([target])
        site.settings.destinations = []
        try site.drop("a", "ok")
        try await site.batch()
        let queue = try DatabaseQueue(path: site.root + "/state/ledger.sqlite")
        try await queue.write { try $0.execute(sql: "UPDATE result SET published_at = 1") }
        try queue.close()
        site.settings.destinations = [target]
        try await site.withService { try await $0.deliver() }
        #expect(try Folder.list(site.root + "/deliver/new").count == 1)
    }

    @Test("a ledger made anew counts the results whose files are not as they were published, and knows none of them")
    func rebuiltBesideDamage() async throws {
        let site = try Site()
        let plans = ["one", "two"].map { Plan(how: "ok", study: $0) }
        for plan in plans { try site.drop(plan.study, plan) }
        try await site.batch()
        for ending in ["", "-wal", "-shm"] where FileStatus.exists(ServicePaths(site.settings).ledger + ending) {
            try Folder.remove(ServicePaths(site.settings).ledger + ending)
        }
        try Folder.remove("\(site.root)/outbox/\(plans[1].path)/a.seg.dcm")
        let summary = try await LedgerRebuild.run(site.settings, log: log)
        #expect(summary.damaged == 1)
        try site.drop("again", plans[1])
        #expect(try await site.batch().results == 1)
    }

    @Test("the result of a single file waits to be sent for the files that came with it: they may be of its study")
    func singleFiles() async throws {
        let site = try await site([destination("here", .folder(path: "/nowhere"), [.seg])])
        let plans = ["one", "two"].map { Plan(how: "ok", study: $0) }
        func drop(_ plan: Plan) throws {
            try DurableFile.write(plan.text(), to: site.root + "/making")
            try Folder.rename(site.root + "/making", to: site.root + "/inbox/plan")
        }
        site.settings.destinations = []
        try drop(plans[0])
        #expect(try await site.batch().results == 1)
        site.settings.destinations = [try share(site)]
        try drop(plans[1])
        try await site.withService { service in
            let taken = try await service.takeAllNow()
            #expect(taken == 0)
        }
        // Both came in one minute, however long this takes.
        let queue = try DatabaseQueue(path: site.root + "/state/ledger.sqlite")
        try await queue.write { try $0.execute(sql: "UPDATE job SET created_at = 1") }
        try queue.close()
        try await site.withService { try await $0.deliver() }
        #expect(try await counts(site).map(\.waiting) == [0])
        // Not for ever: the queue may rest, and the others may fail again and again.
        let later = try DatabaseQueue(path: site.root + "/state/ledger.sqlite")
        try await later.write { try $0.execute(sql: "UPDATE result SET published_at = published_at - 3700000") }
        try later.close()
        try await site.withService { try await $0.deliver() }
        #expect(try await counts(site).map(\.waiting) == [1])
        try await site.batch()
        try await round(site)
        for plan in plans { #expect(FileStatus.exists("\(site.root)/share/\(plan.path)/a.seg.dcm")) }
    }

    @Test("what asked for a person asks again once its ledger was lost, and goes to no archive as if it were sure")
    func rebuiltDoubts() async throws {
        let site = try Site()
        try Folder.make(site.root + "/share")
        site.settings.destinations = [
            Destination(
                name: "here", kind: .folder(path: site.root + "/share"), parts: [.seg], firstWait: .zero,
                longestWait: .zero, giveUp: .seconds(86_400), holdsDoubtful: true)
        ]
        let sure = Plan(how: "ok", study: "sure")
        let place = Plan(how: "ok", study: "place", findings: ["VOL-PLACE"])
        let first = Plan(how: "ok", study: "twice")
        let second = Plan(how: "ok", study: "twice", edition: 2)
        // What lacked something and was made anew with the rest asks no more.
        let few = Plan(how: "ok", study: "late", findings: ["VOL-GAP"])
        let all = Plan(how: "ok", study: "late", instances: [1, 2])
        for plan in [sure, place, first, second, few, all] {
            try site.drop("a", plan)
            try await site.batch()
        }
        #expect(try site.report(sure).needsPerson == nil)
        #expect(try site.report(place).needsPerson == "VOL-PLACE")
        #expect(try site.report(second).needsPerson == "DUP-CONFLICT")
        for ending in ["", "-wal", "-shm"] where FileStatus.exists(ServicePaths(site.settings).ledger + ending) {
            try Folder.remove(ServicePaths(site.settings).ledger + ending)
        }
        try Folder.remove(site.root + "/state/backups")
        #expect(try await LedgerRebuild.run(site.settings, log: log).results == 6)
        try await round(site)
        let sent = [sure, place, first, second, few, all].map {
            FileStatus.exists("\(site.root)/share/\($0.path)/a.seg.dcm")
        }
        #expect(sent == [true, false, true, false, false, true])
        let text = try StatusReport(site.settings).text
        let told = ["VOL-PLACE", "DUP-CONFLICT", "VOL-GAP"].map { text.contains("(\($0))") }
        #expect(told == [true, true, false], "\(text)")
    }

    @Test("a ledger made anew knows which results were superseded, and sends none of them")
    func rebuilt() async throws {
        let site = try await site([destination("here", .folder(path: "/nowhere"), [.seg])])
        let few = Plan(how: "ok", study: "one", instances: [1])
        let all = Plan(how: "ok", study: "one", instances: [1, 2])
        site.settings.destinations = []
        try await site.withService { _ = try await $0.perform(ControlRequest(.backup)) }
        for plan in [few, all] {
            try site.drop("a", plan)
            try await site.batch()
        }
        let summary = try await LedgerRebuild.run(site.settings, log: log)
        #expect(summary.results == 2 && summary.backup != nil)
        site.settings.destinations = [try share(site)]
        try await round(site)
        #expect(FileStatus.exists("\(site.root)/share/\(all.path)/a.seg.dcm"))
        #expect(!FileStatus.exists("\(site.root)/share/\(few.path)"))
    }

    @Test(
        "a lost ledger forgets no delivery: the service does not start without it, and one made anew sends what stands")
    func lostLedger() async throws {
        let site = try await site([destination("here", .folder(path: "/nowhere"), [.seg])])
        let plan = Plan(how: "ok", study: "one", instances: [1])
        try site.drop("a", plan)
        try await site.batch()
        let ledger = ServicePaths(site.settings).ledger
        for isEmpty in [false, true] {
            for ending in ["", "-wal", "-shm"] where FileStatus.exists(ledger + ending) {
                try Folder.remove(ledger + ending)
            }
            if isEmpty { try DurableFile.write("", to: ledger) }
            await #expect(throws: DaemonFailure.self) { try await site.withService { _ in } }
        }
        let summary = try await LedgerRebuild.run(site.settings, log: log)
        #expect(summary.results == 1 || summary.backup != nil)
        site.settings.destinations = [try share(site)]
        try await round(site)
        #expect(FileStatus.exists("\(site.root)/share/\(plan.path)/a.seg.dcm"))
    }

    @Test("a ticket whose sender died, and a service that died before it booked a receipt, cost nothing")
    func crashes() async throws {
        let parent = FileManager.default.temporaryDirectory.appendingPathComponent("share-\(UUID().uuidString)").path
        defer { try? Folder.remove(parent) }
        try Folder.make(parent)
        let site = try await site([destination("here", .folder(path: parent), [.seg])])
        try site.drop("a", "ok")
        try await site.batch()
        try await site.withService { try await $0.deliver() }
        // The ticket is lost with its disk.
        for entry in try Folder.list(site.root + "/deliver/new") {
            try Folder.remove("\(site.root)/deliver/new/\(entry.name)")
        }
        try await site.withService { try await $0.deliver() }
        #expect(try Folder.list(site.root + "/deliver/new").count == 1)
        try await Sender(site.settings, log: log) { _ in nil }.run(StopRequest(), once: true)
        // Sent, answered, and asked again.
        try await Sender(site.settings, log: log) { _ in nil }.run(StopRequest(), once: true)
        try await site.withService { try await $0.deliver() }
        #expect(try await counts(site).first?.waiting == 0)
    }

    @Test("results from before a destination was known stay where they are; a superseded one is not sent")
    func onlyNew() async throws {
        let site = try Site()
        try site.drop("a", "ok")
        try await site.batch()
        site.settings.destinations = [destination("here", .folder(path: site.root + "/share"), [.seg])]
        try await site.batch()
        try await round(site)
        #expect(!FileStatus.exists(site.root + "/share"))
    }

    @Test(
        "what dcmsend reports of each instance decides, whatever its exit status says",
        arguments: [
            ("0x0000 (Success)", DeliveryReceipt.Outcome.sent), ("0xb000 (Warning)", .sent),
            ("0xa700 (Refused)", .failed),
            ("0xa900 (Error)", .refused), ("0xc000 (Error)", .refused), ("0x0122 (Refused)", .refused), ("", .failed),
        ])
    func report(status: String, outcome: DeliveryReceipt.Outcome) {
        let text = """
            Number        : 1
            Filename      : /out/a: b.seg.dcm
            Pres. Context : 1
            DIMSE Status  : \(status)
            """
        let found = DCMSendReport.statuses(text)["/out/a: b.seg.dcm"]
        #expect(found?.outcome == outcome)
    }
}
