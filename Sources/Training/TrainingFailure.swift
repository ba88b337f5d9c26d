package import Failures

/// What can go wrong before and during training and evaluation.
package enum TrainingFailure: Failure, Equatable {
    case missingMask(image: String, folder: String)
    case sizesDiffer(image: String, imageSize: String, mask: String, maskSize: String)
    case noPairs(path: String, reason: String)
    case otherWindowing(image: String, found: String, windowing: String)
    case split(path: String, reason: String)
    case notInFolder(list: String, name: String, images: String)
    case plan(path: String, reason: String, cure: String)
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
        case .missingMask: "DATA-MASK"
        case .sizesDiffer: "DATA-SIZE"
        case .otherWindowing: "DATA-WINDOW"
        case .noPairs: "DATA-EMPTY"
        case .split, .notInFolder: "DATA-SPLIT"
        case .plan: "TRAIN-PLAN"
        case .notFinite: "TRAIN-NAN"
        case .checkpoint: "TRAIN-CHECKPOINT"
        }
    }

    package var message: FailureMessage {
        switch self {
        case .missingMask(let image, let folder):
            FailureMessage(
                "the image has no mask; every image needs one, named as the image or with _mask or _segmentation added.",
                cure: "Add it, or take the image out of the list.", subject: "\(image) (masks in \(folder))")
        case .sizesDiffer(let image, let imageSize, let mask, let maskSize):
            FailureMessage(
                "the image has \(imageSize) pixels, but its mask has \(maskSize): they must agree.",
                cure: "Export the mask at the image's size.", subject: "\(image) (mask \(mask))")
        case .otherWindowing(let image, let found, let windowing):
            FailureMessage(
                "the windowing is \(windowing), but the image does not suit it: \(found).",
                cure: "Leave the image out, or use the windowing with which the images were made.", subject: image)
        case .noPairs(let path, let reason):
            FailureMessage(
                "\(reason): there is nothing to work on.", cure: "Check the folder, the list and the split's name.",
                subject: path)
        case .split(let path, let reason):
            FailureMessage(
                "\(reason): a split file is CSV with the header name,split.", cure: "Correct the line.", subject: path)
        case .notInFolder(let list, let name, let images):
            FailureMessage(
                "the list names an image that the folder does not hold.", cure: "Correct the list, or add the image.",
                subject: "\(list): \(name) (images in \(images))")
        case .plan(let path, let reason, let cure): FailureMessage("\(reason).", cure: cure, subject: path)
        case .notFinite(let step, let checkpoint):
            FailureMessage(
                "the loss became NaN or infinite at step \(step): training has diverged.",
                cure: "Lower learning_rate, and continue from the checkpoint with --resume.", subject: checkpoint)
        case .checkpoint(let path, let reason):
            FailureMessage(
                "\(reason): the run cannot continue from it.",
                cure: "Remove the checkpoint to start anew, or restore the train.yaml and the images it was made with.",
                subject: path)
        }
    }
}
