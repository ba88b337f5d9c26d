import Failures
import Foundation
import ImageFiles
import SegmentAnything
import Tensors
import Testing
import Training

@Suite("Quantiser")
struct QuantiserTests {
    @Test("a model is calibrated on images, measured, and serves 8 bits and float32 afterwards")
    func quantises() throws {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("quantiser-\(UUID().uuidString)")
            .path
        defer { try? FileManager.default.removeItem(atPath: folder) }
        try FileManager.default.createDirectory(atPath: folder + "/images", withIntermediateDirectories: true)
        for number in 0..<5 {
            let page = RasterPage(
                rows: 40, columns: 50, samples: 1, bits: 8, values: (0..<2000).map { UInt16(($0 * (number + 3)) % 251) }
            )
            try Data(try ImageFile.png(page)).write(to: URL(fileURLWithPath: "\(folder)/images/\(number).png"))
        }
        // A mask beside its picture is none.
        let mask = RasterPage(rows: 40, columns: 50, samples: 1, bits: 8, values: [UInt16](repeating: 0, count: 2000))
        try Data(try ImageFile.png(mask)).write(to: URL(fileURLWithPath: "\(folder)/images/4_mask.png"))
        var configuration = Configuration()
        configuration.inputSize = 64
        (configuration.embedDim, configuration.depth, configuration.heads, configuration.globalBlocks) = (32, 2, 2, [1])
        (configuration.window, configuration.decoderDim, configuration.decoderHeads, configuration.loraRank) = (
            3, 16, 2, 2
        )
        let description = ModelDescription(configuration: configuration, configurationName: "hsp_sam")
        let parameters = Parameters.initial(configuration, seed: 1)
        try ModelDirectory.write(description, tensors: parameters.tensors, to: folder + "/model")
        let model = try ModelDirectory.open(folder + "/model")
        var steps = 0
        let result = try Quantiser.run(model, images: folder + "/images", most: 6, out: folder + "/eight") {
            done, total in
            steps += 1
            #expect(done == steps && total == 6)
        }
        #expect(steps == 6 && result.choices.count == 8 && result.dice.map(\.name) == (0..<5).map { "\($0).png" })
        let eight = try ModelDirectory.open(folder + "/eight")
        #expect(eight.description.quantisation == result.quantisation)
        #expect(result.choices.allSatisfy { $0.inputScale == nil ? $0.error > Calibration.largestError : $0.error > 0 })
        #expect(result.choices.contains { $0.inputScale != nil })
        let few = #expect(throws: FailureRecord.self) {
            try Quantiser.run(model, images: folder + "/images", most: 3, out: folder + "/few") { _, _ in }
        }
        #expect(few?.code == "USE-RANGE" && !FileManager.default.fileExists(atPath: folder + "/few"))
        for choice in [PrecisionChoice.fp32, .bf16, .int8] { _ = try Predictor(eight, choice) }
    }
}
