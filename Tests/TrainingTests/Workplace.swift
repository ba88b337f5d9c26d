import Failures
import Foundation
import ImageFiles
import SegmentAnything
import Training

/// A few bright discs on dark ground, and a plan for the smallest model.
struct Workplace {
    let folder: String

    init(images: Int = 6) throws {
        folder = FileManager.default.temporaryDirectory.appending(path: "training-\(UUID().uuidString)").path
        for part in ["images", "masks"] {
            try FileManager.default.createDirectory(atPath: "\(folder)/\(part)", withIntermediateDirectories: true)
        }
        for i in 0..<images {
            var (image, mask) = ([UInt16](repeating: 30, count: 48 * 64), [UInt16](repeating: 0, count: 48 * 64))
            let (y, x) = (14 + 4 * i % 20, 16 + 7 * i % 32)
            for pixel in image.indices
            where (pixel / 64 - y) * (pixel / 64 - y) + (pixel % 64 - x) * (pixel % 64 - x) < 100 {
                (image[pixel], mask[pixel]) = (200, 255)
            }
            try write(image, "images/disc\(i).png")
            try write(mask, "masks/disc\(i)_mask.png")
        }
    }

    func write(
        _ values: [UInt16], rows: Int = 48, columns: Int = 64, samples: Int = 1, bits: Int = 8, _ name: String
    ) throws {
        let page = RasterPage(rows: rows, columns: columns, samples: samples, bits: bits, values: values)
        try FileManager.default.createDirectory(
            at: URL(filePath: "\(folder)/\(name)").deletingLastPathComponent(), withIntermediateDirectories: true)
        try Data(ImageFile.png(page)).write(to: URL(filePath: "\(folder)/\(name)"))
    }

    /// Writes train.yaml and reads it.
    func plan(
        _ extra: String = "", epochs: Int = 2, rate: String = "1.0e-3", data: String = "{images: images, masks: masks}",
        labels: String? = nil, segments: Int = 1, folders: DataFolders = DataFolders()
    ) throws -> TrainingPlan {
        let named = labels.map { ", segment_labels: \($0)" } ?? ""
        let text = """
            model: {size: nano, configuration: scratch, stem: conv, input_size: 96, segments: \(segments)\(named)}
            data: [\(data)]
            stages:
              - {input_size: 64, epochs: \(epochs), batch: 2, learning_rate: \(rate)}
              - {input_size: 96, epochs: 1, batch: 2, learning_rate: \(rate)}
            optimiser: {warmup: 2}
            \(extra)
            """
        try text.write(toFile: "\(folder)/train.yaml", atomically: true, encoding: .utf8)
        return try TrainingPlan.read("\(folder)/train.yaml", folders: folders)
    }

    func weights(_ model: String) throws -> Data {
        try Data(contentsOf: URL(filePath: "\(folder)/\(model)/weights.safetensors"))
    }

    /// The values of disc number `i`'s mask, 255 in it.
    func disc(_ i: Int) throws -> [UInt16] { try ImageFile.read("\(folder)/masks/disc\(i)_mask.png")[0].values }

    /// Writes every mask anew from its values, 255 in the disc.
    func masks(samples: Int = 1, bits: Int = 8, _ change: (_ disc: Int, _ values: [UInt16]) -> [UInt16]) throws {
        for i in 0..<6 where FileManager.default.fileExists(atPath: "\(folder)/masks/disc\(i)_mask.png") {
            try write(change(i, try disc(i)), samples: samples, bits: bits, "masks/disc\(i)_mask.png")
        }
    }

    /// What is wrong with the data of a plan.
    func problems(_ plan: TrainingPlan) throws -> [FailureRecord] {
        let data = try TrainingData(plan)
        return try DataCheck.run(data.roles, segments: plan.configuration.segments, input: plan.input).problems
    }

    /// The set of a plan's first entry, as the check understands it.
    func set(_ plan: TrainingPlan, learns: Bool = true) throws -> LabelledSet {
        let data = try TrainingData(plan)
        let check = try DataCheck.run(
            data.roles, segments: plan.configuration.segments, input: plan.input, learns: learns)
        try check.confirm()
        return check.sets[0]
    }
}
