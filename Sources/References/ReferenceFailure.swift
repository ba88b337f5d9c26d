package import Failures

/// What keeps a directory from being checked.
package enum ReferenceFailure: Failure, Equatable {
    /// There are no references at this path, or none that can be read.
    case none(path: String)

    package var kind: FailureKind { .configuration }
    package var code: String { "GOLD-EMPTY" }

    package var message: FailureMessage {
        switch self {
        case .none(let path):
            FailureMessage(
                "there are no recorded references that can be read, so there is nothing to check against.",
                cure: "Name a directory with reference.safetensors.", subject: path)
        }
    }
}
