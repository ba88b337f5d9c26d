import Foundation
import Numbers
import Storage

/// `metrics.jsonl` of a run: one line a step and a validation. It is written with each checkpoint, which knows how many lines were
/// there: a run that was killed goes on with exactly those.
struct MetricsLog {
    /// One line; fields that do not apply are left away: a stage of masked autoencoding has a loss, but no Dice and no cross-entropy.
    struct Line: Codable, Sendable, Equatable {
        /// `step` or `validation`
        var kind: String
        /// From 1.
        var stage, epoch, step: Int
        var loss: Double?
        var dice: Double?
        var crossEntropy: Double?
        var learningRate: Double?
        /// Length of the gradient before it was clipped.
        var gradientNorm: Double?
        var imagesPerSecond: Double?
        /// Of several processes: sum of gradients over them, waiting included.
        var exchangeSeconds: Double?
        /// Dice of each segment.
        var segments: [Double]?
        var images: Int?

        enum CodingKeys: String, CodingKey {
            case kind, stage, epoch, step, loss, dice, segments, images
            case crossEntropy = "cross_entropy"
            case learningRate = "learning_rate"
            case gradientNorm = "gradient_norm"
            case imagesPerSecond = "images_per_second"
            case exchangeSeconds = "exchange_seconds"
        }
    }

    private(set) var lines: [Line] = []

    static let name = "metrics.jsonl"

    static func path(in folder: String) -> String { Folder.join(folder, name) }

    mutating func add(_ line: Line) { lines.append(line) }

    func write(to folder: String) throws {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys]
        var bytes: [UInt8] = []
        for line in lines { bytes += Array(try encoder.encode(line)) + [0x0A] }
        try DurableFile.write(bytes, to: Self.path(in: folder))
    }

    /// The first `count` lines of an earlier part of the run; fewer where the file has been taken away.
    static func read(from folder: String, count: Int) -> MetricsLog {
        guard let bytes = try? DurableFile.read(path(in: folder), limit: 1 << 30) else { return MetricsLog() }
        let decoder = JSONDecoder()
        var log = MetricsLog()
        log.lines = bytes.split(separator: 0x0A).prefix(count).compactMap {
            try? decoder.decode(Line.self, from: Data($0))
        }
        return log
    }
}
