import Imaging
import SegmentAnything
import Tensors
import Testing
import TinyNetworks

@Suite("Predictor")
struct PredictorTests {
    @Test("a prediction lies on the image's grid, with heat maps of every prompt and level")
    func prediction() throws {
        let configuration = Configuration.tiny(segments: 2, prompts: 3)
        var tensors: [String: Tensor] = [:]
        for (i, parameter) in ParameterShapes.of(configuration).enumerated() {
            let values = (0..<parameter.shape.count).map { Float(($0 * 37 + i * 11) % 23) / 50 - 0.2 }
            tensors[parameter.name] = Tensor(parameter.shape, values)
        }
        let predictor = Predictor(
            ModelDescription(configuration: configuration, configurationName: "hsp_sam"), Parameters(tensors))
        let image = DisplayImage(rows: 30, columns: 50, pixels: (0..<30 * 50 * 3).map { UInt8($0 * 7 % 256) })
        let prediction = try predictor.segment(image, heatMaps: true)
        #expect(prediction.masks.count == 2 && prediction.masks.allSatisfy { $0.rows == 30 && $0.columns == 50 })
        #expect(prediction.probabilities.allSatisfy { $0.count == 1500 && $0.allSatisfy { (0...1).contains($0) } })
        #expect(prediction.heatMaps.count == 2 * 2 * 3)
        for map in prediction.heatMaps {
            #expect(abs(map.values.reduce(0, +) - 1) < 1e-4)
            let over = map.overImage(prediction.placement)
            #expect(over.count == 1500 && over.max() == 1)
        }
        #expect(try predictor.segment(image).heatMaps.isEmpty)
        #expect(try predictor.segment(image).masks == prediction.masks)
    }

    @Test(
        "confidence is the mean probability over a mask's pixels, also of those that were cleaned, and nothing of an empty mask"
    )
    func confidence() {
        let probabilities: [Float] = [0.9, 0.2, 0.8, 0.1, 0.7, 0.1, 0.1, 0.1, 0.1, 0.1, 0.1, 0.6]
        func mask(_ pixels: Set<Int>) -> Mask { Mask(rows: 2, columns: 6, flags: (0..<12).map(pixels.contains)) }
        let runs = ProbabilityRuns(of: mask([0, 2, 4, 11]), probabilities: probabilities)
        for (pixels, mean) in [
            // As the network left it; without a part; with a hole filled.
            (Set([0, 2, 4, 11]), 3 / 4.0), ([0, 2], 1.7 / 2), ([0, 1, 2, 4], 2.6 / 4),
        ] {
            #expect(abs(Double(runs.confidence(of: mask(pixels)) ?? 0) - mean) < 1e-6)
        }
        #expect(runs.confidence(of: mask([])) == nil)
    }
}
