import Failures
import Foundation
import ImageFiles
import Numbers
import Storage

/// A COCO annotation file: outlines and runs of objects in pictures.
///
/// *Source*: cocodataset.org "Data format"; pycocotools `maskApi.c` for runs. A polygon marks the pixels whose centre it encloses (even
/// and odd), the polygons of an object are joined, and none is a hole of another; of objects that overlap the later one counts, and crowds
/// (`iscrowd`) come before all single objects. What `bbox` says must be where the outline is; `area`, which programs write in many ways, is not read.
package struct COCO: Sendable {
    /// The objects of one picture.
    package struct Picture: Sendable, Equatable {
        /// The annotation file.
        package let file: String
        /// `file_name`.
        package let name: String
        let rows, columns: Int
        let shapes: [Shape]

        struct Shape: Sendable, Equatable {
            let segment: UInt8
            /// x, y, x, y, … in pixels, 0 at the left upper corner of the first.
            let polygons: [[Double]]
            /// Lengths of background, object, background … down the columns, left to right.
            let runs: [Int]
            /// Several objects that nobody told apart.
            var isCrowd = false
        }

        /// Objects of it that nobody told apart.
        var crowds: Int { shapes.count(where: \.isCrowd) }

        /// Of everything that decides the classes.
        var digest: FileDigest {
            var fields = CanonicalEncoding("hspsam outlines 1")
            fields.add("rows", rows)
            fields.add("columns", columns)
            fields.list("shapes", shapes) { fields, shape in
                fields.add("segment", Int(shape.segment))
                fields.list("polygons", shape.polygons) { $0.add("points", $1) }
                fields.add("runs", shape.runs)
            }
            return fields.digest
        }

        /// The class of each pixel.
        func classes() -> [UInt8] {
            var classes = [UInt8](repeating: 0, count: rows * columns)
            for shape in shapes { forEachPixel(of: shape) { classes[$0] = shape.segment } }
            return classes
        }

        /// The object of each pixel of each segment, counted from 1 in the order of the file; 0 outside.
        func objects(segments: Int) -> [[Int32]] {
            var maps = [[Int32]](repeating: [Int32](repeating: 0, count: rows * columns), count: segments)
            for (index, shape) in shapes.enumerated() where (1...segments).contains(Int(shape.segment)) {
                forEachPixel(of: shape) { maps[Int(shape.segment) - 1][$0] = Int32(clamping: index + 1) }
            }
            return maps
        }

        /// The number, in the order of the picture's objects from 1, of a single object that has pixels and none in `maps`; nil where there is
        /// none.
        func covered(_ maps: [[Int32]]) -> Int? {
            let kept = Set(maps.joined())
            return shapes.indices.first {
                !shapes[$0].isCrowd && (1...maps.count).contains(Int(shapes[$0].segment))
                    && !kept.contains(Int32(clamping: $0 + 1)) && shows(shapes[$0])
            }.map { $0 + 1 }
        }

        private func forEachPixel(of shape: Shape, _ body: (Int) -> Void) {
            for polygon in shape.polygons {
                for (row, span) in spans(of: polygon) { for column in span { body(row * columns + column) } }
            }
            for run in Self.marked(shape.runs) {
                for pixel in run.clamped(to: 0..<rows * columns) { body(pixel % rows * columns + pixel / rows) }
            }
        }

        /// The runs that mark, by their places down the columns.
        private static func marked(_ runs: [Int]) -> [Range<Int>] {
            var (at, found) = (0, [Range<Int>]())
            for (index, run) in runs.enumerated() {
                if index % 2 == 1, run > 0 { found.append(at..<at + run) }
                at += run
            }
            return found
        }

        /// Whether an object has a pixel: of a polygon the centre of one lies in it.
        func shows(_ shape: Shape) -> Bool {
            !Self.marked(shape.runs).isEmpty || shape.polygons.contains { !spans(of: $0).isEmpty }
        }

        /// A polygon lies in another of the same object, to which it adds nothing: whoever drew it meant a hole, and joined it is none.
        func hasHole(_ shape: Shape) -> Bool {
            guard shape.polygons.count > 1 else { return false }
            let all = shape.polygons.map { Dictionary(grouping: spans(of: $0), by: \.row).mapValues { $0.map(\.span) } }
            return all.contains { inner in
                !inner.isEmpty
                    && all.contains { outer in
                        outer != inner
                            && inner.allSatisfy { row, spans in
                                spans.allSatisfy { span in
                                    outer[row]?.contains {
                                        $0.lowerBound <= span.lowerBound && span.upperBound <= $0.upperBound
                                    }
                                        ?? false
                                }
                            }
                    }
            }
        }

        /// Where an object lies in the picture; nil of one without a pixel.
        func box(_ shape: Shape) -> Box? {
            var box: Box?
            func add(_ x: Range<Int>, _ y: Range<Int>) {
                let more = Box(
                    left: Double(x.lowerBound), top: Double(y.lowerBound), right: Double(x.upperBound),
                    bottom: Double(y.upperBound))
                box = box?.joined(more) ?? more
            }
            for polygon in shape.polygons { for (row, span) in spans(of: polygon) { add(span, row..<row + 1) } }
            for run in Self.marked(shape.runs) {
                let (first, last) = (run.lowerBound / rows, (run.upperBound - 1) / rows)
                // A run that goes on in the next column reaches from border to border.
                let isInOne = first == last
                add(
                    first..<last + 1,
                    isInOne ? run.lowerBound % rows..<(run.upperBound - 1) % rows + 1 : 0..<rows)
            }
            return box
        }

        /// The columns of each row whose centres a polygon encloses; none of them is empty.
        private func spans(of polygon: [Double]) -> [(row: Int, span: Range<Int>)] {
            let points = Self.points(polygon)
            return rowRange(points).flatMap { row in
                spans(points, row: row).filter { !$0.isEmpty }.map { (row: row, span: $0) }
            }
        }

        private typealias Point = (x: Double, y: Double)

        private static func points(_ polygon: [Double]) -> [Point] {
            stride(from: 0, to: polygon.count - 1, by: 2).map { (x: polygon[$0], y: polygon[$0 + 1]) }
        }

        /// The rows that a polygon may reach.
        private func rowRange(_ points: [Point]) -> Range<Int> {
            let ys = points.map(\.y)
            let first = Int(rounding: ((ys.min() ?? 0) - 1).rounded(.down), clampedTo: 0...rows)
            let end = Int(rounding: ((ys.max() ?? 0) + 1).rounded(.up), clampedTo: 0...rows)
            return first..<max(first, end)
        }

        /// The columns of a row whose centres a polygon encloses.
        private func spans(_ points: [Point], row: Int) -> [Range<Int>] {
            let y = Double(row) + 0.5
            var crossings: [Double] = []
            for (index, point) in points.enumerated() {
                let next = points[(index + 1) % points.count]
                guard (point.y <= y) != (next.y <= y) else { continue }
                crossings.append(point.x + (y - point.y) / (next.y - point.y) * (next.x - point.x))
            }
            crossings.sort()
            return stride(from: 0, to: crossings.count - 1, by: 2).map { pair in
                let first = Int(rounding: (crossings[pair] - 0.5).rounded(.up), clampedTo: 0...columns)
                let end = Int(rounding: (crossings[pair + 1] - 0.5).rounded(.up), clampedTo: 0...columns)
                return first..<max(first, end)
            }
        }
    }

    /// By the file's order.
    let pictures: [Picture]
    /// Categories that no segment is of.
    let left: [String]
    /// Objects between the centres of pixels, which have none.
    let pixelless: Int
    /// Groups of objects (`iscrowd`), which are segment as single ones are.
    let crowds: Int

    /// A place in a picture, pixels.
    struct Box: Sendable, Equatable {
        var left, top, right, bottom: Double

        func joined(_ other: Box) -> Box {
            Box(
                left: min(left, other.left), top: min(top, other.top), right: max(right, other.right),
                bottom: max(bottom, other.bottom))
        }

        /// A pixel to each side.
        private var widened: Box { Box(left: left - 1, top: top - 1, right: right + 1, bottom: bottom + 1) }
        private var area: Double { max(0, right - left) * max(0, bottom - top) }

        /// The share that two boxes have of what they cover together, a pixel more or less.
        func overlap(_ other: Box) -> Double {
            let (one, other) = (widened, other.widened)
            let shared = Box(
                left: max(one.left, other.left), top: max(one.top, other.top), right: min(one.right, other.right),
                bottom: min(one.bottom, other.bottom)
            ).area
            return shared / (one.area + other.area - shared)
        }

        /// With x and y exchanged.
        var exchanged: Box { Box(left: top, top: left, right: bottom, bottom: right) }

        func cut(columns: Int, rows: Int) -> Box {
            Box(
                left: max(0, left), top: max(0, top), right: min(Double(columns), right),
                bottom: min(Double(rows), bottom))
        }
    }

    /// - Parameter labels: the model's segments, which are found among the categories by their names; nil: all categories are the one
    ///   segment, or there are as many as segments and they come in the order of their numbers.
    /// *Throws* `TrainingFailure.layout`.
    init(_ path: String, segments: Int, labels: [String]?) throws {
        let file: File = try DescriptionFile.read(path, limit: 1 << 30, form: "unlike an annotation file of COCO")
        try Self.confirmReferences(file, path)
        let categories = file.categories.sorted { $0.id < $1.id }
        var classes: [Int: UInt8] = [:]
        for (index, category) in categories.enumerated() {
            if let labels {
                if let at = labels.firstIndex(of: category.name) { classes[category.id] = UInt8(clamping: at + 1) }
            } else if segments == 1 {
                classes[category.id] = 1
            } else {
                classes[category.id] = UInt8(clamping: index + 1)
            }
        }
        let expected = labels?.count ?? (segments == 1 ? classes.count : segments)
        guard classes.count == expected, !classes.isEmpty else {
            throw TrainingFailure.layout(
                path: path,
                reason:
                    "it has the categories \(categories.map(\.name).joined(separator: ", ")), which are not the model's"
                    + " segments" + (labels.map { " " + $0.joined(separator: ", ") } ?? ""))
        }
        left = categories.filter { classes[$0.id] == nil }.map(\.name)
        let objects = Dictionary(grouping: file.annotations, by: \.image_id)
        var pixelless = 0
        pictures = try file.images.map { image in
            // What no picture that is read can have; the sides first, so that their product is a number.
            let sides = 1...ImageLimits.standard.maxSide
            guard sides.contains(image.width), sides.contains(image.height),
                image.width * image.height <= ImageLimits.standard.maxSamples
            else {
                throw TrainingFailure.layout(
                    path: path,
                    reason: "it gives \(image.file_name) \(image.width)×\(image.height) pixels, which no picture has")
            }
            let kept = try (objects[image.id] ?? []).compactMap { object -> (File.Annotation, Picture.Shape)? in
                guard let segment = classes[object.category_id] else { return nil }
                return (object, try Self.shape(object, segment, image, path))
            }
            // Crowds are drawn coarsely: where a single object lies in one, it counts.
            let picture = Picture(
                file: path, name: image.file_name, rows: image.height, columns: image.width,
                shapes: kept.map(\.1).filter(\.isCrowd) + kept.map(\.1).filter { !$0.isCrowd })
            for (object, shape) in kept {
                guard let box = picture.box(shape) else {
                    if try object.isBetweenCentres(of: image, path) { pixelless += 1 }
                    continue
                }
                try object.confirm(box, hasHole: picture.hasHole(shape), image, path)
            }
            return picture
        }
        self.pixelless = pixelless
        crowds = pictures.reduce(0) { $0 + $1.crowds }
    }

    /// *Throws* `TrainingFailure.layout` where an id stands twice, or is named and stands nowhere.
    private static func confirmReferences(_ file: File, _ path: String) throws(TrainingFailure) {
        func once(_ words: [String], _ what: String) throws(TrainingFailure) {
            var seen: Set<String> = []
            for word in words where !seen.insert(word).inserted {
                throw .layout(path: path, reason: "two of its \(what) \(word)")
            }
        }
        try once(file.images.map { "\($0.id)" }, "images have the id")
        try once(file.images.map(\.file_name), "images have the file_name")
        try once(file.categories.map { "\($0.id)" }, "categories have the id")
        let (images, categories) = (Set(file.images.map(\.id)), Set(file.categories.map(\.id)))
        for object in file.annotations {
            guard images.contains(object.image_id) else {
                throw .layout(
                    path: path, reason: "\(object.words) is of the image \(object.image_id), which it does not have")
            }
            guard categories.contains(object.category_id) else {
                throw .layout(
                    path: path,
                    reason: "\(object.words) is of the category \(object.category_id), which it does not have")
            }
        }
    }

    private static func shape(
        _ object: File.Annotation, _ segment: UInt8, _ image: File.Image, _ path: String
    ) throws(TrainingFailure) -> Picture.Shape {
        func refusal(_ reason: String) -> TrainingFailure { .layout(path: path, reason: "\(object.words) \(reason)") }
        switch object.segmentation {
        case .polygons(let polygons):
            guard !polygons.isEmpty else { throw refusal("has no outline: its object would be background") }
            for polygon in polygons {
                guard polygon.count >= 6, polygon.count % 2 == 0 else {
                    throw refusal(
                        "has a polygon of \(polygon.count) numbers; three points or more are two numbers each")
                }
                guard polygon.allSatisfy({ $0.magnitude <= Self.farthest }) else {
                    throw refusal("has a polygon with a point that is no place in a picture")
                }
            }
            // Whole numbers may be the outline of the first pixel.
            let numbers = polygons.joined()
            guard !numbers.allSatisfy({ (0...1).contains($0) }) || numbers.allSatisfy({ $0 == $0.rounded() }) else {
                throw refusal("has points from 0 to 1, shares of the sides perhaps: COCO's are pixels")
            }
            return .init(segment: segment, polygons: polygons, runs: [], isCrowd: object.isCrowd)
        case .runs(let runs, let size):
            let pixels = image.width * image.height
            // No run is longer than the picture, so that the sum of those that a file can hold is a number.
            guard size == [image.height, image.width], runs.allSatisfy({ (0...pixels).contains($0) }),
                runs.reduce(0, +) == pixels
            else { throw refusal("has runs that do not fill its picture") }
            return .init(segment: segment, polygons: [], runs: runs, isCrowd: object.isCrowd)
        }
    }

    /// Pixels: a point farther from the corner is a mistake, and sums of such stay numbers.
    private static let farthest = 1e9

    private struct File: Decodable {
        struct Image: Decodable {
            let id: Int
            let file_name: String
            let width, height: Int
        }
        struct Category: Decodable {
            let id: Int
            let name: String
        }
        struct Annotation: Decodable {
            let id: Int?
            let image_id, category_id: Int
            let segmentation: Segmentation
            /// x, y, width, height; nil where it is not said.
            let bbox: [Double]?
            let isCrowd: Bool

            private enum Keys: String, CodingKey { case id, image_id, category_id, segmentation, bbox, iscrowd }

            init(from decoder: any Decoder) throws {
                let container = try decoder.container(keyedBy: Keys.self)
                // Only messages name it.
                id = try? container.decode(Int.self, forKey: .id)
                image_id = try container.decode(Int.self, forKey: .image_id)
                category_id = try container.decode(Int.self, forKey: .category_id)
                segmentation = try container.decode(Segmentation.self, forKey: .segmentation)
                bbox = try? container.decode([Double].self, forKey: .bbox)
                let crowd = try? container.decode(Int.self, forKey: .iscrowd)
                isCrowd = try crowd.map { $0 != 0 } ?? container.decodeIfPresent(Bool.self, forKey: .iscrowd) ?? false
            }

            /// For messages.
            var words: String { id.map { "annotation \($0)" } ?? "an annotation of image \(image_id)" }

            /// Whether an object that has no pixel is a small one inside of the picture.
            ///
            /// *Throws* `TrainingFailure.layout` for one that lies elsewhere, or is none.
            func isBetweenCentres(of image: Image, _ path: String) throws(TrainingFailure) -> Bool {
                func refusal(_ reason: String) -> TrainingFailure { .layout(path: path, reason: "\(words) \(reason)") }
                guard case .polygons(let polygons) = segmentation else {
                    throw refusal("has runs without a pixel: its object would be background")
                }
                let (xs, ys) = polygons.joined().enumerated().reduce(into: ([Double](), [Double]())) {
                    if $1.offset % 2 == 0 { $0.0.append($1.element) } else { $0.1.append($1.element) }
                }
                guard let (left, right, top, bottom) = Self.bounds(xs, ys) else { return false }
                guard right > 0, bottom > 0, left < Double(image.width), top < Double(image.height) else {
                    throw refusal("lies outside of its picture")
                }
                guard right > left, bottom > top else { throw refusal("has a polygon without an inside") }
                return true
            }

            /// *Throws* `TrainingFailure.layout` where the outline lies elsewhere than `bbox` says, or has a hole that would be filled.
            func confirm(_ box: Box, hasHole: Bool, _ image: Image, _ path: String) throws(TrainingFailure) {
                func refusal(_ reason: String) -> TrainingFailure { .layout(path: path, reason: "\(words) \(reason)") }
                guard !hasHole else {
                    throw refusal(
                        "has a polygon inside another: COCO joins the polygons of an object, so that a hole would be filled;"
                            + " an object with holes is written as runs (RLE), a polygon too many taken out")
                }
                guard let bbox, bbox.count == 4, bbox.allSatisfy({ $0.magnitude <= COCO.farthest }), bbox[2] > 0,
                    bbox[3] > 0
                else { return }
                // Some programs write the corner that is opposite instead of the sides: the same place.
                let said = [
                    Box(left: bbox[0], top: bbox[1], right: bbox[0] + bbox[2], bottom: bbox[1] + bbox[3]),
                    Box(left: bbox[0], top: bbox[1], right: bbox[2], bottom: bbox[3]),
                ].map { $0.cut(columns: image.width, rows: image.height) }
                let overlap = said.map(box.overlap).max() ?? 0
                // Boxes are drawn by hand, too, and masks found in them; but none fits better with x and y exchanged.
                guard overlap >= 0.5, overlap + 0.1 >= said.map(box.exchanged.overlap).max() ?? 0 else {
                    let numbers = bbox.map { NumberText.short($0) }.joined(separator: ", ")
                    let lies = [box.left, box.top, box.right - box.left, box.bottom - box.top].map {
                        NumberText.short($0)
                    }
                    throw refusal(
                        "has the bbox \(numbers), and what it marks lies in \(lies.joined(separator: ", ")): one of both is of another"
                            + " size of the picture, has x and y exchanged, or runs along the rows")
                }
            }

            private static func bounds(
                _ xs: [Double], _ ys: [Double]
            ) -> (left: Double, right: Double, top: Double, bottom: Double)? {
                guard let left = xs.min(), let right = xs.max(), let top = ys.min(), let bottom = ys.max() else {
                    return nil
                }
                return (left, right, top, bottom)
            }
        }
        enum Segmentation: Decodable {
            case polygons([[Double]])
            case runs([Int], size: [Int])

            private enum Keys: String, CodingKey { case counts, size }

            init(from decoder: any Decoder) throws {
                if let polygons = try? decoder.singleValueContainer().decode([[Double]].self) {
                    self = .polygons(polygons)
                    return
                }
                let container = try decoder.container(keyedBy: Keys.self)
                let size = try container.decode([Int].self, forKey: .size)
                if let text = try? container.decode(String.self, forKey: .counts) {
                    self = .runs(Self.unpacked(text), size: size)
                } else {
                    self = .runs(try container.decode([Int].self, forKey: .counts), size: size)
                }
            }

            /// Five bits a letter, least significant first; from the third number on differences to the one before the last.
            private static func unpacked(_ text: String) -> [Int] {
                var runs: [Int] = []
                var (value, shift) = (0, 0)
                for letter in text.utf8 {
                    let bits = Int(letter) - 48
                    guard (0..<64).contains(bits), shift < 60 else { return [-1] }
                    value |= (bits & 0x1F) << shift
                    shift += 5
                    guard bits & 0x20 == 0 else { continue }
                    if bits & 0x10 != 0 { value |= -1 << shift }
                    runs.append(runs.count > 2 ? value &+ runs[runs.count - 2] : value)
                    (value, shift) = (0, 0)
                }
                return runs
            }
        }
        let images: [Image]
        let categories: [Category]
        let annotations: [Annotation]
    }
}
