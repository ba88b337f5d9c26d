package import Failures
import Numbers

/// What a person can do about masks whose values cannot be understood.
package enum MaskCure: Sendable, Equatable {
    /// Say what they mean, with a key of `MaskRule.init(_:labels:)`.
    case rule(String)
    /// Correct the masks, or how they are listed.
    case masks(String)

    var text: String {
        switch self {
        case .rule(let words):
            "\(words) A plan has it in the data set's entry, evaluate takes it as --mask-rule or in --set."
        case .masks(let words): words
        }
    }
}

/// What can go wrong before and during training and evaluation.
package enum TrainingFailure: Failure, Equatable {
    /// - other: a file of the masks' folder that is of no image, or is no picture that is read.
    case missingMask(image: String, folder: String, other: String? = nil)
    case sizesDiffer(image: String, imageSize: String, mask: String, maskSize: String, isTurned: Bool)
    /// A picture of which a run asks a person.
    case doubtful(image: String, found: String)
    /// Picture and mask are stored in unlike orientations, and their sizes agree turned or not.
    case unknownTurn(image: String, mask: String)
    case sameStem(folder: String, one: String, other: String)
    case channels(path: String)
    case severalChannels(path: String, count: Int)
    case pageCounts(mask: String, masks: Int, images: Int)
    case channelFiles(path: String, found: [String], expected: Int)
    case layout(path: String, reason: String)
    case maskValue(mask: String, value: Int, segments: Int)
    case maskValues(masks: String, found: String, cure: MaskCure)
    case missingClass(path: String, segment: Int, rule: String)
    case noBackground(path: String, rule: String)
    /// Figures were told of segments that no image shows.
    case unshown(path: String, segments: [String])
    /// No image of the validation shows any segment.
    case emptyValidation(path: String, rule: String)
    /// More objects than the values of a mask can tell apart.
    case wrapped(mask: String)
    /// Files that two entries of a plan's `data` hold.
    case drawnTwice(one: String, other: String, count: Int)
    /// Images of a set that is called unseen.
    case seen(set: String, count: Int, model: String)
    case leak(one: String, other: String, splits: String, what: String)
    case role(name: String, path: String)
    case unusedRole(name: String, plan: String)
    case finished(path: String, isWhole: Bool)
    /// The folder holds files of somebody else's by the names of a run's.
    case occupied(path: String, names: [String])
    /// A file that is no page stands where the preview is to be written.
    case preview(path: String)
    case previewName(path: String)
    /// Another run works in the folder.
    case busy(path: String, owner: String)
    /// Masks mark all that the camera saw.
    case fieldOfView(masks: String, count: Int)
    /// All pictures of a set have one mask.
    case oneMask(masks: String, count: Int)
    /// A picture is its own mask.
    case ownMask(image: String, mask: String)
    /// One picture has masks that differ in this share of what they mark.
    case contradicted(one: String, other: String, unlike: Double)
    /// A mask marks something in a picture of one colour.
    case unseen(image: String, mask: String, windowing: String)
    /// All pictures of a set are of one colour.
    case flat(image: String, count: Int, windowing: String)
    /// All pictures of a set are shown with few grey levels.
    case dark(image: String, levels: Int, windowing: String)
    case noPairs(path: String, reason: String)
    case otherWindowing(image: String, found: String, windowing: String)
    case split(path: String, reason: String)
    case notInFolder(list: String, name: String, images: String)
    case plan(path: String, reason: String, cure: String)
    case notFinite(step: Int, folder: String)
    /// The model is written, and finds nothing of some segments.
    case unfound(folder: String, segments: [String], isValidated: Bool)
    /// The model is written, and its data changed while it was learned from.
    case changed(folder: String)
    case checkpoint(path: String, reason: String, cure: String)
    /// What stands beside a model and should tell this of its training.
    case origin(path: String, reason: String, tells: String)
    case ranks(count: Int, stage: Int, batches: Int)
    /// Of the processes that share a run's batches.
    case instructionSets([String])

    package var kind: FailureKind {
        switch self {
        case .notFinite, .unfound, .changed, .unshown: .failed
        case .busy, .preview, .previewName: .usage
        default: .configuration
        }
    }

    package var code: String {
        switch self {
        case .missingMask, .contradicted, .ownMask, .unknownTurn, .drawnTwice, .fieldOfView, .oneMask: "DATA-MASK"
        case .doubtful: "DATA-PICTURE"
        case .sizesDiffer: "DATA-SIZE"
        case .otherWindowing, .unseen, .flat, .dark: "DATA-WINDOW"
        case .noPairs, .pageCounts: "DATA-EMPTY"
        case .sameStem: "DATA-STEM"
        case .channels, .channelFiles, .severalChannels: "DATA-CHANNELS"
        case .layout: "DATA-LAYOUT"
        case .maskValue, .maskValues, .wrapped: "DATA-VALUES"
        case .missingClass, .noBackground, .unshown, .emptyValidation: "DATA-CLASS"
        case .leak, .seen: "DATA-LEAK"
        case .role, .unusedRole: "DATA-ROLE"
        case .finished, .occupied: "TRAIN-OUT"
        case .preview, .previewName: "USE-OUT"
        case .busy: "USE-BUSY"
        case .split, .notInFolder: "DATA-SPLIT"
        case .plan: "TRAIN-PLAN"
        case .notFinite: "TRAIN-NAN"
        case .unfound: "TRAIN-UNFOUND"
        case .changed: "TRAIN-CHANGED"
        case .checkpoint: "TRAIN-CHECKPOINT"
        case .origin: "TRAIN-ORIGIN"
        case .ranks, .instructionSets: "TRAIN-RANKS"
        }
    }

    package var message: FailureMessage {
        switch self {
        case .missingMask(let image, let folder, let other):
            Self.missingMask(image, folder, other)
        case .sizesDiffer(let image, let imageSize, let mask, let maskSize, let isTurned):
            FailureMessage(
                "the image has \(imageSize) pixels\(isTurned ? " after it was turned as its EXIF orientation says" : ""),"
                    + " but its mask has \(maskSize): they must agree.",
                cure: isTurned
                    ? "Draw the mask on the picture as viewers show it, or take the orientation out of the file."
                    : "Export the mask at the image's size.",
                subject: "\(image) (mask \(mask))")
        case .doubtful(let image, let found):
            FailureMessage(
                "\(found.hasSuffix(".") ? String(found.dropLast()) : found): what the picture was meant to show is not known.",
                cure: "Export it as one opaque picture of grey or red, green and blue, or leave it out.", subject: image
            )
        case .unknownTurn(let image, let mask):
            FailureMessage(
                "image and mask say unlike orientations (EXIF, or TIFF's Orientation), and their sizes agree turned or not: whether the mask was"
                    + " drawn on the picture as viewers show it or as it is stored cannot be told.",
                cure:
                    "Write the image upright and without an orientation, look whether the mask lies on it, and turn the mask where it does not.",
                subject: "\(image) (mask \(mask))")
        case .sameStem(let folder, let one, let other):
            FailureMessage(
                "two files have one stem, and nothing says which is meant.", cure: "Take one out of the folder.",
                subject: "\(folder): \(one), \(other)")
        case .channels(let path):
            FailureMessage(
                "the three channels of this picture are neither three grey pictures of one size and depth nor one in colour.",
                cure: "Export them alike.", subject: path)
        case .severalChannels(let path, let count):
            FailureMessage(
                "the picture has \(count) channels that are no colours, and nothing says which is meant.",
                cure: "Export the one that is meant, or three as red, green and blue.", subject: path)
        case .pageCounts(let mask, let masks, let images):
            FailureMessage(
                "the file holds \(masks) pictures, and that of its image \(images): pictures and masks go together by their numbers.",
                cure: "Export as many; several masks of one image are files a_mask, a_mask_1.", subject: mask)
        case .channelFiles(let path, let found, let expected):
            FailureMessage(
                "the image has the channels \(found.joined(separator: ", ")), and dataset.json names \(expected) from _0000 on.",
                cure: "Add the missing files, take out the others, or correct channel_names.", subject: path)
        case .layout(let path, let reason):
            FailureMessage("\(reason).", cure: "docs/training.md lists the layouts that are read.", subject: path)
        case .maskValue(let mask, let value, let segments):
            FailureMessage(
                "the mask holds the value \(value), and model.segments is \(segments): its values are the classes 0 to"
                    + " \(segments).",
                cure:
                    "Correct the masks or the model's segments. \(MaskCure.rule("Or say mask_values, with the values of each segment.").text)",
                subject: mask)
        case .maskValues(let masks, let found, let cure):
            FailureMessage("what the masks mean cannot be told: \(found).", cure: cure.text, subject: masks)
        case .missingClass(let path, let segment, let rule):
            FailureMessage(
                "no training image shows segment \(segment) (\(rule)): it cannot be learned.",
                cure: "Check the masks, mask_values and model.segments.", subject: path)
        case .noBackground(let path, let rule):
            FailureMessage(
                "no image shows background, which is 0 (\(rule)): segments fill all of them.",
                cure: "Check the masks; where another value is the background, or there is none, say mask_values.",
                subject: path)
        case .unshown(let path, let segments):
            FailureMessage(
                "the figures are told, and no image shows \(segments.joined(separator: ", ")): what counts as 1 there is that nothing was found, and"
                    + " means over images and segments hold it.",
                cure: "Measure on images that show it; on images without it look at the specificity alone.",
                subject: path)
        case .emptyValidation(let path, let rule):
            FailureMessage(
                "no validation image shows any segment (\(rule)): weights that find least would be the best.",
                cure: "Validate on images that show what is to be found, or take the validation out.", subject: path)
        case .wrapped(let mask):
            FailureMessage(
                "its values number objects and go to 255, the most that 8 bits hold, and several of them number objects in more than one place: more"
                    + " than 255 objects were numbered, of which each 256th became background.",
                cure: "Export the mask in 16 bits, or a file for each object.", subject: mask)
        case .drawnTwice(let one, let other, let count):
            FailureMessage(
                "\(count) images stand in two entries of data with the same masks, and each entry would draw them.",
                cure: "Take one of the entries out; weight says how often an entry is drawn.",
                subject: one == other ? one : "\(one), \(other)")
        case .seen(let set, let count, let model):
            FailureMessage(
                "\(count) of its images were in the training of \(model): it is not unseen.",
                cure: "Take them out, name it as --source, or leave --source and --target out.",
                subject: "--target \(set)")
        case .leak(let one, let other, let splits, let what):
            FailureMessage(
                "these two images \(what), and stand in \(splits): figures on them would measure memory.",
                cure: "Take one out, or put both into one split.", subject: "\(one), \(other)")
        case .role(let name, let path):
            FailureMessage(
                "the plan asks for a data set by this name, and nothing says where it lies.",
                cure:
                    "Add --data NAME=FOLDER, or set HSPSAM_DATA to the folder that holds it; docs/data-sets.md says where it is had.",
                subject: "${\(name)} (\(path))")
        case .unusedRole(let name, let plan):
            FailureMessage(
                "the plan has no ${\(name)} for the folder that is given: its own folders would be read.",
                cure: "Correct the name in --data, or take the option out.", subject: "--data \(name) (\(plan))")
        case .finished(let path, let isWhole):
            FailureMessage(
                isWhole
                    ? "the folder holds a finished model already." : "the folder holds a run that was interrupted.",
                cure: isWhole
                    ? "Choose another --out, or remove it first."
                    : "Add --resume to go on with it, or choose another --out.",
                subject: path)
        case .occupied(let path, let names):
            FailureMessage(
                "the folder holds \(names.joined(separator: ", ")), which this run has not written and would write over.",
                cure: "Choose another --out, or move them away.", subject: path)
        case .preview(let path):
            FailureMessage(
                "a file that is no page stands there, and the preview would be written over it.",
                cure: "Choose another file with --preview, or move it away.", subject: path)
        case .previewName(let path):
            FailureMessage(
                "the preview is a page, and this is no name of one.", cure: "Name it .html.",
                subject: "--preview \(path)")
        case .busy(let path, let owner):
            FailureMessage(
                "another run works there: \(owner).", cure: "Wait for its end or choose another folder with --out.",
                subject: path)
        case .otherWindowing(let image, let found, let windowing):
            FailureMessage(
                "the windowing is \(windowing), but the image does not suit it: \(found).",
                cure: "Leave the image out, or use the windowing with which the images were made.", subject: image)
        case .fieldOfView(let masks, let count):
            FailureMessage(
                "the masks of its \(count) images mark nearly the same pixels, and the pictures are black outside of them: they show what the camera"
                    + " saw, not what is to be found.",
                cure:
                    "Give the folder of the truth (1st_manual of DRIVE); where the field of view is to be learned, say mask_above.",
                subject: masks)
        case .oneMask(let masks, let count):
            FailureMessage(
                "the masks of all \(count) images are pixel by pixel the same, and the images are not: they cannot be of all of them.",
                cure: "Export the masks again; where one is right for all (phantoms), say similar_images: allow.",
                subject: masks)
        case .ownMask(let image, let mask):
            FailureMessage(
                "the image is pixel by pixel its own mask: what it is a mask of is somewhere else.",
                cure: "Give the folder of the images.", subject: "\(image) (mask \(mask))")
        case .contradicted(let one, let other, let unlike):
            FailureMessage(
                "the two images are pixel by pixel the same, and their masks differ in \(NumberText.fixed(100 * unlike, 0)) % of what they mark:"
                    + " which of them is right cannot be told.",
                cure: "Keep the image with the mask that is right.", subject: "\(one), \(other)")
        case .unseen(let image, let mask, let windowing):
            FailureMessage(
                "the image is of one colour as it is shown (windowing: \(windowing)), and its mask marks something that is not in it.",
                cure: "Export the image again, use a windowing that shows it, or leave it out.",
                subject: "\(image) (mask \(mask))")
        case .flat(let image, let count, let windowing):
            FailureMessage(
                "\(count == 1 ? "the only image is" : "all \(count) images are") of one colour as they are shown (windowing: \(windowing)).",
                cure: "Export them again, or use a windowing that shows them.", subject: image)
        case .dark(let image, let levels, let windowing):
            FailureMessage(
                "no image of the set has more than \(levels) of 256 grey levels as it is shown (windowing: \(windowing)): their values fill"
                    + " a small part of their range, and nearly all that they hold would be lost.",
                cure: "Write windowing: {mode: percentile} or {mode: minmax}, or export them in 8 bits.", subject: image
            )
        case .noPairs(let path, let reason):
            FailureMessage(
                "\(reason): there is nothing to work on.", cure: "Check the folder, the list and the split's name.",
                subject: path)
        case .split(let path, let reason):
            FailureMessage(
                "\(reason): a split file is CSV with the header name,split.", cure: "Correct the line.", subject: path)
        case .notInFolder(let list, let name, let images):
            FailureMessage(
                "the list names an image that the folder does not hold.",
                cure:
                    "Correct the list, or add the image: a line has the name of the image's file, with or without ending; folders before it and"
                    + " the case of letters are passed over where one image alone can be meant.",
                subject: "\(list): \(name) (images in \(images))")
        case .plan(let path, let reason, let cure): FailureMessage("\(reason).", cure: cure, subject: path)
        case .notFinite(let step, let folder):
            FailureMessage(
                "the loss or its derivatives became NaN or infinite at step \(step): training has diverged, and there is no model.",
                cure:
                    "Lower learning_rate, lengthen optimiser.warmup or set optimiser.clip_norm, and begin anew with another --out: the checkpoint belongs to the plan as it was.",
                subject: folder)
        case .unfound(let folder, let segments, let isValidated):
            FailureMessage(
                "the model is written, and finds no pixel of \(segments.joined(separator: ", ")) in "
                    + (isValidated ? "the validation images that show it." : "the training images of the last epoch."),
                cure: "Train longer or with another learning_rate, look at --preview, and do not use this model.",
                subject: folder)
        case .changed(let folder):
            FailureMessage(
                "the model is written, and images or masks are not those that the run found when it began: what it learned from is not known.",
                cure:
                    "Train again with another --out, on data that nobody changes meanwhile; data.csv tells what it began with.",
                subject: folder)
        case .origin(let path, let reason, let tells):
            FailureMessage(
                "\(reason): \(tells) is not known.",
                cure:
                    "Put back the file that the training wrote, or move this one away: then nothing of it is checked.",
                subject: path)
        case .checkpoint(let path, let reason, let cure):
            FailureMessage("\(reason): the run cannot continue from it.", cure: cure, subject: path)
        case .instructionSets(let names):
            FailureMessage(
                "the processes use the instruction sets \(names.joined(separator: ", ")), whose last bits differ: the weights would depend on"
                    + " who computes what.",
                cure: "Give all of them one that every node has: mpirun -x HSPSAM_ISA=avx2.")
        case .ranks(let count, let stage, let batches):
            FailureMessage(
                "stage \(stage) makes a step of \(batches == 1 ? "one batch" : "\(batches) batches"), and \(count) processes would share them.",
                cure: "Set accumulate to a multiple of the processes, or start fewer.")
        }
    }

    /// - Parameter other: a file where the mask should lie.
    private static func missingMask(_ image: String, _ folder: String, _ other: String?) -> FailureMessage {
        let isRead = other.flatMap(ImageFolder.stem) != nil
        let there = other.map { isRead ? ". \($0) lies there" : ". \($0) lies there, which is no PNG, JPEG or TIFF" }
        let cure =
            switch (other, isRead) {
            case (nil, _): "Add it, or take the image out of the list."
            case (_, true): "Name each mask as its image."
            case (_, false): "Convert such files to PNG, and name each as its image."
            }
        return FailureMessage(
            "the image has no mask; every image needs one, named as the image or with _mask or _segmentation added\(there ?? "").",
            cure: cure, subject: "\(image) (masks in \(folder))")
    }
}
