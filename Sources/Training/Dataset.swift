import Failures
import ImageFiles
package import Imaging
package import SegmentAnything
import Storage

/// Images with their masks, by stem.
package struct Dataset: Sendable {
    package struct Pair: Sendable, Equatable {
        /// The image's stem.
        package let name: String
        package let image: String
        package let mask: String
    }

    /// In the order of their names.
    package let pairs: [Pair]

    static let imageEndings = ["png", "jpg", "jpeg", "tif", "tiff"]
    static let maskSuffixes = ["", "_mask", "_segmentation"]

    /// - Parameters:
    ///   - list: CSV with the header `name,split`; with `split` only the names of that split.
    /// *Throws* `TrainingFailure.missingMask`, `.noPairs`, `.split`; Storage's failures.
    package init(images: String, masks: String, list: String? = nil, split: String? = nil) throws {
        let files = try Self.byStem(images)
        let maskFiles = try Self.byStem(masks)
        var names = files.keys.sorted()
        if let list {
            names = try Self.names(list, split: split)
            if let missing = names.first(where: { files[$0] == nil }) {
                throw TrainingFailure.notInFolder(list: list, name: missing, images: images)
            }
        }
        pairs = try names.map { name in
            let image = Folder.join(images, files[name] ?? "")
            guard let mask = Self.maskSuffixes.lazy.compactMap({ maskFiles[name + $0] }).first else {
                throw TrainingFailure.missingMask(image: image, folder: masks)
            }
            return Pair(name: name, image: image, mask: Folder.join(masks, mask))
        }
        if pairs.isEmpty {
            throw TrainingFailure.noPairs(
                path: images,
                reason: list == nil
                    ? "the folder holds no PNG, JPEG or TIFF image" : "the list and the split name no image")
        }
    }

    /// *Throws* as `init(images:masks:list:split:)`.
    init(_ source: TrainingPlan.Source) throws {
        try self.init(images: source.images, masks: source.masks, list: source.list, split: source.split)
    }

    private init(pairs: [Pair]) { self.pairs = pairs }

    /// The first `count` images.
    package func prefix(_ count: Int) -> Dataset { Dataset(pairs: Array(pairs.prefix(count))) }

    /// An image with the class of each pixel: 0 background, 1 … K. *Shape*: classes `[rows · columns]`.
    package struct Sample: Sendable {
        package var image: DisplayImage
        package var classes: [UInt8]
    }

    /// - Parameter segments: with one segment a mask is foreground above 127; with more its values are the classes.
    package func sample(_ pair: Pair, segments: Int, input: TrainedInput) throws -> Sample {
        let image = try Self.onePage(pair.image)
        let mask = try Self.onePage(pair.mask)
        guard image.rows == mask.rows, image.columns == mask.columns else {
            throw TrainingFailure.sizesDiffer(
                image: pair.image, imageSize: "\(image.columns)×\(image.rows)", mask: pair.mask,
                maskSize: "\(mask.columns)×\(mask.rows)")
        }
        let values = mask.grey8
        return Sample(
            image: try input.windowing.display(image, path: pair.image),
            classes: segments == 1 ? values.map { $0 > 127 ? 1 : 0 } : values.map { Int($0) <= segments ? $0 : 0 })
    }

    private static func onePage(_ path: String) throws -> RasterPage {
        guard let page = try ImageFile.read(path).first else {
            throw TrainingFailure.noPairs(path: path, reason: "the file holds no picture")
        }
        return page
    }

    private static func byStem(_ folder: String) throws -> [String: String] {
        var files: [String: String] = [:]
        for entry in try Folder.list(folder) where entry.status.kind == .regular {
            guard let dot = entry.name.lastIndex(of: "."),
                imageEndings.contains(entry.name[dot...].dropFirst().lowercased())
            else { continue }
            files[String(entry.name[..<dot])] = entry.name
        }
        return files
    }

    private static func names(_ list: String, split: String?) throws -> [String] {
        let text = String(decoding: try DurableFile.read(list, limit: 64 << 20), as: UTF8.self)
        let lines = text.split(omittingEmptySubsequences: false) { $0 == "\n" || $0 == "\r\n" }.map(String.init)
        guard lines.first == "name,split" else {
            throw TrainingFailure.split(path: list, reason: "its first line is not name,split")
        }
        var names: [String] = []
        for (number, line) in lines.enumerated().dropFirst() where !line.isEmpty {
            let fields = line.split(separator: ",", omittingEmptySubsequences: false)
            guard fields.count == 2 else {
                throw TrainingFailure.split(path: list, reason: "line \(number + 1) has \(fields.count) fields, not 2")
            }
            if split == nil || fields[1] == split ?? "" { names.append(String(fields[0])) }
        }
        return names.sorted()
    }
}
