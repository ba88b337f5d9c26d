package import Failures

/// What is wrong with a model, its configuration or its directory.
package enum ModelFailure: Failure {
    /// There is no model at this path.
    case noModel(path: String, missing: String)
    /// `config.json` is no configuration: its first problem, or all of its values' problems.
    case configuration(path: String, reason: String)
    /// `config.json` has a format version that this program does not read.
    case version(path: String, found: Int)
    /// A file differs from its line in `SHA256SUMS`.
    case digest(path: String, reason: String)
    /// The tensors are not those that the configuration asks for; all differences.
    case tensors(path: String, differences: [String])
    /// A weight is infinite or no number.
    case notFinite(path: String, name: String)
    /// A weight is 0 throughout, and cannot be.
    case blank(path: String, name: String)
    /// What the network makes of a picture is infinite or no number.
    case output
    /// 8 bits were asked for, and the model has no scales for them.
    case notQuantised(path: String)
    /// Masks are asked of a model of which only the encoder has learned.
    case encoderOnly(path: String)

    package var kind: FailureKind {
        switch self {
        case .output: .failed
        default: .configuration
        }
    }

    package var code: String {
        switch self {
        case .noModel: "MODEL-MISSING"
        case .configuration: "MODEL-CONFIG"
        case .version: "MODEL-VERSION"
        case .digest: "MODEL-DIGEST"
        case .tensors: "MODEL-TENSORS"
        case .notFinite, .output: "MODEL-NAN"
        case .blank: "MODEL-ZERO"
        case .notQuantised: "MODEL-INT8"
        case .encoderOnly: "MODEL-ENCODER"
        }
    }

    package var message: FailureMessage {
        switch self {
        case .noModel(let path, let missing):
            FailureMessage(
                "there is no \(missing): this is no model directory.",
                cure: "Give the folder that `hspsam train` or `hspsam model import` wrote.", subject: path)
        case .configuration(let path, let reason):
            FailureMessage(
                "\(reason): no model can be built from this.", cure: "Correct the file, or make the model again.",
                subject: path)
        case .version(let path, let found):
            FailureMessage(
                "format_version \(found) is not \(ModelDescription.formatVersion): the model was written by another version of hspsam.",
                cure: "Use that version, or make the model again with this one.", subject: path)
        case .digest(let path, let reason):
            FailureMessage(
                "\(reason): the model was changed or damaged after it was made.",
                cure: "Copy it again from its source.",
                subject: path)
        case .tensors(let path, let differences):
            FailureMessage(
                "\(Self.summary(differences)): weights and configuration do not belong together.",
                cure: "Take both from the same model, or give the right configuration.", subject: path)
        case .notFinite(let path, let name):
            FailureMessage(
                "tensor \"\(name)\" holds a value that is infinite or not a number: the model is damaged.",
                cure: "Copy it again, or make it again.", subject: path)
        case .blank(let path, let name):
            FailureMessage(
                "tensor \"\(name)\" holds nothing but zeros, which no training leaves: its weights are not there.",
                cure: "Copy the model or the checkpoint again, or make it again.", subject: path)
        case .output:
            FailureMessage(
                "what the network makes of this picture is infinite or not a number: what the picture shows is not known.",
                cure: "Use the precision fp32; where it has that, the model's weights are too large: make it again.")
        case .notQuantised(let path):
            FailureMessage(
                "the model was not prepared for 8 bits.",
                cure: "Prepare it with `hspsam model quantize`, or use fp32, bf16 or auto.", subject: path)
        case .encoderOnly(let path):
            FailureMessage(
                "only the encoder of this model has learned, from images without masks: it finds no segment.",
                cure: "Train a model that begins with it: `encoder_from` in a train.yaml.", subject: path)
        }
    }

    /// All differences in one line; beyond twenty, how many more there are.
    private static func summary(_ differences: [String]) -> String {
        let shown = differences.prefix(20).joined(separator: "; ")
        return differences.count > 20 ? "\(shown); and \(differences.count - 20) more" : shown
    }
}
