package import SegmentAnything
import Tensors

extension Configuration {
    /// A network of two blocks, which a test computes in no time.
    package static func tiny(
        inputSize: Int = 64, segments: Int = 1, prompts: Int = 1, _ activation: Activation = .softmax,
        _ instances: Instances = .none
    ) -> Configuration {
        var configuration = Configuration()
        configuration.inputSize = inputSize
        configuration.embedDim = 16
        (configuration.depth, configuration.heads, configuration.globalBlocks) = (2, 2, [0, 1])
        configuration.window = 2
        (configuration.decoderDim, configuration.decoderHeads, configuration.loraRank) = (16, 2, 2)
        (configuration.segments, configuration.prompts) = (segments, prompts)
        (configuration.activation, configuration.instances) = (activation, instances)
        return configuration
    }
}

extension Parameters {
    /// Sixteenths from -0.5 to 0.5 by turns, which no training gives and 16 bits hold exactly.
    package static func byTurns(_ configuration: Configuration) -> Parameters {
        var tensors: [String: Tensor] = [:]
        for (i, parameter) in ParameterShapes.of(configuration).enumerated() {
            tensors[parameter.name] = Tensor(
                parameter.shape, (0..<parameter.shape.count).map { Float(($0 * 31 + i) % 17) / 16 - 0.5 })
        }
        return Parameters(tensors)
    }
}
