package import Tensors

/// The image encoder with what its pretraining needs beside it: a token that stands for what is hidden, and a norm and a linear layer that
/// tell the pixels of each patch from its token.
///
/// The whole grid goes through the encoder, hidden tokens among the others, so that windows and position tables work as ever. LoRA and
/// prompts, which belong to segmentation, take no part.
/// *Source*: Z. Xie et al., "SimMIM", arXiv 2111.09886; K. He et al., "Masked Autoencoders Are Scalable Vision Learners", arXiv 2111.06377.
package struct MaskedAutoencoder: Sendable {
    private static let scope = "masked_autoencoder"

    private let configuration: Configuration
    private let encoder: ImageEncoderViT
    private let token: Tensor
    private let norm: LayerNorm
    private let head: Linear

    /// - Parameter parameters: every tensor of `parameters(of:)`.
    package init(_ configuration: Configuration, _ parameters: Parameters) {
        self.init(configuration, ParameterScope(ParameterReader(parameters)))
    }

    private init(_ configuration: Configuration, _ scope: ParameterScope) {
        var plain = configuration
        (plain.loraRank, plain.prompts) = (0, 0)
        self.configuration = plain
        let (dim, patch) = (configuration.embedDim, configuration.patch)
        encoder = ImageEncoderViT(plain, scope.scope("image_encoder"), mergeLoRA: false)
        let own = scope.scope(Self.scope)
        token = own("mask_token", [dim], .token, .normal(deviation: 0.02))
        norm = LayerNorm(own.scope("norm"), dim, epsilon: 1e-6)
        head = Linear(own.scope("head"), dim, patch * patch * 3)
    }

    /// The encoder's tensors, under the names that they have in every model, and those that are beside it: all of them train.
    package static func parameters(of configuration: Configuration) -> [Parameter] {
        let declarations = Declarations()
        _ = MaskedAutoencoder(configuration, ParameterScope(declarations))
        return declarations.parameters
    }

    /// Whether a tensor is one beside the encoder, of which no model knows.
    package static func isOwn(_ name: String) -> Bool { name.hasPrefix(scope + ".") }

    /// The pixels of every patch as the tokens tell them.
    ///
    /// - Parameters:
    ///   - image: `[B, S, S, 3]`, normalised, without the pixels of hidden tokens: a stem of convolutions would look at them from the
    ///     tokens beside.
    ///   - pictures: the tokens that each image's picture reaches, for a model that drops the others; nil: all.
    ///   - hidden: one a token, `[B · g²]`.
    /// *Shape*: `[B, g, g, p² · 3]`.
    package func callAsFunction(_ image: Tensor, pictures: [GridSize]? = nil, hidden: [Bool], tape: Tape?) -> Tensor {
        let grid = configuration.grid
        let cover = TokenCover(pictures, configuration, cuts: false)
        let tokens = replaceRows(encoder.tokens(image, cover, tape), by: token, where: hidden, tape: tape)
        var x = encoder.positioned(tokens, cover, tape)
        for block in encoder.blocks.map(\.value) {
            let input = x
            let forward = { block(input, grid: grid, cover, prompts: nil, heat: nil, inputs: nil, $0) }
            x = tape?.block(forward) ?? forward(nil)
        }
        return head(norm(x, tape), tape)
    }
}
