import Failures
import Foundation
import Imaging
import SegmentAnything
import Tensors

/// Runs whatever a directory of recorded references holds through our own code and reports the worst difference of each group.
///
/// A directory is recognised by its files: `weights.safetensors` and references (forward, loss, backward, three AdamW steps),
/// `weights_<S>.safetensors` (position tables resized), `expected.json` (metrics), `sam.pth` (import), a reference with
/// `*.input` (preprocessing), a configuration alone (full size with weights made by a hash).
package enum GoldenCheck {
    /// *Throws* `ReferenceFailure.none` when the directory holds nothing that can be checked; the reader's failures.
    package static func run(directory: String) throws -> GoldenReport {
        let files = Set((try? FileManager.default.contentsOfDirectory(atPath: directory)) ?? [])
        let reference = directory + "/reference.safetensors"
        guard files.contains("reference.safetensors") else { throw ReferenceFailure.none(path: directory) }
        let recorded = try SafeTensors(path: reference)
        if files.contains("expected.json") { return try GoldenMetrics.check(directory, recorded) }
        if files.contains("sam.pth") { return try GoldenImport.check(directory, recorded) }
        guard files.contains("config.json") else { return try GoldenPreparation.check(recorded) }
        let configuration = try Configuration.read(directory + "/config.json")
        if files.contains("weights.safetensors") {
            let weights = try SafeTensors(path: directory + "/weights.safetensors").tensors()
            return try GoldenTraining.check(configuration, weights, recorded)
        }
        if let name = files.first(where: { $0.hasPrefix("weights_") && $0.hasSuffix(".safetensors") }) {
            return try GoldenResize.check(configuration, directory + "/" + name, recorded)
        }
        return try GoldenHashed.check(configuration, recorded)
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
