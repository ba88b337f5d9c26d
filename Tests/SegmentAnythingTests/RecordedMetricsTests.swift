import Foundation
import Imaging
import Tensors
import Testing

/// Here rather than with Imaging, because the recorded masks are tensors.
@Suite("Recorded metrics")
struct RecordedMetricsTests {
    private struct Expected: Decodable {
        let `case`: Int
        let spacing: [Double]
        let dice, iou, hd, hd95: Double
    }

    @Test("Dice, IoU, HD and HD95 are the recorded ones to 1e-9", .enabled(if: Goldens.isPresent))
    func recorded() throws {
        let reference = try SafeTensors(path: Goldens.path("metrics/reference.safetensors"))
        let data = try Data(contentsOf: URL(fileURLWithPath: Goldens.path("metrics/expected.json")))
        let cases = try JSONDecoder().decode([Expected].self, from: data)
        #expect(cases.count == 7)
        for expected in cases {
            func mask(_ name: String) throws -> Mask {
                let key = "\(expected.case).\(name)"
                let shape = try #require(reference.shape(key))
                return Mask(rows: shape[0], columns: shape[1], flags: try reference.bytes(key).map { $0 != 0 })
            }
            let spacing = PixelSpacing(row: expected.spacing[0], column: expected.spacing[1])
            let ours = Metrics(prediction: try mask("prediction"), truth: try mask("truth"), spacing: spacing)
            let differences = [
                ours.dice - expected.dice, ours.iou - expected.iou, ours.hd - expected.hd, ours.hd95 - expected.hd95,
            ]
            #expect(differences.allSatisfy { abs($0) < 1e-9 }, "case \(expected.case): \(ours)")
        }
    }
}
