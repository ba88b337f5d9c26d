package import Failures
package import SegmentAnything

/// What is wrong with the pipelines that a run was to use.
package enum PipelineFailure: Failure, Equatable {
    /// No folder of pipelines at any of the places.
    case noFolder(looked: [String])
    case empty(path: String)
    case unknown(name: String, known: [String])
    /// A folder without `pipeline.yaml`.
    case noSettings(path: String)
    /// The folder or `pipeline.yaml` cannot be read: the code and the words of `StorageFailure`.
    case unreadable(code: String, FailureMessage)
    /// Folder and name differ.
    case name(path: String, name: String)
    case segments(path: String, described: Int, model: Int)
    /// A rule is not what the model was trained with.
    case contradiction(path: String, Contradiction)
    /// Objects are to be told apart by boundaries that the model never learned.
    case boundary(path: String)
    /// One object a pixel is to be written of segments that may share pixels.
    case shared(path: String)

    package var kind: FailureKind { .configuration }

    package var code: String {
        switch self {
        case .noFolder: "PIPE-FOLDER"
        case .empty: "PIPE-NONE"
        case .unknown: "PIPE-UNKNOWN"
        case .noSettings: "PIPE-SETTINGS"
        case .unreadable(let code, _): code
        case .name: "PIPE-NAME"
        case .segments: "PIPE-SEGMENT"
        case .contradiction: "PIPE-TRAINED"
        case .boundary: "PIPE-SEPARATE"
        case .shared: "PIPE-INSTANCES"
        }
    }

    package var message: FailureMessage {
        switch self {
        case .noFolder(let looked):
            FailureMessage(
                "no folder of pipelines there: nothing can be segmented.", cure: "Name one with --pipelines.",
                subject: looked.joined(separator: ", "))
        case .empty(let path):
            FailureMessage(
                "no pipeline in it.",
                cure: "Put a folder with pipeline.yaml and model/ there, or name another with --pipelines.",
                subject: path)
        case .unknown(let name, let known):
            FailureMessage(
                "no pipeline has this name.", cure: "Known: \(known.joined(separator: ", ")).", subject: "\"\(name)\"")
        case .noSettings(let path):
            FailureMessage(
                "no pipeline.yaml in it: the folder is no pipeline.",
                cure: "Add the file, or remove the folder or link.", subject: path)
        case .unreadable(_, let message): message
        case .name(let path, let name):
            FailureMessage(
                "its pipeline.yaml says name: \(name), which is not the folder's name.", cure: "Make them equal.",
                subject: path)
        case .segments(let path, let described, let model):
            FailureMessage(
                "\(described) segments are described, but the model gives \(model).",
                cure: "Describe each output of the model, in its order.", subject: path)
        case .boundary(let path):
            FailureMessage(
                "outputs.separate is boundary, and the model has learned no boundaries.",
                cure: "Write separate: distance, or train the model with instances: boundary.", subject: path)
        case .shared(let path):
            FailureMessage(
                "outputs.instances is true, which holds one object a pixel, and the model's segments (sigmoid) may share pixels.",
                cure: "Write outputs.instances: false; annotations hold objects that share pixels.", subject: path)
        case .contradiction(let path, let found):
            FailureMessage(
                "\(found.key) is \(found.asked), but the model was trained with \(found.trained): its results would mean nothing.",
                cure: "Write what it was trained with, or train a model anew.", subject: path)
        }
    }
}
