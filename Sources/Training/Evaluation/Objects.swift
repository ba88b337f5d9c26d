import ImageFiles
import Imaging
import Numbers
import Tensors

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

    /// How many objects the cases have that could be read, and how many of them touch another.
    func objectCount(_ cases: [CaseCheck], segments: Int) -> (all: Int, touching: Int) {
        let readable = cases.filter(\.problems.isEmpty)
        let counts = ThreadPool.map(readable.count) { try? objectCount(readable[$0].pair, segments: segments) }
        return counts.reduce((0, 0)) { ($0.0 + ($1?.all ?? 0), $0.1 + ($1?.touching ?? 0)) }
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

    /// The objects of each segment of a case, a number a pixel, 0 outside: those that the masks tell apart by their values or by one file
    /// each, otherwise the connected parts of the truth.
    func objects(_ truth: Truth, segments: Int) throws -> [[Int32]] {
        let masks = truth.masks
        if segments == 1, rule == .nonzero, let first = masks.first {
            if masks.count > 1 {
                var labels = [Int32](repeating: 0, count: first.page.rows * first.page.columns)
                for (index, mask) in masks.enumerated() {
                    let classes = try rule.classes(of: mask.page, path: mask.path, segments: 1)
                    for pixel in labels.indices where classes[pixel] > 0 { labels[pixel] = Int32(clamping: index + 1) }
                }
                return [labels]
            }
            if first.page.samples == 1, Set(first.page.values).subtracting([0]).count > 1 {
                return [first.page.values.map { Int32($0) }]
            }
        }
        return (1...segments).map { segment in
            let flags = truth.classes.map { Int($0) == segment }
            return Components(of: Mask(rows: truth.rows, columns: truth.columns, flags: flags)).labels[0]
        }
    }
}
