import DICOM
import Failures
import ImageFiles
import Imaging
import SegmentAnything
import Storage

/// What one case is like.
struct CaseCheck: Sendable {
    let pair: Dataset.Pair
    private(set) var problems: [FailureRecord] = []
    private(set) var census = MaskCensus()
    private(set) var rows = 0
    private(set) var columns = 0
    /// No run takes a picture of this shape.
    private(set) var isUnsuited = false
    /// Samples of the picture are NaN, infinite or called no measurement.
    private(set) var lacksValues = false
    /// Width of a pixel; nil when the file does not say.
    private(set) var pixelMM: Double?
    private(set) var digest: FileDigest?
    private(set) var thumbnail: Thumbnail?
    /// Of the picture as the network sees it; nil where it is of one colour, so that it may be equal to any other such.
    private(set) var look: FileDigest?
    /// Nil of a picture of one colour, of an empty mask, and where one could not be read.
    private(set) var view: FieldOfView?
    /// Of the mask's pixels; nil of one that marks nothing or everything, of which many may be equal.
    private(set) var maskLook: FileDigest?
    /// The largest value less the smallest of a channel, as the network sees it; nil of a picture that could not be read.
    private(set) var levels: Int?
    /// A file of more than 8 bits a sample.
    private(set) var isDeep = false
    /// Whether a mask that is stored in another orientation than the picture fits it turned.
    private(set) var turn = Turn.alike
    /// What was done to its file's samples and changes nothing, and what was chosen of its bits and scales.
    private(set) var remarks: [String] = []
    /// A mask of 8 bits whose numbers of objects begin again behind 255.
    private var wrapped: String?

    /// Picture and mask are turned as the file of each says.
    enum Turn: Sendable, Equatable {
        /// Both are stored in one orientation.
        case alike
        /// Turned they are of one size, and as they are stored they are not.
        case fits
        /// Their sizes agree either way: a mask drawn on the picture as it is stored would lie elsewhere.
        case unknown(mask: String)
    }

    init(_ pair: Dataset.Pair, segments: Int, input: TrainedInput) {
        self.pair = pair
        var path = pair.image.path
        do {
            digest = try pair.image.digest()
            try pair.image.confirmWhole()
            let picture = try pair.image.read(input.aspect)
            (rows, columns, pixelMM) = (picture.rows, picture.columns, picture.spacing?.column)
            isUnsuited = !PictureShape.suits(rows: rows, columns: columns, aspect: picture.pixelAspect)
            if case .raster(let page) = picture {
                (lacksValues, isDeep) = (page.missing > 0, page.bits > 8)
                // Alpha is ignored, and counted: data sets have it where an editor left it.
                let doubts = page.findings.filter {
                    $0.isWarning && !$0.isTransparency && [.picture, .pages].contains($0.kind)
                }
                if let doubt = doubts.first { throw TrainingFailure.doubtful(image: path, found: doubt.text) }
                remarks = page.findings.filter {
                    ($0.isWarning || $0.kind == .picture) && !$0.text.hasPrefix("turned upright")
                }.map(\.text)
            }
            let shown = try input.windowing.display(picture, path: pair.image.path)
            let small = shown.resized(rows: Thumbnail.side, columns: Thumbnail.side)
            thumbnail = Thumbnail(small)
            let levels = shown.levels
            self.levels = levels
            if levels > 0 { look = FileDigest(of: [UInt8]("\(rows) ".utf8) + shown.pixels) }
            path = pair.mask.path
            if let mask = try examineMask(picture, FieldOfView(small)), levels > 0 { view = mask }
        } catch {
            problems.append(FailureRecord(error).about(path))
        }
    }

    /// *Returns* the view with what is marked; nil where there is nothing to mark.
    private mutating func examineMask(_ image: SourcePicture, _ view: FieldOfView) throws -> FieldOfView? {
        var view = view
        var bytes: [UInt8] = []
        func compare(_ rows: Int, _ columns: Int, _ path: String) throws {
            guard rows != image.rows || columns != image.columns else { return }
            throw TrainingFailure.sizesDiffer(
                image: pair.image.path, imageSize: "\(image.columns)×\(image.rows)", mask: path,
                maskSize: "\(columns)×\(rows)", isTurned: image.orientation != 1)
        }
        if let truth = try pair.mask.classes() {
            try compare(truth.rows, truth.columns, pair.mask.path)
            compareTurn(image, 1, pair.mask.path)
            census.add(classes: truth.values, columns: truth.columns, path: pair.mask.path)
            view.add(rows: truth.rows, columns: truth.columns) { truth.values[$0] > 0 }
            bytes = truth.values
        }
        try pair.mask.confirmWhole()
        for mask in try pair.mask.read() {
            try compare(mask.page.rows, mask.page.columns, mask.path)
            census.add(mask.page, path: mask.path)
            if case .raster(let page) = image, page.samples == mask.page.samples, page.values == mask.page.values,
                census.emptyFiles == 0
            {
                throw TrainingFailure.ownMask(image: pair.image.path, mask: mask.path)
            }
            compareTurn(image, mask.page.orientation, mask.path)
            if mask.page.numbersBeginAgain { wrapped = wrapped ?? mask.path }
            view.add(rows: mask.page.rows, columns: mask.page.columns) { mask.page.values[$0 * mask.page.samples] > 0 }
            bytes += mask.page.values.lazy.map { UInt8(truncatingIfNeeded: $0) }
        }
        if let first = bytes.first, bytes.contains(where: { $0 != first }) {
            maskLook = FileDigest(of: [UInt8]("\(rows) ".utf8) + bytes)
        }
        return census.files > census.emptyFiles ? view : nil
    }

    /// - Parameter orientation: of a mask whose size is the picture's.
    private mutating func compareTurn(_ image: SourcePicture, _ orientation: Int, _ path: String) {
        guard image.orientation != orientation else { return }
        // From 5 on rows and columns are exchanged.
        let isProven = image.rows != image.columns && (image.orientation >= 5) != (orientation >= 5)
        if !isProven { turn = .unknown(mask: path) } else if turn == .alike { turn = .fits }
    }

    /// A mask that the rule of its set reads as empty though it holds something: other values than the rest of the set; or one with
    /// values that are no labels.
    ///
    /// - Parameter isSaid: a person or the layout says the rule.
    func contradiction(_ rule: MaskRule, isSaid: Bool) -> FailureRecord? {
        if case .labels(let table) = rule {
            let wrong =
                census.marks.first { table[$0] == nil }.map { "\($0)" } ?? census.colors.keys.min().map(MaskRule.hex)
            return wrong.map { FailureRecord(MaskRule.noLabel($0, table, pair.mask.path)) }
        }
        if !pair.mask.namesSegments, let blurred = blurred(rule) { return FailureRecord(blurred) }
        if !isSaid, rule.marksOneSegment, !pair.mask.namesSegments {
            let shares = census.shares(rule)
            if shares.edge == 1, shares.all <= 0.99 {
                return FailureRecord(
                    TrainingFailure.maskValues(
                        masks: pair.mask.path,
                        found:
                            "its segment takes the whole edge of the picture and background lies in it, unlike in other masks of the set: black and white may be exchanged",
                        cure: .rule(
                            "Invert it; where all masks are right, say what marks the segment, as mask_above: 0.")))
            }
        }
        if rule == .nonzero, let wrapped { return FailureRecord(TrainingFailure.wrapped(mask: wrapped)) }
        guard case .above(let threshold) = rule, let largest = census.marks.last, largest <= threshold else {
            return nil
        }
        return FailureRecord(
            TrainingFailure.maskValues(
                masks: pair.mask.path,
                found: "its largest value is \(largest), where the set's masks mark by values above \(threshold)",
                cure: .masks("Write all masks of a set alike, or list the two kinds as two entries of data.")))
    }

    /// A mask whose values tell segments or objects apart, and whose compression changes values: 2 beside 3 becomes 3, 255 becomes 254.
    private func blurred(_ rule: MaskRule) -> TrainingFailure? {
        let marks = census.marks
        let ending = pair.mask.path.split(separator: ".").last?.lowercased()
        guard ["jpg", "jpeg"].contains(ending), marks.count > 1 else { return nil }
        switch rule {
        case .nonzero, .classes, .labels: break
        case .values(let table):
            let isNear = marks.contains { mark in
                table.contains { abs($0.key - mark) <= 8 && $0.value != table[mark] ?? 0 }
            }
            guard isNear else { return nil }
        case .above, .colors: return nil
        }
        return .maskValues(
            masks: pair.mask.path,
            found:
                "it is a JPEG, whose compression changes values, and \(marks.count) of them tell apart what it marks",
            cure: .rule(
                "Export the masks as PNG from where they were drawn. Where they are black and white, say mask_above, as"
                    + " mask_above: 127; where they are colours, mask_colors, which takes the nearest."))
    }

    /// A mask that marks something in a picture of one colour: what is marked is not in the picture.
    func unseen(_ rule: MaskRule, segments: Int, _ windowing: TrainedInput.Windowing) -> FailureRecord? {
        guard problems.isEmpty, levels == 0, pixels(rule, segments: segments).dropFirst().contains(where: { $0 > 0 })
        else {
            return nil
        }
        return FailureRecord(
            TrainingFailure.unseen(image: pair.image.path, mask: pair.mask.path, windowing: windowing.words))
    }

    /// Pixels of each class under a rule, background first.
    func pixels(_ rule: MaskRule, segments: Int) -> [Int] {
        var pixels = [Int](repeating: 0, count: segments + 1)
        for (value, count) in census.greys {
            pixels[min(Int(rule.class(of: value, color: census.color(of: value))), segments)] += count
        }
        for (color, count) in census.colors { pixels[min(Int(rule.class(ofColor: color)), segments)] += count }
        // Of several files each has the background of the others.
        pixels[0] = max(0, rows * columns - pixels.dropFirst().reduce(0, +))
        return pixels
    }
}

extension DisplayImage {
    /// The largest value less the smallest, of the channel where they lie farthest apart: 0 where every pixel has one colour.
    fileprivate var levels: Int {
        var (least, most) = ([UInt8](repeating: 255, count: 3), [UInt8](repeating: 0, count: 3))
        let pixels = pixels.span
        for index in pixels.indices {
            least[index % 3] = min(least[index % 3], pixels[index])
            most[index % 3] = max(most[index % 3], pixels[index])
        }
        return zip(least, most).map { Int($1) - Int($0) }.max() ?? 0
    }
}

extension RasterPage {
    /// Its values are all of 1 to 255, and several of them lie in parts that do not touch: numbers of objects that began again.
    ///
    /// *Cost*: little where not every value is there, or the values are shades.
    fileprivate var numbersBeginAgain: Bool {
        guard samples == 1, bits == 8, palette == nil else { return false }
        var isThere = [Bool](repeating: false, count: 256)
        for value in values { isThere[Int(value)] = true }
        guard isThere.dropFirst().allSatisfy({ $0 }) else { return false }
        // Runs of a row with nothing of their value above them: an object begins there, or a branch of one.
        var tops = [Int](repeating: 0, count: 256)
        for row in 0..<rows {
            var column = 0
            while column < columns {
                let value = values[row * columns + column]
                var end = column + 1
                while end < columns, values[row * columns + end] == value { end += 1 }
                let isBelow =
                    row > 0
                    && (max(0, column - 1)..<min(columns, end + 1)).contains {
                        values[(row - 1) * columns + $0] == value
                    }
                if !isBelow { tops[Int(value)] += 1 }
                column = end
            }
        }
        guard tops.dropFirst().reduce(0, +) < 255 * 20 else { return false }
        let inParts = (1...255).filter { tops[$0] > 1 }.lazy.filter { number in
            Components(of: Mask(rows: rows, columns: columns, flags: values.map { Int($0) == number })).count > 1
        }
        return inParts.prefix(2).count == 2
    }
}
