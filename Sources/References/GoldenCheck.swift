import Failures
import Foundation
import Imaging
import SegmentAnything
package import Tensors

/// Runs whatever a directory of recorded references holds through our own code and reports the worst difference of each group.
///
/// A directory is recognised by its files: `weights.safetensors` and references (forward, loss, backward, three AdamW steps),
/// `weights_<S>.safetensors` (position tables resized), `expected.json` (metrics), `sam.pth` (import), a reference with
/// `*.input` (preprocessing), a configuration alone (full size with weights made by a hash).
package enum GoldenCheck {
    /// *Throws* `ReferenceFailure.none` when the directory holds nothing that can be checked; the reader's failures.
    ///
    /// - Parameter precision: of the network with packed weights. With another one than float32 what does not run through it (loss,
    ///   gradients, metrics, preparation) is not checked.
    package static func run(directory: String, precision: Precision = .fp32) throws -> GoldenReport {
        let files = Set((try? FileManager.default.contentsOfDirectory(atPath: directory)) ?? [])
        let reference = directory + "/reference.safetensors"
        guard files.contains("reference.safetensors") else { throw ReferenceFailure.none(path: directory) }
        let recorded = try SafeTensors(path: reference)
        if precision != .fp32, !files.contains("config.json") { throw ReferenceFailure.none(path: directory) }
        if files.contains("expected.json") { return try GoldenMetrics.check(directory, recorded) }
        if files.contains("sam.pth") { return try GoldenImport.check(directory, recorded, precision) }
        guard files.contains("config.json") else { return try GoldenPreparation.check(recorded) }
        let configuration = try Configuration.read(directory + "/config.json")
        if files.contains("weights.safetensors") {
            let weights = try SafeTensors(path: directory + "/weights.safetensors").tensors()
            return try GoldenTraining.check(configuration, weights, recorded, precision)
        }
        if let name = files.first(where: { $0.hasPrefix("weights_") && $0.hasSuffix(".safetensors") }) {
            return try GoldenResize.check(configuration, directory + "/" + name, recorded, precision)
        }
        return try GoldenHashed.check(configuration, recorded, precision)
    }

    /// How far outputs may be off, relative to the largest value of each; `docs/performance.md` says where the figures come from.
    static func outputTolerance(_ precision: Precision) -> Double {
        switch precision {
        case .fp32: 1e-4
        case .bf16: 5e-2
        case .int8: 2e-1
        }
    }

    /// The largest absolute difference relative to the largest absolute value of the reference.
    static func relative(_ ours: Tensor, _ reference: Tensor) -> Double {
        guard ours.count == reference.count else { return .infinity }
        var (difference, scale) = (Float(0), Float(0))
        for (a, b) in zip(ours.values, reference.values) {
            let d = abs(a - b)
            if d.isNaN { return .infinity }
            difference = max(difference, d)
            scale = max(scale, abs(b))
        }
        return Double(difference) / Double(max(scale, 1e-30))
    }
}
