package import Failures

/// What can go wrong before and during training, evaluation and checks against references.
package enum TrainingFailure: Failure, Equatable {
    case noReferences(path: String)
    case missingMask(image: String, folder: String)
    case sizesDiffer(image: String, imageSize: String, mask: String, maskSize: String)
    case noPairs(path: String, reason: String)
    case split(path: String, reason: String)
    case plan(path: String, reason: String)
    case notFinite(step: Int, checkpoint: String)
    case checkpoint(path: String, reason: String)

    package var kind: FailureKind {
        switch self {
        case .notFinite: .failed
        default: .configuration
        }
    }

    package var code: String {
        switch self {
        case .noReferences: "GOLD-EMPTY"
        case .missingMask: "DATA-MASK"
        case .sizesDiffer: "DATA-SIZE"
        case .noPairs: "DATA-EMPTY"
        case .split: "DATA-SPLIT"
        case .plan: "TRAIN-PLAN"
        case .notFinite: "TRAIN-NAN"
        case .checkpoint: "TRAIN-CHECKPOINT"
        }
    }

    package var text: String {
        switch self {
        case .noReferences(let path):
            "\(path): no reference.safetensors in it: there is nothing to check against. Name a directory of recorded references."
        case .missingMask(let image, let folder):
            "\(image): no mask in \(folder): every image needs one, named as the image or with _mask or _segmentation behind. Add it or take the image out of the list."
        case .sizesDiffer(let image, let imageSize, let mask, let maskSize):
            "\(image): \(imageSize) pixels, but its mask \(mask) has \(maskSize): they must agree. Export the mask at the image's size."
        case .noPairs(let path, let reason):
            "\(path): \(reason): there is nothing to work on. Check the folder, the list and the split's name."
        case .split(let path, let reason):
            "\(path): \(reason): a split file is CSV with the header name,split. Correct the line."
        case .plan(let path, let reason):
            "\(path): \(reason)"
        case .notFinite(let step, let checkpoint):
            "the loss became NaN or infinite at step \(step): training has diverged. Lower learning_rate and continue from \(checkpoint) with --resume."
        case .checkpoint(let path, let reason):
            "\(path): \(reason): the run cannot continue from it. Remove the checkpoint to start anew, or restore the train.yaml it was made with."
        }
    }
}
