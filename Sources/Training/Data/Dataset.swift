import Failures
import ImageFiles
package import Imaging
package import SegmentAnything
import Storage

/// The cases of a data set, in the order of their names: which picture goes with which truth. Nothing is decoded yet.
package struct Dataset: Sendable {
    package struct Pair: Sendable, Equatable {
        /// The picture's stem.
        package let name: String
        package let image: ImageSource
        package let mask: MaskSource
        /// Who it is of, where a list says it.
        package let patient: String?
    }

    package private(set) var pairs: [Pair]
    /// What the plan, or else the layout, says of the masks' values; nil: they say it themselves.
    let rule: MaskRule?
    /// The folder, for messages.
    let path: String
    /// What a person should know of how it was read.
    package let notes: [String]

    /// Cases of a split, or all.
    ///
    /// - Parameters:
    ///   - labels: of the model's segments, for layouts that name classes.
    ///   - ignoresMasks: an image needs none, and one that it has is not looked at.
    ///   - splits: that are asked of lists, this source's among them.
    /// *Throws* `TrainingFailure`; Storage's failures.
    package init(
        _ source: TrainingPlan.Source, segments: Int = 1, labels: [String]? = nil, ignoresMasks: Bool = false,
        splits: Set<String> = []
    ) throws {
        let (candidates, known, notes, rule) = try source.origin.candidates(
            segments: segments, labels: labels, names: source.segmentNames)
        (path, self.rule) = (source.origin.path, source.rule ?? rule)
        var byName: [String: DataOrigin.Candidate] = [:]
        for candidate in candidates { byName[candidate.name] = candidate }
        var (patients, unlisted, unread) = (known, 0, [String]())
        var names = candidates.map(\.name)
        if let list = source.list {
            let file = try SplitList(list, fold: source.fold)
            let rows = try file.rows(of: source.split, others: splits)
            unread = file.unread
            let listed = try ListedCases(file, cases: names)
            unlisted = candidates.count - Set(file.rows.compactMap { listed.name(of: $0) }).count
            names = try rows.map { row in
                guard let name = listed.name(of: row) else {
                    throw TrainingFailure.notInFolder(list: list, name: row.name, images: source.origin.path)
                }
                patients[name] = row.patient ?? patients[name]
                return name
            }
        }
        var leftOut = 0
        pairs = try names.sorted().compactMap { byName[$0] }.compactMap { candidate in
            guard let mask = ignoresMasks ? MaskSource.unread : candidate.mask else {
                if source.leavesOut {
                    leftOut += 1
                    return nil
                }
                throw TrainingFailure.missingMask(
                    image: candidate.image.path, folder: candidate.masks, other: candidate.other)
            }
            return Pair(
                name: candidate.name, image: candidate.image, mask: mask, patient: patients[candidate.name])
        }
        // Said by a person, and without effect: the figures would be those of something else.
        if source.rule != nil, let named = pairs.first(where: { $0.mask.namesSegments }) {
            throw TrainingFailure.maskValues(
                masks: named.mask.path,
                found: "a rule says what values mean, and this truth has no values but names its segments",
                cure: .masks(
                    "Take mask_above, mask_values or mask_colors (--mask-rule) out; segment_names has other names of segments."
                ))
        }
        self.notes =
            notes + (leftOut > 0 ? ["\(leftOut) images without mask are left out"] : [])
            + (unlisted > 0 ? ["\(unlisted) images that the list does not name are left out"] : [])
            + (unread.isEmpty ? [] : ["columns of the list that are not read: \(unread.joined(separator: ", "))"])
        if pairs.isEmpty {
            throw TrainingFailure.noPairs(
                path: source.origin.path,
                reason: source.list == nil
                    ? "the folder holds no PNG, JPEG or TIFF image\(Self.folders(in: source.origin))"
                    : "the list and the split name no image")
        }
    }

    /// For a message: what stands where images were looked for.
    private static func folders(in origin: DataOrigin) -> String {
        let names = ((try? ImageFolder(origin.path))?.folders ?? []).sorted()
        guard !names.isEmpty else { return "" }
        return ", but the folders \(names.prefix(6).joined(separator: ", ")), in no layout that is known"
    }

    package init(images: String, masks: String, list: String? = nil, split: String? = nil) throws {
        try self.init(
            TrainingPlan.Source(origin: .pairs(images: images, masks: masks), list: list, split: split))
    }

    /// The cases that a predicate chooses.
    func filtered(_ isIncluded: (Pair) throws -> Bool) rethrows -> Dataset {
        var some = self
        some.pairs = try pairs.filter(isIncluded)
        return some
    }

    /// The first `count` images.
    package func prefix(_ count: Int) -> Dataset {
        var some = self
        some.pairs = Array(pairs.prefix(count))
        return some
    }
}

/// A data set whose masks have been looked at: it gives samples.
package struct LabelledSet: Sendable {
    package let pairs: [Dataset.Pair]
    package let rule: MaskRule
    /// What tells its objects apart.
    let telling: ObjectRule

    /// An image with the class of each pixel: 0 background, 1 … K. *Shape*: classes and objects `[rows · columns]`.
    package struct Sample: Sendable {
        package var image: DisplayImage
        package var classes: [UInt8]
        /// The object that each pixel belongs to, 0 background; empty unless asked for.
        package var objects: [Int32]
        /// Of the image's pixels as its file says it; nil where it does not.
        package var spacing: PixelSpacing?
        /// Height of a pixel over its width.
        package var pixelAspect = 1.0

        package init(image: DisplayImage, classes: [UInt8], objects: [Int32] = []) {
            self.image = image
            self.classes = classes
            self.objects = objects
        }
    }

    /// - Parameter withObjects: also tells objects apart.
    /// *Throws* `TrainingFailure.sizesDiffer`, `.otherWindowing`, `.maskValue`; `ImageFilesFailure`.
    package func sample(
        _ pair: Dataset.Pair, segments: Int, input: TrainedInput, withObjects: Bool = false
    ) throws -> Sample {
        let image = try pair.image.read(input.aspect)
        let truth = try truth(pair, segments: segments)
        guard image.rows == truth.rows, image.columns == truth.columns else {
            throw TrainingFailure.sizesDiffer(
                image: pair.image.path, imageSize: "\(image.columns)×\(image.rows)", mask: pair.mask.path,
                maskSize: "\(truth.columns)×\(truth.rows)", isTurned: image.orientation != 1)
        }
        var sample = Sample(
            image: try input.windowing.display(image, path: pair.image.path), classes: truth.classes,
            objects: withObjects ? try objectMap(truth, segments: segments) : [])
        (sample.spacing, sample.pixelAspect) = (image.spacing, image.pixelAspect)
        return sample
    }

    /// The image alone: all of it is background.
    package func unlabelled(_ pair: Dataset.Pair, input: TrainedInput) throws -> Sample {
        let image = try input.windowing.display(try pair.image.read(input.aspect), path: pair.image.path)
        return Sample(image: image, classes: [UInt8](repeating: 0, count: image.rows * image.columns))
    }

    /// What the masks of a case say, each file read once.
    struct Truth {
        let rows: Int
        let columns: Int
        /// `[rows · columns]`
        let classes: [UInt8]
        /// The pictures of values that it was made of; empty for what has classes of its own.
        let masks: [(page: RasterPage, path: String)]
        /// The objects of an annotation file.
        var outlines: COCO.Picture?
    }

    /// The classes of a case's pixels on the truth's own grid.
    package func classes(
        _ pair: Dataset.Pair, segments: Int
    ) throws -> (rows: Int, columns: Int, values: [UInt8]) {
        let truth = try truth(pair, segments: segments)
        return (truth.rows, truth.columns, truth.classes)
    }

    /// *Throws* `TrainingFailure.noPairs`, `.sizesDiffer`, `.maskValue`, `.maskValues`, `.layout` where two masks of the image say two
    /// segments of a pixel; what reading the files throws.
    func truth(_ pair: Dataset.Pair, segments: Int) throws -> Truth {
        if let found = try pair.mask.classes() {
            var truth = Truth(rows: found.rows, columns: found.columns, classes: found.values, masks: [])
            truth.outlines = pair.mask.outlines
            return truth
        }
        let masks = try pair.mask.read()
        guard let first = masks.first else {
            throw TrainingFailure.noPairs(path: pair.mask.path, reason: "there is no mask")
        }
        var values = try rule.classes(of: first.page, path: first.path, segments: segments)
        for mask in masks.dropFirst() {
            guard mask.page.rows == first.page.rows, mask.page.columns == first.page.columns else {
                throw TrainingFailure.sizesDiffer(
                    image: first.path, imageSize: "\(first.page.columns)×\(first.page.rows)", mask: mask.path,
                    maskSize: "\(mask.page.columns)×\(mask.page.rows)", isTurned: false)
            }
            let more = try rule.classes(of: mask.page, path: mask.path, segments: segments)
            for pixel in values.indices where more[pixel] > 0 {
                guard values[pixel] == 0 || values[pixel] == more[pixel] else {
                    throw TrainingFailure.layout(
                        path: mask.path,
                        reason: "it marks as segment \(more[pixel]) what another mask of the image marks as segment"
                            + " \(values[pixel]), and a pixel has one class in training")
                }
                values[pixel] = more[pixel]
            }
        }
        return Truth(rows: first.page.rows, columns: first.page.columns, classes: values, masks: masks)
    }

    /// The first `count` cases.
    package func prefix(_ count: Int) -> LabelledSet {
        LabelledSet(pairs: Array(pairs.prefix(count)), rule: rule, telling: telling)
    }
}
