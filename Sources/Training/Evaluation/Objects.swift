import Failures
import ImageFiles
import Imaging
import Numbers
import Tensors

/// What tells the objects of a set's masks apart: one rule for all of its cases, since a label mask of one object looks like a binary one.
package enum ObjectRule: Sendable, Equatable {
    /// Each object has a file of its own.
    case files
    /// Each value of a mask is an object.
    case values
    /// Each object of an annotation file.
    case outlines
    /// Connected parts of the truth.
    case parts

    /// For messages.
    package var words: String {
        switch self {
        case .files: "each mask file is one object"
        case .values: "each value of a mask is one object"
        case .outlines: "each annotation is one object"
        case .parts: "each connected part is one object"
        }
    }

    /// - Parameters:
    ///   - census: of all masks of the set.
    ///   - files: masks of the case that has most.
    ///   - hasOutlines: an annotation file has the objects of all cases.
    init(_ rule: MaskRule, segments: Int, census: MaskCensus, files: Int, hasOutlines: Bool) {
        guard !hasOutlines else {
            self = .outlines
            return
        }
        guard segments == 1, rule == .nonzero else {
            self = .parts
            return
        }
        self = files > 1 ? .files : census.numbersObjects ? .values : .parts
    }
}

extension LabelledSet {
    /// The objects of all segments of a case in one map, numbered through: of each pixel that of its own class.
    func objectMap(_ truth: Truth, segments: Int) throws -> [Int32] {
        let maps = try objects(truth, segments: segments)
        var before: [Int32] = [0]
        for map in maps { before.append((before.last ?? 0) + (map.max() ?? 0)) }
        return truth.classes.indices.map { pixel in
            let segment = Int(truth.classes[pixel]) - 1
            return segment < 0 ? 0 : before[segment] + maps[segment][pixel]
        }
    }

    /// How many objects the cases have that could be read, how many of them touch another, and what is wrong with them.
    func objectCount(
        _ cases: [CaseCheck], segments: Int
    ) -> (all: Int, touching: Int, problems: [FailureRecord]) {
        let readable = cases.filter(\.problems.isEmpty)
        let counts = ThreadPool.map(readable.count) { index in
            do {
                let count = try objectCount(readable[index].pair, segments: segments)
                return (count.all, count.touching, [FailureRecord]())
            } catch {
                return (0, 0, [FailureRecord(error)])
            }
        }
        return counts.reduce((0, 0, [])) { ($0.0 + $1.0, $0.1 + $1.1, $0.2 + $1.2) }
    }

    /// What is wrong with cases that have several masks for several segments.
    func overlaps(_ cases: [CaseCheck], segments: Int) -> [FailureRecord] {
        guard segments > 1 else { return [] }
        let several = cases.filter { $0.problems.isEmpty && $0.census.files > 1 }
        let found = ThreadPool.map(several.count) { index -> [FailureRecord] in
            do {
                _ = try truth(several[index].pair, segments: segments)
                return []
            } catch {
                return [FailureRecord(error)]
            }
        }
        return found.flatMap { $0 }
    }

    private func objectCount(_ pair: Dataset.Pair, segments: Int) throws -> (all: Int, touching: Int) {
        let truth = try truth(pair, segments: segments)
        let objects = try objectMap(truth, segments: segments)
        var touching: Set<Int32> = []
        func compare(_ one: Int32, _ other: Int32) {
            if one != other, one > 0, other > 0 { touching.formUnion([one, other]) }
        }
        for pixel in objects.indices {
            if (pixel + 1) % truth.columns != 0 { compare(objects[pixel], objects[pixel + 1]) }
            if pixel + truth.columns < objects.count { compare(objects[pixel], objects[pixel + truth.columns]) }
        }
        return (Set(objects).subtracting([0]).count, touching.count)
    }

    /// The objects of each segment of a case, a number a pixel, 0 outside: those of an annotation file, those that the set's masks tell
    /// apart by their values or by one file each, otherwise the connected parts of the truth.
    ///
    /// *Throws* `TrainingFailure.layout` for an object of which others cover every pixel: it would not be there; one that was drawn twice,
    /// or a union beside its parts.
    func objects(_ truth: Truth, segments: Int) throws -> [[Int32]] {
        if let outlines = truth.outlines {
            let maps = outlines.objects(segments: segments)
            if let lost = outlines.covered(maps) {
                throw TrainingFailure.layout(
                    path: outlines.file,
                    reason: "of object \(lost) of \(outlines.name) every pixel is that of a later object, too:"
                        + " one of both is drawn twice, or is a union of others")
            }
            return maps
        }
        if let first = truth.masks.first, truth.masks.count == 1, telling != .parts {
            let values = Self.values(of: first.page)
            // Where objects have files of their own, one that holds several values is of several all the same.
            if let values, telling == .values || Set(values).subtracting([0]).count > 1 { return [values] }
        }
        if telling == .files, let first = truth.masks.first {
            var labels = [Int32](repeating: 0, count: first.page.rows * first.page.columns)
            var drawn: Set<Int32> = []
            for (index, mask) in truth.masks.enumerated() {
                let classes = try rule.classes(of: mask.page, path: mask.path, segments: 1)
                for pixel in labels.indices where classes[pixel] > 0 {
                    labels[pixel] = Int32(clamping: index + 1)
                    drawn.insert(labels[pixel])
                }
            }
            if let lost = drawn.subtracting(labels).min() {
                throw TrainingFailure.layout(
                    path: truth.masks[Int(lost) - 1].path,
                    reason: "every pixel of its object is marked by later masks of the image, too: one of them is there"
                        + " twice, or is a union of others")
            }
            return [labels]
        }
        return (1...segments).map { segment in
            let flags = truth.classes.map { Int($0) == segment }
            return Components(of: Mask(rows: truth.rows, columns: truth.columns, flags: flags)).labels[0]
        }
    }

    /// A number a pixel; nil of a mask in colour.
    private static func values(of page: RasterPage) -> [Int32]? {
        if page.samples == 1 { return page.values.map { Int32($0) } }
        let picture = MaskColors(page)
        return picture.isGrey ? picture.colors.map { Int32($0 & 255) } : nil
    }
}
