import SegmentAnything
import Tensors

/// Images to the network's input and logits back to the image, for awkward sizes.
enum GoldenPreparation {
    /// Absolute, on normalised input.
    static let inputTolerance = 1e-4
    /// Of the largest value.
    static let backTolerance = 1e-4
    /// One reference holds every 8th row and column only, to stay small.
    static let sparse = 8

    static func check(_ recorded: SafeTensors) throws -> GoldenReport {
        var inputs = GoldenReport.Group("network input", tolerance: inputTolerance)
        var back = GoldenReport.Group("logits at image size", tolerance: backTolerance)
        for name in recorded.names where name.hasSuffix(".image") {
            let key = String(name.dropLast(6))
            guard let side = key.split(separator: ".").last.flatMap({ Int($0) }) else { continue }
            let image = try recorded.tensor(name)
            let prepared = Preparation(inputSize: side).prepare(
                rgb: image.values, rows: image.shape[0], columns: image.shape[1])
            let ours = prepared.input.reshaped([1, side, side, 3]).channelsFirst()
            if recorded.contains("\(key).input") {
                inputs.add(key, largest(ours.values, try recorded.tensor("\(key).input").values))
            } else {
                let values = ours.values
                var picked: [Float] = []
                for channel in 0..<3 {
                    for row in stride(from: 0, to: side, by: sparse) {
                        for column in stride(from: 0, to: side, by: sparse) {
                            picked.append(values[(channel * side + row) * side + column])
                        }
                    }
                }
                inputs.add(key, largest(picked, try recorded.tensor("\(key).input_every_8th").values))
            }
            if recorded.contains("\(key).logits") {
                let logits = Restoration.logits(try recorded.tensor("\(key).logits"), placement: prepared.placement)
                back.add(key, GoldenCheck.relative(logits, try recorded.tensor("\(key).back")))
            }
        }
        return GoldenReport(groups: [inputs, back])
    }

    private static func largest(_ a: [Float], _ b: [Float]) -> Double {
        a.count == b.count ? Double(zip(a, b).reduce(Float(0)) { max($0, abs($1.0 - $1.1)) }) : .infinity
    }
}
