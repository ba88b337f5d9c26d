import Daemon
import Foundation
import Storage
import Testing

@Suite("the metrics file")
struct MetricsTests {
    /// The samples by name with labels, as node_exporter reads the file; every line must be one of the format's.
    private func samples(_ text: String) throws -> [String: Double] {
        var samples: [String: Double] = [:]
        var typed: Set<String> = []
        for line in text.split(separator: "\n") {
            if line.hasPrefix("# TYPE ") {
                let words = line.split(separator: " ")
                #expect(words.count == 4 && words[3] == "gauge")
                // One block a metric.
                #expect(typed.insert(String(words[2])).inserted, "\(line)")
                continue
            }
            if line.hasPrefix("# HELP ") { continue }
            let sample = try #require(
                line.wholeMatch(of: /([a-z_0-9]+)(\{[a-z_]+="(?:[^"\\]|\\.)*"\})? (-?[0-9.]+)/), "\(line)")
            #expect(typed.contains(String(sample.1)), "\(line)")
            let name = "\(sample.1)\(sample.2 ?? "")"
            #expect(samples[name] == nil, "\(line)")
            samples[name] = Double(sample.3)
        }
        return samples
    }

    private func read(_ site: Site) throws -> [String: Double] {
        try samples(String(decoding: DurableFile.read(site.root + "/hspsam.prom", limit: 1 << 20), as: UTF8.self))
    }

    @Test("tells what the ledger and the disk say, in node_exporter's format, with nothing of a study in it")
    func values() async throws {
        let site = try Site()
        site.settings.metrics = site.root + "/hspsam.prom"
        site.settings.destinations = [
            Destination(
                name: "a \"name\"", kind: .folder(path: site.root + "/away"), parts: [.seg], firstWait: .zero,
                longestWait: .zero, giveUp: .seconds(60))
        ]
        try await site.withService { try await $0.deliver() }
        try site.drop("CANARY good", "ok")
        try site.drop("CANARY bad", "refuse")
        try await site.batch()
        let metrics = try read(site)
        #expect(metrics["hspsam_build_info{version=\"0.0.0\"}"] == 1)
        #expect(metrics["hspsam_jobs{state=\"done\"}"] == 1 && metrics["hspsam_jobs{state=\"quarantined\"}"] == 1)
        #expect(metrics["hspsam_jobs{state=\"queued\"}"] == 0 && metrics["hspsam_results_24h"] == 1)
        #expect(metrics["hspsam_needs_person"] == 1 && metrics["hspsam_night_needed_person"] == 1)
        #expect(metrics["hspsam_delivery_backlog{destination=\"a \\\"name\\\"\"}"] == 1)
        #expect(try #require(metrics["hspsam_disk_free_bytes"]) > 0)
        #expect(try #require(metrics["hspsam_last_success_timestamp_seconds"]) > 1_700_000_000)
        let text = String(decoding: try DurableFile.read(site.root + "/hspsam.prom", limit: 1 << 20), as: UTF8.self)
        #expect(!text.contains("CANARY"))
        // It is a whole file or none: written beside and renamed.
        #expect(try !Folder.list(site.root).contains { $0.name.hasPrefix(".hspsam.prom") })
    }

    @Test("a folder that is away costs the metrics, and nothing else")
    func away() async throws {
        let site = try Site()
        site.settings.metrics = site.root + "/nowhere/hspsam.prom"
        try site.drop("a", "ok")
        #expect(try await site.batch().results == 1)
    }
}
