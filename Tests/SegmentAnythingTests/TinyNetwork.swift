import SegmentAnything

extension Configuration {
    /// A network of two blocks on pictures of 64 × 64, which a test computes in no time.
    static func tiny(
        segments: Int, prompts: Int = 1, _ activation: Activation = .softmax, _ instances: Instances = .none
    ) -> Configuration {
        var configuration = Configuration()
        configuration.inputSize = 64
        (configuration.embedDim, configuration.depth, configuration.heads, configuration.globalBlocks) = (
            16, 2, 2, [0, 1]
        )
        (configuration.window, configuration.decoderDim, configuration.decoderHeads, configuration.loraRank) = (
            2, 16, 2, 2
        )
        (configuration.segments, configuration.prompts) = (segments, prompts)
        (configuration.activation, configuration.instances) = (activation, instances)
        return configuration
    }
}
