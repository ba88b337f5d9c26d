import Foundation
import References
import Tensors
import Testing

/// Recorded references of the reference implementation: some in `Tests/Golden`, all of them where `HSPSAM_SHARED` is at hand.
private let own = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "../Golden").standardizedFileURL
    .path
private let shared = (ProcessInfo.processInfo.environment["HSPSAM_SHARED"] ?? "../shared") + "/golden"

private let here: [String] = [
    "nano-paper", "metrics", "nano-sigmoid", "nano-ft-sam", "nano-ablation-1", "nano-ablation-2", "nano-ablation-4",
    "nano-ablation-5",
    "position-resize", "preprocess", "sam-nano", "vit-b-hashed",
].compactMap { name in
    ["\(own)/\(name)", "\(shared)/\(name)"].first {
        FileManager.default.fileExists(atPath: $0 + "/reference.safetensors")
    }
}

@Suite("recorded references", .serialized)
struct GoldenTests {
    @Test("our forward, loss, backward and optimiser agree with the reference implementation", arguments: here)
    func agrees(_ directory: String) throws {
        let report = try GoldenCheck.run(directory: directory)
        #expect(!report.groups.isEmpty)
        for group in report.groups {
            #expect(
                group.passes,
                "\(group.name): \(group.worst) at \(group.worstTensor) of \(group.tensors), allowed \(group.tolerance)")
        }
    }

    @Test(
        "in bfloat16 and in 8 bits the network's outputs stay within the bounds that the documentation states",
        arguments: here.filter { FileManager.default.fileExists(atPath: $0 + "/config.json") },
        [Precision.bf16, .int8])
    func precisions(_ directory: String, _ precision: Precision) throws {
        let report = try GoldenCheck.run(directory: directory, precision: precision)
        #expect(!report.groups.isEmpty)
        for group in report.groups {
            #expect(
                group.passes,
                "\(group.name): \(group.worst) at \(group.worstTensor) of \(group.tensors), allowed \(group.tolerance)")
        }
    }

    @Test("the references of the project itself are there")
    func present() {
        #expect(here.count >= 2)
    }
}
