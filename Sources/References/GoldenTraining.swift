import SegmentAnything
import Tensors
import Training

/// Forward, heat maps, loss, gradients and three AdamW steps of a small model.
enum GoldenTraining {
    static let lossTolerance = 1e-5
    static let gradientTolerance = 1e-3
    static let learningRate = 1e-3
    static let steps = 3
    /// After the steps this part of a tensor's elements may be off: Adam turns a gradient near zero into a step of either sign.
    static let strayShare = 0.001
    /// 2 % of what three steps can move a parameter.
    static let strayDistance = 0.02 * Double(steps) * learningRate

    static func check(
        _ configuration: Configuration, _ weights: [String: Tensor], _ recorded: SafeTensors, _ precision: Precision
    ) throws -> GoldenReport {
        let parameters = Parameters(weights)
        let image = try recorded.tensor("image").channelsLast()
        let packed = HSPSAM(configuration, parameters, packing: .uncalibrated(precision, configuration))
        let inference = try outputs(packed, image, recorded, "outputs for inference, LoRA merged", precision)
        if precision != .fp32 { return GoldenReport(groups: [inference]) }
        let labels = try labels(configuration, recorded)
        let model = HSPSAM(configuration, parameters, mergeLoRA: false)
        let training = try outputs(model, image, recorded, "outputs", .fp32)

        let optimiser = AdamW(parameters, configuration, options: AdamW.Options())
        // The gradient of a key's bias is 0: what both sides hold is rounding, to be compared with the size of the gradient of the
        // weight beside it.
        let keyBiases = Set(ParameterShapes.of(configuration).filter { $0.role == .keyBias }.map(\.name))
        var losses = GoldenReport.Group("losses", tolerance: lossTolerance)
        var gradients = GoldenReport.Group("gradients", tolerance: gradientTolerance)
        var seen: [Float] = []
        for step in 0..<steps {
            let tape = Tape()
            optimiser.watch(tape)
            let value = Losses.total(model(image, tape: tape), labels, configuration, tape: tape)
            tape.backward(from: value.total)
            seen += value.total.values
            if step == 0 {
                for (name, loss) in [("dice", value.dice), ("ce", value.crossEntropy), ("loss", value.total)] {
                    losses.add(name, GoldenCheck.relative(loss, try recorded.tensor("loss.\(name)")))
                }
                for name in recorded.names where name.hasPrefix("grad.") {
                    let key = String(name.dropFirst(5))
                    let ours = weights[key].flatMap { tape.gradient($0) } ?? Tensor(zeros: [0])
                    let reference = try recorded.tensor(name)
                    if keyBiases.contains(key) {
                        let weight = try recorded.tensor("grad." + key.replacing(".bias", with: ".weight"))
                        gradients.add(key, Double(ours.largest / max(weight.largest, 1e-30)))
                    } else {
                        gradients.add(key, GoldenCheck.relative(ours, reference))
                    }
                }
            }
            optimiser.step(tape, learningRate: learningRate)
        }
        losses.add("steps", GoldenCheck.relative(Tensor([steps], seen), try recorded.tensor("steps.losses")))
        var stepped = GoldenReport.Group("elements off after three AdamW steps", tolerance: strayShare)
        for name in recorded.names where name.hasPrefix("steps.") && name != "steps.losses" {
            let key = String(name.dropFirst(6))
            // Where the gradient is rounding alone, Adam steps by it all the same: either way, and no further than it can.
            let allowed = keyBiases.contains(key) ? 2 * Double(steps) * learningRate : strayDistance
            stepped.add(
                key, strays(weights[key] ?? Tensor(zeros: [0]), try recorded.tensor(name), allowed: Float(allowed)))
        }
        return GoldenReport(groups: [inference, training, losses, gradients, stepped])
    }

    private static func outputs(
        _ model: HSPSAM, _ image: Tensor, _ recorded: SafeTensors, _ title: String, _ precision: Precision
    ) throws -> GoldenReport.Group {
        var group = GoldenReport.Group(title, tolerance: GoldenCheck.outputTolerance(precision))
        let ours = observed(model, image)
        for name in recorded.names where name.hasPrefix("out.") {
            let key = String(name.dropFirst(4))
            group.add(key, GoldenCheck.relative(ours[key] ?? Tensor(zeros: [0]), try recorded.tensor(name)))
        }
        return group
    }

    /// Every intermediate under the reference's name and in its layout.
    private static func observed(_ model: HSPSAM, _ image: Tensor) -> [String: Tensor] {
        var ours: [String: Tensor] = [:]
        let output = model(image, heatMaps: true) { name, tensor in
            let channelsFirst = name.hasPrefix("neck_") || name.hasPrefix("output_")
            ours[name] = channelsFirst ? tensor.channelsFirst() : tensor
        }
        for (level, tensor) in output.logits { ours["logits_\(level)"] = tensor }
        for (level, tensor) in output.iou { ours["iou_\(level)"] = tensor }
        for (level, tensor) in output.questionHeat { ours["q_heat_\(level)"] = tensor }
        for (level, tensor) in output.answerHeat { ours["a_heat_\(level)"] = tensor }
        return ours
    }

    private static func labels(_ configuration: Configuration, _ recorded: SafeTensors) throws -> LabelMaps {
        let side = configuration.inputSize
        let label = try recorded.bytes("label")
        let valid = try recorded.bytes("valid")
        let batch = valid.count / (side * side)
        let validity = (0..<batch).map { Array(valid[$0 * side * side..<($0 + 1) * side * side]) }
        if configuration.activation == .softmax {
            return LabelMaps(valid: validity, configuration) { b, m, pixel in label[b * side * side + pixel] == UInt8(m)
            }
        }
        return LabelMaps(valid: validity, configuration) { b, m, pixel in
            label[(b * configuration.outputs + m) * side * side + pixel] > 0
        }
    }

    /// The share of elements that differ by more than allowed.
    private static func strays(_ ours: Tensor, _ reference: Tensor, allowed: Float) -> Double {
        guard ours.count == reference.count else { return .infinity }
        let off = zip(ours.values, reference.values).count { !(abs($0 - $1) <= allowed) }
        return Double(off) / Double(ours.count)
    }
}

extension Tensor {
    fileprivate var largest: Float { values.reduce(0) { max($0, abs($1)) } }
}
