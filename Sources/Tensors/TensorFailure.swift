package import Failures

/// What is wrong with a file of tensors. Every case names the file as the caller did.
package enum TensorFailure: Failure {
    /// The bytes are no valid safetensors file.
    case notSafeTensors(path: String, reason: String)
    /// The file is whole, but a tensor that is needed is not in it.
    case noSuchTensor(path: String, name: String)
    /// A tensor has an element type that cannot be used here.
    case elementType(path: String, name: String, found: String, wanted: String)
    /// The file is neither a zip archive nor a legacy PyTorch file.
    case notCheckpoint(path: String, reason: String)
    /// The file ends before what its own directory or pickle announces.
    case truncated(path: String, reason: String)
    /// It holds several networks: the names that tell them apart.
    case several(path: String, names: [String])
    /// The pickle asks for something that is no part of a plain dictionary of tensors. Nothing of it was executed.
    case forbiddenPickle(path: String, reason: String)

    package var kind: FailureKind { .configuration }

    package var code: String {
        switch self {
        case .notSafeTensors: "TENSOR-FILE"
        case .noSuchTensor: "TENSOR-MISSING"
        case .elementType: "TENSOR-TYPE"
        case .notCheckpoint: "CHECKPOINT-FORMAT"
        case .truncated: "CHECKPOINT-TRUNCATED"
        case .several: "CHECKPOINT-SEVERAL"
        case .forbiddenPickle: "CHECKPOINT-FORBIDDEN"
        }
    }

    package var message: FailureMessage {
        switch self {
        case .notSafeTensors(let path, let reason):
            FailureMessage(
                "\(reason): this is no intact safetensors file.", cure: "Copy it again, or make it again.",
                subject: path)
        case .noSuchTensor(let path, let name):
            FailureMessage(
                "there is no tensor \"\(name)\": the file belongs to another model.",
                cure: "Check that weights and configuration match.", subject: path)
        case .elementType(let path, let name, let found, let wanted):
            FailureMessage(
                "tensor \"\(name)\" holds \(found), which cannot be read as \(wanted).", cure: "Store it as \(wanted).",
                subject: path)
        case .notCheckpoint(let path, let reason):
            FailureMessage(
                "\(reason): this is no checkpoint that torch.save wrote.", cure: "Give an official SAM .pth file.",
                subject: path)
        case .truncated(let path, let reason):
            FailureMessage("\(reason): the file was cut off.", cure: "Download or copy it again.", subject: path)
        case .several(let path, let names):
            FailureMessage(
                "it holds several networks (\(Self.list(names))), and nothing says which is meant.",
                cure: "Save the state_dict of one of them alone with torch.save and import that.", subject: path)
        case .forbiddenPickle(let path, let reason):
            FailureMessage(
                "\(reason): such a file can run programs, so nothing of it was executed.",
                cure: "Save a plain state_dict with torch.save and import that.", subject: path)
        }
    }

    /// At most eight, each as far as it tells something.
    private static func list(_ names: [String]) -> String {
        names.prefix(8).map { "\"\($0.prefix(40))\"" }.joined(separator: ", ") + (names.count > 8 ? ", …" : "")
    }
}
