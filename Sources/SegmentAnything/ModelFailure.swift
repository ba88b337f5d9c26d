package import Failures

/// What is wrong with a model, its configuration or its directory.
package enum ModelFailure: Failure {
    /// There is no model at this place.
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

    package var kind: FailureKind { .configuration }

    package var code: String {
        switch self {
        case .noModel: "MODEL-MISSING"
        case .configuration: "MODEL-CONFIG"
        case .version: "MODEL-VERSION"
        case .digest: "MODEL-DIGEST"
        case .tensors: "MODEL-TENSORS"
        case .notFinite: "MODEL-NAN"
        }
    }

    package var text: String {
        switch self {
        case .noModel(let path, let missing):
            "\(path): there is no \(missing): this is no model directory. "
                + "Give the folder that `hspsam train` or `hspsam model import` wrote."
        case .configuration(let path, let reason):
            "\(path): \(reason): no model can be built from this. Correct the file, or make the model again."
        case .version(let path, let found):
            "\(path): format_version \(found) is not \(ModelDescription.formatVersion): the model was written by another version "
                + "of hspsam. Use that version, or make the model again with this one."
        case .digest(let path, let reason):
            "\(path): \(reason): the model was changed or damaged after it was made. Copy it again from its source."
        case .tensors(let path, let differences):
            "\(path): \(Self.summary(differences)): weights and configuration do not belong together. "
                + "Take both from the same model, or say the right configuration."
        case .notFinite(let path, let name):
            "\(path): tensor \"\(name)\" holds a value that is infinite or no number: the model is damaged. Copy or make it again."
        }
    }

    /// All differences in one line; beyond twenty, how many more there are.
    private static func summary(_ differences: [String]) -> String {
        let shown = differences.prefix(20).joined(separator: "; ")
        return differences.count > 20 ? "\(shown); and \(differences.count - 20) more" : shown
    }
}
