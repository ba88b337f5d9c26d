import SegmentAnything
import Tensors

/// The encoder of another model as the beginning of a run: what the paper's frozen configurations need where no SAM is.
enum PretrainedEncoder {
    /// The tensors of an encoder without LoRA.
    private static func parameters(_ configuration: Configuration) -> [Parameter] {
        ParameterShapes.of(configuration).filter {
            $0.name.hasPrefix("image_encoder.") && $0.role != .loraA && $0.role != .loraB
        }
    }

    /// *Throws* `TrainingFailure.plan` when `model` has another encoder, but for its input size, or one that LoRA has changed.
    static func check(_ model: ModelDirectory, _ configuration: Configuration) throws(TrainingFailure) {
        var wanted = configuration
        wanted.inputSize = model.configuration.inputSize
        let shapes = Dictionary(
            ParameterShapes.of(model.configuration).map { ($0.name, $0.shape) }
        ) { first, _ in first }
        let isSame = parameters(wanted).allSatisfy { shapes[$0.name] == $0.shape }
        // In a stage that learns from images alone LoRA takes no part.
        guard isSame, model.configuration.loraRank == 0 || model.description.isEncoderOnly,
            model.configuration.globalBlocks == configuration.globalBlocks,
            model.configuration.heads == configuration.heads, model.configuration.window == configuration.window
        else {
            throw .plan(
                path: model.path,
                reason: "the encoder of this model does not have the shape that train.yaml asks for, or has LoRA",
                cure: "Make both agree.")
        }
    }

    static func copy(
        _ model: ModelDirectory, into parameters: inout Parameters, _ configuration: Configuration
    ) throws {
        let tensors = PositionTables.resized(try model.tensors(), to: configuration)
        for parameter in Self.parameters(configuration) { parameters.tensors[parameter.name] = tensors[parameter.name] }
    }
}
