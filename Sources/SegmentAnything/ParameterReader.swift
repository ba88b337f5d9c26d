import Synchronization
package import Tensors

/// Where the layers of a network get their tensors one after the other, so that never all of those for inference are in memory in a
/// second form.
package final class ParameterReader: Sendable {
    package typealias Source = @Sendable (_ name: String, Shape, Parameter.Initialisation) throws -> Tensor

    private let source: Source
    private let verify: @Sendable () throws -> Void
    /// Whether layers are read when they are first used.
    let isDeferred: Bool
    /// What kept the first tensor that could not be read from being read.
    private let difficulty = Mutex<(any Error)?>(nil)

    /// - Parameter source: gives a tensor of the shape.
    package convenience init(_ source: @escaping Source) { self.init(isDeferred: false, verify: {}, source) }

    private init(isDeferred: Bool, verify: @escaping @Sendable () throws -> Void, _ source: @escaping Source) {
        (self.isDeferred, self.verify, self.source) = (isDeferred, verify, source)
    }

    /// Of tensors that are in memory, all that the network declares.
    package convenience init(_ parameters: Parameters) { self.init { name, _, _ in parameters[name] } }

    /// Of a model that was opened, so that names and shapes are right; its digest may still be in the making.
    package convenience init(_ model: ModelDirectory) {
        let neverZero = Set(ParameterShapes.of(model.configuration).filter(\.isNeverZero).map(\.name))
        self.init(isDeferred: true, verify: { try model.verify() }) { name, _, _ in
            let (tensor, isFinite) = try model.weights.takeTensor(name)
            if !isFinite { throw ModelFailure.notFinite(path: model.weights.path, name: name) }
            if tensor.isZero, neverZero.contains(name) {
                throw ModelFailure.blank(path: model.weights.path, name: name)
            }
            return tensor
        }
    }

    /// Zeros for a tensor that cannot be read; `confirm` throws then.
    func read(_ name: String, _ shape: Shape, _ initialisation: Parameter.Initialisation) -> Tensor {
        do {
            let tensor = try source(name, shape, initialisation)
            precondition(tensor.shape == shape, "ParameterReader: \(name) is \(tensor.shape), not \(shape)")
            return tensor
        } catch {
            difficulty.withLock { $0 = $0 ?? error }
            return Tensor(zeros: shape)
        }
    }

    /// That what was read so far is right.
    ///
    /// *Throws* `ModelFailure.digest` when the weights are not the model's: what is damaged is told as that, whatever else it looks like;
    /// `.notFinite` when a tensor holds an infinity or NaN, `.blank` when it is 0 and cannot be; else what kept one from being read.
    func confirm() throws {
        try verify()
        if let error = difficulty.withLock({ $0 }) { throw error }
    }
}
