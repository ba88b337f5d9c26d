import Numbers
import SegmentAnything
import Tensors

/// The real architecture at full size, with weights made by a hash instead of a file.
///
/// Element i of a tensor is splitmix64(FNV-1a-64(name) + i) in [−1, 1), times 1 for the Fourier matrix, 0.05 for biases, tokens,
/// prompts and position tables, 1 + 0.05·v for norm weights, √(3 / fan-in) for all else.
enum GoldenHashed {
    /// Twelve blocks gather ten times what two do.
    static func tolerance(_ precision: Precision) -> Double {
        precision == .fp32 ? 1e-3 : GoldenCheck.outputTolerance(precision)
    }

    static func check(
        _ configuration: Configuration, _ recorded: SafeTensors, _ precision: Precision
    ) throws -> GoldenReport {
        var tensors: [String: Tensor] = [:]
        for parameter in ParameterShapes.of(configuration) {
            tensors[parameter.name] = weight(parameter)
        }
        var hash = GoldenReport.Group("hashed weights", tolerance: 1e-6)
        for name in recorded.names where name.hasPrefix("weight.") {
            let key = String(name.dropFirst(7).dropLast(".first_8".count))
            let first = Array((tensors[key]?.values ?? []).prefix(8))
            hash.add(key, GoldenCheck.relative(Tensor([first.count], first), try recorded.tensor(name)))
        }
        var outputs = GoldenReport.Group("outputs", tolerance: tolerance(precision))
        let model = HSPSAM(configuration, Parameters(tensors), packing: .uncalibrated(precision, configuration))
        tensors = [:]
        var difficulties: [any Error] = []
        func compare(_ name: String, _ ours: @autoclosure () -> Tensor) {
            guard recorded.contains(name) else { return }
            do { outputs.add(name, GoldenCheck.relative(ours(), try recorded.tensor(name))) } catch {
                difficulties.append(error)
            }
        }
        let output = model(image(configuration.inputSize)) { name, tensor in
            compare("\(name).every_8th_token_16th_channel", sampled(tensor, token: 8, channel: 16))
            compare("\(name).every_8th_channel_and_token", sampled(tensor, token: 8, channel: 8).channelsFirst())
            compare(name, tensor)
        }
        if let error = difficulties.first { throw error }
        if let logits = output.logits[0] {
            compare("logits_0.every_4th", sampled(logits.channelsLast(), token: 4, channel: 1).channelsFirst())
        }
        return GoldenReport(groups: [hash, outputs])
    }

    /// Rows of the last quarter are zero.
    private static func image(_ side: Int) -> Tensor {
        var values = hashed("image", count: 3 * side * side)
        for channel in 0..<3 {
            for i in (channel * side + side * 3 / 4) * side..<(channel + 1) * side * side { values[i] = 0 }
        }
        return Tensor([1, 3, side, side], values).channelsLast()
    }

    /// Every n-th row and column, and every m-th channel, of `[1, H, W, C]`.
    private static func sampled(_ x: Tensor, token: Int, channel: Int) -> Tensor {
        guard x.shape.rank == 4 else { return x }
        let (h, w, c) = (x.shape[1], x.shape[2], x.shape[3])
        let all = x.values
        var values: [Float] = []
        for i in stride(from: 0, to: h, by: token) {
            for j in stride(from: 0, to: w, by: token) {
                for k in stride(from: 0, to: c, by: channel) { values.append(all[(i * w + j) * c + k]) }
            }
        }
        return Tensor([1, (h + token - 1) / token, (w + token - 1) / token, (c + channel - 1) / channel], values)
    }

    private static func weight(_ parameter: Parameter) -> Tensor {
        var values = hashed(parameter.name, count: parameter.shape.count)
        let fanIn: Int
        switch parameter.role {
        case .constant: return Tensor(parameter.shape, values)
        case .normWeight:
            for i in values.indices { values[i] = 1 + 0.05 * values[i] }
            return Tensor(parameter.shape, values)
        case .bias, .keyBias, .normBias, .token, .absolutePosition, .relativePosition:
            for i in values.indices { values[i] *= 0.05 }
            return Tensor(parameter.shape, values)
        case .weight, .loraA, .loraB: fanIn = parameter.shape.count / parameter.shape[0]
        case .transposedWeight: fanIn = parameter.shape[0]
        }
        let factor = (Float(3) / Float(fanIn)).squareRoot()
        for i in values.indices { values[i] *= factor }
        return Tensor(parameter.shape, values)
    }

    /// The generator's n-th number is a function of its state alone, so that it can be begun anywhere.
    private static func hashed(_ name: String, count: Int) -> [Float] {
        var seed: UInt64 = 0xCBF2_9CE4_8422_2325
        for byte in name.utf8 { seed = (seed ^ UInt64(byte)) &* 0x100_0000_01B3 }
        return (0..<count).map { index in
            var random = SplitMix64(seed: UInt64(index) &+ seed)
            return Float(random.next() >> 40) / 8_388_608 - 1
        }
    }
}
