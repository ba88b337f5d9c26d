import Synchronization
package import Tensors

/// One tensor of a model, as the layer that owns it declares it: everything that initialisation, optimiser, storage, import and checks
/// know of it is said here and nowhere else.
package struct Parameter: Sendable, Equatable {
    /// What a tensor is in its layer.
    package enum Role: Sendable, Equatable {
        /// The matrix of a linear layer or the kernel of a convolution, `[out, in, …]`.
        case weight
        /// The kernel of a transposed convolution, `[in, out, k, k]`.
        case transposedWeight
        case bias
        /// The bias of an attention's keys: it moves all logits of a query alike, so the softmax does not see it and its gradient is 0.
        case keyBias
        case normWeight, normBias
        /// A learned token, prompt or embedding.
        case token
        /// Learned positions of the tokens, `[1, g, g, D]`.
        case absolutePosition
        /// Positions of keys relative to a query along one axis, `[2·side − 1, D/heads]`.
        case relativePosition
        /// LoRA's A `[r, D]` and B `[D, r]`.
        case loraA, loraB
        /// A constant of the model, which nothing changes: the matrix of the Fourier features.
        case constant
    }

    /// How a fresh model draws a tensor.
    package enum Initialisation: Sendable, Equatable {
        /// Uniform in ±1/√`fanIn` (Kaiming-uniform with a = √5), PyTorch's for linear layers and convolutions, biases too.
        case uniform(fanIn: Int)
        /// Normal with mean 0.
        case normal(deviation: Double)
        case zeros
        case ones
    }

    /// Its name in `weights.safetensors`, of the reference implementation's `state_dict`.
    package let name: String
    package let shape: Shape
    package let role: Role
    package let initialisation: Initialisation
    /// The optimiser changes it: everything outside a frozen encoder, LoRA inside it, never a constant.
    package let trains: Bool
    /// Where a Segment Anything checkpoint holds it; nil for what SAM has no part of.
    package let upstream: Upstream?

    /// A large matrix, which may be stored in 16 bits: not norms, biases, tokens, position tables and constants.
    package var isMatrix: Bool {
        switch role {
        case .weight, .transposedWeight, .loraA, .loraB: true
        default: false
        }
    }

    /// Not all of it is 0, whatever was learned: it begins otherwise, and no step ends there. Biases of other programs begin with zeros.
    package var isNeverZero: Bool {
        switch role {
        case .bias, .keyBias, .normBias: false
        default: initialisation != .zeros
        }
    }

    /// Weight decay acts on it.
    package var decays: Bool { isMatrix }
    /// No parameter that could be trained, and not counted as one.
    package var isConstant: Bool { role == .constant }

    /// A tensor of a Segment Anything checkpoint, and what of it becomes ours.
    package struct Upstream: Sendable, Equatable {
        /// Which part of SAM's tensor it is.
        package enum Part: Sendable, Equatable {
            case whole
            /// The only row of an `nn.Embedding`.
            case row
            /// Row m of ours is row m mod 4 of SAM's four.
            case rowsModulo4
            /// The whole where the shapes agree; a head for another number of masks teaches ours nothing.
            case wholeIfSame
        }

        package let name: String
        package let part: Part
    }
}

/// The names, shapes and roles of all tensors of a model.
package enum ParameterShapes {
    /// Every tensor of a model of `configuration`, in the order in which its layers declare them.
    package static func of(_ configuration: Configuration) -> [Parameter] {
        let declarations = Declarations()
        _ = Modules(configuration, ParameterScope(declarations), mergeLoRA: false)
        return declarations.parameters
    }
}

/// What the layers have declared so far.
final class Declarations: Sendable {
    private let declared = Mutex<[Parameter]>([])
    var parameters: [Parameter] { declared.withLock { $0 } }

    func append(_ parameter: Parameter) { declared.withLock { $0.append(parameter) } }
}
