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

    package var text: String {
        switch self {
        case .notZip(let path):
            "\(path) does not begin as a zip archive: nothing in it can be read. Check that it is the right file."
        case .truncated(let path, let reason): "\(path): \(reason): the file was cut off. Download or copy it again."
        case .broken(let path, let reason): "\(path): \(reason): the archive is damaged. Download or copy it again."
        }
    }
}
