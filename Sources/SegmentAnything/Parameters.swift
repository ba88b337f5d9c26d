package import Tensors

/// All weights of a model by their published names (the reference implementation's `state_dict`).
package struct Parameters: Sendable {
    package var tensors: [String: Tensor]

    package init(_ tensors: [String: Tensor]) { self.tensors = tensors }

    package subscript(name: String) -> Tensor {
        guard let tensor = tensors[name] else { preconditionFailure("Parameters: no tensor named \(name)") }
        return tensor
    }

    /// In the order of their names: the same on every machine.
    package var names: [String] { tensors.keys.sorted() }

    func scope(_ prefix: String) -> ParameterScope { ParameterScope(parameters: self, prefix: prefix + ".") }
}

/// The weights below a dotted prefix, as a layer sees them.
struct ParameterScope {
    let parameters: Parameters
    let prefix: String

    subscript(name: String) -> Tensor { parameters[prefix + name] }

    /// Nil when the model has none of that name.
    func optional(_ name: String) -> Tensor? { parameters.tensors[prefix + name] }

    func scope(_ name: String) -> ParameterScope { ParameterScope(parameters: parameters, prefix: prefix + name + ".") }
}
