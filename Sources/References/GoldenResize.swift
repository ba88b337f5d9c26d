import SegmentAnything
import Tensors

/// Weights of one input size used at another.
enum GoldenResize {
    static func check(
        _ configuration: Configuration, _ weights: String, _ recorded: SafeTensors, _ precision: Precision
    ) throws -> GoldenReport {
        let state = try SafeTensors(path: weights).tensors()
        let resized = PositionTables.resized(state, to: configuration)
        var tables = GoldenReport.Group("resized tables", tolerance: GoldenCheck.outputTolerance(.fp32))
        for name in recorded.names where name.hasPrefix("resized.") {
            let key = String(name.dropFirst(8))
            tables.add(key, GoldenCheck.relative(resized[key] ?? Tensor(zeros: [0]), try recorded.tensor(name)))
        }
        var outputs = GoldenReport.Group("outputs", tolerance: GoldenCheck.outputTolerance(precision))
        let model = HSPSAM(configuration, Parameters(resized), packing: .uncalibrated(precision, configuration))
        let logits = model(try recorded.tensor("image").channelsLast()).logits[0] ?? Tensor(zeros: [0])
        outputs.add("logits", GoldenCheck.relative(logits, try recorded.tensor("logits")))
        return GoldenReport(groups: [tables, outputs])
    }
}
