import Foundation
import Testing
import Training

/// Recorded references of the reference implementation, where they are at hand.
private let golden = (ProcessInfo.processInfo.environment["HSPSAM_SHARED"] ?? "../shared") + "/golden"
private let isThere = FileManager.default.fileExists(atPath: golden)

@Suite("recorded references", .serialized)
struct GoldenTests {
    @Test(
        "our forward, loss, backward and optimiser agree with the reference implementation", .enabled(if: isThere),
        arguments: [
            "nano-paper", "nano-sigmoid", "nano-ft-sam", "nano-ablation-1", "nano-ablation-2", "nano-ablation-4", "nano-ablation-5",
            "position-resize", "preprocess", "metrics", "sam-nano", "vit-b-hashed", "metrics", "sam-nano",
        ])
    func agrees(_ name: String) throws {
        let report = try GoldenCheck.run(directory: "\(golden)/\(name)")
        for group in report.groups {
            #expect(group.passes, "\(name), \(group.name): \(group.worst) at \(group.worstTensor) of \(group.tensors), allowed \(group.tolerance)")
        }
    }
}
