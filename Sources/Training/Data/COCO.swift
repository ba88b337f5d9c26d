import Failures
import Foundation
import ImageFiles
import Numbers
import Storage

/// A COCO annotation file: outlines and runs of objects in pictures.
///
/// *Source*: cocodataset.org "Data format"; pycocotools `maskApi.c` for runs. A polygon marks the pixels whose centre it encloses (even
/// and odd); of objects that overlap the later one counts.
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
        }

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
            for shape in shapes {
                for polygon in shape.polygons { fill(polygon, shape.segment, &classes) }
                var at = 0
                for (index, run) in shape.runs.enumerated() {
                    if index % 2 == 1 {
                        for pixel in at..<min(at + run, classes.count) {
                            classes[pixel % rows * columns + pixel / rows] = shape.segment
                        }
                    }
                    at += run
                }
            }
            return classes
        }

        private func fill(_ polygon: [Double], _ segment: UInt8, _ classes: inout [UInt8]) {
            let points = stride(from: 0, to: polygon.count - 1, by: 2).map { (x: polygon[$0], y: polygon[$0 + 1]) }
            guard points.count > 2 else { return }
            for row in 0..<rows {
                let y = Double(row) + 0.5
                var crossings: [Double] = []
                for (index, point) in points.enumerated() {
                    let next = points[(index + 1) % points.count]
                    guard (point.y <= y) != (next.y <= y) else { continue }
                    crossings.append(point.x + (y - point.y) / (next.y - point.y) * (next.x - point.x))
                }
                crossings.sort()
                for pair in stride(from: 0, to: crossings.count - 1, by: 2) {
                    let first = Int(rounding: (crossings[pair] - 0.5).rounded(.up), clampedTo: 0...columns)
                    let end = Int(rounding: (crossings[pair + 1] - 0.5).rounded(.up), clampedTo: 0...columns)
                    for column in first..<max(first, end) { classes[row * columns + column] = segment }
                }
            }
        }
    }

    /// By the file's order.
    let pictures: [Picture]
    /// Categories that no segment is of.
    let left: [String]

    /// - Parameter labels: the model's segments, which are found among the categories by their names; nil: all categories are the one
    ///   segment, or there are as many as segments and they come in the order of their numbers.
    /// *Throws* `TrainingFailure.layout`.
    init(_ path: String, segments: Int, labels: [String]?) throws {
        let data = Data(try DurableFile.read(path, limit: 1 << 30))
        let file: File
        do {
            file = try JSONDecoder().decode(File.self, from: data)
        } catch {
            throw TrainingFailure.layout(path: path, reason: "it is no annotation file as COCO describes it")
        }
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
            let shapes = try (objects[image.id] ?? []).compactMap { object -> Picture.Shape? in
                guard let segment = classes[object.category_id] else { return nil }
                return try Self.shape(object.segmentation, segment, image, path)
            }
            return Picture(
                file: path, name: image.file_name, rows: image.height, columns: image.width, shapes: shapes)
        }
    }

    private static func shape(
        _ segmentation: File.Segmentation, _ segment: UInt8, _ image: File.Image, _ path: String
    ) throws -> Picture.Shape {
        switch segmentation {
        case .polygons(let polygons): return .init(segment: segment, polygons: polygons, runs: [])
        case .runs(let runs, let size):
            let pixels = image.width * image.height
            // No run is longer than the picture, so that the sum of those that a file can hold is a number.
            guard size == [image.height, image.width], runs.allSatisfy({ (0...pixels).contains($0) }),
                runs.reduce(0, +) == pixels
            else {
                throw TrainingFailure.layout(path: path, reason: "the runs of an object do not fill its picture")
            }
            return .init(segment: segment, polygons: [], runs: runs)
        }
    }

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
            let image_id, category_id: Int
            let segmentation: Segmentation
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
