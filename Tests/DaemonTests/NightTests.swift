import Daemon
import Failures
import Foundation
import GRDB
import Processes
import Records
import Storage
import Testing

@Suite("the night: a phantom first, a page afterwards")
struct NightTests {
    /// A site whose phantom of 80 ml is measured as `found`.
    private func site(found: Double) throws -> Site {
        let site = try Site()
        try Folder.make(site.root + "/pipelines/phantom-body")
        try DurableFile.write("", to: site.root + "/pipelines/phantom-body/pipeline.yaml")
        try Folder.make(site.root + "/self-test")
        try DurableFile.write(#"{"volume_ml": 80}"#, to: site.root + "/self-test/truth.json")
        try measure(site, found)
        return site
    }

    private func measure(_ site: Site, _ volume: Double) throws {
        let segment = SegmentRecord(number: 1, label: "Body", pixels: 5, volumeML: volume)
        let record = RunRecord(
            started: "", finished: "",
            program: ProgramIdentity(version: "0", instructionSet: "", precision: "", threads: 1), inputs: [],
            studies: [],
            results: [
                .init(
                    study: "s", series: "s", pipeline: "phantom-body", file: nil, segments: [segment], findings: [],
                    frames: 1, pipelineVersion: "1", pipelineDigest: "", modelDigest: "", secondsByStep: [:])
            ])
        try DurableFile.write(record.json(), to: site.root + "/self-test/run.json")
    }

    private func proofs(_ site: Site) throws -> Int {
        let runs = site.root + "/self-test/runs"
        return FileStatus.exists(runs) ? try DurableFile.read(runs, limit: 1 << 20).count { $0 == 10 } : 0
    }

    @Test(
        "no study is worked on until a phantom comes out right; then the night goes on, and the next one within a day too"
    )
    func selfTest() async throws {
        let site = try site(found: 60)
        try site.drop("a", "ok")
        let bad = try await site.batch()
        #expect(bad.results == 0 && bad.waiting == 1 && bad.status == .refusedOrFailed, "\(bad.json)")
        #expect(bad.paused?.hasPrefix("SELF-TEST: a phantom of 80 ml was measured as 60 ml") == true, "\(bad.json)")
        #expect(try StatusReport(site.settings).text.contains("SELF-TEST"))
        try measure(site, 79)
        let good = try await site.batch()
        #expect(good.results == 1 && good.status == .done, "\(good.json)")
        let proven = try proofs(site)
        try site.drop("b", "ok")
        #expect(try await site.batch().results == 1)
        #expect(try proofs(site) == proven)
        // Another program is proven anew, and so is a day-old proof.
        site.settings.version = "0.0.1"
        try site.drop("c", "ok")
        #expect(try await site.batch().results == 1)
        #expect(try proofs(site) == proven + 1)
        let test = SelfTest(site.settings)
        let mark = test.mark(now: 1_000_000_000_000)
        #expect(!test.isDue(mark, now: 1_000_000_000_000 + 19 * 3_600_000))
        #expect(test.isDue(mark, now: 1_000_000_000_000 + 21 * 3_600_000))
        // The clock was set back: nothing is known.
        #expect(test.isDue(mark, now: 1_000_000_000_000 - 1))
        #expect(test.isDue(nil) && !FileStatus.exists(site.root + "/state/self-test"))
        site.settings.selfTest = false
        #expect(!SelfTest(site.settings).isDue(nil))
    }

    @Test("where no pipeline takes phantoms nothing is proven, and work goes on")
    func nothingToProve() async throws {
        let site = try Site()
        try site.drop("a", "ok")
        #expect(try await site.batch().results == 1)
        #expect(!SelfTest(site.settings).isPossible)
    }

    @Test("a request to stop ends a self-test in the middle, and proves nothing")
    func stopped() async throws {
        let site = try site(found: 80)
        let stop = StopRequest()
        stop.ask()
        #expect(try await SelfTest(site.settings).run(stop) {} == nil)
        #expect(!FileStatus.exists(site.root + "/state/self-test"))
    }

    private func pages(_ site: Site) throws -> [String] {
        try Folder.list(site.root + "/outbox/batches").map(\.name).filter { $0.hasSuffix(".html") }.sorted()
    }

    private func text(_ site: Site, _ name: String) throws -> String {
        String(decoding: try DurableFile.read("\(site.root)/outbox/batches/\(name)", limit: 1 << 24), as: UTF8.self)
    }

    @Test("each night has its page: what needs somebody first, its studies, the seven nights before")
    func page() async throws {
        let site = try Site()
        for night in 1...8 {
            try site.drop("good", Plan(how: "ok", study: "night \(night)"))
            if night == 8 { try site.drop("bad", "refuse") }
            try await site.batch()
        }
        let pages = try pages(site)
        #expect(pages.count == 8)
        let last = try text(site, try #require(pages.last))
        #expect(last.contains("1 result, and something needs you") && last.contains("1 put into quarantine"))
        #expect(last.contains("The last 7 nights") && last.contains("usually 1"))
        let plan = Plan(how: "ok", study: "night 8")
        #expect(
            last.contains("href=\"../\(plan.path)/report.html\"")
                && !last.contains(Plan(how: "ok", study: "night 7").path))
        // Each other night of the table has a page.
        for page in pages.dropFirst().dropLast() { #expect(last.contains("href=\"\(page)\"")) }
        #expect(try site.page().contains("href=\"batches/\(try #require(pages.last))\""))
        struct All: Decodable {
            struct Line: Decodable { let counts: BatchOutcome }
            let night: Line
            let before: [Line]
        }
        let json = try text(site, try #require(pages.last).replacing(".html", with: ".json"))
        let all = try JSONDecoder().decode(All.self, from: Data(json.utf8))
        #expect(
            all.night.counts.quarantined == 1 && all.before.count == 6
                && all.before.allSatisfy { $0.counts.results == 1 })
    }

    @Test("the service that watches all day ends a night when the day does")
    func day() async throws {
        let site = try Site()
        site.settings.maintenance = .milliseconds(20)
        let stop = StopRequest()
        try await site.withService(stop) { service in
            let running = Task { try await service.watch() }
            try await eventually { try await service.ledger.fact("day") != nil }
            try site.drop("a", "ok")
            // In the ledger too, not only in the outbox.
            try await eventually { try await service.ledger.jobs(.done).count == 1 }
            // Somebody's clock: yesterday has begun, and ended.
            let words = try #require(try await service.ledger.fact("day")).split(separator: " ")
            try await service.ledger.remember("day", "1999-12-31 0 \(words[2])")
            try await eventually {
                try FileStatus.exists(site.root + "/outbox/batches") && pages(site).count >= 1
            }
            stop.ask()
            try await running.value
        }
        #expect(try text(site, try #require(try pages(site).first)).contains("1 result, all is well"))
    }

    @Test("the page shows accession numbers only where the site file says so, and the ledger never holds them")
    func accession() async throws {
        let site = try Site()
        let plan = Plan(how: "ok", study: "one")
        try site.drop("a", plan)
        try await site.batch()
        var report = try site.report(plan)
        report.identity.accessionNumber = "ACC<1>"
        try DurableFile.write(report.json(), to: "\(site.root)/outbox/\(plan.path)/report.json")
        try site.drop("b", "ok")
        try await site.batch()
        #expect(try !site.page().contains("ACC"))
        site.settings.showsAccession = true
        try site.drop("c", "ok")
        try await site.batch()
        #expect(try site.page().contains("ACC&lt;1&gt;"))
        for name in try Folder.list(site.root + "/state").filter({ $0.status.kind == .regular }).map(\.name) {
            let bytes = try DurableFile.read("\(site.root)/state/\(name)", limit: 1 << 26)
            #expect(Data(bytes).range(of: Data("ACC<".utf8)) == nil, "\(name)")
        }
    }

    @Test("a report from before accession numbers were told is read as one without")
    func olderReport() throws {
        let identity = Data(
            #"{"patient_name": "a", "patient_id": "b", "study_date": "c", "study_description": "d"}"#.utf8)
        let read = try JSONDecoder().decode(StudyRecord.Identity.self, from: identity)
        #expect(read == .init(patientName: "a", patientID: "b", studyDate: "c", studyDescription: "d"))
    }
}
