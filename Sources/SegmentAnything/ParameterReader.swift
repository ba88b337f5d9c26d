package import Tensors

/// Where the layers of a network get their tensors one after the other, so that never all of those for inference are in memory in a
/// second form.
package final class ParameterReader {
    private let source: (_ name: String, Shape, Parameter.Initialisation) throws -> Tensor
    /// What kept the first tensor that could not be read from being read.
    private var difficulty: (any Error)?

    /// - Parameter source: gives a tensor of the shape.
    package init(_ source: @escaping (_ name: String, Shape, Parameter.Initialisation) throws -> Tensor) {
        self.source = source
    }

    /// Of tensors that are in memory, all that the network declares.
    package convenience init(_ parameters: Parameters) { self.init { name, _, _ in parameters[name] } }

    /// Of a model that was opened, so that names and shapes are right.
    package convenience init(_ model: ModelDirectory) {
        self.init { name, _, _ in
            let (tensor, isFinite) = try model.weights.takeTensor(name)
            if !isFinite { throw ModelFailure.notFinite(path: model.weights.path, name: name) }
            return tensor
        }
    }

    /// Zeros for a tensor that cannot be read; `finish` throws then.
    func read(_ name: String, _ shape: Shape, _ initialisation: Parameter.Initialisation) -> Tensor {
        do {
            let tensor = try source(name, shape, initialisation)
            precondition(tensor.shape == shape, "ParameterReader: \(name) is \(tensor.shape), not \(shape)")
            return tensor
        } catch {
            difficulty = difficulty ?? error
            return Tensor(zeros: shape)
        }
    }

    /// *Throws* what kept a tensor from being read; `ModelFailure.notFinite` when one holds an infinity or NaN.
    func finish() throws { if let difficulty { throw difficulty } }
}
