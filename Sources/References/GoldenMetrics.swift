import Foundation
import Imaging
import SegmentAnything
import Tensors

/// Dice, IoU, HD and HD95 of recorded pairs of masks.
enum GoldenMetrics {
    static let tolerance = 1e-9

    private struct Expected: Decodable {
        let `case`: Int
        /// (row, column)
        let spacing: [Double]
        let dice, iou, hd, hd95: Double
    }

    static func check(_ directory: String, _ recorded: SafeTensors) throws -> GoldenReport {
        let path = directory + "/expected.json"
        guard let data = FileManager.default.contents(atPath: path),
            let cases = try? JSONDecoder().decode([Expected].self, from: data)
        else { throw ReferenceFailure.none(path: path) }
        var groups = ["Dice", "IoU", "HD", "HD95"].map { GoldenReport.Group($0, tolerance: tolerance) }
        for expected in cases {
            func mask(_ name: String) throws -> Mask {
                let key = "\(expected.case).\(name)"
                let flags = try recorded.bytes(key).map { $0 != 0 }
                guard let shape = recorded.shape(key), shape.rank == 2 else {
                    throw ReferenceFailure.none(path: recorded.path)
                }
                return Mask(rows: shape[0], columns: shape[1], flags: flags)
            }
            guard expected.spacing.count == 2 else { throw ReferenceFailure.none(path: path) }
            let spacing = PixelSpacing(row: expected.spacing[0], column: expected.spacing[1])
            let (prediction, truth) = (try mask("prediction"), try mask("truth"))
            guard prediction.rows == truth.rows, prediction.columns == truth.columns else {
                throw ReferenceFailure.none(path: recorded.path)
            }
            let ours = Metrics(prediction: prediction, truth: truth, spacing: spacing)
            let differences = [
                ours.dice - expected.dice, ours.iou - expected.iou, ours.hd - expected.hd, ours.hd95 - expected.hd95,
            ]
            for (i, difference) in differences.enumerated() { groups[i].add("case \(expected.case)", abs(difference)) }
        }
        return GoldenReport(groups: groups)
    }
}
