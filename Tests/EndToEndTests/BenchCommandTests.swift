import Foundation
import Testing

/// `hspsam bench` at sizes that take a moment: that every kind measures, not how fast it is.
@Suite("bench")
struct BenchCommandTests {
    @Test(
        "a pass, a training step and the kernels end with figures",
        arguments: [
            ["--vit", "vit_t", "--input-size", "64"],
            ["--vit", "vit_t", "--input-size", "64", "--what", "train", "--precision", "bf16"],
            ["--vit", "vit_t", "--input-size", "64", "--what", "train", "--activation-checkpointing"],
            ["--input-size", "128", "--what", "kernels"],
        ])
    func figures(_ options: [String]) throws {
        let ending = try Program.run(["bench", "--runs", "1", "--json"] + options)
        try #require(ending.status == 0, "\(ending.errors)")
        let object = try #require(
            try JSONSerialization.jsonObject(with: Data(ending.output.utf8)) as? [String: Any])
        let kernels = try #require(object["kernels"] as? [[String: Any]] ?? [object])
        #expect(kernels.allSatisfy { ($0["seconds_min"] as? Double ?? 0) > 0 && ($0["gflops"] as? Double ?? 0) > 0 })
        #expect(options.contains("kernels") ? kernels.count > 10 : object["load_seconds"] != nil)
    }

    @Test("a network that is too large for the memory ends with a line and a status, never by a signal")
    func exhausted() throws {
        // 3.2 GB for its pictures.
        let command = "bench --vit vit_t --input-size 2048 --batch 64 --runs 1 --threads 1"
        let ending = try Program.run(
            ["--as=2147483648", "--", Program.path] + command.split(separator: " ").map(String.init),
            of: "/usr/bin/prlimit")
        #expect(ending.status == 3 && !ending.bySignal, "\(ending.status)")
        let lines = ending.errors.split(separator: "\n")
        #expect(lines.count == 1 && lines.first?.hasPrefix("MEMORY ") == true, "\(ending.errors)")
    }
}
