import Foundation
import Pipelines
import Records
import SegmentAnything
import Storage
import TinyNetworks

/// A folder of its own, gone with the test; small pipelines and models in it.
final class Fixture {
    let path: String

    init() throws {
        path = FileManager.default.temporaryDirectory.appendingPathComponent("pipelines-\(UUID().uuidString)").path
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }

    func file(_ name: String, _ text: String) throws -> String { try file(name, Data(text.utf8)) }

    func file(_ name: String, _ data: Data) throws -> String {
        let file = URL(fileURLWithPath: path).appendingPathComponent(name)
        try FileManager.default.createDirectory(at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
        try data.write(to: file)
        return file.path
    }

    /// What is asked of a run over inputs with the pipelines of this folder.
    ///
    /// - Parameter pipeline: nil for those whose rules match.
    func options(_ inputs: [String], pipeline: String? = "a") -> Run.Options {
        Run.Options(
            inputs: inputs, out: path + "/out", pipelines: path + "/pipelines", pipeline: pipeline,
            program: ProgramIdentity(version: "0", instructionSet: "portable", precision: "fp32", threads: 1))
    }

    func run(_ inputs: [String], pipeline: String? = "a") throws -> RunRecord {
        try Run.run(options(inputs, pipeline: pipeline)) { _ in }
    }

    /// What stands in the folders of a run's studies.
    func reports(_ record: RunRecord) throws -> [StudyRecord] {
        try record.studies.compactMap(\.folder).map {
            try StudyRecord(json: try DurableFile.read("\(path)/out/\($0)/report.json", limit: 1 << 20))
        }
    }

    static func settings(_ name: String, more: String = "") -> String {
        """
        pipeline: {name: \(name), version: "1.0"}
        selection:
          - modality: [XC]
        segments:
          - key: lesion
            label: Lesion
            category: [49755003, SCT, Morphologically Abnormal Structure]
            type: [52988006, SCT, Lesion]
        \(more)
        """
    }

    /// A pipeline with a tiny model of arbitrary weights; its folder.
    ///
    /// - Parameter seed: of random weights instead, which find something somewhere and nothing elsewhere.
    func pipeline(
        _ name: String, more: String = "", trained: TrainedInput? = nil, label: String = "lesion", seed: UInt64? = nil,
        _ change: (inout Configuration) -> Void = { _ in }
    ) throws -> String {
        _ = try file("pipelines/\(name)/pipeline.yaml", Self.settings(name, more: more))
        var configuration = Configuration.tiny()
        change(&configuration)
        let weights = seed.map { Parameters.initial(configuration, seed: $0) } ?? .byTurns(configuration)
        let description = ModelDescription(
            configuration: configuration, configurationName: "hsp_sam",
            segmentLabels: configuration.segments == 1 ? [label] : nil, trainedInput: trained)
        try ModelDirectory.write(description, tensors: weights.tensors, to: "\(path)/pipelines/\(name)/model")
        return "\(path)/pipelines/\(name)"
    }
}
