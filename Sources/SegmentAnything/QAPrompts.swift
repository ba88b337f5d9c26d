import Tensors

/// The prompts of one level: Q goes through the encoder's global block, A = MLP(f(Q)) to the decoder (§3.3, eq. 2).
struct QAPrompts {
    /// Q `[c, D]`
    let question: Tensor
    let reduce: Linear
    let networks: [(first: Linear, second: Linear)]

    /// Nil when the model has no prompts.
    init?(_ configuration: Configuration, _ scope: ParameterScope) {
        let (count, dim, width) = (configuration.prompts, configuration.embedDim, configuration.decoderDim)
        guard count > 0 else { return nil }
        question = scope("q_prompts", [count, dim], .token, .normal(deviation: 0.02))
        reduce = Linear(scope.scope("f"), dim, width)
        networks = (0..<count).map {
            (Linear(scope.scope("mlps.\($0).0"), width, width), Linear(scope.scope("mlps.\($0).2"), width, width))
        }
    }

    /// A `[c, E]`; it does not depend on the image.
    func answer(_ tape: Tape?) -> Tensor {
        let reduced = reduce(question, tape)
        let (count, width) = (reduced.shape[0], reduced.shape[1])
        let rows = networks.enumerated().map { index, network in
            let token = sliceTokens(reduced.reshaped([1, count, width]), index..<index + 1, tape: tape)
            let row = token.reshaped([1, width])
            return network.second(gelu(network.first(row, tape), tape: tape), tape)
        }
        return concatenateRows(rows, tape: tape)
    }
}
