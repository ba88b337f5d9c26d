package import Failures

/// What is wrong with a zip archive.
package enum ZipFailure: Failure, Equatable {
    /// The file does not begin as a zip archive.
    case notZip(path: String)
    /// The file ends before what it announces.
    case truncated(path: String, reason: String)
    /// The archive contradicts itself, or uses what is not read here.
    case broken(path: String, reason: String)

    package var kind: FailureKind { .refused }

    package var code: String {
        switch self {
        case .notZip: "ZIP-FORMAT"
        case .truncated: "ZIP-TRUNCATED"
        case .broken: "ZIP-BROKEN"
        }
    }

    package var message: FailureMessage {
        switch self {
        case .notZip(let path):
            FailureMessage(
                "it does not begin as a zip archive: nothing in it can be read.",
                cure: "Check that it is the right file.", subject: path)
        case .truncated(let path, let reason):
            FailureMessage(
                "\(reason): the file was cut off.", cure: "Download or copy it again.", subject: path)
        case .broken(let path, let reason):
            FailureMessage("\(reason): the archive is damaged.", cure: "Download or copy it again.", subject: path)
        }
    }
}
