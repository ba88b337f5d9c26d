package import Numbers
package import Tensors

extension Parameters {
    /// Fresh weights, drawn as PyTorch draws them for the reference implementation: each as its layer declares it, in the order of the
    /// declarations. The same seed gives the same weights on every machine.
    package static func initial(_ configuration: Configuration, seed: UInt64) -> Parameters {
        var random = SplitMix64(seed: seed)
        var tensors: [String: Tensor] = [:]
        for parameter in ParameterShapes.of(configuration) {
            tensors[parameter.name] = parameter.initialisation.tensor(parameter.shape, &random)
        }
        return Parameters(tensors)
    }
}

extension Parameter.Initialisation {
    /// A fresh tensor.
    package func tensor(_ shape: Shape, _ random: inout SplitMix64) -> Tensor {
        switch self {
        case .uniform(let fanIn): .uniform(shape, bound: 1 / Double(fanIn).squareRoot(), &random)
        case .normal(let deviation): .normal(shape, deviation: deviation, &random)
        case .zeros: Tensor(zeros: shape)
        case .ones: Tensor(shape, repeating: 1)
        }
    }
}
