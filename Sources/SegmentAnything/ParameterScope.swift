package import Tensors

/// All weights of a model by their published names (the reference implementation's `state_dict`).
package struct Parameters: Sendable {
    package var tensors: [String: Tensor]

    package init(_ tensors: [String: Tensor]) { self.tensors = tensors }

    /// A tensor that there is: names are those of `ParameterShapes`.
    package subscript(name: String) -> Tensor {
        guard let tensor = tensors[name] else { preconditionFailure("Parameters: there is no tensor \(name)") }
        return tensor
    }
}

/// Where a layer declares its parameters and gets them, in one call each: below a dotted prefix.
///
/// The same initialisers serve two purposes: with a `ParameterReader` a network is built of its tensors; with `Declarations` nothing is
/// computed, the layers get empty tensors, and what they asked for is the description of the model.
struct ParameterScope: Sendable {
    private enum Source: Sendable {
        case reader(ParameterReader)
        case declarations(Declarations)
    }

    private let source: Source
    private var prefix = ""
    /// The prefix of the same layer in SAM's checkpoint; nil where SAM has no such layer.
    private var upstream: String?
    private var part = Parameter.Upstream.Part.whole
    private var isFrozen = false
    /// How matrices are packed, for inference; nil: they stay tensors.
    private(set) var packing: Packing?

    /// Of weights that are read one by one, and kept as they are packed where that is wanted.
    init(_ reader: ParameterReader, packing: Packing? = nil) {
        source = .reader(reader)
        self.packing = packing
    }

    init(_ declarations: Declarations) { source = .declarations(declarations) }

    /// This scope's `weight`, packed for inference; nil where tensors are wanted.
    func packed(_ weight: @autoclosure () -> Tensor) -> PackedMatrix? { packing?.matrix(weight(), prefix + "weight") }

    /// A layer of this scope: made at once, but for a model on disk, whose layers are read when they are first used.
    func later<Value>(_ make: @escaping @Sendable () -> Value) -> Later<Value> {
        let later = Later(make)
        if case .reader(let reader) = source, reader.isDeferred { return later }
        _ = later.value
        return later
    }

    /// The scope of a layer inside this one.
    func scope(_ name: String) -> ParameterScope {
        var inner = self
        inner.prefix = "\(prefix)\(name)."
        inner.upstream = upstream.map { "\($0)\(name)." }
        return inner
    }

    /// The same scope with another name in SAM's checkpoint: nil when SAM has none.
    func upstream(_ name: String?, _ part: Parameter.Upstream.Part = .whole) -> ParameterScope {
        var other = self
        other.upstream = name.map { "\($0)." }
        other.part = part
        return other
    }

    /// The same scope, whose parameters do not train (but for LoRA).
    func frozen(_ isFrozen: Bool) -> ParameterScope {
        var other = self
        other.isFrozen = isFrozen
        return other
    }

    /// Declares one tensor and gives it; an empty one while a model is only described.
    ///
    /// - Parameter sam: its whole name in SAM's checkpoint where that is not the scope's prefix and `name`, and what of it is ours.
    func callAsFunction(
        _ name: String, _ shape: Shape, _ role: Parameter.Role, _ initialisation: Parameter.Initialisation,
        sam: (name: String, part: Parameter.Upstream.Part)? = nil
    ) -> Tensor {
        switch source {
        case .reader(let reader): return reader.read(prefix + name, shape, initialisation)
        case .declarations(let declarations):
            let isLoRA = role == .loraA || role == .loraB
            let origin =
                sam.map { Parameter.Upstream(name: $0.name, part: $0.part) }
                ?? (isLoRA ? nil : upstream.map { Parameter.Upstream(name: $0 + name, part: part) })
            declarations.append(
                Parameter(
                    name: prefix + name, shape: shape, role: role, initialisation: initialisation,
                    trains: role != .constant && (isLoRA || !isFrozen), upstream: origin))
            return Tensor(zeros: [0])
        }
    }
}
