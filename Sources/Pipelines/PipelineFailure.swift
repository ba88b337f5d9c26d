package import Failures

/// What is wrong with the pipelines that a run was to use.
package enum PipelineFailure: Failure, Equatable {
    /// No folder of pipelines at any of the places.
    case noFolder(looked: [String])
    case empty(path: String)
    case unknown(name: String, known: [String])
    /// A folder without `pipeline.yaml`.
    case noSettings(path: String)
    /// Folder and name differ.
    case name(path: String, name: String)
    case segments(path: String, described: Int, model: Int)

    package var kind: FailureKind { .configuration }

    package var code: String {
        switch self {
        case .noFolder: "PIPE-FOLDER"
        case .empty: "PIPE-NONE"
        case .unknown: "PIPE-UNKNOWN"
        case .noSettings: "PIPE-SETTINGS"
        case .name: "PIPE-NAME"
        case .segments: "PIPE-SEGMENT"
        }
    }

    package var text: String {
        switch self {
        case .noFolder(let looked):
            "no folder of pipelines at \(looked.joined(separator: ", nor at ")): nothing can be segmented. Name one with --pipelines."
        case .empty(let path):
            "\(path): no pipeline in it. Put a folder with pipeline.yaml and model/ there, or name another with --pipelines."
        case .unknown(let name, let known):
            "no pipeline is called \"\(name)\". Known: \(known.joined(separator: ", "))."
        case .noSettings(let path):
            "\(path): no pipeline.yaml in it: the folder is no pipeline. Add the file or remove the folder."
        case .name(let path, let name):
            "\(path): its pipeline.yaml says name: \(name), which is not the folder's name. Make them equal."
        case .segments(let path, let described, let model):
            "\(path): \(described) segments are described, but the model gives \(model). Describe each output of the model, in its order."
        }
    }
}
