import Failures
import ImageFiles
import Imaging
package import SegmentAnything
import Storage
import Tensors

/// Prepares a model for 8 bits: calibrates it on pictures of its kind and measures what that costs.
package enum Quantiser {
    /// Dice of an image's masks in 8 bits against those in float32, and of those in bfloat16 for comparison.
    package typealias ImageDice = (name: String, int8: Double, bf16: Double)

    /// What was chosen, and what it costs.
    package struct Result: Sendable {
        package let choices: [Calibration.Choice]
        package let quantisation: Quantisation
        /// Of each image in which something is found, in the order of their names.
        package let dice: [ImageDice]
    }

    /// Of fewer no image would be measured on which was not calibrated.
    private static let leastImages = 4

    /// Calibrates on the images of a folder and writes the model with its scales to `out`; weights stay as they are stored, so the
    /// result serves every precision.
    ///
    /// - Parameters:
    ///   - most: at most so many images, evenly spread over the folder's; a quarter of them, 32 at most, calibrates.
    ///   - progress: called after each image of either pass.
    /// *Throws* `ModelFailure.encoderOnly`; what reading model or images throws; `TrainingFailure.noPairs` when there is no image, or too few in which something
    /// is found.
    package static func run(
        _ model: ModelDirectory, images folder: String, most: Int, out: String,
        progress: (_ done: Int, _ of: Int) throws -> Void
    ) throws -> Result {
        try model.confirmSegments()
        let all = try pictures(folder)
        guard !all.isEmpty else {
            throw TrainingFailure.noPairs(path: folder, reason: "the folder holds no PNG, JPEG or TIFF image")
        }
        let chosen = spread(all, most)
        // Copies of an image tell nothing more of what the model will see.
        let unlike = Set(try chosen.map { try $0.image.digest() }).count
        guard unlike >= leastImages else {
            throw FailureRecord(
                kind: .usage, code: "USE-RANGE",
                message: FailureMessage(
                    "\(unlike)\(unlike < chosen.count ? " unlike" : "") images are too few: a quarter of them calibrates and all measure, and precision auto goes by that.",
                    cure: "Give \(leastImages) or more, such as the model will see.", subject: folder))
        }
        let calibrating = spread(chosen, min(32, max(1, chosen.count / 4)))
        let input = model.description.trainedInput ?? TrainedInput()
        func image(_ one: Picture) throws -> DisplayImage {
            try one.image.confirmWhole()
            return try input.windowing.display(try one.image.read(input.aspect), path: one.image.path)
        }
        let total = calibrating.count + chosen.count
        let choices = try calibrated(model, calibrating, image) { try progress($0, total) }
        let scales = Dictionary(uniqueKeysWithValues: choices.compactMap { c in c.inputScale.map { (c.weight, $0) } })
        var tensors = try model.tensors()
        let dice = try measured(model.description, Parameters(tensors), scales, chosen, image) {
            try progress(calibrating.count + $0, total)
        }
        guard dice.count >= leastImages else {
            let found = dice.isEmpty ? "nothing in any" : "something in \(dice.count)"
            throw TrainingFailure.noPairs(
                path: folder,
                reason: "the model finds \(found) of its \(chosen.count) images, so what 8 bits cost cannot be measured"
            )
        }
        let figures = dice.map(\.int8)
        let quantisation = Quantisation(
            images: figures.count, bfloat16Layers: choices.filter { $0.inputScale == nil }.map(\.weight).sorted(),
            meanDice: figures.reduce(0, +) / Double(figures.count), leastDice: figures.min() ?? 0,
            bfloat16MeanDice: dice.reduce(0) { $0 + $1.bf16 } / Double(figures.count))
        var description = model.description
        description.quantisation = quantisation
        for (name, scale) in scales { tensors[Quantisation.scaleName(name)] = Tensor([scale.count], scale) }
        try ModelDirectory.create(
            description, tensors: tensors, beside: try TrainingFolder.origin(of: model.path), at: out)
        return Result(choices: choices, quantisation: quantisation, dice: dice)
    }

    /// Of each picture in which something is found.
    ///
    /// - Parameter scales: for 8 bits, by the names of the weights.
    private static func measured(
        _ description: ModelDescription, _ parameters: Parameters, _ scales: [String: [Float]], _ pictures: [Picture],
        _ image: (Picture) throws -> DisplayImage, progress: (_ done: Int) throws -> Void
    ) throws -> [ImageDice] {
        let exact = Predictor(description, parameters)
        let rounded = Predictor(description, parameters, Packing(.int8, inputScales: scales))
        let brief = Predictor(description, parameters, Packing(.bf16))
        var dice: [ImageDice] = []
        for (number, one) in pictures.enumerated() {
            let image = try image(one)
            let masks = try [exact, rounded, brief].map { try $0.segment(image).masks }
            // Where nobody finds anything nothing is lost, and nothing is measured.
            if masks.contains(where: { $0.contains { !$0.isEmpty } }) {
                dice.append((one.name, Agreement.dice(masks[0], masks[1]), Agreement.dice(masks[0], masks[2])))
            }
            try progress(number + 1)
        }
        return dice
    }

    /// How each layer is best rounded.
    private static func calibrated(
        _ model: ModelDirectory, _ pictures: [Picture], _ image: (Picture) throws -> DisplayImage,
        progress: (_ done: Int) throws -> Void
    ) throws -> [Calibration.Choice] {
        let calibration = try Calibration(model, images: pictures.count)
        for (number, one) in pictures.enumerated() {
            calibration.show(try image(one))
            try progress(number + 1)
        }
        return calibration.choices()
    }

    private struct Picture {
        let name: String
        let image: ImageSource
    }

    /// Every page of the pictures without the masks that may lie beside them: those are no pictures of the model's kind.
    private static func pictures(_ folder: String) throws -> [Picture] {
        let files = try ImageFolder(folder)
        return files.images.stems.compactMap { files.files[$0] }.sorted().flatMap { name in
            let path = Folder.join(folder, name)
            let pages = HeldPictures(path).count
            return (0..<pages).map {
                Picture(name: pages == 1 ? name : "\(name)#\($0 + 1)", image: .page(path, $0))
            }
        }
    }

    private static func spread(_ pictures: [Picture], _ most: Int) -> [Picture] {
        let count = min(pictures.count, most)
        return (0..<count).map { pictures[$0 * pictures.count / count] }
    }
}
