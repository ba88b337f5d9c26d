import Foundation
import Imaging
import Numbers

/// An evaluation as Markdown, CSV and JSON.
package struct EvaluationReport {
    private let evaluation: Evaluation
    /// Set by the caller: what was evaluated on what.
    private let title: String
    /// With a second model, and what that is called.
    private let comparison: (with: String, Comparison)?
    /// Images that the models learned from: figures on them measure memory.
    private let learned: (first: Int, second: Int?)

    package init(
        _ evaluation: Evaluation, title: String, comparison: (with: String, Comparison)? = nil,
        learned: (first: Int, second: Int?) = (0, nil)
    ) {
        self.evaluation = evaluation
        self.learned = learned
        self.title = title
        self.comparison = comparison
    }

    // MARK: Markdown

    /// The figures of one model on one set: a table a segment, 95 % intervals in brackets.
    package var markdown: String { markdown(overview: "") }

    /// - Parameter overview: what comes before the segments' tables.
    func markdown(overview: String) -> String {
        var text = "# \(title)\n\n\(evaluation.files.count) images; 95 % intervals by bootstrap over images.\n"
        for (count, name) in [(learned.first, "this model"), (learned.second ?? 0, "the second model")] where count > 0
        {
            text += "\n\(count) of them were in the training of \(name): on these it measures memory.\n"
        }
        text += overview + segmentTables("")
        if let (other, comparison) = comparison {
            text += "\n## Compared with \(other)\n\n\(comparison.words).\n"
        }
        return text
    }

    /// - Parameter prefix: what stands before each segment's name.
    func segmentTables(_ prefix: String) -> String {
        var text = ""
        for (index, segment) in evaluation.segments.enumerated() {
            let all = evaluation.files.map { $0.segments[index] }
            func mean(_ value: (Evaluation.SegmentFigures) -> Double, _ decimals: Int = 4) -> String {
                mean(all.map(value), decimals)
            }
            func mean(_ values: [Double], _ decimals: Int) -> String {
                let average = values.reduce(0, +) / Double(values.count)
                let interval = Bootstrap.interval(ofMean: values).map {
                    " [\(fixed($0.lowerBound, decimals)), \(fixed($0.upperBound, decimals))]"
                }
                return fixed(average, decimals) + (interval ?? "")
            }
            let pooledInterval = Bootstrap.interval(all.count) { chosen in
                var counts = PixelCounts()
                for file in chosen { counts += all[file].counts }
                return counts.dice
            }
            var rows = [
                ("Dice, per image", mean(\.metrics.dice)), ("IoU, per image", mean(\.metrics.iou)),
                (
                    "Dice, pooled",
                    fixed(segment.pooled.dice, 4)
                        + (pooledInterval.map { " [\(fixed($0.lowerBound, 4)), \(fixed($0.upperBound, 4))]" } ?? "")
                ),
                ("IoU, pooled", fixed(segment.pooled.iou, 4)),
                ("Dice, mean over thresholds", mean(\.thresholdDice)),
                ("sensitivity, per image", mean(\.counts.sensitivity)),
                ("specificity, per image", mean(\.counts.specificity)),
                ("HD, pixels", mean(\.metrics.hd, 2)), ("HD95, pixels", mean(\.metrics.hd95, 2)),
            ]
            let scaled = all.compactMap(\.millimetres)
            if !scaled.isEmpty {
                let of = scaled.count < all.count ? " (\(scaled.count) images that say how large their pixels are)" : ""
                rows += [("HD, mm\(of)", mean(scaled.map(\.hd), 2)), ("HD95, mm\(of)", mean(scaled.map(\.hd95), 2))]
            }
            if segment.instances != nil {
                rows += [
                    ("AP at IoU 0.5", mean { $0.instances?.precision[0] ?? 1 }),
                    ("AP, mean over IoU 0.5 to 0.95", mean { $0.instances?.meanPrecision ?? 1 }),
                    ("aggregated Jaccard index", mean { $0.instances?.aggregatedJaccard ?? 1 }),
                    ("objects found / true", objects(all)),
                ]
            }
            text += "\n## \(prefix)\(segment.label)\n\n| figure | value |\n|---|---|\n"
            text += rows.map { "| \($0.0) | \($0.1) |\n" }.joined()
        }
        return text
    }

    private func objects(_ all: [Evaluation.SegmentFigures]) -> String {
        let (found, wanted) = (
            all.reduce(0) { $0 + ($1.instances?.found ?? 0) }, all.reduce(0) { $0 + ($1.instances?.wanted ?? 0) }
        )
        return "\(found) / \(wanted)"
    }

    private func fixed(_ value: Double, _ decimals: Int) -> String { String(format: "%.\(decimals)f", value) }

    // MARK: CSV

    /// One line a file and segment.
    package var csv: String { ([Self.csvColumns] + csvLines).joined(separator: "\n") + "\n" }

    static let csvColumns =
        "name,segment,dice,iou,hd,hd95,sensitivity,specificity,threshold_dice,true_positive,false_positive,false_negative,"
        + "true_negative,ap50,ap,aji,hd_mm,hd95_mm"

    var csvLines: [String] {
        var lines: [String] = []
        for file in evaluation.files {
            for (segment, figures) in zip(evaluation.segments, file.segments) {
                let counts = figures.counts
                let objects = figures.instances.map {
                    [fixed($0.precision[0], 6), fixed($0.meanPrecision, 6), fixed($0.aggregatedJaccard, 6)]
                }
                let numbers = [
                    fixed(figures.metrics.dice, 6), fixed(figures.metrics.iou, 6), fixed(figures.metrics.hd, 3),
                    fixed(figures.metrics.hd95, 3), fixed(counts.sensitivity, 6), fixed(counts.specificity, 6),
                    fixed(figures.thresholdDice, 6), "\(counts.truePositive)", "\(counts.falsePositive)",
                    "\(counts.falseNegative)", "\(counts.trueNegative)",
                ]
                let scaled = figures.millimetres.map { [fixed($0.hd, 4), fixed($0.hd95, 4)] }
                lines.append(
                    ([Self.quoted(file.name), Self.quoted(segment.label)] + numbers + (objects ?? ["", "", ""])
                        + (scaled ?? ["", ""])).joined(separator: ","))
            }
        }
        return lines
    }

    static func quoted(_ text: String) -> String {
        text.contains { ",\"\n\r".contains($0) } ? "\"\(text.replacing("\"", with: "\"\""))\"" : text
    }

    // MARK: JSON

    /// `{"mean", "segments", "files"}`, and `agreement` and `comparison` where they were asked for; a file's figures are the mean of its segments, each with its own below `segments`.
    package func json() throws -> [UInt8] {
        Array(try Self.encoder.encode(figures)) + [0x0A]
    }

    static var encoder: JSONEncoder {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys]
        return encoder
    }

    var figures: Report {
        Report(
            mean: Figures(evaluation.mean), inTraining: learned.first,
            agreement: Agreement(evaluation).map {
                Report.Agreement(
                    images: $0.files.count, dice: $0.mean, leastDice: $0.worst.dice, leastName: $0.worst.name,
                    change: $0.meanChange, largestLoss: $0.largestLoss.change, largestLossName: $0.largestLoss.name)
            },
            comparison: comparison.map { Report.Comparison($0.1, with: $0.with, inTraining: learned.second ?? 0) },
            segments: evaluation.segments.enumerated().map { index, segment in
                let dices = evaluation.files.map { $0.segments[index].metrics.dice }
                return Report.Segment(
                    label: segment.label, mean: Figures(segment.mean, segment.millimetres?.mean),
                    scaledImages: segment.millimetres?.images,
                    diceInterval: Bootstrap.interval(ofMean: dices).map { [$0.lowerBound, $0.upperBound] },
                    pooled: Pooled(segment.pooled), thresholdDice: segment.thresholdDice,
                    instances: segment.instances.map {
                        Objects(ap50: $0.precision50, ap: $0.precision, aji: $0.aggregatedJaccard)
                    })
            },
            files: evaluation.files.map { file in
                Report.File(
                    name: file.name, dice: file.metrics.dice, iou: file.metrics.iou, hd: file.metrics.hd,
                    hd95: file.metrics.hd95, agreement: file.agreement?.dice, change: file.agreement?.change,
                    segments: file.segments.map { figures in
                        Report.FileSegment(
                            figures: Figures(figures.metrics, figures.millimetres), pooled: Pooled(figures.counts),
                            instances: figures.instances.map {
                                Objects(ap50: $0.precision[0], ap: $0.meanPrecision, aji: $0.aggregatedJaccard)
                            })
                    })
            })
    }

    struct Figures: Encodable {
        let dice, iou, hd, hd95: Double
        let hdMM, hd95MM: Double?

        init(_ metrics: Metrics, _ millimetres: Evaluation.Distances? = nil) {
            (dice, iou, hd, hd95) = (metrics.dice, metrics.iou, metrics.hd, metrics.hd95)
            (hdMM, hd95MM) = (millimetres?.hd, millimetres?.hd95)
        }

        enum CodingKeys: String, CodingKey {
            case dice, iou, hd, hd95
            case hdMM = "hd_mm"
            case hd95MM = "hd95_mm"
        }
    }

    struct Pooled: Encodable {
        let dice, iou, sensitivity, specificity: Double
        init(_ counts: PixelCounts) {
            (dice, iou, sensitivity, specificity) = (counts.dice, counts.iou, counts.sensitivity, counts.specificity)
        }
    }

    struct Objects: Encodable { let ap50, ap, aji: Double }

    struct Report: Encodable {
        struct Segment: Encodable {
            let label: String
            let mean: Figures
            /// Images of which distances in mm are the mean; nil where there is none.
            let scaledImages: Int?
            let diceInterval: [Double]?
            let pooled: Pooled
            let thresholdDice: Double
            let instances: Objects?

            enum CodingKeys: String, CodingKey {
                case label, mean, pooled, instances
                case scaledImages = "scaled_images"
                case diceInterval = "dice_interval"
                case thresholdDice = "threshold_dice"
            }
        }
        struct FileSegment: Encodable {
            let figures: Figures
            let pooled: Pooled
            let instances: Objects?
        }
        struct File: Encodable {
            let name: String
            let dice, iou, hd, hd95: Double
            let agreement, change: Double?
            let segments: [FileSegment]
        }
        /// With the masks of float32.
        struct Agreement: Encodable {
            let images: Int
            let dice, leastDice: Double
            let leastName: String
            let change, largestLoss: Double
            let largestLossName: String

            enum CodingKeys: String, CodingKey {
                case images, dice, change
                case leastDice = "least_dice"
                case leastName = "least_name"
                case largestLoss = "largest_loss"
                case largestLossName = "largest_loss_name"
            }
        }
        /// With a second model on the same images.
        struct Comparison: Encodable {
            let with: String
            let difference: Double
            let interval: [Double]?
            let probability: Double
            let firstBetter, secondBetter: Int
            let inTraining: Int

            enum CodingKeys: String, CodingKey {
                case with, difference, interval
                case probability = "p"
                case firstBetter = "first_better"
                case secondBetter = "second_better"
                case inTraining = "in_training"
            }

            init(_ found: Training.Comparison, with: String, inTraining: Int) {
                (self.with, difference, self.inTraining) = (with, found.difference, inTraining)
                interval = found.interval.map { [$0.lowerBound, $0.upperBound] }
                probability = found.probability
                (firstBetter, secondBetter) = found.better
            }
        }
        let mean: Figures
        let inTraining: Int
        let agreement: Agreement?
        let comparison: Comparison?
        let segments: [Segment]
        let files: [File]

        enum CodingKeys: String, CodingKey {
            case mean, agreement, comparison, segments, files
            case inTraining = "in_training"
        }
    }
}

/// Two models on the same images.
package struct Comparison: Sendable {
    /// Mean Dice of the first minus that of the second.
    package let difference: Double
    package let interval: ClosedRange<Double>?
    /// Of a paired permutation test.
    package let probability: Double
    /// Images on which the first is better, and on which the second is.
    package let better: (first: Int, second: Int)

    /// *Precondition*: both evaluations are of the same images in the same order.
    package init(_ first: Evaluation, _ second: Evaluation) {
        precondition(first.files.map(\.name) == second.files.map(\.name), "Comparison: other images")
        let differences = zip(first.files, second.files).map { $0.metrics.dice - $1.metrics.dice }
        difference = differences.reduce(0, +) / Double(differences.count)
        interval = Bootstrap.interval(ofMean: differences)
        probability = Bootstrap.permutation(differences)
        better = (differences.count { $0 > 0 }, differences.count { $0 < 0 })
    }

    package var words: String {
        let range = interval.map { String(format: " [%.4f, %.4f]", $0.lowerBound, $0.upperBound) } ?? ""
        return String(format: "difference of mean Dice %+.4f", difference) + range
            + String(format: ", p = %.4f (paired permutation test); ", probability)
            + "the first is better on \(better.first) images, the second on \(better.second)"
    }
}
